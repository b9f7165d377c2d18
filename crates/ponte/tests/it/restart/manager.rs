//! A stand-in for the service manager: it holds the sockets, starts the real binary with them, hears
//! what it says of itself, and ends it.

use std::collections::VecDeque;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use ponte::journal::{Reader, path_in};
use ponte::server::SelfSigned;
use ponte_core::message::Outcome;
use tokio::net::UnixDatagram;
use tokio::time::{sleep, timeout};

use crate::bridge::tls::trusting;
use crate::crash_common::record::Record;
use crate::program::{SECRET, client};

/// Longest wait for something that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_millis(5);

/// Standard input and output arrive as the sockets 3 and 4, as systemd hands them over. The number of
/// the process must be that of the program, which replaces the shell.
const HAND_OVER: &str = r#"
exec 3<&0 4<&1 0</dev/null 1>/dev/null
export LISTEN_PID=$$
exec "$0" run"#;

/// The stand-in.
pub(crate) struct Manager {
    folder: tempfile::TempDir,
    /// The sockets that outlive every process; none where the program binds its own.
    sockets: Vec<TcpListener>,
    pub(crate) webhook: SocketAddr,
    pub(crate) admin: SocketAddr,
    notices: UnixDatagram,
    heard: VecDeque<String>,
    child: Option<Child>,
    /// The watchdog's interval in microseconds.
    pub(crate) watchdog: Option<u64>,
    /// Where the certificate of the webhook is, if it has one.
    certificate: Option<PathBuf>,
}

/// Where alerts are sent, and whose certificate answers there.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) url: String,
    certificate: Option<PathBuf>,
}

impl Target {
    /// A client without a connection.
    pub(crate) fn client(&self) -> reqwest::Client {
        match &self.certificate {
            Some(path) => trusting(path),
            None => client(),
        }
    }
}

/// Which sockets the manager holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    Nothing,
    Webhook,
    Both,
}

impl Manager {
    /// A folder with a paper account that trades at its alerts' prices.
    pub(crate) fn install(holds: Holds) -> Self {
        let bound = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (webhook, admin) = (bound(), bound());
        let (at, admin_at) = (webhook.local_addr().unwrap(), admin.local_addr().unwrap());
        let sockets = match holds {
            Holds::Nothing => vec![],
            Holds::Webhook => vec![webhook],
            Holds::Both => vec![webhook, admin],
        };
        let folder = tempfile::tempdir().unwrap();
        let notices = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        let made = Self {
            folder,
            sockets,
            webhook: at,
            admin: admin_at,
            notices,
            heard: VecDeque::new(),
            child: None,
            watchdog: None,
            certificate: None,
        };
        made.configure(at);
        made
    }

    /// [`Self::install`] with the webhook's socket held and a certificate for it.
    pub(crate) fn install_with_certificate() -> Self {
        let mut made = Self::install(Holds::Webhook);
        let now = ponte::clock::now();
        let written = SelfSigned::make(&["127.0.0.1".to_owned()], now).unwrap();
        let files = written.write_new(made.folder()).unwrap().files;
        made.certificate = Some(files.certificate.clone());
        let path = made.folder().join("ponte.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let (certificate, key) = (files.certificate.display(), files.key.display());
        let tls = format!("[webhook.tls]\ncertificate = \"{certificate}\"\nkey = \"{key}\"\n");
        std::fs::write(path, text.replace("[admin]", &format!("{tls}[admin]"))).unwrap();
        made
    }

    /// Writes the configuration, with the webhook at this address.
    pub(crate) fn configure(&self, webhook: SocketAddr) {
        let admin = self.admin;
        let text = format!(
            r#"
data_dir = "data"
[webhook]
listen = "{webhook}"
allow_from = ["loopback"]
[admin]
listen = "{admin}"
[[sources]]
name = "main"
secret = "env:WEBHOOK_SECRET"
[[accounts]]
name = "paper"
broker = "paper"
mode = "paper"
currency = "USDT"
balance = "1000000000"
leverage = "1000"
prices = ["alert"]
[[routes]]
strategies = ["*"]
accounts = ["paper"]
"#
        );
        std::fs::write(self.folder().join("ponte.toml"), text).unwrap();
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.folder().join("data")
    }

    pub(crate) fn target(&self) -> Target {
        let scheme = if self.certificate.is_some() {
            "https"
        } else {
            "http"
        };
        Target {
            url: format!("{scheme}://{}/webhook", self.webhook),
            certificate: self.certificate.clone(),
        }
    }

    /// Starts the program, with the sockets if there are some.
    pub(crate) fn start(&mut self) {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder().join("log"));
        let program = env!("CARGO_BIN_EXE_ponte");
        let mut command = Command::new("sh");
        if self.sockets.is_empty() {
            command = Command::new(program);
            command
                .arg("run")
                .stdin(Stdio::null())
                .stdout(Stdio::null());
        } else {
            let handed = |index: usize| {
                let socket = self.sockets.get(index)?.try_clone().unwrap();
                Some(Stdio::from(OwnedFd::from(socket)))
            };
            command
                .args(["-c", HAND_OVER, program])
                .stdin(handed(0).unwrap())
                .stdout(handed(1).unwrap_or_else(Stdio::null))
                .env("LISTEN_FDS", self.sockets.len().to_string())
                .env("LISTEN_FDNAMES", "ponte.socket");
        }
        if let Some(interval) = self.watchdog {
            command.env("WATCHDOG_USEC", interval.to_string());
        }
        let child = command
            .current_dir(self.folder())
            .env("WEBHOOK_SECRET", SECRET)
            .env("NOTIFY_SOCKET", self.folder().join("notify"))
            .env("RUST_LOG", "ponte=debug")
            .stderr(log.unwrap())
            .spawn();
        self.child = Some(child.unwrap());
    }

    /// Starts it and waits until it says that it is ready.
    pub(crate) async fn start_ready(&mut self) {
        self.start();
        self.until("READY=1").await;
    }

    /// What the program says next, a line of it.
    pub(crate) async fn hears(&mut self) -> String {
        loop {
            if let Some(line) = self.heard.pop_front() {
                return line;
            }
            let mut buffer = [0; 4096];
            let received = timeout(PATIENCE, self.notices.recv(&mut buffer)).await;
            let Ok(received) = received else {
                panic!("nothing was said:\n{}", self.log());
            };
            let text = String::from_utf8(buffer[..received.unwrap()].to_vec()).unwrap();
            self.heard.extend(text.lines().map(str::to_owned));
        }
    }

    /// Waits until the program says this line; gives what it said before.
    pub(crate) async fn until(&mut self, wanted: &str) -> Vec<String> {
        let mut before = Vec::new();
        loop {
            let line = self.hears().await;
            if line == wanted {
                return before;
            }
            before.push(line);
        }
    }

    /// What has been said and was not listened to.
    pub(crate) fn heard_so_far(&mut self) -> Vec<String> {
        let mut buffer = [0; 4096];
        while let Ok(length) = self.notices.try_recv(&mut buffer) {
            let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
            self.heard.extend(text.lines().map(str::to_owned));
        }
        self.heard.drain(..).collect()
    }

    /// Sends the program a signal.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.as_ref().expect("it runs").id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &id])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Waits until the program has ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        let waiting = async {
            loop {
                if let Some(status) = child.try_wait().unwrap() {
                    return status;
                }
                sleep(STEP).await;
            }
        };
        let ended = timeout(PATIENCE, waiting).await;
        ended.unwrap_or_else(|_| {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it did not end:\n{}", self.log())
        })
    }

    /// Ends it as `systemctl stop` does.
    pub(crate) async fn stop(&mut self) {
        self.signal("TERM");
        let status = self.ended().await;
        assert!(status.success(), "{status}:\n{}", self.log());
    }

    pub(crate) async fn kill(&mut self) {
        self.signal("KILL");
        self.ended().await;
    }

    /// A command of the program in its folder: its status and what it printed.
    pub(crate) fn command(&self, arguments: &[&str]) -> (i32, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_ponte"))
            .args(arguments)
            .current_dir(self.folder())
            .env("WEBHOOK_SECRET", SECRET)
            .output()
            .unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat());
        (output.status.code().unwrap(), text.unwrap())
    }

    pub(crate) fn log(&self) -> String {
        let text = std::fs::read_to_string(self.folder().join("log")).unwrap_or_default();
        let lines: Vec<_> = text.lines().rev().take(40).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// The ids of the alerts that were decided and are no duplicates, each as often as it was.
    pub(crate) fn decided(&self) -> Vec<String> {
        let reader = Reader::open(&path_in(&self.data_dir())).unwrap();
        let record = Record::read(&reader);
        let decided = record.alerts.into_values();
        let first = decided.filter(|decision| decision.outcome != Outcome::Duplicate);
        first
            .map(|decision| decision.signal.explicit_id.expect("every alert has an id"))
            .collect()
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Already gone is as good.
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            let place = self.folder().display();
            let _ = writeln!(std::io::stdout(), "journal and log are kept in {place}");
        }
    }
}
