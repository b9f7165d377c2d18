//! The board: the newest price of each symbol, and who wants to hear of changes.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ponte_core::id::Symbol;
use rust_decimal::Decimal;
use tokio::sync::broadcast;

use super::Tick;
use crate::clock;

/// Changes that a slow receiver may leave unread before it is told that it missed some.
const CHANGES_KEPT: usize = 1024;

/// The newest prices.
pub(super) struct Board {
    age_max: Duration,
    known: Mutex<BTreeMap<Symbol, Known>>,
    changed: broadcast::Sender<Symbol>,
}

struct Known {
    tick: Tick,
    /// The market's number of this state of its book.
    update: u64,
    /// When it came, on the clock that never jumps: a price must not grow young.
    received: Instant,
}

/// The best buyer and the best seller at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Top {
    /// The market's number of this state; later ones are higher.
    pub(super) update: u64,
    /// What the best buyer pays; zero where there is none.
    pub(super) bid: Decimal,
    /// What the best seller asks; zero where there is none.
    pub(super) ask: Decimal,
}

impl Board {
    /// A board whose prices are forgotten when they are older than `age_max`.
    pub(super) fn new(age_max: Duration) -> Self {
        let (changed, _) = broadcast::channel(CHANGES_KEPT);
        Self {
            age_max,
            known: Mutex::default(),
            changed,
        }
    }

    pub(super) fn last(&self, symbol: &Symbol) -> Option<Tick> {
        let known = self.known();
        let known = known.get(symbol)?;
        self.is_fresh(known).then_some(known.tick)
    }

    pub(super) fn changes(&self) -> broadcast::Receiver<Symbol> {
        self.changed.subscribe()
    }

    /// Takes what the market says of a symbol. A book without buyers or sellers, or with a buyer
    /// above a seller, has no price, and takes away the one that was known.
    pub(super) fn update(&self, symbol: &Symbol, top: Top) {
        let mut board = self.known();
        let before = board.get(symbol);
        // A new connection can lead to a machine that lags behind the one before.
        if before.is_some_and(|before| top.update < before.update && self.is_fresh(before)) {
            return;
        }
        let Some(tick) = tick(top) else {
            board.remove(symbol);
            return;
        };
        let moved = before.is_none_or(|before| {
            (before.tick.bid, before.tick.ask) != (tick.bid, tick.ask) || !self.is_fresh(before)
        });
        let known = Known {
            tick,
            update: top.update,
            received: clock::instant(),
        };
        board.insert(symbol.clone(), known);
        drop(board);
        if moved {
            // It is no fault that nobody listens.
            let _ = self.changed.send(symbol.clone());
        }
    }

    /// Takes what the market answered to a question that was asked at `asked_at`. What it has told
    /// by itself since then is newer.
    pub(super) fn answered(&self, symbol: &Symbol, bid: Decimal, ask: Decimal, asked_at: Instant) {
        let update = {
            let board = self.known();
            let known = board.get(symbol);
            if known.is_some_and(|known| known.received > asked_at) {
                return;
            }
            known.map_or(0, |known| known.update)
        };
        self.update(symbol, Top { update, bid, ask });
    }

    /// Since when nothing has been heard of a symbol; `None` where nothing ever was.
    pub(super) fn heard_at(&self, symbol: &Symbol) -> Option<Instant> {
        self.known().get(symbol).map(|known| known.received)
    }

    /// How old a price may be.
    pub(super) const fn age_max(&self) -> Duration {
        self.age_max
    }

    fn is_fresh(&self, known: &Known) -> bool {
        clock::instant().saturating_duration_since(known.received) <= self.age_max
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Symbol, Known>> {
        // The map is whole between any two of its operations.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tick(top: Top) -> Option<Tick> {
    let Top { bid, ask, .. } = top;
    if bid <= Decimal::ZERO || ask < bid {
        return None;
    }
    let half = Decimal::new(5, 1);
    let middle = bid.checked_add(ask)?.checked_mul(half)?.normalize();
    Some(Tick {
        bid: Some(bid),
        ask: Some(ask),
        last: middle,
        at: clock::now(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol() -> Symbol {
        Symbol::new("BTCUSDT").unwrap()
    }

    fn top(update: u64, bid: &str, ask: &str) -> Top {
        Top {
            update,
            bid: bid.parse().unwrap(),
            ask: ask.parse().unwrap(),
        }
    }

    fn middle(board: &Board) -> Option<String> {
        board.last(&symbol()).map(|tick| tick.last.to_string())
    }

    #[test]
    fn an_answer_does_not_take_the_place_of_what_was_told_since() {
        let board = Board::new(Duration::from_secs(10));
        let symbol = Symbol::new("BTCUSDT").unwrap();
        let asked_at = clock::instant();
        let price = |board: &Board| board.last(&symbol).unwrap().last;
        board.answered(&symbol, Decimal::from(9), Decimal::from(11), asked_at);
        assert_eq!(price(&board), Decimal::from(10));
        let top = |update, bid, ask| Top {
            update,
            bid: Decimal::from(bid),
            ask: Decimal::from(ask),
        };
        board.update(&symbol, top(7, 19, 21));
        board.answered(&symbol, Decimal::from(9), Decimal::from(11), asked_at);
        assert_eq!(price(&board), Decimal::from(20));
        board.answered(
            &symbol,
            Decimal::from(29),
            Decimal::from(31),
            clock::instant(),
        );
        assert_eq!(price(&board), Decimal::from(30));
        board.update(&symbol, top(6, 1, 3));
        assert_eq!(
            price(&board),
            Decimal::from(30),
            "an older state of the book"
        );
    }

    #[test]
    fn the_price_is_the_middle_of_the_best_buyer_and_seller() {
        let board = Board::new(Duration::MAX);
        assert_eq!(middle(&board), None);
        board.update(&symbol(), top(7, "100.00", "100.03"));
        assert_eq!(middle(&board).as_deref(), Some("100.015"));
    }

    #[test]
    fn an_older_state_of_the_book_does_not_replace_a_newer_one() {
        let board = Board::new(Duration::MAX);
        board.update(&symbol(), top(7, "100", "102"));
        board.update(&symbol(), top(6, "90", "92"));
        assert_eq!(middle(&board).as_deref(), Some("101"));
        board.update(&symbol(), top(8, "110", "112"));
        assert_eq!(middle(&board).as_deref(), Some("111"));
    }

    #[test]
    fn a_market_that_counts_anew_is_believed_once_the_old_price_is_too_old() {
        let board = Board::new(Duration::ZERO);
        board.update(&symbol(), top(7, "100", "102"));
        while board.last(&symbol()).is_some() {}
        let mut changes = board.changes();
        board.update(&symbol(), top(1, "90", "92"));
        assert_eq!(changes.try_recv(), Ok(symbol()));
    }

    #[test]
    fn half_a_book_and_a_crossed_one_have_no_price() {
        for (bid, ask) in [("0", "102"), ("100", "0"), ("103", "102")] {
            let board = Board::new(Duration::MAX);
            board.update(&symbol(), top(7, "100", "102"));
            board.update(&symbol(), top(8, bid, ask));
            assert_eq!(middle(&board), None, "bid {bid}, ask {ask}");
        }
    }

    #[test]
    fn only_a_change_of_price_is_told() {
        let board = Board::new(Duration::MAX);
        let mut changes = board.changes();
        board.update(&symbol(), top(1, "100", "102"));
        board.update(&symbol(), top(2, "100", "102"));
        board.update(&symbol(), top(3, "101", "102"));
        assert_eq!(changes.try_recv(), Ok(symbol()));
        assert_eq!(changes.try_recv(), Ok(symbol()));
        assert!(changes.try_recv().is_err());
    }
}
