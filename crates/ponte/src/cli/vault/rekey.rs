//! `ponte vault rekey`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::super::context::Context;
use super::super::failure::Failure;
use super::super::init_files::unwritable;
use super::super::record;
use super::super::screen::{self, BOLD, DIM, GOOD, styled};
use super::init::new_key;
use super::{Opened, is_elsewhere, lock_of};
use crate::cli::passphrase::PassphraseFrom;
use crate::secret::{
    Opener, PublicKey, SealFor, SecretRef, Vault, VaultError, VaultGuard, VaultLock, VaultOpener,
};

/// Lock the vault anew, with another key or passphrase
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte vault rekey                       a new key in the place of the old one\n  \
    ponte vault rekey --key-file new-key    where systemd or the environment keeps the key\n  \
    ponte vault rekey --passphrase-from -   asks for a new passphrase\n\n\
    Whoever has the old key opens every old copy of the vault with it: after a leak replace the \
    secrets as well.")]
pub(super) struct Rekey {
    /// A new file for the new key, outside the data directory
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Where the new passphrase is: a file, or - to be asked
    #[arg(long, value_name = "FILE", conflicts_with = "key_file")]
    passphrase_from: Option<PassphraseFrom>,
}

impl Rekey {
    pub(in crate::cli) fn run(&self, context: &Context) -> Result<(), Failure> {
        let opened = Opened::of(context)?;
        let lock = lock_of(context)?;
        let (public, place) = match (lock, &self.key_file, &self.passphrase_from) {
            (_, None, Some(from)) => {
                let opener = VaultOpener {
                    opener: Opener::Passphrase(from.read("the new passphrase", true)?),
                    from: from.to_string(),
                };
                locked_anew(&opened, &opener)?;
                (None, None)
            }
            (VaultLock::Key(SecretRef::File(path)), None, _) => {
                (Some(in_place(&opened, path)?), Some(path.clone()))
            }
            (_, Some(path), _) => {
                is_elsewhere(path, opened.data_dir)?;
                let opener = new_key(path)?;
                locked_anew(&opened, &opener)?;
                (opener.public(), Some(path.clone()))
            }
            (lock, None, None) => {
                let kept = lock.kept();
                return Err(
                    Failure::usage(format!("Ponte can't write what is in {kept}"))
                        .cured_by("--key-file FILE for a new key, or --passphrase-from FILE"),
                );
            }
        };
        let is_done =
            matches!(lock, VaultLock::Key(SecretRef::File(path)) if Some(path) == place.as_ref());
        record::put(context, "vault_rekeyed", "");
        if context.json {
            return screen::print_json(&json!({
                "public_key": public.map(|key| key.to_string()),
                "key_file": place.map(|path| path.display().to_string()),
                "in_force": is_done,
            }));
        }
        let mut text = format!("{} the vault, with another lock\n", styled(GOOD, "sealed"));
        if let Some(public) = public {
            text += &format!("{}\n", styled(DIM, &format!("public key {public}")));
        }
        if !is_done {
            let new = match &place {
                Some(path) => format!("the content of {}", path.display()),
                None => "the new passphrase".to_owned(),
            };
            text += &format!("\n{}\n", styled(BOLD, "before the next start"));
            text += &format!("  put {new} into the place that [vault] names\n");
        }
        text +=
            "\nOld backups hold the vault as it was: keep the old key as long as you keep them.\n";
        screen::print(&text)
    }
}

fn locked_anew(opened: &Opened<'_>, opener: &VaultOpener) -> Result<(), Failure> {
    let guard = VaultGuard::take(opened.data_dir)?;
    let vault = Vault::open(opened.data_dir, &opened.opener)?;
    opener.sealing(|seal| guard.write(&vault, seal))?;
    Ok(())
}

/// Writes a new key into the file of the old one. Whatever moment ends it, the file opens the vault:
/// both keys do while it is replaced.
fn in_place(opened: &Opened<'_>, path: &Path) -> Result<PublicKey, Failure> {
    let guard = VaultGuard::take(opened.data_dir)?;
    let vault = Vault::open(opened.data_dir, &opened.opener)?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    if let Err(error) = fs::remove_file(&draft)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(unwritable(&draft, &error));
    }
    let new = new_key(&draft)?;
    let (Some(old), Some(public)) = (opened.opener.public(), new.public()) else {
        return Err(Failure::usage("the vault is locked with a passphrase"));
    };
    guard.write(&vault, &SealFor::Keys(&[old, public.clone()]))?;
    fs::rename(&draft, path)
        .and_then(|()| {
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        })
        .map_err(|error| VaultError::Unwritable {
            path: path.to_owned(),
            why: error.to_string(),
        })?;
    guard.write(&vault, &SealFor::Keys(std::slice::from_ref(&public)))?;
    Ok(public)
}
