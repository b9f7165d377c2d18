//! `ponte run`.

use clap::Args;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::context::Context;
use super::failure::{Failure, REFUSED};
use super::init_platform::{self, PlatformName};
use super::screen;
use crate::app;
use crate::config::{Log, LogFormat, LogLevel};

/// Receive alerts and trade, until stopped by Ctrl+C or SIGTERM
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte run\n  \
    ponte run --config /etc/ponte/ponte.toml\n  \
    ponte run --config /data/ponte.toml --init-with fly\n\n\
    The configuration is checked first; with an error in it Ponte does not start.\n\
    The log goes to standard error, as [log] says; RUST_LOG=ponte=debug overrides its level.\n\n\
    SIGTERM or Ctrl+C ends it in less than a second: what is under way is answered. A second one ends\n\
    it at once. Under systemd it takes the sockets of ponte.socket, says when it is ready and feeds\n\
    the watchdog: see docs/operations.md.")]
pub(super) struct Run {
    /// Where there is no configuration, first write the one for this platform, as ponte init
    /// --platform does; for the first start of a container. What is there is never touched
    #[arg(long, value_name = "PLATFORM", value_enum)]
    init_with: Option<PlatformName>,
}

impl Run {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        // Before anything else: it changes the environment, and there is one thread yet.
        let inherited = app::Inherited::from_environment()?;
        if let Some(platform) = self.init_with {
            init_platform::write_if_missing(context, platform)?;
        }
        let loaded = context.loaded()?;
        for warning in &loaded.warnings {
            screen::note(&warning.to_string());
        }
        start_log(&loaded.config.log, context.verbose);
        for notice in loaded.config.real_money_notices() {
            tracing::warn!("{notice}");
        }
        let runtime = Runtime::new()
            .map_err(|error| Failure::unreachable(format!("no threads to run on: {error}")))?;
        runtime.block_on(async {
            let stop = stop_signal()?;
            app::run(loaded, inherited, announce, stop).await?;
            tracing::info!("stopped");
            Ok(())
        })
    }
}

fn announce(served: &app::Served) {
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        webhook = %served.webhook,
        admin = %served.admin,
        challenges = served.challenges.map(tracing::field::display),
        held_open = served.held_open,
        remote = served.remote.map(tracing::field::display),
        replayed = served.replayed,
        "Ponte takes alerts"
    );
}

/// Starts to write the log to standard error.
pub(super) fn start_log(log: &Log, verbose: u8) {
    let level = match (log.level, verbose) {
        (level, 0) => level,
        (_, 1) => LogLevel::Debug,
        (_, _) => LogLevel::Trace,
    };
    // Other crates speak of their own affairs; theirs are worth a line only when something is wrong.
    let ours = format!(
        "warn,ponte={0},ponte_core={0},ponte_venue={0}",
        level.as_str()
    );
    // A variable that is set to nothing, as composed files do it, must not silence the log.
    let asked = std::env::var(EnvFilter::DEFAULT_ENV).ok();
    let asked = asked.filter(|asked| !asked.trim().is_empty());
    let filter = asked.and_then(|asked| EnvFilter::try_new(asked).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new(ours));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // The message of a panic may quote what came from outside; where it happened is enough.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(place, "something broke; please report this");
    }));
    // Only a test that starts two in one process has one already.
    let _ = match log.format {
        LogFormat::Human => builder
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

/// Ready when the process is asked to end; asked a second time, it ends at once.
pub(super) fn stop_signal() -> Result<impl Future<Output = ()> + Send, Failure> {
    let listen = |kind| {
        signal(kind)
            .map_err(|error| Failure::unreachable(format!("signals can't be listened to: {error}")))
    };
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    // A terminal that is closed; without this the system would end the process unasked.
    let mut hangup = listen(SignalKind::hangup())?;
    let mut asked = async move || {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    };
    Ok(async move {
        asked().await;
        tokio::spawn(async move {
            asked().await;
            tracing::warn!(
                "asked twice to end: requests under way are cut, no snapshot is written"
            );
            std::process::exit(i32::from(REFUSED));
        });
    })
}
