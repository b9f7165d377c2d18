//! Reads one table of the file, key by key, and notes everything that is wrong with it.
//!
//! The reader walks the parsed tree itself because derived deserialisation stops at the first
//! error; a person who mends a file wants to see all of them.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::finding::{Notes, Problem};
use super::keys::{Absent, Section};
use super::value::{Value, kind, quoted, unexpected};
use ponte_core::nearest::nearest;

/// Most entries of one list.
const LIST_ENTRIES_MAX: usize = 1024;

/// Something that was read, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Spot<T> {
    pub(super) value: T,
    pub(super) at: Range<usize>,
}

/// One table, whose unknown keys have been noted.
pub(super) struct Table<'a, 'd> {
    pub(super) section: &'static Section,
    pub(super) at: Range<usize>,
    entries: Option<&'a DeTable<'d>>,
}

impl<'a, 'd> Table<'a, 'd> {
    pub(super) fn new(
        notes: &mut Notes<'_>,
        section: &'static Section,
        entries: &'a DeTable<'d>,
        at: Range<usize>,
    ) -> Self {
        for key in entries.keys() {
            let name: &str = key.get_ref();
            if section.key(name).is_none() {
                let names = section.keys.iter().map(|key| key.name);
                notes.key_error(
                    &section.path_of(name),
                    &key.span(),
                    unknown_key(section, nearest(name, names)),
                );
            }
        }
        Self {
            section,
            at,
            entries: Some(entries),
        }
    }

    /// The table that stands for one that isn't there.
    pub(super) fn absent(section: &'static Section) -> Self {
        Self {
            section,
            at: 0..0,
            entries: None,
        }
    }

    /// Whether it stands for one that isn't there.
    pub(super) fn is_absent(&self) -> bool {
        self.entries.is_none()
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Reads a key that may be absent.
    pub(super) fn read<T>(
        &self,
        notes: &mut Notes<'_>,
        key: &str,
        read: impl FnOnce(&Value<'d>) -> Result<T, Problem>,
    ) -> Option<Spot<T>> {
        let value = self.value(key)?;
        match read(value.get_ref()) {
            Ok(read) => Some(Spot {
                value: read,
                at: value.span(),
            }),
            Err(problem) => {
                notes.error(&self.section.path_of(key), &value.span(), problem);
                None
            }
        }
    }

    /// Reads a key that must be there.
    pub(super) fn required<T>(
        &self,
        notes: &mut Notes<'_>,
        key: &str,
        read: impl FnOnce(&Value<'d>) -> Result<T, Problem>,
    ) -> Option<Spot<T>> {
        self.demand(notes, key);
        self.read(notes, key, read)
    }

    /// Reads a list that may be absent: the entries that could be read.
    pub(super) fn list<T>(
        &self,
        notes: &mut Notes<'_>,
        key: &str,
        read: impl Fn(&Value<'d>) -> Result<T, Problem>,
    ) -> Option<Spot<Vec<Spot<T>>>> {
        let value = self.value(key)?;
        let path = self.section.path_of(key);
        let DeValue::Array(entries) = value.get_ref() else {
            let problem = unexpected("a list", value.get_ref());
            let cure = match value.get_ref().as_str() {
                Some(text) => format!("write it in brackets: [{}]", quoted(text)),
                None => "write it in brackets, each entry in quotes".to_owned(),
            };
            let problem = problem.cured_by(cure);
            notes.error(&path, &value.span(), problem);
            return None;
        };
        if entries.len() > LIST_ENTRIES_MAX {
            notes.error(&path, &value.span(), too_many(entries.len()));
            return None;
        }
        let mut read_entries = Vec::with_capacity(entries.len());
        for entry in entries.iter() {
            match read(entry.get_ref()) {
                Ok(value) => read_entries.push(Spot {
                    value,
                    at: entry.span(),
                }),
                Err(problem) => notes.error(&path, &entry.span(), problem),
            }
        }
        Some(Spot {
            value: read_entries,
            at: value.span(),
        })
    }

    /// Whether a list is there and has nothing in it, not even something wrong.
    pub(super) fn is_empty_list(&self, key: &str) -> bool {
        let list = self.value(key).and_then(|value| value.get_ref().as_array());
        list.is_some_and(|entries| entries.iter().next().is_none())
    }

    /// Whether nothing is in the table, not even unknown keys.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_none_or(|entries| entries.is_empty())
    }

    /// A section inside this table, empty when it is absent.
    pub(super) fn child(
        &self,
        notes: &mut Notes<'_>,
        key: &str,
        section: &'static Section,
    ) -> Table<'a, 'd> {
        let Some(value) = self.value(key) else {
            return Table::absent(section);
        };
        if let DeValue::Table(entries) = value.get_ref() {
            return Table::new(notes, section, entries, value.span());
        }
        let problem = not_a_section("a section", value.get_ref())
            .cured_by(format!("write [{}] above its keys", section.path));
        notes.misplaced(section.path, &value.span(), problem);
        Table::absent(section)
    }

    /// The sections of a list inside this table.
    pub(super) fn children(
        &self,
        notes: &mut Notes<'_>,
        key: &str,
        section: &'static Section,
    ) -> Vec<Table<'a, 'd>> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let cure = format!("write [[{}]] with double brackets above each", section.path);
        let DeValue::Array(entries) = value.get_ref() else {
            let problem = not_a_section("a list of sections", value.get_ref()).cured_by(cure);
            notes.misplaced(section.path, &value.span(), problem);
            return Vec::new();
        };
        if entries.len() > LIST_ENTRIES_MAX {
            notes.error(section.path, &value.span(), too_many(entries.len()));
            return Vec::new();
        }
        let mut tables = Vec::with_capacity(entries.len());
        for entry in entries.iter() {
            match entry.get_ref() {
                DeValue::Table(keys) => {
                    tables.push(Table::new(notes, section, keys, entry.span()));
                }
                value @ (DeValue::String(_)
                | DeValue::Integer(_)
                | DeValue::Float(_)
                | DeValue::Boolean(_)
                | DeValue::Datetime(_)
                | DeValue::Array(_)) => {
                    let problem = not_a_section("a section", value).cured_by(cure.clone());
                    notes.misplaced(section.path, &entry.span(), problem);
                }
            }
        }
        tables
    }

    /// Notes that a key is missing.
    pub(super) fn demand(&self, notes: &mut Notes<'_>, key: &str) {
        if self.has(key) {
            return;
        }
        let problem = Problem::new("missing");
        let problem = match self.section.key(key) {
            Some(known) if known.absent == Absent::Error => {
                problem.cured_by(format!("add {key} = {}", known.example))
            }
            Some(_) | None => problem,
        };
        notes.error(&self.section.path_of(key), &self.at, problem);
    }

    /// The table's value of a key.
    pub(super) fn value(&self, key: &str) -> Option<&'a Spanned<DeValue<'d>>> {
        debug_assert!(
            self.section.key(key).is_some(),
            "{key} is not in the table of keys"
        );
        self.entries?.get(key)
    }
}

fn unknown_key(section: &Section, meant: Option<&str>) -> Problem {
    let problem = Problem::new("unknown key");
    match meant {
        Some(name) => problem.cured_by(format!("did you mean \"{name}\"?")),
        None => {
            let names: Vec<&str> = section.keys.iter().map(|key| key.name).collect();
            problem.cured_by(format!("known here: {}", names.join(", ")))
        }
    }
}

/// Says the kind of value only: whoever misses the section's form may have written a secret there.
fn not_a_section(expected: &str, value: &Value<'_>) -> Problem {
    Problem::new(format!("expected {expected}, found {}", kind(value)))
}

fn too_many(entries: usize) -> Problem {
    Problem::new(format!(
        "has {entries} entries, the maximum is {LIST_ENTRIES_MAX}"
    ))
}
