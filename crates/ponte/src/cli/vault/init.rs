//! `ponte vault init`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::super::context::Context;
use super::super::failure::Failure;
use super::super::init_files::unwritable;
use super::super::screen::{self, BOLD, DIM, GOOD, styled};
use super::{base, is_elsewhere, reference, variable};
use crate::secret::{
    Opener, Places, SealKey, SecretRef, Vault, VaultGuard, VaultLock, VaultOpener, vault_path,
    write_key,
};

/// Make a key and an empty vault
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte vault init\n  \
    ponte vault init --key-file /etc/ponte/vault-key\n\n\
    Without --key-file the key goes where [vault] in ponte.toml says, or else to secrets/vault-key \
    beside it. A key that is there already is used. With passphrase = … in [vault] no key is made.")]
pub(super) struct Init {
    /// The file for the key, outside the data directory
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

#[derive(Serialize)]
struct Made {
    vault: String,
    /// Where the key is; none with a passphrase.
    key_file: Option<String>,
    /// Whether the key was there already.
    key_kept: bool,
    public_key: Option<String>,
    /// What belongs into ponte.toml; none when it is there.
    section: Option<String>,
}

impl Init {
    pub(in crate::cli) fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.config()?;
        let guard = VaultGuard::take(&config.data_dir)?;
        let path = vault_path(&config.data_dir);
        if guard.exists() {
            return Err(crate::secret::VaultError::Present { path }.into());
        }
        let (opener, made) = self.lock(context)?;
        opener.sealing(|seal| guard.write(&Vault::default(), seal))?;
        let made = Made {
            vault: path.display().to_string(),
            ..made
        };
        if context.json {
            return screen::print_json(&made);
        }
        screen::print(&shown(&made, context))
    }

    /// What opens the vault, and what is told of it.
    fn lock(&self, context: &Context) -> Result<(VaultOpener, Made), Failure> {
        let config = context.config()?;
        let mut made = Made {
            vault: String::new(),
            key_file: None,
            key_kept: false,
            public_key: None,
            section: None,
        };
        let named = match (&config.vault, &self.key_file) {
            (Some(lock @ VaultLock::Passphrase(_)), None) => {
                return Ok((lock.opener(&Places::new(&variable))?, made));
            }
            (Some(VaultLock::Passphrase(_)), Some(_)) => {
                return Err(Failure::usage(
                    "[vault] names a passphrase, and --key-file is for a key",
                )
                .cured_by("keep one of both"));
            }
            (Some(lock @ VaultLock::Key(SecretRef::File(path))), given) => {
                if given.as_ref().is_some_and(|given| given != path) {
                    return Err(Failure::usage(format!(
                        "[vault] names {}, and --key-file another file",
                        lock.kept()
                    ))
                    .cured_by("keep one of both"));
                }
                path.clone()
            }
            (Some(lock @ VaultLock::Key(_)), None) => {
                let opener = lock.opener(&Places::new(&variable))?;
                made.public_key = opener.public().map(|key| key.to_string());
                made.key_kept = true;
                return Ok((opener, made));
            }
            (Some(VaultLock::Key(_)) | None, Some(given)) => given.clone(),
            (None, None) => base(context).join("secrets/vault-key"),
        };
        is_elsewhere(&named, &config.data_dir)?;
        let kept = SecretRef::File(named.clone());
        let opener = if named.exists() {
            made.key_kept = true;
            VaultLock::Key(kept).opener(&Places::new(&variable))?
        } else {
            new_key(&named)?
        };
        made.key_file = Some(named.display().to_string());
        made.public_key = opener.public().map(|key| key.to_string());
        if config.vault.is_none() {
            let reference = reference(context, &named);
            made.section = Some(format!("[vault]\nkey = \"{reference}\""));
        }
        Ok((opener, made))
    }
}

/// Makes a key and writes it into a new file.
pub(super) fn new_key(path: &Path) -> Result<VaultOpener, Failure> {
    let key = SealKey::generate();
    write_key(&key, path).map_err(|error| unwritable(path, &error))?;
    Ok(VaultOpener {
        opener: Opener::Key(key),
        from: path.display().to_string(),
    })
}

fn shown(made: &Made, context: &Context) -> String {
    let mut text = String::new();
    if let Some(file) = &made.key_file {
        let word = if made.key_kept { "kept" } else { "wrote" };
        text += &format!("{} {file}\n", styled(GOOD, word));
    }
    text += &format!("{} {}\n", styled(GOOD, "wrote"), made.vault);
    if let Some(key) = &made.public_key {
        text += &format!("{}\n", styled(DIM, &format!("public key {key}")));
    }
    if let Some(section) = &made.section {
        let file = context.path.display();
        text += &format!("\n{}\n", styled(BOLD, &format!("add to {file}")));
        for line in section.lines() {
            text += &format!("  {line}\n");
        }
    } else if let (Some(file), false) = (&made.key_file, made.key_kept) {
        text += &format!(
            "\n{}\n",
            styled(BOLD, "what [vault] names gets the content of")
        );
        text += &format!("  {file}\n");
    }
    text += &format!("\n{}\n", styled(BOLD, "next"));
    let steps = [
        ("ponte vault set NAME", "put a secret there"),
        (
            "ponte vault import --all",
            "or take over those that ponte.toml names",
        ),
    ];
    for (command, why) in steps {
        text += &format!("  {command:<25}  {}\n", styled(DIM, why));
    }
    let word = match made.key_file {
        Some(_) => {
            "Keep a copy of the key where the backups are not: without it the vault is lost."
        }
        None => {
            "Keep a copy of what opens it where the backups are not: without it the vault is lost."
        }
    };
    text + &format!("\n{word}\n")
}
