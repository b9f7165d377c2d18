//! Where secrets are looked up: the environment, files, systemd's credentials, the vault.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::form::Form;
use super::vault::Vault;
use super::{Secret, SecretError, SecretName, SecretRef, Variables};

/// The variable in which systemd names the folder of a service's credentials (systemd.exec(5)).
const CREDENTIALS_VARIABLE: &str = "CREDENTIALS_DIRECTORY";

/// Everything that references lead to.
#[derive(Clone, Copy)]
pub struct Places<'a> {
    variables: &'a Variables<'a>,
    vault: Option<&'a Vault>,
}

impl<'a> Places<'a> {
    /// All but the vault.
    #[must_use]
    pub fn new(variables: &'a Variables<'a>) -> Self {
        Self {
            variables,
            vault: None,
        }
    }

    /// The vault among them, where it could be opened.
    #[must_use]
    pub fn with_vault(self, vault: Option<&'a Vault>) -> Self {
        Self { vault, ..self }
    }

    /// Reads a secret of one line.
    ///
    /// # Errors
    /// Why it can't be had.
    pub fn text(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        self.read(reference, Form::Text)
    }

    /// Reads a [`Secret::signing_key`].
    ///
    /// # Errors
    /// Why it can't be had.
    pub fn signing_key(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        self.read(reference, Form::SigningKey)
    }

    /// Reads a [`Secret::key_file`].
    ///
    /// # Errors
    /// Why it can't be had.
    pub fn key_file(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        self.read(reference, Form::KeyFile)
    }

    fn read(&self, reference: &SecretRef, form: Form) -> Result<Secret, SecretError> {
        match reference {
            SecretRef::Env(name) => {
                let Some(value) = (self.variables)(name) else {
                    return Err(SecretError::NotSet { name: name.clone() });
                };
                Secret::of(value.into_string().map_err(|_| SecretError::NotText)?, form)
            }
            SecretRef::File(path) => Secret::read(path, form, only_owner),
            SecretRef::Credential(name) => {
                let path = self.credentials()?.join(name.as_str());
                if !path.exists() {
                    return Err(no_credential(name, &path));
                }
                Secret::read(&path, form, as_systemd_writes)
            }
            SecretRef::Vault(name) => {
                let vault = self.vault.ok_or(SecretError::VaultClosed)?;
                let value = vault.value(name).ok_or_else(|| vault.missing(name))?;
                Secret::of(value.to_owned(), form)
            }
        }
    }

    fn credentials(&self) -> Result<PathBuf, SecretError> {
        (self.variables)(CREDENTIALS_VARIABLE)
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from)
            .ok_or(SecretError::NoCredentials)
    }
}

fn no_credential(name: &SecretName, path: &Path) -> SecretError {
    SecretError::NoCredential {
        name: name.to_string(),
        path: path.display().to_string(),
    }
}

/// Holds a file to what a secret's file must be.
pub(super) type Inspect = fn(&Path, &fs::Metadata) -> Result<(), SecretError>;

#[cfg(unix)]
fn mode_of(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o7777
}

#[cfg(unix)]
pub(super) fn only_owner(path: &Path, metadata: &fs::Metadata) -> Result<(), SecretError> {
    let mode = mode_of(metadata) & 0o777;
    if mode & 0o077 != 0 {
        return Err(SecretError::OpenToOthers {
            path: path.display().to_string(),
            mode,
        });
    }
    Ok(())
}

/// systemd writes credentials read-only for root, and lets the service's user in by an ACL, whose
/// mask shows as the group's bits; where the file system has no ACLs the file is the user's own
/// (systemd, src/core/exec-credential.c, `write_credential`).
#[cfg(unix)]
fn as_systemd_writes(path: &Path, metadata: &fs::Metadata) -> Result<(), SecretError> {
    let mode = mode_of(metadata);
    let itself = fs::symlink_metadata(path).map_err(|error| unreadable(path, &error))?;
    if ![0o400, 0o440].contains(&mode) || !itself.is_file() {
        return Err(SecretError::NotSystemds {
            path: path.display().to_string(),
            mode,
        });
    }
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn only_owner(_: &Path, _: &fs::Metadata) -> Result<(), SecretError> {
    Ok(())
}

#[cfg(not(unix))]
fn as_systemd_writes(_: &Path, _: &fs::Metadata) -> Result<(), SecretError> {
    Ok(())
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> SecretError {
    SecretError::Unreadable {
        path: path.display().to_string(),
        why: error.to_string(),
    }
}
