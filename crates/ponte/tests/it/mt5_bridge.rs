//! The bridge of a MetaTrader 5 terminal as people run it: a process of Python, here beside the stand-in terminal.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A bridge that runs; it is killed when this is dropped.
pub(crate) struct Bridge {
    child: Child,
    log: PathBuf,
}

/// What a bridge is told.
pub(crate) struct BridgeOptions<'a> {
    /// Where Ponte listens for bridges.
    pub(crate) ponte: &'a str,
    /// The SHA-256 of Ponte's certificate, where it has one.
    pub(crate) pin: Option<&'a str>,
    pub(crate) token: &'a str,
    /// Where the stand-in terminal listens.
    pub(crate) terminal: &'a str,
    /// Where its journal and its log lie.
    pub(crate) folder: &'a Path,
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bridges/mt5")
}

impl Bridge {
    /// Starts one. What a terminal may take before its silence counts is shortened.
    pub(crate) fn start(options: &BridgeOptions<'_>) -> Self {
        let token = options.folder.join("token.txt");
        std::fs::write(&token, options.token).unwrap();
        let log = options.folder.join("bridge.log");
        let (src, standin) = (sources().join("src"), sources().join("tests/standin"));
        let mut command = Command::new("python3");
        command
            .args(["-m", "ponte_mt5_bridge", "run", "--lang", "en"])
            .args(["--url", options.ponte])
            .arg("--token-file")
            .arg(token)
            .arg("--journal")
            .arg(options.folder.join("bridge.sqlite"))
            .arg("--log")
            .arg(&log)
            .args(["--settle-seconds", "2", "--synchronised-seconds", "1"])
            .args(["--scan-gap-seconds", "0.3", "--poll-seconds", "0.1"])
            .args(["--wait-factor", "0.1"])
            .env("PYTHONPATH", std::env::join_paths([src, standin]).unwrap())
            .env("PONTE_STANDIN_TERMINAL", options.terminal)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if let Some(pin) = options.pin {
            command.args(["--pin", pin]);
        }
        Self {
            child: command.spawn().unwrap(),
            log,
        }
    }

    /// Ends it at once, as a crash does.
    pub(crate) fn kill(&mut self) {
        // One that is not there any more needs no killing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What it has written.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Writes the token of the accounts of [`mt5_account`] where they look for it.
pub(crate) fn write_token(folder: &Path) {
    let file = folder.join("token");
    std::fs::write(&file, TOKEN).unwrap();
    std::fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
}

/// The token of the accounts of [`mt5_account`].
pub(crate) const TOKEN: &str = "a-token-for-the-tests-with-a-bridge-00001";

/// A demo account in the stand-in terminal for B3, with an address for its bridge and a route.
pub(crate) fn mt5_account(bridge_port: u16, account: &str, more: &str) -> String {
    format!(
        r#"
[bridge]
listen = "127.0.0.1:{bridge_port}"
[[accounts]]
name = "mt5"
broker = "mt5"
mode = "demo"
currency = "BRL"
{account}
[accounts.mt5]
login = 12345678
server = "Standin-Demo"
token = "file:token"
{more}
[[routes]]
strategies = ["*"]
accounts = ["mt5"]
"#
    )
}
