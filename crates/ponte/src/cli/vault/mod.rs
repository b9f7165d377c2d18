//! `ponte vault`: secrets in one sealed file.

mod change;
mod import;
mod init;
mod list;
mod rekey;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::context::Context;
use super::failure::Failure;
use super::typed;
use crate::config::{self, SecretUse};
use crate::secret::{
    Places, Secret, SecretName, SecretRef, Vault, VaultGuard, VaultLock, VaultOpener,
};

/// Keep secrets in one sealed file instead of many plain ones
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte vault init                      make a key and an empty vault\n  \
    ponte vault set main                  ask for a secret and put it there\n  \
    ponte vault import file:secrets/main  move one that lies in a file\n  \
    ponte vault list                      what is in it, never the values\n\n\
    In ponte.toml a secret of the vault is named secret = \"vault:main\". A running Ponte takes a \
    webhook's secret over when the vault changes; brokers' keys it reads at its start.")]
pub(super) struct VaultCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Init(init::Init),
    Set(change::Set),
    List(list::List),
    Remove(change::Remove),
    Import(import::Import),
    Rekey(rekey::Rekey),
}

impl VaultCommand {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        match &self.what {
            What::Init(init) => init.run(context),
            What::Set(set) => set.run(context),
            What::List(list) => list.run(context),
            What::Remove(remove) => remove.run(context),
            What::Import(import) => import.run(context),
            What::Rekey(rekey) => rekey.run(context),
        }
    }
}

/// A vault with what opens it.
struct Opened<'c> {
    data_dir: &'c Path,
    opener: VaultOpener,
    vault: Vault,
}

fn lock_of(context: &Context) -> Result<&VaultLock, Failure> {
    let file = context.path.display();
    context.config()?.vault.as_ref().ok_or_else(|| {
        Failure::refused(format!("{file} has no section [vault]"))
            .cured_by("ponte vault init makes a key and a vault, and says what to write")
    })
}

/// The value of a variable of the process.
fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

impl<'c> Opened<'c> {
    fn of(context: &'c Context) -> Result<Self, Failure> {
        let lock = lock_of(context)?;
        let data_dir = &context.config()?.data_dir;
        let opener = lock.opener(&Places::new(&variable))?;
        let vault = Vault::open(data_dir, &opener)?;
        Ok(Self {
            data_dir,
            opener,
            vault,
        })
    }

    /// Changes the vault as it is now, whoever has changed it since it was opened.
    fn change<T>(
        &mut self,
        change: impl FnOnce(&mut Vault) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let guard = VaultGuard::take(self.data_dir)?;
        self.vault = Vault::open(self.data_dir, &self.opener)?;
        let changed = change(&mut self.vault)?;
        let written = self.opener.sealing(|seal| guard.write(&self.vault, seal));
        written?;
        Ok(changed)
    }
}

/// The places of the configuration that say where secrets are kept.
fn uses(context: &Context) -> Result<Vec<SecretUse>, Failure> {
    let file = context.path.display().to_string();
    Ok(config::secret_uses(&context.text()?, &file)?)
}

/// What a secret of the vault is used for.
fn purposes(uses: &[SecretUse], name: &SecretName) -> Vec<String> {
    let kept = SecretRef::Vault(name.clone());
    let used = uses.iter().filter(|used| used.kept == kept);
    used.map(|used| used.purpose.clone()).collect()
}

/// Asks on the terminal without showing what is typed, or reads standard input to its end.
fn asked(question: &str) -> Result<Secret, Failure> {
    use std::io::IsTerminal as _;
    let unreadable =
        |error: std::io::Error| Failure::unreachable(format!("the secret can't be read: {error}"));
    if std::io::stdin().is_terminal() {
        let mut text = typed::hidden(question).map_err(unreadable)?;
        return Ok(Secret::signing_key(std::mem::take(&mut *text))?);
    }
    let read = Secret::signing_key_from(std::io::stdin().lock()).map_err(unreadable)?;
    Ok(read?)
}

/// The folder of the configuration, from which its relative paths are taken.
fn base(context: &Context) -> &Path {
    context.path.parent().unwrap_or(Path::new(""))
}

/// How the configuration would name a file.
fn reference(context: &Context, path: &Path) -> String {
    let base = base(context);
    let path = if path.is_absolute() && base.as_os_str().is_empty() {
        path.to_owned()
    } else {
        match path.strip_prefix(base) {
            Ok(below) => below.to_owned(),
            Err(_) => std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
        }
    };
    SecretRef::File(path).to_string()
}

/// A path without `..` and links, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for (depth, ancestor) in path.ancestors().enumerate() {
        if let Ok(real) = ancestor.canonicalize() {
            let missing: Vec<_> = path.components().rev().take(depth).collect();
            return missing
                .into_iter()
                .rev()
                .fold(real, |real, part| real.join(part));
        }
    }
    path
}

/// Refuses a place for a key from which a copy of the data directory would carry it away.
fn is_elsewhere(key_file: &Path, data_dir: &Path) -> Result<(), Failure> {
    if !resolved(key_file).starts_with(resolved(data_dir)) {
        return Ok(());
    }
    Err(Failure::refused(format!(
        "{} is in the data directory, beside the vault that it would open: whoever copies the one \
         would have the other",
        key_file.display()
    ))
    .cured_by("another folder: --key-file secrets/vault-key, or /etc/ponte/vault-key"))
}
