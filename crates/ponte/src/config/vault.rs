//! Reads `[vault]`: what the vault is locked with; opens it for the secrets that are in it.

use std::ops::Range;
use std::path::Path;

use super::finding::{Notes, Problem};
use super::model::Config;
use super::secrets::{self, secret_reference};
use super::sections::Mentions;
use super::table::Table;
use crate::secret::{Places, SecretRef, Vault, VaultError, VaultLock};

/// Where the vault's section stands.
#[derive(Debug)]
pub(super) struct VaultMention {
    pub(super) at: Range<usize>,
    /// The key that says what opens it, and where its value stands.
    pub(super) lock: Option<(&'static str, Range<usize>)>,
}

/// Reads the section; `None` where there is none, or where it can't be used.
pub(super) fn vault(
    notes: &mut Notes<'_>,
    mentions: &mut Mentions,
    table: &Table<'_, '_>,
    base: &Path,
) -> Option<VaultLock> {
    if table.is_absent() {
        return None;
    }
    let mut read = |name: &'static str| {
        if !table.has(name) {
            return None;
        }
        let spot = secret_reference(notes, table, name, base)?;
        if let SecretRef::Vault(_) = spot.value {
            let problem = Problem::new("what opens the vault can't be kept in it")
                .cured_by("keep it elsewhere: a file of its own, or a credential of systemd");
            notes.error(&table.section.path_of(name), &spot.at, problem);
            return None;
        }
        Some(spot)
    };
    let (key, passphrase) = (read("key"), read("passphrase"));
    mentions.vault = Some(VaultMention {
        at: table.at.clone(),
        lock: [("key", &key), ("passphrase", &passphrase)]
            .into_iter()
            .find_map(|(name, spot)| Some((name, spot.as_ref()?.at.clone()))),
    });
    match (table.has("key"), table.has("passphrase")) {
        (true, true) => {
            let problem =
                Problem::new("key and passphrase are both there, and a vault has one lock")
                    .cured_by("keep the one that it was made with");
            notes.error("vault", &table.at, problem);
            None
        }
        (false, false) => {
            let problem = Problem::new("neither key nor passphrase is there")
                .cured_by("run ponte vault init, which makes a key and says what to write");
            notes.error("vault", &table.at, problem);
            None
        }
        (true, false) => Some(VaultLock::Key(key?.value)),
        (false, true) => Some(VaultLock::Passphrase(passphrase?.value)),
    }
}

/// Notes secrets in a vault that nothing opens, and a key that lies beside what it opens.
pub(super) fn look_at_lock(notes: &mut Notes<'_>, mentions: &Mentions, config: Option<&Config>) {
    if let Some(mention) = &mentions.vault {
        let lock = config.and_then(|config| Some((&config.data_dir, config.vault.as_ref()?)));
        if let (Some((data_dir, lock)), Some((key, at))) = (lock, &mention.lock)
            && let SecretRef::File(path) = lock.kept()
            && path.starts_with(data_dir)
        {
            let problem = Problem::new(format!(
                "{} is in the data directory, beside the vault that it opens: whoever copies the \
                 one has the other",
                path.display()
            ));
            let problem = problem.cured_by("keep it elsewhere, and name it here");
            notes.warning(&format!("vault.{key}"), at, problem);
        }
        return;
    }
    for (key, at) in secrets::in_the_vault(mentions) {
        let problem = Problem::new("nothing says what opens the vault")
            .cured_by("run ponte vault init, and write the section [vault] that it shows");
        notes.error(key, at, problem);
    }
}

/// Opens the vault where a secret is in it. Whatever is wrong with it is noted once.
pub(super) fn opened(
    notes: &mut Notes<'_>,
    mentions: &Mentions,
    config: Option<&Config>,
    places: &Places<'_>,
) -> Option<Vault> {
    secrets::in_the_vault(mentions).next()?;
    let config = config?;
    let lock = config.vault.as_ref()?;
    match open(&config.data_dir, lock, places) {
        Ok(vault) => Some(vault),
        Err(error) => {
            let mention = mentions.vault.as_ref()?;
            let (key, at) = match &mention.lock {
                Some((key, at)) => (format!("vault.{key}"), at),
                None => ("vault".to_owned(), &mention.at),
            };
            let problem = Problem::new(error.to_string()).cured_by(error.cure());
            notes.error(&key, at, problem);
            None
        }
    }
}

fn open(data_dir: &Path, lock: &VaultLock, places: &Places<'_>) -> Result<Vault, VaultError> {
    Vault::open(data_dir, &lock.opener(places)?)
}
