//! How a command ends when it does not end well: one sentence, one cure, one exit status.

use std::process::ExitCode;

use anstyle::Style;
use serde_json::json;

use super::screen;
use crate::admin::NotAMoment;
use crate::brokers::BrokerError;
use crate::config::ConfigErrors;
use crate::journal::JournalError;
use crate::secret::{SecretError, VaultError};

/// Refused, or something was found.
pub(super) const REFUSED: u8 = 1;
/// The command was used wrongly.
pub(super) const USAGE: u8 = 2;
/// How the standard library ends a sentence about EACCES.
const FORBIDDEN: &str = "(os error 13)";
/// Ponte, a file or the network could not be reached.
pub(super) const UNREACHABLE: u8 = 3;

/// Why a command did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// The exit status.
    status: u8,
    /// What went wrong; empty when the output has said it already.
    message: String,
    /// What to do about it.
    cure: Option<String>,
}

impl Failure {
    /// Ponte said no.
    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self::new(REFUSED, message)
    }

    /// The command line makes no sense.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::new(USAGE, message)
    }

    /// Something can't be reached, read or written.
    pub(super) fn unreachable(message: impl Into<String>) -> Self {
        Self::new(UNREACHABLE, message)
    }

    /// The output has said it already.
    pub(super) fn silent(status: u8) -> Self {
        Self::new(status, "")
    }

    fn new(status: u8, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            cure: None,
        }
    }

    /// What went wrong.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Adds what to do about it.
    pub(super) fn cured_by(self, cure: impl Into<String>) -> Self {
        Self {
            cure: Some(cure.into()),
            ..self
        }
    }

    /// Adds to what the system forbids on whose behalf that was tried.
    pub(super) fn noted(self, note: &str) -> Self {
        let message = if self.message.contains(FORBIDDEN) {
            format!("{} ({note})", self.message)
        } else {
            self.message
        };
        Self { message, ..self }
    }

    /// Says it on standard error and gives the exit status.
    pub(super) fn report(self, json: bool) -> ExitCode {
        use std::io::Write as _;
        let status = ExitCode::from(self.status);
        if self.message.is_empty() {
            return status;
        }
        // Nobody is left to tell when standard error is gone.
        let mut stderr = anstream::stderr().lock();
        if json {
            let body = json!({"error": {"message": self.message, "cure": self.cure}});
            let _ = writeln!(stderr, "{body}");
            return status;
        }
        let red = screen::BAD.bold();
        let bold = Style::new().bold();
        let message = screen::printable(&self.message);
        let _ = writeln!(stderr, "{red}error:{red:#} {message}");
        if let Some(cure) = self.cure {
            let cure = screen::printable(&cure);
            let _ = writeln!(stderr, "  {bold}try:{bold:#} {cure}");
        }
        status
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        Self::unreachable(error.to_string())
    }
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Self::refused(errors.to_string()).cured_by("ponte check")
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        let message = error.to_string();
        let failure = match &error {
            VaultError::Present { .. } | VaultError::Full => Self::refused(message),
            VaultError::Absent { .. }
            | VaultError::Unreadable { .. }
            | VaultError::TooLarge { .. }
            | VaultError::Shut { .. }
            | VaultError::Unknown { .. }
            | VaultError::NoOpener { .. }
            | VaultError::NotAKey { .. }
            | VaultError::Busy { .. }
            | VaultError::Unwritable { .. } => Self::unreachable(message),
        };
        failure.cured_by(error.cure())
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        let failure = if let SecretError::Unreadable { .. } = error {
            Self::unreachable(error.to_string())
        } else {
            Self::refused(error.to_string())
        };
        failure.cured_by(error.cure())
    }
}

impl From<NotAMoment> for Failure {
    fn from(error: NotAMoment) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::unreachable(format!("the JSON can't be written or read: {error}"))
    }
}

impl From<crate::app::RunError> for Failure {
    fn from(error: crate::app::RunError) -> Self {
        let failure = Self::unreachable(error.to_string());
        if let Some(cure) = error.cure() {
            return failure.cured_by(cure);
        }
        let connect = match error {
            crate::app::RunError::Broker(connect) => connect,
            crate::app::RunError::Certificate { .. }
            | crate::app::RunError::Remote(_)
            | crate::app::RunError::Journal(_)
            | crate::app::RunError::Start(_)
            | crate::app::RunError::Policy(_)
            | crate::app::RunError::Acme(_)
            | crate::app::RunError::Inherited(_)
            | crate::app::RunError::Listen { .. }
            | crate::app::RunError::Serve { .. } => return failure,
        };
        match connect.source {
            BrokerError::Unanswered(_) => failure.cured_by(
                "look at the network and at the account's hosts or url; a test exchange runs first: \
                 ponte venue binance",
            ),
            BrokerError::Refused(_) | BrokerError::Unreadable(_) => failure,
        }
    }
}
