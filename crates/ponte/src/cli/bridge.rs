//! `ponte bridge`: what a terminal's bridge needs to trust Ponte, and Ponte it.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use ponte_core::id::AccountName;
use serde::Serialize;

use super::context::Context;
use super::failure::Failure;
use super::screen::{self, BOLD, DIM, GOOD, styled};
use crate::random::url_token;
use crate::secret::Secret;
use crate::server::{SelfSigned, SelfSignedError, fingerprint_of_file};

/// Random bytes of a token.
const TOKEN_BYTES: usize = 32;
/// Where both are kept, beside the configuration.
const KEYS_FOLDER: &str = "secrets";
/// Where the configuration of the example listens.
const EXAMPLE_LISTEN: &str = "0.0.0.0:8443";

/// Make what a MetaTrader 5 bridge needs: a token, a certificate to pin
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte bridge token my-mt5\n  \
    ponte bridge certificate --host vps.example.com\n  \
    ponte bridge fingerprint secrets/bridge-certificate.pem")]
pub(super) struct Bridge {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Token(Token),
    Certificate(Certificate),
    Fingerprint(Fingerprint),
}

/// Make the random token by which Ponte knows the bridge of an account
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte bridge token my-mt5\n  \
    ponte bridge token my-mt5 --out /etc/ponte/secrets/my-mt5\n\n\
    Ponte reads the file, and the bridge a copy of it. A file that is there is never replaced.")]
struct Token {
    /// The account's name in the configuration
    account: String,
    /// The file to write [default: secrets/ACCOUNT-bridge-token beside the configuration]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Make a certificate of your own for the bridges to pin, and its key
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte bridge certificate --host vps.example.com\n  \
    ponte bridge certificate --host 203.0.113.7 --host vps.example.com --out /etc/ponte/tls\n\n\
    The Python bridge takes it by its fingerprint (--pin) or as a file (--ca). The expert needs a \
    certificate that Windows trusts. One of a public authority (fullchain.pem and privkey.pem) \
    serves both, without this command.")]
struct Certificate {
    /// The DNS name or IP address under which bridges reach this machine; may be given several times
    #[arg(long = "host", value_name = "NAME", required = true)]
    hosts: Vec<String>,
    /// The folder to write to [default: secrets beside the configuration]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Print the fingerprint of a certificate, as a bridge pins it
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte bridge fingerprint secrets/bridge-certificate.pem\n\n\
    It is the SHA-256 of the certificate, 64 digits: what openssl x509 -fingerprint -sha256 prints, \
    without its colons and in small letters.")]
struct Fingerprint {
    /// The certificate, a PEM file
    file: PathBuf,
}

#[derive(Serialize)]
struct MadeToken {
    account: AccountName,
    /// The file, as it was written.
    file: String,
    /// What the account's section of the configuration has to say.
    token: String,
}

#[derive(Serialize)]
struct MadeCertificate {
    certificate: String,
    key: String,
    fingerprint: String,
    hosts: Vec<String>,
}

#[derive(Serialize)]
struct Printed {
    file: String,
    fingerprint: String,
}

impl Bridge {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        match &self.what {
            What::Token(token) => token.run(context),
            What::Certificate(certificate) => certificate.run(context),
            What::Fingerprint(fingerprint) => fingerprint.run(context),
        }
    }
}

impl Token {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let account = AccountName::new(&self.account)
            .map_err(|error| Failure::usage(format!("the account's name {error}")))?;
        let path = self.out.clone().unwrap_or_else(|| {
            let name = format!("{}-bridge-token", in_a_file_name(&account));
            beside(context).join(KEYS_FOLDER).join(name)
        });
        make_token(&path)?;
        let made = MadeToken {
            account,
            file: path.display().to_string(),
            token: format!("file:{}", as_configured(context, &path)),
        };
        if context.json {
            return screen::print_json(&made);
        }
        screen::print(&made.shown(&context.path))
    }
}

impl MadeToken {
    fn shown(&self, config: &Path) -> String {
        format!(
            "{wrote} {file}, readable by its owner only\n\
             \n\
             In {config}, at the account {account}:\n\
             \n  \
             {BOLD}[accounts.mt5]{BOLD:#}\n  \
             {BOLD}token = \"{token}\"{BOLD:#}\n\
             \n\
             Copy the file to the machine of the terminal, on a way that nobody can read, and name it there:\n\
             \n  \
             {BOLD}ponte-mt5-bridge run --url https://HOST:8443 --token-file {name}{BOLD:#}\n",
            wrote = styled(GOOD, "wrote"),
            file = self.file,
            config = config.display(),
            account = self.account,
            token = self.token,
            name = file_name(Path::new(&self.file)),
        )
    }
}

impl Certificate {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let default = || beside(context).join(KEYS_FOLDER);
        let folder = self.out.clone().unwrap_or_else(default);
        let written = SelfSigned::make(&self.hosts, context.now)
            .and_then(|pair| pair.write_new(&folder))
            .map_err(|error| refused(&error))?;
        let made = MadeCertificate {
            certificate: written.files.certificate.display().to_string(),
            key: written.files.key.display().to_string(),
            fingerprint: written.fingerprint,
            hosts: self.hosts.clone(),
        };
        if context.json {
            return screen::print_json(&made);
        }
        screen::print(&made.shown(context))
    }
}

impl MadeCertificate {
    fn shown(&self, context: &Context) -> String {
        format!(
            "{wrote} {certificate}\n\
             {wrote} {key}, readable by its owner only\n\
             \n\
             In {config}:\n\
             \n  \
             {BOLD}[bridge]{BOLD:#}\n  \
             {BOLD}listen = \"{EXAMPLE_LISTEN}\"{BOLD:#}\n  \
             {BOLD}certificate = \"{configured_certificate}\"{BOLD:#}\n  \
             {BOLD}key = \"{configured_key}\"{BOLD:#}\n\
             \n\
             At the terminal, so that the bridge talks to nobody else:\n\
             \n  \
             {BOLD}ponte-mt5-bridge run --url https://{host}:8443 --pin {fingerprint}{BOLD:#}\n\
             \n\
             {DIM}Ponte takes a renewed pair within a minute, without a restart; then the pin is another one.{DIM:#}\n",
            wrote = styled(GOOD, "wrote"),
            certificate = self.certificate,
            key = self.key,
            config = context.path.display(),
            configured_certificate = as_configured(context, Path::new(&self.certificate)),
            configured_key = as_configured(context, Path::new(&self.key)),
            host = in_an_address(self.hosts.first().map_or("HOST", String::as_str)),
            fingerprint = self.fingerprint,
        )
    }
}

impl Fingerprint {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let fingerprint = fingerprint_of_file(&self.file)
            .map_err(|error| Failure::unreachable(error.to_string()).cured_by(error.cure()))?;
        if context.json {
            let file = self.file.display().to_string();
            return screen::print_json(&Printed { file, fingerprint });
        }
        screen::print(&format!("{fingerprint}\n"))
    }
}

/// Writes a new token into a file for its owner only.
pub(super) fn make_token(path: &Path) -> Result<(), Failure> {
    let token = Secret::new(url_token(TOKEN_BYTES))
        .map_err(|error| Failure::refused(error.to_string()).cured_by(error.cure()))?;
    token.write_new(path).map_err(|error| {
        let file = path.display();
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            return Failure::refused(format!("{file} is there already"))
                .cured_by("use it, or --out FILE for another place");
        }
        Failure::unreachable(format!("{file} can't be written: {error}"))
            .cured_by("--out FILE for another place")
    })
}

pub(super) fn refused(error: &SelfSignedError) -> Failure {
    let text = error.to_string();
    match error {
        SelfSignedError::Host { .. } => {
            Failure::usage(text).cured_by("--host with the name in the bridge's --url")
        }
        SelfSignedError::NotMade(_) => Failure::refused(text),
        SelfSignedError::Exists(_) => {
            Failure::refused(text).cured_by("use it, remove it, or --out FOLDER for another place")
        }
        SelfSignedError::Unwritable { .. } => {
            Failure::unreachable(text).cured_by("--out FOLDER for another place")
        }
    }
}

/// The folder of the configuration.
pub(super) fn beside(context: &Context) -> &Path {
    context.path.parent().unwrap_or(Path::new(""))
}

/// A path as the configuration names it: from its own folder.
pub(super) fn as_configured(context: &Context, path: &Path) -> String {
    let folder = beside(context);
    let inside = path.strip_prefix(folder).unwrap_or(path);
    inside.display().to_string()
}

/// An account's name as a part of a file's: what could mean something else becomes `_`.
fn in_a_file_name(account: &AccountName) -> String {
    let plain = |letter: char| match letter {
        letter if letter.is_alphanumeric() || letter == '-' || letter == '_' => letter,
        _ => '_',
    };
    account.as_str().chars().map(plain).collect()
}

/// A host as it stands in an address: IPv6 in brackets.
pub(super) fn in_an_address(host: &str) -> String {
    match host.parse() {
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        Ok(IpAddr::V4(_)) | Err(_) => host.to_owned(),
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
