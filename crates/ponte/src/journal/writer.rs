//! The journal's one writer: a batch of decisions becomes one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use ponte_core::id::{ClientOrderId, Digest};
use ponte_core::identity::Identity;
use ponte_core::message::{Event, Seen};
use ponte_core::state::State;
use ponte_core::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use rust_decimal::Decimal;

use super::chain::{link, meta};
use super::rows::{self, Times, short};
use super::{JournalError, LOCK_FILE, RESTORING, path_in, schema};
use crate::files;

/// After so many events a snapshot is taken, so that a start replays no more than that.
const SNAPSHOT_EVENTS: u64 = 60_000;
/// How many snapshots are kept: the last, and one before it in case the last can't be read.
const SNAPSHOTS_KEPT: i64 = 2;
/// So many events are replayed between two reports of how far a start has come.
const REPORT_EVENTS: u64 = 20_000;
/// How many alerts of one short identity are looked at; more would be a collision of 64 bits.
const IDENTITY_ROWS_MAX: usize = 4;

/// The journal's one writer.
pub struct Writer {
    connection: Connection,
    path: PathBuf,
    /// Held as long as the writer lives: two writers would double orders.
    _lock: File,
    last_seq: i64,
    last_hash: Digest,
    open_orders: BTreeMap<ClientOrderId, i64>,
    batch: Batch,
    unsnapshotted: u64,
    /// The text of the event that is being written; kept for its room.
    text: Vec<u8>,
}

/// What a transaction has gathered for its end.
#[derive(Default)]
struct Batch {
    planned: BTreeSet<ClientOrderId>,
    touched: BTreeMap<ClientOrderId, Times>,
    events: u64,
}

/// What a start finds.
pub struct Loaded {
    /// The state after the last event.
    pub state: State,
    /// How many events were applied on top of the snapshot.
    pub replayed: u64,
    /// The random text of this data directory.
    pub installation: String,
}

impl Writer {
    /// Opens or makes the journal of a data directory.
    ///
    /// # Errors
    /// When the directory or the file can't be used, or another process writes to it.
    pub fn open(data_dir: &Path) -> Result<Self, JournalError> {
        let directory = |source| JournalError::Directory {
            path: data_dir.to_owned(),
            source,
        };
        make_private_directory(data_dir).map_err(directory)?;
        let path = path_in(data_dir);
        if data_dir.join(RESTORING).exists() {
            return Err(JournalError::HalfRestored {
                path: data_dir.to_owned(),
            });
        }
        let lock = files::lock_file(&data_dir.join(LOCK_FILE), data_dir).map_err(directory)?;
        if lock.try_lock().is_err() {
            return Err(JournalError::InUse { path });
        }
        if !path.exists() {
            // SQLite takes an empty file for a new database, and gives what is beside it to its owner.
            files::new(&path).map_err(directory)?;
            files::hand_to_owner_of(data_dir, &path).map_err(directory)?;
        }
        let connection = schema::open_for_writing(&path)?;
        Ok(Self {
            connection,
            path,
            _lock: lock,
            last_seq: 0,
            last_hash: Digest::ZERO,
            open_orders: BTreeMap::new(),
            batch: Batch::default(),
            unsnapshotted: 0,
            text: Vec::new(),
        })
    }

    /// Reads the state after the last durable event. Also the way back after a failed commit.
    ///
    /// # Errors
    /// When the file can't be read or its content is not what was written.
    pub fn load(&mut self) -> Result<Loaded, JournalError> {
        self.load_reporting(|_| ())
    }

    /// [`Self::load`] that says now and then how many events it has replayed.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_reporting(&mut self, mut report: impl FnMut(u64)) -> Result<Loaded, JournalError> {
        let error = JournalError::database(&self.path);
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK").map_err(&error)?;
        }
        self.batch = Batch::default();
        let installation = self.installation()?;
        let (state, snapshot_seq) = self.snapshot()?;
        let mut state = state;
        let mut replayed = 0;
        let mut tip = (0, Digest::ZERO);
        {
            let mut statement = self
                .connection
                .prepare("SELECT seq, at, data, hash FROM events WHERE seq >= ?1 ORDER BY seq")
                .map_err(&error)?;
            let mut rows = statement.query([snapshot_seq]).map_err(&error)?;
            while let Some(row) = rows.next().map_err(&error)? {
                let seq: i64 = row.get(0).map_err(&error)?;
                tip = (seq, Digest(row.get(3).map_err(&error)?));
                if seq == snapshot_seq {
                    continue;
                }
                let at = Timestamp(row.get(1).map_err(&error)?);
                let data = row
                    .get_ref(2)
                    .and_then(|data| Ok(data.as_str()?))
                    .map_err(&error)?;
                if data.is_empty() {
                    // A refused request whose content was retired; it changed no state.
                    continue;
                }
                let event: Event =
                    serde_json::from_str(data).map_err(|problem| JournalError::Unreadable {
                        path: self.path.clone(),
                        seq,
                        message: problem.to_string(),
                    })?;
                state.apply(at, &event);
                replayed += 1;
                if replayed % REPORT_EVENTS == 0 {
                    report(replayed);
                }
            }
        }
        (self.last_seq, self.last_hash) = tip;
        self.unsnapshotted = replayed;
        self.open_orders = self.read_open_orders().map_err(&error)?;
        Ok(Loaded {
            state,
            replayed,
            installation,
        })
    }

    fn installation(&self) -> Result<String, JournalError> {
        let error = JournalError::database(&self.path);
        if let Some(known) = meta(&self.connection, "installation").map_err(&error)? {
            return Ok(known);
        }
        let fresh = crate::random::hex_token(16);
        self.connection
            .execute(
                "INSERT INTO meta (key, value) VALUES ('installation', ?1)",
                [&fresh],
            )
            .map_err(&error)?;
        Ok(fresh)
    }

    /// The newest state that can be read, and the event that it stands after. A snapshot that another
    /// version wrote may not be readable; the one before it, or all events, give the same state.
    fn snapshot(&self) -> Result<(State, i64), JournalError> {
        let error = JournalError::database(&self.path);
        let mut statement = self
            .connection
            .prepare("SELECT seq, data FROM snapshots ORDER BY seq DESC")
            .map_err(&error)?;
        let mut rows = statement.query([]).map_err(&error)?;
        let mut unreadable = None;
        while let Some(row) = rows.next().map_err(&error)? {
            let seq: i64 = row.get(0).map_err(&error)?;
            let data = row.get_ref(1).and_then(|data| Ok(data.as_str()?));
            match serde_json::from_str(data.map_err(&error)?) {
                Ok(state) => return Ok((state, seq)),
                Err(problem) => {
                    let message = format!("snapshot: {problem}");
                    tracing::warn!(
                        seq,
                        message,
                        "a snapshot can't be read; older events are replayed"
                    );
                    unreadable.get_or_insert(JournalError::Unreadable {
                        path: self.path.clone(),
                        seq,
                        message,
                    });
                }
            }
        }
        match unreadable {
            // Without the first events nothing else gives the state.
            Some(unreadable)
                if meta(&self.connection, "chain_anchor")
                    .map_err(&error)?
                    .is_some() =>
            {
                Err(unreadable)
            }
            Some(_) | None => Ok((State::default(), 0)),
        }
    }

    fn read_open_orders(&self) -> Result<BTreeMap<ClientOrderId, i64>, rusqlite::Error> {
        let mut statement = self
            .connection
            .prepare("SELECT id, seq FROM orders WHERE is_open = 1")?;
        let rows = statement.query_map([], |row| {
            Ok((ClientOrderId::from_bytes(row.get(0)?), row.get(1)?))
        })?;
        rows.collect()
    }

    /// Begins a batch.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn begin(&mut self) -> Result<(), JournalError> {
        self.connection
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut statement| statement.execute([]))
            .map(drop)
            .map_err(JournalError::database(&self.path))
    }

    /// The latest alert that claimed an identity, those of this batch among them.
    ///
    /// # Errors
    /// When the database fails.
    pub fn seen(&self, identity: &Identity) -> Result<Option<Seen>, JournalError> {
        self.find_seen(identity)
            .map_err(JournalError::database(&self.path))
    }

    fn find_seen(&self, identity: &Identity) -> Result<Option<Seen>, rusqlite::Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, received_at, identity_key, digest FROM alerts
             INDEXED BY alerts_by_identity WHERE identity = ?1 ORDER BY id DESC",
        )?;
        let mut rows = statement.query([short(&identity.key.0)])?;
        for _ in 0..IDENTITY_ROWS_MAX {
            let Some(row) = rows.next()? else {
                break;
            };
            if Digest(row.get(2)?) == identity.key {
                return Ok(Some(Seen {
                    alert: ponte_core::id::AlertId(row.get(0)?),
                    at: Timestamp(row.get(1)?),
                    digest: Digest(row.get(3)?),
                }));
            }
        }
        Ok(None)
    }

    /// Writes the events of one decision into the open batch.
    ///
    /// # Errors
    /// When the database fails; the batch must then be given up by [`Self::load`].
    pub fn append(&mut self, at: Timestamp, events: &[Event]) -> Result<(), JournalError> {
        for event in events {
            self.append_one(at, event)?;
        }
        Ok(())
    }

    fn append_one(&mut self, at: Timestamp, event: &Event) -> Result<(), JournalError> {
        let seq = self.last_seq + 1;
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        let written = serde_json::to_writer(&mut text, event);
        let data = written
            .map_err(|problem| problem.to_string())
            .and_then(|()| std::str::from_utf8(&text).map_err(|problem| problem.to_string()));
        let data = data.map_err(|message| JournalError::Unreadable {
            path: self.path.clone(),
            seq,
            message,
        })?;
        let hash = link(self.last_hash, seq, at, data);
        let order_seq = self.note(event, seq, at);
        let inserted = self.insert(at, event, seq, order_seq, data, hash);
        self.text = text;
        inserted.map_err(JournalError::database(&self.path))?;
        self.last_seq = seq;
        self.last_hash = hash;
        self.batch.events += 1;
        Ok(())
    }

    fn insert(
        &self,
        at: Timestamp,
        event: &Event,
        seq: i64,
        order_seq: Option<i64>,
        data: &str,
        hash: Digest,
    ) -> Result<(), rusqlite::Error> {
        self.connection
            .prepare_cached(
                "INSERT INTO events (seq, at, kind, order_seq, data, prev_hash, hash)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                seq,
                at.0,
                event.kind(),
                order_seq,
                data,
                self.last_hash.0,
                hash.0
            ])?;
        if let Event::AlertDecided(decision) = event {
            rows::insert_alert(&self.connection, decision, seq, at)?;
        }
        Ok(())
    }

    /// Remembers what an event means for the orders table; the rows are written once, at the end.
    fn note(&mut self, event: &Event, seq: i64, at: Timestamp) -> Option<i64> {
        let id = event.order_id()?;
        if let Event::OrderPlanned { .. } = event {
            self.open_orders.insert(id, seq);
            self.batch.planned.insert(id);
        }
        let order_seq = self
            .open_orders
            .get(&id)
            .copied()
            .or_else(|| self.seq_of(&id))?;
        let times = self.batch.touched.entry(id).or_default();
        times.last_seq = seq;
        match event {
            Event::OrderAcknowledged {
                sent_at,
                answered_at,
                ..
            } => {
                times.sent_at = sent_at.or(times.sent_at);
                times.answered_at = Some(*answered_at);
            }
            Event::OrderUnknown { sent_at, .. } => times.sent_at = sent_at.or(times.sent_at),
            Event::OrderEnded { sent_at, .. } => {
                times.sent_at = sent_at.or(times.sent_at);
                times.ended_at = Some(at);
            }
            Event::Started { .. }
            | Event::RequestRefused(_)
            | Event::AlertDecided(_)
            | Event::OperatorActed { .. }
            | Event::SourceSwitched(_)
            | Event::Alarm { .. }
            | Event::OrderPlanned { .. }
            | Event::OrderReleased { .. }
            | Event::OrderFilled { .. }
            | Event::OrderNotSent { .. }
            | Event::ProtectionLate { .. }
            | Event::OrderQuestioned { .. }
            | Event::CancelRequested { .. }
            | Event::AccountRead { .. }
            | Event::HaltSet(_)
            | Event::HaltLifted { .. }
            | Event::FlattenRequested { .. }
            | Event::CutOffReached(_)
            | Event::DailyLossReached { .. }
            | Event::PositionReducedOutside(_) => {}
        }
        Some(order_seq)
    }

    fn seq_of(&self, id: &ClientOrderId) -> Option<i64> {
        self.connection
            .prepare_cached("SELECT seq FROM orders WHERE short_id = ?1 AND id = ?2")
            .and_then(|mut statement| {
                statement.query_row(params![short(&id.to_bytes()), id.to_bytes()], |row| {
                    row.get(0)
                })
            })
            .ok()
    }

    /// Makes the batch durable. When this returns, it is on disk.
    ///
    /// # Errors
    /// When the database fails; nothing of the batch has happened then, and the state must be
    /// taken back by [`Self::load`].
    pub fn commit(&mut self, state: &State) -> Result<(), JournalError> {
        let batch = std::mem::take(&mut self.batch);
        for (id, times) in &batch.touched {
            let seq = self.open_orders.get(id).copied();
            let (Some(order), Some(seq)) = (state.order(id), seq.or_else(|| self.seq_of(id)))
            else {
                continue;
            };
            let written = if batch.planned.contains(id) {
                rows::insert_order(&self.connection, seq, order, *times)
            } else {
                rows::update_order(&self.connection, seq, order, *times)
            };
            written.map_err(JournalError::database(&self.path))?;
        }
        self.end_transaction()?;
        for id in batch.touched.keys() {
            if state.open_order(id).is_none() {
                self.open_orders.remove(id);
            }
        }
        self.unsnapshotted += batch.events;
        Ok(())
    }

    fn end_transaction(&self) -> Result<(), JournalError> {
        self.connection
            .prepare_cached("COMMIT")
            .and_then(|mut statement| statement.execute([]))
            .map(drop)
            .map_err(JournalError::database(&self.path))
    }

    /// How much of an order had traded when it was last written; `None` for an order that this
    /// journal never had. For orders that are too old to be in the state.
    ///
    /// # Errors
    /// When the database fails.
    pub fn traded(&self, id: &ClientOrderId) -> Result<Option<Decimal>, JournalError> {
        let found: Option<String> = self
            .connection
            .prepare_cached("SELECT filled FROM orders WHERE short_id = ?1 AND id = ?2")
            .and_then(|mut statement| {
                statement
                    .query_row(params![short(&id.to_bytes()), id.to_bytes()], |row| {
                        row.get(0)
                    })
                    .optional()
            })
            .map_err(JournalError::database(&self.path))?;
        Ok(found.map(|text| text.parse().unwrap_or_default()))
    }

    /// Whether enough has happened since the last snapshot to take one.
    #[must_use]
    pub const fn wants_snapshot(&self) -> bool {
        self.unsnapshotted >= SNAPSHOT_EVENTS
    }

    /// Writes the state as of the last committed event, so that the next start is short.
    ///
    /// # Errors
    /// When the database fails; the journal is as it was.
    pub fn take_snapshot(&mut self, state: &State, at: Timestamp) -> Result<(), JournalError> {
        let error = JournalError::database(&self.path);
        if self.last_seq == 0 || self.unsnapshotted == 0 {
            return Ok(());
        }
        let data = serde_json::to_string(state).map_err(|problem| JournalError::Unreadable {
            path: self.path.clone(),
            seq: self.last_seq,
            message: problem.to_string(),
        })?;
        let transaction = self.connection.transaction().map_err(&error)?;
        transaction
            .execute(
                "INSERT OR REPLACE INTO snapshots (seq, at, hash, data) VALUES (?1, ?2, ?3, ?4)",
                params![self.last_seq, at.0, self.last_hash.0, data],
            )
            .map_err(&error)?;
        transaction
            .execute(
                "DELETE FROM snapshots WHERE seq NOT IN
                    (SELECT seq FROM snapshots ORDER BY seq DESC LIMIT ?1)",
                [SNAPSHOTS_KEPT],
            )
            .map_err(&error)?;
        transaction
            .execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES ('chain_length', ?1)",
                [self.last_seq.to_string()],
            )
            .map_err(&error)?;
        transaction.commit().map_err(&error)?;
        self.unsnapshotted = 0;
        Ok(())
    }

    /// Writes and takes away a little, to learn whether the journal can be written at all.
    ///
    /// # Errors
    /// When it can't.
    pub fn probe(&self) -> Result<(), JournalError> {
        // As large as a batch may be: a disk with room for one row only is still full.
        let filler = "x".repeat(64 * 1024);
        self.connection
            .execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES ('probe', ?1)",
                [filler],
            )
            .and_then(|_| {
                self.connection
                    .execute("DELETE FROM meta WHERE key = 'probe'", [])
            })
            .map(drop)
            .map_err(JournalError::database(&self.path))
    }

    /// Retires events by age, except what `keep` needs; see [`super::prune`].
    pub(super) const fn parts(&mut self) -> (&mut Connection, &PathBuf) {
        (&mut self.connection, &self.path)
    }
}

fn make_private_directory(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}
