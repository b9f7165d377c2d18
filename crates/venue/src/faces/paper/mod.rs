//! The paper broker on the wire: one venue behind plain HTTP and JSON, for tests, rehearsals and paper accounts that
//! outlive the gateway.
//!
//! | request | answer |
//! |---|---|
//! | `PUT /v1/{account}` `{currency, balance}` | opens the account, or leaves it as it is: `200` its balance |
//! | `POST /v1/{account}/orders` | `200` the order and its fills, `400 {"reject"}` definitely not placed |
//! | `GET /v1/{account}/orders/{client_order_id}` | `200` the newest of that name, `404` absent |
//! | `GET /v1/{account}/orders` | `200 {"orders": […]}`, the open ones |
//! | `DELETE /v1/{account}/orders/{client_order_id}` | `200` the order, `404` absent, `409` has ended |
//! | `DELETE /v1/{account}/orders?symbol=` | `200 {"orders": […]}`: cancels all, or all in a symbol |
//! | `GET /v1/{account}/positions`, `/balance`, `/instruments` | `200` |
//! | `GET /v1/{account}/reports?after=N&wait_ms=M` | `200`; with `wait_ms` live, without it a gap is read |
//! |  | `{"reports": […], "oldest", "newest"}` |
//! | `GET /v1/{account}/audit` | `200` all orders ever with all fills, positions, balance |
//! | `POST /v1/ticks` `{symbol, price}` | `200`: tells a price |
//! | `GET /v1/time` | `200 {"time_micros"}` |
//! | `POST`, `GET`, `DELETE /admin/faults` | adds a rule, shows what is left of the rules, removes all |
//!
//! Decimals are strings, times are integers of microseconds. What can't be read is `400 {"error": {code, message}}`.
//! There is no authentication: the face listens on loopback addresses only, unless told otherwise.

mod handlers;
mod state;
mod wire;

use crate::faces::connection;
use crate::feed::FeedOptions;
use crate::rejection::Rejection;
use crate::venue::{Venue, VenueOptions};
use state::Face;
use std::future::Future;
use std::io;
use std::sync::Arc;
use tokio::net::TcpListener;

/// The longest wait for a report, in milliseconds.
pub const WAIT_MILLISECONDS_MAX: u64 = 30_000;
/// The largest body of a request.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// How the face is set up.
#[derive(Clone, Debug)]
pub struct PaperOptions {
    /// The venue behind it.
    pub venue: VenueOptions,
    /// Makes prices for every symbol with an order or a position; without it prices come by `POST /v1/ticks` and by
    /// the orders' reference prices.
    pub feed: Option<FeedOptions>,
    /// Decides what the probabilities of faults will say.
    pub fault_seed: u64,
    /// Whether it may listen on an address that other machines reach.
    pub allow_remote: bool,
}

impl PaperOptions {
    /// A paper venue without a feed, on loopback only.
    #[must_use]
    pub fn paper() -> PaperOptions {
        PaperOptions {
            venue: VenueOptions::paper(),
            feed: None,
            fault_seed: 1,
            allow_remote: false,
        }
    }
}

/// A venue with its face. Clones share the venue.
#[derive(Clone, Debug)]
pub struct PaperFace {
    face: Arc<Face>,
    allow_remote: bool,
}

impl PaperFace {
    /// A face in front of an empty venue.
    ///
    /// # Errors
    /// An option that makes no sense.
    pub fn new(options: PaperOptions) -> Result<PaperFace, Rejection> {
        let face = Face::new(options.venue, options.feed.as_ref(), options.fault_seed)?;
        Ok(PaperFace {
            face: Arc::new(face),
            allow_remote: options.allow_remote,
        })
    }

    /// The venue as it is now: a copy, for a test's auditor. None after an invariant of the venue broke.
    #[must_use]
    pub fn venue(&self) -> Option<Venue> {
        self.face.lock().map(|inside| inside.venue.clone())
    }

    /// Whether a long poll is waiting for reports just now.
    #[must_use]
    pub fn is_somebody_waiting(&self) -> bool {
        self.face.changes.receiver_count() > 0
    }

    /// Serves until `stop` is there.
    ///
    /// # Errors
    /// The listener's address is not a loopback address though only those are allowed.
    pub async fn serve_until(
        &self,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
    ) -> io::Result<()> {
        connection::check_address(&listener, self.allow_remote)?;
        let router = handlers::router(Arc::clone(&self.face));
        let stopping = self.face.stopping.clone();
        let feeding = Arc::clone(&self.face).feed_forever();
        tokio::select! {
            () = connection::serve(listener, router, stopping, stop) => {}
            () = feeding => {}
        }
        Ok(())
    }
}

/// Serves a paper broker for ever.
///
/// # Errors
/// An option makes no sense, or the listener's address is not a loopback address though only those are allowed.
pub async fn serve(listener: TcpListener, options: PaperOptions) -> io::Result<()> {
    serve_until(listener, options, std::future::pending()).await
}

/// Serves a paper broker until `stop` is there.
///
/// # Errors
/// As [`serve`].
pub async fn serve_until(
    listener: TcpListener,
    options: PaperOptions,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let face = PaperFace::new(options)
        .map_err(|rejection| io::Error::new(io::ErrorKind::InvalidInput, rejection))?;
    face.serve_until(listener, stop).await
}
