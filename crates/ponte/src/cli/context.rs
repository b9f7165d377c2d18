//! What every command starts from: the global options and the configuration that they name.

use std::cell::OnceCell;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::screen;
use crate::clock;
use crate::config::{self, Config, FILE_BYTES_MAX};
use ponte_core::time::Timestamp;

/// The global options.
pub(super) struct Context {
    /// The configuration file.
    pub(super) path: PathBuf,
    /// Whether somebody named that file.
    pub(super) is_named: bool,
    /// Whether output is for programs.
    pub(super) json: bool,
    /// How much more is said.
    pub(super) verbose: u8,
    /// When the command began.
    pub(super) now: Timestamp,
    config: OnceCell<Config>,
}

/// Where a package installs the configuration.
pub(super) const INSTALLED: &str = "/etc/ponte/ponte.toml";
const BESIDE: &str = "ponte.toml";

/// The file in the folder; without one, the machine's.
fn by_default() -> PathBuf {
    let beside = Path::new(BESIDE);
    let installed = Path::new(INSTALLED);
    if !beside.exists() && installed.exists() {
        return installed.to_owned();
    }
    beside.to_owned()
}

impl Context {
    /// Where a new configuration goes: the folder's, even where the machine has one already.
    pub(super) fn new_path(&self) -> PathBuf {
        if self.is_named {
            return self.path.clone();
        }
        PathBuf::from(BESIDE)
    }

    pub(super) fn new(named: Option<PathBuf>, json: bool, verbose: u8) -> Self {
        let variable = || {
            let value = std::env::var_os("PONTE_CONFIG");
            value.filter(|value| !value.is_empty()).map(PathBuf::from)
        };
        let named = named.or_else(variable);
        Self {
            is_named: named.is_some(),
            path: named.unwrap_or_else(by_default),
            json,
            verbose,
            now: clock::now(),
            config: OnceCell::new(),
        }
    }

    /// What the configuration says, without a look at the secrets: whoever asks for the status
    /// need not be allowed to read them.
    pub(super) fn config(&self) -> Result<&Config, Failure> {
        if let Some(config) = self.config.get() {
            return Ok(config);
        }
        let file = self.path.display().to_string();
        let text = self.text()?;
        let parsed = config::parse(&text, &file)?;
        Ok(self.config.get_or_init(|| parsed.config))
    }

    /// What the configuration says, with the secrets that it names.
    pub(super) fn loaded(&self) -> Result<config::Loaded, Failure> {
        // A missing file has one cure, whatever else could be said about it.
        self.text()?;
        Ok(config::load(&self.path)?)
    }

    /// What starts Ponte: where a package has installed it, the service.
    pub(super) fn start(&self) -> &'static str {
        if self.path == Path::new(INSTALLED) {
            return "systemctl start ponte";
        }
        "ponte run"
    }

    /// Says something to whoever asked for more.
    pub(super) fn verbosely(&self, text: &str) {
        if self.verbose > 0 {
            screen::note(text);
        }
    }

    /// The text of the configuration.
    pub(super) fn text(&self) -> Result<String, Failure> {
        let path = self.path.display();
        let mut text = String::new();
        let read = std::fs::File::open(&self.path)
            .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text));
        match read {
            Ok(_) => Ok(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(
                Failure::unreachable(format!("there is no configuration at {path}"))
                    .cured_by("ponte init to write one, or --config FILE to name yours"),
            ),
            Err(error) => Err(Failure::unreachable(format!(
                "{path} can't be read: {error}"
            ))),
        }
    }
}
