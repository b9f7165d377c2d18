//! `ponte demo`: the whole path in a throw-away folder, told as a story.

mod story;
mod timeline;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;

use super::context::Context;
use super::failure::Failure;
use super::screen;
use crate::app::{self, Served};
use crate::config;
use crate::random;
use story::Told;

/// The secret of the demo's own webhook, which listens on loopback only.
pub(super) const SECRET: &str = "MEU_SEGREDO";

/// Show the whole path with a paper account, in a throw-away folder
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte demo          plays a short story, then stays up for you to try\n  \
    ponte demo --once   plays it and ends; status 0 only if every step went as told")]
pub(in crate::cli) struct Demo {
    /// End after the story
    #[arg(long)]
    once: bool,
}

impl Demo {
    pub(in crate::cli) fn run(&self, context: &Context) -> Result<(), Failure> {
        let folder = Folder::make()?;
        let file = folder.write_configuration()?;
        let loaded = config::load(&file).map_err(|errors| Failure::refused(errors.to_string()))?;
        let runtime = tokio::runtime::Runtime::new()
            .map_err(|error| Failure::unreachable(format!("no runtime: {error}")))?;
        runtime.block_on(async {
            let served = app::serve(loaded).await?;
            let json = context.json;
            if !json {
                screen::print(&timeline::opening(&folder.path))?;
            }
            let told = story::play(&served, |step| {
                if json {
                    Ok(())
                } else {
                    screen::print(&timeline::step(step))
                }
            })
            .await?;
            let done = self.finish(&told, &served, json).await;
            served.stop().await;
            done
        })
    }

    async fn finish(&self, told: &[Told], served: &Served, json: bool) -> Result<(), Failure> {
        if json {
            screen::print_json(&told)?;
        } else {
            screen::print(&timeline::ending(told))?;
        }
        let failed = told.iter().filter(|step| step.problem.is_some()).count();
        if failed > 0 {
            return Err(Failure::refused(format!(
                "{failed} of {} steps went otherwise",
                told.len()
            )));
        }
        if self.once {
            return Ok(());
        }
        if !json {
            screen::print(&timeline::invitation(served.webhook, served.admin))?;
        }
        // Without a signal handler the user's ^C ends the demo all the same, only less tidily.
        let _ = tokio::signal::ctrl_c().await;
        Ok(())
    }
}

/// A folder that is gone when the demo is over.
struct Folder {
    path: PathBuf,
}

impl Folder {
    fn make() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("ponte-demo-{}", random::hex_token(4)));
        std::fs::create_dir(&path)
            .map_err(|error| Failure::unreachable(format!("{}: {error}", path.display())))?;
        Ok(Self { path })
    }

    fn write_configuration(&self) -> Result<PathBuf, Failure> {
        let write = |path: &Path, text: &str| {
            std::fs::write(path, text)
                .map_err(|error| Failure::unreachable(format!("{}: {error}", path.display())))
        };
        let secret = self.path.join("secret");
        write(&secret, SECRET)?;
        restrict(&secret)?;
        let file = self.path.join("ponte.toml");
        write(&file, CONFIGURATION)?;
        Ok(file)
    }
}

fn restrict(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
        .map_err(|error| Failure::unreachable(format!("{}: {error}", path.display())))
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing of value is in it; what can't be removed is left to the system's own cleaning.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// The demo's configuration: what `ponte init` writes, on free ports.
const CONFIGURATION: &str = r#"
data_dir = "data"

[webhook]
listen = "127.0.0.1:0"
allow_from = ["loopback"]

[admin]
listen = "127.0.0.1:0"

[[sources]]
name = "main"
secret = "file:secret"

[[accounts]]
name = "paper"
broker = "paper"
mode = "paper"
currency = "USDT"
balance = "10000"
prices = ["alert", "seeded"]

[accounts.rules]
max_order_notional = "5000"

[[routes]]
strategies = ["*"]
accounts = ["paper"]
"#;

/// Where somebody can look and try.
pub(super) fn webhook_url(address: SocketAddr) -> String {
    format!("http://{address}/webhook")
}
