//! `ponte admin`: what the owner's side needs to be reached from elsewhere.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::bridge::{as_configured, beside, in_an_address, refused};
use super::context::Context;
use super::failure::Failure;
use super::screen::{self, BOLD, DIM, GOOD, styled};
use crate::server::{SelfSigned, SelfSignedError};

/// Where the pair is kept, beside the configuration.
const KEYS_FOLDER: &str = "secrets";

/// Make what the owner's side needs to be reached from elsewhere
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte admin certificate --host ponte.example.com")]
pub(super) struct Admin {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Certificate(Certificate),
}

/// Make a certificate of your own for the owner's side, and its key
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte admin certificate --host ponte.example.com\n  \
    ponte admin certificate --host 203.0.113.7 --out /etc/ponte/tls\n\n\
    Browsers warn of it once: compare the fingerprint that they show with the one printed here. A \
    certificate of a public authority (fullchain.pem and privkey.pem) needs no warning, and no such \
    command.")]
struct Certificate {
    /// The DNS name or IP address in your browser's address bar; may be given several times
    #[arg(long = "host", value_name = "NAME", required = true)]
    hosts: Vec<String>,
    /// The folder to write to [default: secrets beside the configuration]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

#[derive(Serialize)]
struct Made {
    certificate: String,
    key: String,
    fingerprint: String,
    hosts: Vec<String>,
}

impl Admin {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        match &self.what {
            What::Certificate(certificate) => certificate.run(context),
        }
    }
}

impl Certificate {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let default = || beside(context).join(KEYS_FOLDER);
        let folder = self.out.clone().unwrap_or_else(default);
        let written = SelfSigned::make(&self.hosts, context.now)
            .and_then(|pair| pair.write_for("admin", &folder));
        let written = written.map_err(|error| match &error {
            SelfSignedError::Host { .. } => Failure::usage(error.to_string())
                .cured_by("--host with the name in your browser's address bar"),
            SelfSignedError::NotMade(_)
            | SelfSignedError::Exists(_)
            | SelfSignedError::Unwritable { .. } => refused(&error),
        })?;
        let made = Made {
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

impl Made {
    fn shown(&self, context: &Context) -> String {
        let names: Vec<String> = self
            .hosts
            .iter()
            .map(|host| format!("\"{host}\""))
            .collect();
        format!(
            "{wrote} {certificate}\n\
             {wrote} {key}, readable by its owner only\n\
             \n\
             In {config}:\n\
             \n  \
             {BOLD}[admin.remote]{BOLD:#}\n  \
             {BOLD}listen = \"0.0.0.0:8444\"{BOLD:#}\n  \
             {BOLD}names = [{names}]{BOLD:#}\n  \
             {BOLD}certificate = \"{configured_certificate}\"{BOLD:#}\n  \
             {BOLD}key = \"{configured_key}\"{BOLD:#}\n\
             \n\
             Then add yourself, start, and open https://{host}:8444:\n\
             \n  \
             {BOLD}ponte user add NAME --role operate{BOLD:#}\n\
             \n\
             The browser warns once. Go on only if it shows this fingerprint (SHA-256):\n  \
             {fingerprint}\n\
             {DIM}Ponte takes a renewed pair within a minute, without a restart.{DIM:#}\n",
            wrote = styled(GOOD, "wrote"),
            certificate = self.certificate,
            key = self.key,
            config = context.path.display(),
            names = names.join(", "),
            configured_certificate = as_configured(context, Path::new(&self.certificate)),
            configured_key = as_configured(context, Path::new(&self.key)),
            host = in_an_address(self.hosts.first().map_or("HOST", String::as_str)),
            fingerprint = self.fingerprint,
        )
    }
}
