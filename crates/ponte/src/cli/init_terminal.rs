//! `ponte init --broker mt5`: what an account in a terminal needs, and what the terminal's machine needs.

use std::net::SocketAddr;
use std::path::Path;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::bridge;
use super::context::Context;
use super::failure::Failure;
use super::init::{BrokerName, KEYS_FOLDER, Step, take};
use crate::config::{Accounting, InitTerminal};
use crate::server::{SelfSigned, fingerprint_of_file};

/// Where the template keeps them, below [`KEYS_FOLDER`].
const TOKEN_FILE: &str = "mt5-bridge-token";
const CERTIFICATE_FILE: &str = "bridge-certificate.pem";
const BRIDGE_PORT: u16 = 8443;

/// Flags of an account in a MetaTrader 5 terminal.
#[derive(Args)]
pub(super) struct TerminalFlags {
    /// MetaTrader 5: the account trades at B3
    #[arg(long)]
    b3: bool,
    /// MetaTrader 5: how the account counts positions [default: netting]
    #[arg(long, value_name = "KIND", value_enum)]
    accounting: Option<AccountingName>,
    /// MetaTrader 5: the account's number
    #[arg(long, value_name = "NUMBER")]
    login: Option<i64>,
    /// MetaTrader 5: the account's trade server, as the terminal shows it
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// MetaTrader 5: the name or address under which the terminal's machine reaches this one; makes
    /// a certificate for it [default: the terminal is on this machine]
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// MetaTrader 5: where the bridge beside the terminal calls [default: 0.0.0.0:8443 with --host,
    /// else 127.0.0.1:8443]
    #[arg(long, value_name = "ADDRESS")]
    bridge_listen: Option<SocketAddr>,
}

#[derive(Clone, Copy, ValueEnum)]
enum AccountingName {
    Netting,
    Hedging,
}

/// What was made for the bridge beside the terminal.
#[derive(Serialize)]
pub(super) struct Prepared {
    /// The file with the token, of which the terminal's machine needs a copy.
    token: String,
    /// Whether it was there before.
    token_kept: bool,
    /// The certificate; absent without TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    /// Whether it was there before.
    certificate_kept: bool,
    /// Its fingerprint; absent without TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    /// What is run beside the terminal.
    command: String,
}

impl TerminalFlags {
    /// Whether one of them is there.
    pub(super) const fn is_any(&self) -> bool {
        self.b3
            || self.accounting.is_some()
            || self.login.is_some()
            || self.server.is_some()
            || self.host.is_some()
            || self.bridge_listen.is_some()
    }

    /// The currency that such an account most likely has.
    pub(super) const fn currency(&self, broker: Option<BrokerName>) -> Option<&'static str> {
        match broker {
            Some(BrokerName::Mt5) if self.b3 => Some("BRL"),
            Some(BrokerName::Mt5) => Some("USD"),
            Some(BrokerName::Binance) | None => None,
        }
    }

    /// What the flags say, and what a person answers: nobody can guess an account's number.
    pub(super) fn answers(&self, asks: bool) -> Result<InitTerminal, Failure> {
        if !asks && (self.login.is_none() || self.server.is_none()) {
            return Err(
                Failure::usage("an account in MetaTrader 5 needs --login and --server").cured_by(
                    "take both from the title of the terminal's window, as in \"12345678 - XP-Demo\"",
                ),
            );
        }
        let login = take(asks, &self.login, "The account's number (login)", || 0)?;
        let server = take(asks, &self.server, "Its trade server", String::new)?;
        let by_default = match self.host {
            Some(_) => SocketAddr::from(([0, 0, 0, 0], BRIDGE_PORT)),
            None => SocketAddr::from(([127, 0, 0, 1], BRIDGE_PORT)),
        };
        Ok(InitTerminal {
            login,
            server,
            accounting: match self.accounting {
                Some(AccountingName::Hedging) => Accounting::Hedging,
                Some(AccountingName::Netting) | None => Accounting::Netting,
            },
            at_b3: self.b3,
            bridge_listen: self.bridge_listen.unwrap_or(by_default),
            has_certificate: self.host.is_some(),
        })
    }

    /// A certificate for the host, not yet written: a wrong name leaves nothing behind.
    pub(super) fn pair(&self, context: &Context) -> Result<Option<SelfSigned>, Failure> {
        let host = self.host.clone();
        let made = host.map(|host| SelfSigned::make(&[host], context.now));
        made.transpose().map_err(|error| bridge::refused(&error))
    }

    /// Writes the token and the certificate; what is there stays in use, with `--force` only.
    pub(super) fn prepare(
        &self,
        folder: &Path,
        answers: &InitTerminal,
        pair: Option<&SelfSigned>,
        force: bool,
    ) -> Result<Prepared, Failure> {
        let keys = folder.join(KEYS_FOLDER);
        let token = keys.join(TOKEN_FILE);
        let (token_kept, certificate_kept) = (
            force && token.exists(),
            force && keys.join(CERTIFICATE_FILE).exists(),
        );
        if !token_kept {
            bridge::make_token(&token)?;
        }
        let fingerprint = pair.map(|pair| certificate(&keys, pair, force));
        let fingerprint = fingerprint.transpose()?;
        let port = answers.bridge_listen.port();
        let (way, host) = match &self.host {
            Some(host) => ("https", bridge::in_an_address(host)),
            None => ("http", "127.0.0.1".to_owned()),
        };
        let pin = fingerprint
            .as_ref()
            .map(|fingerprint| format!(" --pin {fingerprint}"))
            .unwrap_or_default();
        Ok(Prepared {
            command: format!(
                "ponte-mt5-bridge run --url {way}://{host}:{port}{pin} --token-file {TOKEN_FILE}"
            ),
            token: token.display().to_string(),
            token_kept,
            certificate_kept,
            certificate: fingerprint
                .is_some()
                .then(|| keys.join(CERTIFICATE_FILE).display().to_string()),
            fingerprint,
        })
    }
}

/// The fingerprint of the certificate that was written, or of the one that is there.
fn certificate(keys: &Path, pair: &SelfSigned, force: bool) -> Result<String, Failure> {
    let there = keys.join(CERTIFICATE_FILE);
    if force && there.exists() {
        return fingerprint_of_file(&there)
            .map_err(|error| Failure::refused(error.to_string()).cured_by(error.cure()));
    }
    let written = pair.write_new(keys);
    Ok(written
        .map_err(|error| bridge::refused(&error))?
        .fingerprint)
}

impl Prepared {
    /// The files that were written or kept, with the word for it.
    pub(super) fn files(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let word = |is_kept| if is_kept { "kept" } else { "wrote" };
        let certificate = self.certificate.as_deref();
        let certificate = certificate.map(move |file| (word(self.certificate_kept), file));
        std::iter::once((word(self.token_kept), self.token.as_str())).chain(certificate)
    }

    /// What comes between starting Ponte and a first order.
    pub(super) fn steps(&self, named: &str) -> Vec<Step> {
        vec![
            (
                self.command.clone(),
                "beside the terminal, with a copy of the token's file (docs/mt5.md says how it is installed)",
            ),
            (
                format!("ponte{named} doctor --account mt5"),
                "is the terminal there, and can it trade?",
            ),
        ]
    }
}
