//! What this version of Ponte would find in a journal, without changing anything in it.

use std::path::Path;

use ponte_core::message::Event;
use ponte_core::state::State;
use ponte_core::time::Timestamp;
use rusqlite::{Connection, Transaction};

use super::chain::meta;
use super::{JournalError, schema};

/// Most events that are replayed to compare: more would make whoever asks wait for minutes.
const COMPARED_MAX: i64 = 500_000;

/// The schema of a journal, and whether this version can take it over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaOutlook {
    /// The version in the file.
    pub found: i64,
    /// The version that this program knows.
    pub known: i64,
    /// Why the steps between them fail; `None` when they don't, or there are none.
    pub failure: Option<String>,
}

/// What a start of this version would make of the journal's content.
#[derive(Debug)]
pub struct StateOutlook {
    /// The state that it would begin with.
    pub state: State,
    /// How many events it would replay on top of a snapshot.
    pub replayed: u64,
    /// The snapshots that it can't read: after which event each stands, and what is wrong with it.
    pub unreadable: Vec<(i64, String)>,
    /// Whether a replay of older events gives what the newest readable snapshot says.
    pub compared: Compared,
}

/// Whether replay and snapshot agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// They do; so many events were replayed.
    Equal(u64),
    /// They don't: after this event.
    Different(i64),
    /// There is no snapshot, or nothing older to compare it with.
    Nothing,
}

/// Carries out the steps from the journal's schema to this version's on an empty copy of the schema,
/// in memory.
///
/// # Errors
/// When the journal can't be read, or a newer Ponte has written it.
pub fn schema_outlook(path: &Path) -> Result<SchemaOutlook, JournalError> {
    let error = JournalError::database(path);
    let journal = schema::open_for_reading(path)?;
    let found = schema::version(&journal).map_err(&error)?;
    let copy = copy_of_schema(&journal, found).map_err(&error)?;
    Ok(rehearse(copy, path, found, schema::MIGRATIONS))
}

fn rehearse(mut copy: Connection, path: &Path, found: i64, steps: &[&str]) -> SchemaOutlook {
    let failure = schema::migrate_by(&mut copy, path, steps).err();
    SchemaOutlook {
        found,
        known: schema::version_of(steps),
        failure: failure.map(|failure| {
            // Its text would name the journal, which is untouched.
            if let JournalError::Database { source, .. } = failure {
                source.to_string()
            } else {
                failure.to_string()
            }
        }),
    }
}

/// The tables and indexes of a database, without a row.
fn copy_of_schema(journal: &Connection, version: i64) -> Result<Connection, rusqlite::Error> {
    let copy = Connection::open_in_memory()?;
    // Tables before their indexes; what SQLite makes by itself has no text.
    let mut statement = journal.prepare(
        "SELECT sql FROM sqlite_schema
         WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
         ORDER BY type <> 'table'",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        copy.execute_batch(row.get_ref(0)?.as_str()?)?;
    }
    copy.pragma_update(None, "user_version", version)?;
    Ok(copy)
}

/// Reads snapshots and events as a start would, and replays older events to compare.
///
/// # Errors
/// When the journal can't be read, or has an event that this version can't read.
pub fn state_outlook(path: &Path) -> Result<StateOutlook, JournalError> {
    let mut journal = schema::open_for_reading(path)?;
    // One look, whatever a running Ponte writes meanwhile.
    let error = JournalError::database(path);
    let look = journal.transaction().map_err(&error)?;
    let mut unreadable = Vec::new();
    let mut readable = Vec::new();
    for (seq, data) in snapshots(&look).map_err(&error)? {
        match serde_json::from_str::<State>(&data) {
            Ok(state) => readable.push((seq, state)),
            Err(problem) => unreadable.push((seq, problem.to_string())),
        }
    }
    let is_whole = meta(&look, "chain_anchor").map_err(&error)?.is_none();
    let mut readable = readable.into_iter();
    let (newest, older) = (readable.next(), readable.next());
    let compared = match &newest {
        None => Compared::Nothing,
        Some((to, state)) => {
            let from = older.or_else(|| is_whole.then(|| (0, State::default())));
            compare(&look, path, from, *to, state)?
        }
    };
    let (after, mut state) = match newest {
        Some(newest) => newest,
        None if is_whole || unreadable.is_empty() => (0, State::default()),
        None => {
            let (seq, message) = unreadable.swap_remove(0);
            return Err(JournalError::Unreadable {
                path: path.to_owned(),
                seq,
                message: format!("snapshot: {message}"),
            });
        }
    };
    let replayed = replay(&look, path, &mut state, after, i64::MAX)?;
    Ok(StateOutlook {
        state,
        replayed,
        unreadable,
        compared,
    })
}

/// The snapshots, newest first.
fn snapshots(look: &Transaction<'_>) -> Result<Vec<(i64, String)>, rusqlite::Error> {
    let mut statement = look.prepare("SELECT seq, data FROM snapshots ORDER BY seq DESC")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

fn compare(
    look: &Transaction<'_>,
    path: &Path,
    from: Option<(i64, State)>,
    to: i64,
    snapshot: &State,
) -> Result<Compared, JournalError> {
    let Some((after, mut state)) = from.filter(|(after, _)| to - after <= COMPARED_MAX) else {
        return Ok(Compared::Nothing);
    };
    let replayed = replay(look, path, &mut state, after, to)?;
    Ok(if state == *snapshot {
        Compared::Equal(replayed)
    } else {
        Compared::Different(to)
    })
}

/// Applies the events after one up to another; gives how many there were.
fn replay(
    look: &Transaction<'_>,
    path: &Path,
    state: &mut State,
    after: i64,
    to: i64,
) -> Result<u64, JournalError> {
    let error = JournalError::database(path);
    let mut statement = look
        .prepare("SELECT seq, at, data FROM events WHERE seq > ?1 AND seq <= ?2 ORDER BY seq")
        .map_err(&error)?;
    let mut rows = statement.query([after, to]).map_err(&error)?;
    let mut replayed = 0;
    while let Some(row) = rows.next().map_err(&error)? {
        let seq = row.get(0).map_err(&error)?;
        let data = row.get_ref(2).and_then(|data| Ok(data.as_str()?));
        let data = data.map_err(&error)?;
        if data.is_empty() {
            // Its content was retired; it changed no state.
            continue;
        }
        let event: Event =
            serde_json::from_str(data).map_err(|problem| JournalError::Unreadable {
                path: path.to_owned(),
                seq,
                message: problem.to_string(),
            })?;
        state.apply(Timestamp(row.get(1).map_err(&error)?), &event);
        replayed += 1;
    }
    Ok(replayed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A journal as a version of Ponte left it that knew these steps.
    fn journal_of(steps: &[&str]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.sqlite");
        let mut made = Connection::open(&path).unwrap();
        schema::migrate_by(&mut made, &path, steps).unwrap();
        made.execute(
            "INSERT INTO meta (key, value) VALUES ('installation', 'x')",
            [],
        )
        .unwrap();
        (folder, path)
    }

    fn rehearsed(path: &Path, steps: &[&str]) -> SchemaOutlook {
        let journal = schema::open_for_reading(path).unwrap();
        let found = schema::version(&journal).unwrap();
        rehearse(copy_of_schema(&journal, found).unwrap(), path, found, steps)
    }

    #[test]
    fn the_step_to_the_next_schema_is_rehearsed_and_the_journal_is_as_it_was() {
        let (_folder, path) = journal_of(schema::MIGRATIONS);
        let before = std::fs::read(&path).unwrap();
        let now = schema::version_of(schema::MIGRATIONS);
        let mut steps = schema::MIGRATIONS.to_vec();
        steps.push("ALTER TABLE alerts ADD COLUMN note TEXT; CREATE INDEX noted ON alerts (note);");
        assert_eq!(
            rehearsed(&path, &steps),
            SchemaOutlook {
                found: now,
                known: now + 1,
                failure: None
            }
        );
        steps.push("ALTER TABLE alerts ADD COLUMN note TEXT");
        let twice = rehearsed(&path, &steps);
        assert_eq!(twice.known, now + 2);
        let failure = twice.failure.unwrap();
        assert!(failure.contains("duplicate column name: note"), "{failure}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn the_present_schema_needs_no_step() {
        let (_folder, path) = journal_of(schema::MIGRATIONS);
        let outlook = schema_outlook(&path).unwrap();
        assert_eq!(outlook.found, outlook.known);
        assert_eq!(outlook.failure, None);
        let state = state_outlook(&path).unwrap();
        assert_eq!(state.state, State::default());
        assert_eq!(state.compared, Compared::Nothing);
    }
}
