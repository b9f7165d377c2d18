//! What stands behind the face: the trade server's books, the terminal and the faults, behind one lock.

use super::Mt5Options;
use super::book::Book;
use super::faults::Faults;
use super::placing::Sent;
use super::request::TradeRequest;
use super::terminal::Terminal;
use super::wire::SendResult;
use crate::faces::clock;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;

/// How often orders whose time is over are looked for.
const TIME_STEP: Duration = Duration::from_millis(50);
const MILLISECONDS_OF_HOUR: i64 = 3_600_000;

/// The shared state of all connections.
#[derive(Debug)]
pub(super) struct Face {
    inside: Mutex<Inside>,
    /// Becomes true when the server stops.
    pub(super) stopping: watch::Sender<bool>,
}

/// What the lock protects.
#[derive(Debug)]
pub(super) struct Inside {
    /// The books as the trade server has them.
    pub(super) book: Book,
    pub(super) terminal: Terminal,
    pub(super) faults: Faults,
    /// How often each function was called.
    pub(super) calls: BTreeMap<String, u64>,
    /// The books as the terminal knew them when it lost its connection; none while it is online.
    kept: Option<Box<Book>>,
    requests: u32,
    /// How far the server's clock is ahead of UTC, with what tests have moved it, in milliseconds.
    offset: i64,
    pub(super) skew: i64,
}

impl Face {
    pub(super) fn new(options: &Mt5Options) -> Face {
        let offset = i64::from(options.server_utc_offset) * MILLISECONDS_OF_HOUR;
        let now = server_time(offset);
        let inside = Inside {
            book: Book::new(options, now),
            terminal: Terminal::new(options),
            faults: Faults::default(),
            calls: BTreeMap::new(),
            kept: None,
            requests: 0,
            offset,
            skew: 0,
        };
        let (stopping, _) = watch::channel(false);
        Face {
            inside: Mutex::new(inside),
            stopping,
        }
    }

    /// The state; none once somebody panicked while holding it: an invariant broke, and nothing it says can be
    /// trusted any more.
    pub(super) fn lock(&self) -> Option<MutexGuard<'_, Inside>> {
        self.inside.lock().ok()
    }

    /// Lets time pass; never returns.
    pub(super) async fn run_forever(self: Arc<Self>) {
        let mut time = tokio::time::interval(TIME_STEP);
        time.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            time.tick().await;
            if let Some(mut inside) = self.lock() {
                let now = inside.now();
                inside.book.advance(now);
            }
        }
    }
}

impl Inside {
    /// The server's time now, in milliseconds since 1970 on its own clock.
    pub(super) fn now(&self) -> i64 {
        server_time(self.offset + self.skew)
    }

    /// The books as the terminal sees them.
    pub(super) fn seen(&self) -> &Book {
        self.kept.as_deref().unwrap_or(&self.book)
    }

    /// The true books and those that the terminal sees, where they differ.
    pub(super) fn books(&mut self) -> impl Iterator<Item = &mut Book> {
        std::iter::once(&mut self.book).chain(self.kept.as_deref_mut())
    }

    /// Call it after the terminal's connection may have changed: a terminal without one goes on showing what it knew,
    /// one that is logged out shows nothing.
    pub(super) fn keep_view(&mut self) {
        if self.terminal.is_online() {
            self.kept = None;
            return;
        }
        let mut kept = self
            .kept
            .take()
            .unwrap_or_else(|| Box::new(self.book.clone()));
        if !self.terminal.logged_in {
            kept.forget();
        }
        self.kept = Some(kept);
    }

    /// The result of a request, with a number of its own.
    pub(super) fn result(&mut self, sent: &Sent, request: &TradeRequest) -> SendResult {
        self.requests = self.requests.wrapping_add(1);
        SendResult::of(&self.book, sent, self.requests, request)
    }
}

fn server_time(offset: i64) -> i64 {
    clock::now().0.div_euclid(1_000).saturating_add(offset)
}
