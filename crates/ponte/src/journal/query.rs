//! Reading the journal beside the writer: lists, stories, exports.

mod senders;

use std::path::{Path, PathBuf};

use ponte_core::id::{AlertId, ClientOrderId};
use ponte_core::message::Event;
use ponte_core::state::State;
use ponte_core::time::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params_from_iter};
use serde::{Deserialize, Serialize};

pub use senders::{SeenAddress, SeenKey, Senders};

use super::rows::{short, short_ids_of};
use super::{JournalError, schema};

/// Most rows that one list gives.
const ROWS_MAX: u32 = 10_000;

/// A reader of the journal; cheap to open, for one thread.
pub struct Reader {
    connection: Connection,
    path: PathBuf,
}

/// Which alerts are listed, newest first.
#[derive(Debug, Clone, Default)]
pub struct AlertFilter {
    /// At most so many, up to 10,000.
    pub limit: u32,
    /// Only this outcome.
    pub outcome: Option<String>,
    /// Only this strategy.
    pub strategy: Option<String>,
    /// Only this symbol.
    pub symbol: Option<String>,
    /// Only those received at or after this moment.
    pub since: Option<Timestamp>,
}

/// One alert in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRow {
    /// Its number, written `A17`.
    pub id: String,
    /// When its last byte was there.
    pub received_at: Timestamp,
    /// When it was decided; its commit followed.
    pub decided_at: Timestamp,
    /// Its source.
    pub source: String,
    /// Its strategy.
    pub strategy: String,
    /// Its symbol, unless it is a heartbeat.
    pub symbol: Option<String>,
    /// What it wanted, in one word.
    pub intent: String,
    /// What was decided, in one word.
    pub outcome: String,
    /// The alert that it repeats.
    pub first: Option<String>,
}

/// Which orders are listed, newest first.
#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    /// At most so many, up to 10,000.
    pub limit: u32,
    /// Only those that are not over.
    pub open_only: bool,
    /// Only this account.
    pub account: Option<String>,
    /// Only this symbol.
    pub symbol: Option<String>,
    /// Only those of this alert.
    pub alert: Option<AlertId>,
}

/// One order in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRow {
    /// Its client order id.
    pub id: String,
    /// The alert behind it, also behind protection; none for a person's flatten.
    pub alert: Option<String>,
    /// Its account.
    pub account: String,
    /// Its strategy.
    pub strategy: String,
    /// The broker's symbol.
    pub symbol: String,
    /// Entry, exit or protection.
    pub class: String,
    /// Buy or sell.
    pub side: String,
    /// How much.
    pub quantity: String,
    /// Where it stands.
    pub status: String,
    /// How much has traded.
    pub filled: String,
    /// At which mean price.
    pub average_price: String,
    /// Fees.
    pub fees: String,
    /// When it was decided.
    pub planned_at: Timestamp,
    /// When its first byte went to the broker.
    pub sent_at: Option<Timestamp>,
    /// When the broker's answer was there.
    pub answered_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// How often it was handed to execution.
    pub attempts: u32,
    /// The last thing that was said about it.
    pub reason: Option<String>,
    #[serde(skip)]
    seq: i64,
    #[serde(skip)]
    last_seq: i64,
}

/// One event as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRow {
    /// Its number.
    pub seq: i64,
    /// When it became a fact.
    pub at: Timestamp,
    /// Its kind.
    pub kind: String,
    /// What it says; `null` when its content was retired.
    pub event: serde_json::Value,
}

/// The whole story of one alert or order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// The alert, unless a person asked.
    pub alert: Option<AlertRow>,
    /// The orders that it led to.
    pub orders: Vec<OrderRow>,
    /// Later deliveries of the same alert.
    pub repeats: Vec<AlertRow>,
    /// Everything that happened, in order.
    pub events: Vec<EventRow>,
}

/// Which events are exported.
#[derive(Debug, Clone, Default)]
pub struct ExportFilter {
    /// Only those at or after this moment.
    pub since: Option<Timestamp>,
    /// Only those before this moment.
    pub until: Option<Timestamp>,
    /// Only these kinds; all when empty.
    pub kinds: Vec<String>,
}

impl Reader {
    /// Opens the journal file for reading.
    ///
    /// # Errors
    /// When it is missing or can't be read.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        Ok(Self {
            connection: schema::open_for_reading(path)?,
            path: path.to_owned(),
        })
    }

    pub(super) fn wrap<T>(&self, result: Result<T, rusqlite::Error>) -> Result<T, JournalError> {
        result.map_err(JournalError::database(&self.path))
    }

    /// Alerts, newest first.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub fn alerts(&self, filter: &AlertFilter) -> Result<Vec<AlertRow>, JournalError> {
        let mut query = Conditions::new();
        query.text("outcome", filter.outcome.as_ref());
        query.text("strategy", filter.strategy.as_ref());
        query.text("symbol", filter.symbol.as_ref());
        query.from("received_at", filter.since);
        let sql = format!(
            "{ALERTS} {} ORDER BY id DESC LIMIT {}",
            query.sql(),
            limit(filter.limit)
        );
        self.wrap(self.rows(&sql, query.values, alert_row))
    }

    /// Orders, newest first.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub fn orders(&self, filter: &OrderFilter) -> Result<Vec<OrderRow>, JournalError> {
        let mut query = Conditions::new();
        if filter.open_only {
            query.clauses.push("is_open = 1".to_owned());
        }
        query.text("account", filter.account.as_ref());
        query.text("symbol", filter.symbol.as_ref());
        if let Some(alert) = filter.alert {
            query.alert(alert);
        }
        let sql = format!(
            "{ORDERS} {} ORDER BY seq DESC LIMIT {}",
            query.sql(),
            limit(filter.limit)
        );
        self.wrap(self.rows(&sql, query.values, order_row))
    }

    /// The story of an alert; `None` when there is no such alert.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub fn story_of_alert(&self, id: AlertId) -> Result<Option<Story>, JournalError> {
        let number = Value::Integer(i64::try_from(id.0).unwrap_or(i64::MAX));
        let alert = self.wrap(self.rows(
            &format!("{ALERTS} WHERE id = ?"),
            vec![number.clone()],
            |row| Ok((alert_row(row)?, row.get::<_, i64>("seq")?)),
        ))?;
        let Some((alert, seq)) = alert.into_iter().next() else {
            return Ok(None);
        };
        let mut of_alert = Conditions::new();
        of_alert.alert(id);
        let orders = self.wrap(self.rows(
            &format!("{ORDERS} {} ORDER BY seq", of_alert.sql()),
            of_alert.values,
            order_row,
        ))?;
        let repeats = self.wrap(self.rows(
            &format!("{ALERTS} WHERE first = ? ORDER BY id"),
            vec![number],
            alert_row,
        ))?;
        let mut events = self.wrap(self.rows(
            &format!("{EVENTS} WHERE seq = ?"),
            vec![Value::Integer(seq)],
            event_row,
        ))?;
        events.extend(self.events_of(&orders)?);
        events.sort_by_key(|event| event.seq);
        Ok(Some(Story {
            alert: Some(alert),
            orders,
            repeats,
            events,
        }))
    }

    /// The story of an order by its id or the start of it; that of its alert, where it has one.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub fn story_of_order(&self, id: &ClientOrderId) -> Result<Option<Story>, JournalError> {
        let found = self.wrap(self.rows(
            &format!("{ORDERS} WHERE short_id = ? AND id = ?"),
            vec![
                Value::Integer(short(&id.to_bytes())),
                Value::Blob(id.to_bytes().to_vec()),
            ],
            order_row,
        ))?;
        let Some(order) = found.into_iter().next() else {
            return Ok(None);
        };
        if let Some(alert) = order.alert.as_ref().and_then(|alert| alert.parse().ok()) {
            return self.story_of_alert(alert);
        }
        let orders = vec![order];
        let events = self.events_of(&orders)?;
        Ok(Some(Story {
            alert: None,
            orders,
            repeats: Vec::new(),
            events,
        }))
    }

    fn events_of(&self, orders: &[OrderRow]) -> Result<Vec<EventRow>, JournalError> {
        let mut events = Vec::new();
        for order in orders {
            events.extend(
                self.wrap(
                    self.rows(
                        &format!(
                            "{EVENTS} WHERE seq BETWEEN ? AND ? AND order_seq = ? ORDER BY seq"
                        ),
                        [order.seq, order.last_seq, order.seq]
                            .map(Value::Integer)
                            .to_vec(),
                        event_row,
                    ),
                )?,
            );
        }
        Ok(events)
    }

    /// Hands over every event that passes the filter, oldest first, without holding them in memory.
    ///
    /// # Errors
    /// When the journal can't be read; `each` ends it early by returning `false`.
    pub fn export(
        &self,
        filter: &ExportFilter,
        mut each: impl FnMut(EventRow) -> bool,
    ) -> Result<(), JournalError> {
        let mut query = Conditions::new();
        query.from("at", filter.since);
        if let Some(until) = filter.until {
            query.value("at < ?", Value::Integer(until.0));
        }
        if !filter.kinds.is_empty() {
            let marks = vec!["?"; filter.kinds.len()].join(", ");
            query.clauses.push(format!("kind IN ({marks})"));
            query
                .values
                .extend(filter.kinds.iter().cloned().map(Value::Text));
        }
        let sql = format!("{EVENTS} {} ORDER BY seq", query.sql());
        let run = || -> Result<(), rusqlite::Error> {
            let mut statement = self.connection.prepare(&sql)?;
            let mut rows = statement.query(params_from_iter(query.values))?;
            while let Some(row) = rows.next()? {
                if !each(event_row(row)?) {
                    break;
                }
            }
            Ok(())
        };
        self.wrap(run())
    }

    /// Hands over events of these kinds, newest first, without holding them in memory.
    ///
    /// # Errors
    /// When the journal can't be read; `each` ends it early by returning `false`.
    pub fn latest(
        &self,
        kinds: &[&str],
        since: Option<Timestamp>,
        mut each: impl FnMut(EventRow) -> bool,
    ) -> Result<(), JournalError> {
        let mut query = Conditions::new();
        query.from("at", since);
        let marks = vec!["?"; kinds.len()].join(", ");
        query.clauses.push(format!("kind IN ({marks})"));
        let kinds = kinds.iter().map(|kind| Value::Text((*kind).to_owned()));
        query.values.extend(kinds);
        let sql = format!("{EVENTS} {} ORDER BY seq DESC", query.sql());
        let run = || -> Result<(), rusqlite::Error> {
            let mut statement = self.connection.prepare(&sql)?;
            let mut rows = statement.query(params_from_iter(query.values))?;
            while let Some(row) = rows.next()? {
                if !each(event_row(row)?) {
                    break;
                }
            }
            Ok(())
        };
        self.wrap(run())
    }

    /// The state by the last snapshot and the events after it, or by all events from nothing.
    ///
    /// # Errors
    /// When the journal can't be read, or its content isn't what was written.
    pub fn state(&self, from_nothing: bool) -> Result<State, JournalError> {
        let snapshot: Option<(i64, String)> = self.wrap(
            self.connection
                .query_row(
                    "SELECT seq, data FROM snapshots ORDER BY seq DESC LIMIT 1",
                    [],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional(),
        )?;
        let (mut state, after) = match snapshot.filter(|_| !from_nothing) {
            Some((seq, data)) => match serde_json::from_str(&data) {
                Ok(state) => (state, seq),
                // Another version's; the events say the same.
                Err(_) => (State::default(), 0),
            },
            None => (State::default(), 0),
        };
        let rows = self.wrap(self.rows(
            &format!("{EVENTS} WHERE seq > ? ORDER BY seq"),
            vec![Value::Integer(after)],
            |row| {
                Ok((
                    row.get::<_, i64>("seq")?,
                    row.get("at")?,
                    row.get::<_, String>("data")?,
                ))
            },
        ))?;
        for (seq, at, data) in rows.into_iter().filter(|(_, _, data)| !data.is_empty()) {
            let event: Event =
                serde_json::from_str(&data).map_err(|problem| JournalError::Unreadable {
                    path: self.path.clone(),
                    seq,
                    message: problem.to_string(),
                })?;
            state.apply(Timestamp(at), &event);
        }
        Ok(state)
    }

    /// How many events there are, and how many bytes the journal takes.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub fn size(&self) -> Result<(i64, u64), JournalError> {
        let events = self.wrap(self.connection.query_row(
            "SELECT COALESCE(MAX(seq), 0) FROM events",
            [],
            |row| row.get(0),
        ))?;
        let wal = self.path.with_extension("sqlite-wal");
        let bytes = [self.path.as_path(), wal.as_path()]
            .iter()
            .filter_map(|path| std::fs::metadata(path).ok())
            .map(|file| file.len())
            .sum();
        Ok((events, bytes))
    }

    pub(super) fn rows<T>(
        &self,
        sql: &str,
        values: Vec<Value>,
        map: impl FnMut(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Vec<T>, rusqlite::Error> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params_from_iter(values), map)?;
        rows.collect()
    }
}

const ALERTS: &str = "SELECT id, seq, received_at, decided_at, source, strategy, symbol, intent,
                      outcome, first FROM alerts";
const ORDERS: &str =
    "SELECT seq, last_seq, id, alert, account, strategy, symbol, class, side, quantity,
                      status, filled, average_price, fees, planned_at, sent_at, answered_at,
                      ended_at, attempts, reason FROM orders";
const EVENTS: &str = "SELECT seq, at, kind, data FROM events";

fn limit(asked: u32) -> u32 {
    asked.clamp(1, ROWS_MAX)
}

fn alert_row(row: &Row<'_>) -> Result<AlertRow, rusqlite::Error> {
    Ok(AlertRow {
        id: AlertId(row.get("id")?).to_string(),
        received_at: Timestamp(row.get("received_at")?),
        decided_at: Timestamp(row.get("decided_at")?),
        source: row.get("source")?,
        strategy: row.get("strategy")?,
        symbol: row.get("symbol")?,
        intent: row.get("intent")?,
        outcome: row.get("outcome")?,
        first: row
            .get::<_, Option<u64>>("first")?
            .map(|id| AlertId(id).to_string()),
    })
}

fn order_row(row: &Row<'_>) -> Result<OrderRow, rusqlite::Error> {
    let moment = |name| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(name)?.map(Timestamp));
    Ok(OrderRow {
        id: ClientOrderId::from_bytes(row.get("id")?).to_string(),
        alert: row
            .get::<_, Option<u64>>("alert")?
            .map(|id| AlertId(id).to_string()),
        account: row.get("account")?,
        strategy: row.get("strategy")?,
        symbol: row.get("symbol")?,
        class: row.get("class")?,
        side: row.get("side")?,
        quantity: row.get("quantity")?,
        status: row.get("status")?,
        filled: row.get("filled")?,
        average_price: row.get("average_price")?,
        fees: row.get("fees")?,
        planned_at: Timestamp(row.get("planned_at")?),
        sent_at: moment("sent_at")?,
        answered_at: moment("answered_at")?,
        ended_at: moment("ended_at")?,
        attempts: row.get("attempts")?,
        reason: row.get("reason")?,
        seq: row.get("seq")?,
        last_seq: row.get("last_seq")?,
    })
}

fn event_row(row: &Row<'_>) -> Result<EventRow, rusqlite::Error> {
    let data: String = row.get("data")?;
    Ok(EventRow {
        seq: row.get("seq")?,
        at: Timestamp(row.get("at")?),
        kind: row.get("kind")?,
        event: serde_json::from_str(&data).unwrap_or(serde_json::Value::Null),
    })
}

/// The conditions of a query, joined by AND.
struct Conditions {
    clauses: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    const fn new() -> Self {
        Self {
            clauses: Vec::new(),
            values: Vec::new(),
        }
    }

    fn value(&mut self, clause: &str, value: Value) {
        self.clauses.push(clause.to_owned());
        self.values.push(value);
    }

    fn text(&mut self, column: &str, value: Option<&String>) {
        if let Some(value) = value {
            self.value(&format!("{column} = ?"), Value::Text(value.clone()));
        }
    }

    fn from(&mut self, column: &str, since: Option<Timestamp>) {
        if let Some(since) = since {
            self.value(&format!("{column} >= ?"), Value::Integer(since.0));
        }
    }

    fn alert(&mut self, alert: AlertId) {
        let (first, last) = short_ids_of(alert);
        self.value("short_id >= ?", Value::Integer(first));
        self.value("short_id <= ?", Value::Integer(last));
        // A person's flatten takes its place behind the latest alert, and belongs to none.
        let number = i64::try_from(alert.0).unwrap_or(i64::MAX);
        self.value("alert = ?", Value::Integer(number));
    }

    fn sql(&self) -> String {
        if self.clauses.is_empty() {
            String::new()
        } else {
            format!("WHERE {}", self.clauses.join(" AND "))
        }
    }
}
