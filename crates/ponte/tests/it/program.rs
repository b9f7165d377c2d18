//! The real binary in a folder of its own: started, killed, asked.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use ponte_venue::faces::binance::{REHEARSAL_KEY, REHEARSAL_SECRET};
use reqwest::Client;
use serde_json::Value;

/// The secret of the webhook.
pub(crate) const SECRET: &str = "a-secret-for-the-tests-only-4242";

/// Longest wait for something that must happen.
const PATIENCE_STEPS: u32 = 1200;
const STEP: Duration = Duration::from_millis(50);

pub(crate) fn client() -> Client {
    ponte::tls::http_client().build().unwrap()
}

/// A folder with a configuration, and perhaps a process that runs on it.
pub(crate) struct Ponte {
    folder: tempfile::TempDir,
    webhook: u16,
    admin: u16,
    log_filter: &'static str,
    handles_max: Option<u32>,
    child: Option<Child>,
}

pub(crate) fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let free = || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    // The system may name a port again that somebody has asked for and not yet taken.
    let mut given = GIVEN.lock().unwrap();
    std::iter::repeat_with(free)
        .find(|port| given.insert(*port))
        .unwrap()
}

impl Ponte {
    /// A folder of its own, with `account` as the rest of the paper account's section.
    pub(crate) fn install(account: &str) -> Self {
        Self::install_accounts(&format!(
            r#"
[[accounts]]
name = "paper"
broker = "paper"
mode = "paper"
currency = "USDT"
{account}
[[routes]]
strategies = ["*"]
accounts = ["paper"]
"#
        ))
    }

    /// A folder of its own, with these accounts and routes.
    pub(crate) fn install_accounts(accounts: &str) -> Self {
        let made = Self::empty();
        let (webhook, admin) = (made.webhook, made.admin);
        let text = format!(
            r#"
data_dir = "data"
[webhook]
listen = "127.0.0.1:{webhook}"
allow_from = ["loopback"]
[admin]
listen = "127.0.0.1:{admin}"
[[sources]]
name = "main"
secret = "env:WEBHOOK_SECRET"
{accounts}"#
        );
        std::fs::write(made.folder().join("ponte.toml"), text).unwrap();
        made
    }

    fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            webhook: free_port(),
            admin: free_port(),
            log_filter: "ponte=trace,ponte_core=trace,ponte_venue=trace",
            handles_max: None,
            child: None,
        }
    }

    pub(crate) fn webhook(&self) -> String {
        format!("http://127.0.0.1:{}/webhook", self.webhook)
    }

    pub(crate) fn admin_port(&self) -> u16 {
        self.admin
    }

    pub(crate) fn webhook_address(&self) -> std::net::SocketAddr {
        ([127, 0, 0, 1], self.webhook).into()
    }

    /// The number of the process that runs.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// How many files and sockets it may have open, from the next start on.
    pub(crate) fn set_handles_max(&mut self, handles: Option<u32>) {
        self.handles_max = handles;
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What is logged from the next start on, as `RUST_LOG` says it.
    pub(crate) fn set_log_filter(&mut self, filter: &'static str) {
        self.log_filter = filter;
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.folder
            .path()
            .join("data")
            .join(ponte::journal::FILE_NAME)
    }

    /// Starts the binary and waits until it takes alerts.
    pub(crate) async fn start(&mut self) {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .unwrap();
        let mut command = match self.handles_max {
            None => Command::new(env!("CARGO_BIN_EXE_ponte")),
            Some(handles) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", &format!("ulimit -n {handles}; exec \"$0\" \"$@\"")]);
                shell.arg(env!("CARGO_BIN_EXE_ponte"));
                shell
            }
        };
        let child = command
            .arg("run")
            .current_dir(self.folder.path())
            .env("WEBHOOK_SECRET", SECRET)
            .env("BINANCE_API_KEY", REHEARSAL_KEY)
            .env("BINANCE_SIGNING_KEY", REHEARSAL_SECRET)
            .env("RUST_LOG", self.log_filter)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        for _ in 0..PATIENCE_STEPS {
            if self.is_ready().await {
                return;
            }
            if let Some(status) = self
                .child
                .as_mut()
                .and_then(|child| child.try_wait().unwrap())
            {
                panic!("ponte ended with {status}:\n{}", self.log());
            }
            tokio::time::sleep(STEP).await;
        }
        panic!("ponte did not get ready:\n{}", self.log());
    }

    /// Whether it would take an alert now.
    pub(crate) async fn is_ready(&self) -> bool {
        let url = format!("http://127.0.0.1:{}/readyz", self.admin);
        let answer = client().get(&url).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Waits until it takes alerts, whoever has started it.
    pub(crate) async fn wait_until_ready(&self) {
        for _ in 0..PATIENCE_STEPS {
            if self.is_ready().await {
                return;
            }
            tokio::time::sleep(STEP).await;
        }
        panic!("ponte did not get ready:\n{}", self.log());
    }

    /// Everything that it has written.
    pub(crate) fn whole_log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn log(&self) -> String {
        let text = self.whole_log();
        let lines: Vec<_> = text.lines().rev().take(40).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Ends it as an owner would.
    pub(crate) async fn stop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let pid = child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        for _ in 0..PATIENCE_STEPS {
            if child.try_wait().unwrap().is_some() {
                return;
            }
            tokio::time::sleep(STEP).await;
        }
        child.kill().unwrap();
        panic!("ponte did not end after SIGTERM:\n{}", self.log());
    }

    /// The number that `/metrics` shows under this name; `None` while there is none.
    pub(crate) async fn metric(&self, name: &str) -> Option<f64> {
        let url = format!("http://127.0.0.1:{}/metrics", self.admin);
        let text = client().get(&url).send().await.ok()?.text().await.ok()?;
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    /// A page of the admin address, as text.
    pub(crate) async fn page(&self, path: &str) -> String {
        let url = format!("http://127.0.0.1:{}/{path}", self.admin);
        let answer = client().get(&url).send().await.unwrap();
        answer.text().await.unwrap()
    }

    /// What the admin address says.
    pub(crate) async fn ask(&self, path: &str) -> Value {
        let text = self.page(&format!("api/{path}")).await;
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {text}"))
    }

    /// Waits until every order has its last word.
    pub(crate) async fn wait_until_settled(&self) {
        for _ in 0..PATIENCE_STEPS {
            if self
                .ask("orders?open=true&limit=1")
                .await
                .as_array()
                .is_some_and(Vec::is_empty)
            {
                return;
            }
            tokio::time::sleep(STEP).await;
        }
        let open = self.ask("orders?open=true&limit=10000").await;
        let open = open.as_array().unwrap();
        let mut count = std::collections::BTreeMap::new();
        for order in open {
            *count.entry(order["status"].to_string()).or_insert(0) += 1;
        }
        let stuck = open
            .iter()
            .find(|order| order["status"] != "waiting")
            .unwrap_or(&open[0]);
        let story = self
            .ask(&format!("why/{}", stuck["id"].as_str().unwrap()))
            .await;
        panic!("orders without a last word: {count:?}, one of them: {story:#}");
    }

    /// Waits until every order has its last word or rests.
    pub(crate) async fn wait_until_resting(&self) {
        let mut open = Value::Null;
        for _ in 0..PATIENCE_STEPS {
            open = self.ask("orders?open=true&limit=10000").await;
            let orders = open.as_array().unwrap();
            if orders.iter().all(|order| order["status"] == "working") {
                return;
            }
            tokio::time::sleep(STEP).await;
        }
        panic!("orders neither rest nor end: {open:#}");
    }

    pub(crate) async fn positions(&self) -> Value {
        self.ask("positions").await
    }
}

impl Drop for Ponte {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Already gone is as good.
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            println!("journal and log are kept in {}", self.folder().display());
        }
    }
}

impl Ponte {
    /// An alert as `curl` sends it: the status and the body of the answer.
    pub(crate) async fn send(&self, body: &str) -> (u16, Value) {
        let answer = client()
            .post(self.webhook())
            .body(body.to_owned())
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Runs a command of the program in the folder: its status and what it printed.
    pub(crate) fn command(&self, arguments: &[&str]) -> (i32, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_ponte"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("WEBHOOK_SECRET", SECRET)
            .env("BINANCE_API_KEY", REHEARSAL_KEY)
            .env("BINANCE_SIGNING_KEY", REHEARSAL_SECRET)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.code().unwrap(),
            String::from_utf8(text).unwrap(),
        )
    }
}
