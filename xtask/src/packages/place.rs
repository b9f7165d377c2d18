//! A folder that is a machine of its own for what runs in it.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::Result;
use crate::process::{self, Running};

/// Who administers it.
pub(super) const ROOT: &str = "root:root";
/// Longest wait for something that must happen: a minute.
const PATIENCE_STEPS: u32 = 600;
const STEP: Duration = Duration::from_millis(100);

/// The folder, and who runs in it.
pub(super) struct Place {
    pub(super) folder: PathBuf,
}

/// What a command left behind.
pub(super) struct Said {
    pub(super) has_succeeded: bool,
    pub(super) text: String,
}

impl Place {
    /// The path of something in it.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path.trim_start_matches('/'))
    }

    /// A command in it, as this user (`NAME:GROUP` or numbers).
    pub(super) fn command(&self, user: &str, words: &[&str]) -> Command {
        let mut command = Command::new("chroot");
        command
            .arg(format!("--userspec={user}"))
            .arg(&self.folder)
            .args(words);
        command.env_clear();
        command.env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        );
        command
            .env("LANG", "C.UTF-8")
            .env("DEBIAN_FRONTEND", "noninteractive");
        command
    }

    /// Runs a command to its end.
    pub(super) fn ask(&self, user: &str, words: &[&str]) -> Result<Said> {
        Said::of(&mut self.command(user, words))
    }

    /// Runs a command that must succeed: all that it printed.
    pub(super) fn run(&self, user: &str, words: &[&str]) -> Result<String> {
        let said = self.ask(user, words)?;
        if said.has_succeeded {
            return Ok(said.text);
        }
        Err(format!("{} failed: {}", words.join(" "), said.text).into())
    }

    /// Starts a command that goes on, its words going into a file in the folder above.
    pub(super) fn start(&self, command: &mut Command) -> Result<Running> {
        let log = fs::File::create(self.log())?;
        Running::start(command.stdout(log.try_clone()?).stderr(log))
    }

    /// Waits until a command succeeds.
    pub(super) fn wait(&self, running: &mut Running, user: &str, words: &[&str]) -> Result<()> {
        let mut last = String::new();
        for _ in 0..PATIENCE_STEPS {
            let said = self.ask(user, words)?;
            if said.has_succeeded {
                return Ok(());
            }
            last = said.text;
            let log = || fs::read_to_string(self.log()).unwrap_or_default();
            running
                .must_run()
                .map_err(|error| format!("{error}: {}", log()))?;
            thread::sleep(STEP);
        }
        Err(format!("{} does not succeed: {last}", words.join(" ")).into())
    }

    fn log(&self) -> PathBuf {
        self.folder.with_extension("log")
    }

    pub(super) fn read(&self, path: &str) -> Result<String> {
        read(&self.path(path))
    }

    pub(super) fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.path(path);
        fs::create_dir_all(path.parent().ok_or("a file without a folder")?)?;
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()).into())
    }

    /// Writes something else into a file, where it stands.
    pub(super) fn edit(&self, path: &str, from: &str, to: &str) -> Result<()> {
        let text = self.read(path)?;
        if !text.contains(from) {
            return Err(format!("{from} is not in {path}: {text}").into());
        }
        self.rewrite(path, &text.replace(from, to))
    }

    /// Writes a whole file anew, which keeps its rights.
    pub(super) fn rewrite(&self, path: &str, text: &str) -> Result<()> {
        Ok(fs::write(self.path(path), text)?)
    }
}

impl Said {
    fn of(command: &mut Command) -> Result<Said> {
        let output = command.stdin(Stdio::null()).output()?;
        let text = [output.stdout, output.stderr].concat();
        Ok(Said {
            has_succeeded: output.status.success(),
            text: String::from_utf8_lossy(&text).into_owned(),
        })
    }
}

/// Ends a program as an owner would, and fails if it doesn't end well.
pub(super) fn stop(mut running: Running) -> Result<()> {
    let id = running.id().to_string();
    process::run(Command::new("kill").args(["-TERM", &id]))?;
    for _ in 0..PATIENCE_STEPS {
        if let Some(has_succeeded) = running.ended()? {
            return if has_succeeded {
                Ok(())
            } else {
                Err("the program did not end well after SIGTERM".into())
            };
        }
        thread::sleep(STEP);
    }
    Err("the program did not end after SIGTERM".into())
}

/// A port that nobody uses now.
pub(super) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

pub(super) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()).into())
}
