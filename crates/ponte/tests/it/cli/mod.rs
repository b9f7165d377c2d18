//! The real binary in folders of its own.

mod audit;
mod b3;
mod backup;
mod bridge;
mod doctor;
mod errors;
mod help;
mod init;
mod live;
mod offline;
mod owner;
mod running;
mod secret;
mod send;
mod source;
mod tampered;
mod vault;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::program::free_port;

/// Longest wait for something that must happen.
const PATIENCE_STEPS: u32 = 600;
const STEP: Duration = Duration::from_millis(50);

/// What a command left behind.
struct Done {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Done {
    /// Its output, when all went well.
    #[track_caller]
    fn ok(self) -> String {
        assert_eq!(self.status, 0, "{}{}", self.stdout, self.stderr);
        self.stdout
    }

    /// Its output as one JSON document.
    #[track_caller]
    fn json(self) -> Value {
        let text = self.ok();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Its complaint, when it ended with this status.
    #[track_caller]
    fn complaint(self, status: i32) -> String {
        assert_eq!(self.status, status, "{}{}", self.stdout, self.stderr);
        self.stderr
    }
}

/// A folder in which somebody uses Ponte.
struct Home {
    folder: TempDir,
    webhook: u16,
    admin: u16,
    child: Option<Child>,
}

impl Home {
    /// An empty one.
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            webhook: free_port(),
            admin: free_port(),
            child: None,
        }
    }

    /// One in which `ponte init` was run.
    fn installed() -> Self {
        let home = Self::new();
        let (webhook, admin) = (home.webhook, home.admin);
        home.run(&[
            "init",
            "--yes",
            "--listen",
            &format!("127.0.0.1:{webhook}"),
            "--admin-listen",
            &format!("127.0.0.1:{admin}"),
        ])
        .ok();
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ponte"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("USER", "ana")
            .env("COLUMNS", "100")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Done {
        let output = self.command(arguments).output().unwrap();
        Done {
            status: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Starts `ponte run` and waits until it takes alerts.
    fn start(&mut self) {
        let log = std::fs::File::create(self.path("log")).unwrap();
        let mut command = self.command(&["run"]);
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().unwrap());
        for _ in 0..PATIENCE_STEPS {
            let status = self.run(&["status", "--json"]);
            if status.status == 0 && status.json()["process"]["ready"] == true {
                return;
            }
            std::thread::sleep(STEP);
        }
        panic!("ponte did not start: {}", self.read("log"));
    }

    /// Ends it as an owner would.
    fn stop(&mut self) {
        let mut child = self.child.take().unwrap();
        let pid = child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        assert!(child.wait().unwrap().success(), "{}", self.read("log"));
    }

    /// Waits until this stands in the log.
    #[track_caller]
    fn wait_for(&self, what: &str) {
        for _ in 0..PATIENCE_STEPS {
            if self.read("log").contains(what) {
                return;
            }
            std::thread::sleep(STEP);
        }
        panic!("no {what:?} in {}", self.read("log"));
    }

    /// Waits until no order is open.
    fn settle(&self) {
        for _ in 0..PATIENCE_STEPS {
            let open = self.run(&["orders", "--open", "--json"]).json();
            if open.as_array().unwrap().is_empty() {
                return;
            }
            std::thread::sleep(STEP);
        }
        panic!("orders stay open");
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Already gone is as good.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Output with what changes from run to run taken out, one space between words.
fn steady(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let words = line.split_whitespace().filter_map(|word| {
            let shape: String = word
                .chars()
                .map(|letter| if letter.is_ascii_digit() { '0' } else { letter })
                .collect();
            let bare = word.trim_matches(['[', ']']);
            let is_id =
                [8, 12].contains(&bare.len()) && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
            match shape.as_str() {
                "00-00" => Some("<day>".to_owned()),
                "00:00:00" | "00:00:00.000" => Some("<time>".to_owned()),
                "µs" | "ms" | "s" => None,
                _ if is_id => Some(word.replace(bare, "<id>")),
                _ if word.starts_with('+') => Some("<after>".to_owned()),
                _ => Some(word.to_owned()),
            }
        });
        let mut line = words.collect::<Vec<_>>().join(" ");
        line.push('\n');
        line
    });
    lines.collect()
}
