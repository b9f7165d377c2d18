//! `ponte venue`: test venues in a process of their own.

use std::net::SocketAddr;

use clap::{Args, Subcommand};
use ponte_venue::faces::paper::{PaperFace, PaperOptions};
use ponte_venue::feed::FeedOptions;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::context::Context;
use super::failure::Failure;
use super::run::stop_signal;
use super::screen;

/// Run a venue to trade against, for tests and rehearsals
#[derive(Args)]
pub(super) struct Venue {
    #[command(subcommand)]
    which: Which,
}

#[derive(Subcommand)]
enum Which {
    Paper(Paper),
}

/// Run the paper broker in a process of its own, over HTTP
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte venue paper\n  \
    ponte venue paper --listen 127.0.0.1:9000 --seed 7\n\n\
    Point an account at it: url = \"http://127.0.0.1:9000\". It remembers nothing after its end.\n\
    Faults can be ordered at POST /admin/faults.")]
struct Paper {
    /// Where to listen, a loopback address
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9000")]
    listen: SocketAddr,
    /// Make prices from this seed; without it prices come from the orders and POST /v1/ticks
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
}

impl Venue {
    pub(super) fn run(&self, _: &Context) -> Result<(), Failure> {
        match &self.which {
            Which::Paper(paper) => paper.run(),
        }
    }
}

impl Paper {
    fn run(&self) -> Result<(), Failure> {
        let mut options = PaperOptions::paper();
        options.feed = self.seed.map(|seed| FeedOptions {
            seed,
            ..FeedOptions::default()
        });
        let face = PaperFace::new(options).map_err(|error| Failure::refused(error.to_string()))?;
        let failed = |error: std::io::Error| {
            Failure::unreachable(format!("the venue can't serve on {}: {error}", self.listen))
        };
        let runtime = Runtime::new().map_err(failed)?;
        runtime.block_on(async {
            let listener = TcpListener::bind(self.listen).await.map_err(failed)?;
            let address = listener.local_addr().map_err(failed)?;
            screen::print(&format!("paper venue at http://{address}\n"))?;
            let stop = stop_signal()?;
            face.serve_until(listener, stop).await.map_err(failed)
        })
    }
}
