//! When a source's secret was last used, by the record.

use ponte_core::id::SourceName;
use ponte_core::time::Timestamp;
use rusqlite::types::Value;

use super::{JournalError, Reader};

impl Reader {
    /// When the latest alert of a source came with its current secret, or with the one before it;
    /// `None` where none has since that moment, or its event was retired.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub fn last_use(
        &self,
        source: &SourceName,
        with_previous: bool,
        since: Timestamp,
    ) -> Result<Option<Timestamp>, JournalError> {
        let sql = "SELECT alerts.received_at FROM alerts JOIN events ON events.seq = alerts.seq
                    WHERE alerts.source = ?1 AND alerts.received_at >= ?2
                      AND coalesce(json_extract(events.data, '$.delivery.previous_secret'), 0) = ?3
                    ORDER BY alerts.id DESC LIMIT 1";
        let values = vec![
            Value::from(source.as_str().to_owned()),
            Value::from(since.0),
            Value::from(with_previous),
        ];
        let found = self.wrap(self.rows(sql, values, |row| row.get(0)))?;
        Ok(found.first().copied().map(Timestamp))
    }
}
