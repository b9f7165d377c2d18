//! The seeded feed.

use crate::script::decimal;
use ponte_venue::feed::{FeedOptions, SeededFeed};
use ponte_venue::*;

const STEP: i64 = 250_000;

fn feed(seed: u64) -> SeededFeed {
    SeededFeed::new(&FeedOptions {
        seed,
        ..FeedOptions::default()
    })
    .unwrap()
}

fn tick() -> Decimal {
    decimal("0.01")
}

#[test]
fn the_walk_is_a_function_of_seed_symbol_and_step() {
    let path = |seed: u64, symbol: &str| -> Vec<Decimal> {
        (0..200)
            .map(|step| feed(seed).price(symbol, tick(), Micros(step * STEP + 7)))
            .collect()
    };
    assert_eq!(path(1, "BTCUSDT"), path(1, "BTCUSDT"));
    assert_ne!(path(1, "BTCUSDT"), path(2, "BTCUSDT"));
    assert_ne!(path(1, "ABC"), path(1, "ABD"));
    // Within a step nothing moves, before 1970 neither.
    let feed = feed(1);
    assert_eq!(
        feed.price("ETHUSDT", tick(), Micros(-1)),
        feed.price("ETHUSDT", tick(), Micros(-STEP))
    );
    assert_ne!(
        feed.price("ETHUSDT", tick(), Micros(0)),
        feed.price("ETHUSDT", tick(), Micros(-1))
    );
    assert!(feed.price("ETHUSDT", tick(), Micros(i64::MIN)) > Decimal::ZERO);
}

#[test]
fn it_moves_a_little_at_a_time_and_never_runs_away() {
    let feed = feed(3);
    let today = 1_790_000_000_000_000;
    let mut last = feed.price("BTCUSDT", tick(), Micros(today));
    let (mut lowest, mut highest) = (last, last);
    for step in 1..20_000 {
        let price = feed.price("BTCUSDT", tick(), Micros(today + step * STEP));
        assert!(
            ((price - last) / last).abs() < decimal("0.002"),
            "{last} to {price}"
        );
        (lowest, highest, last) = (lowest.min(price), highest.max(price), price);
    }
    assert!(
        highest - lowest > decimal("50"),
        "it hardly moved: {lowest} to {highest}"
    );
    for day in 0..4_000 {
        let price = feed.price("BTCUSDT", tick(), Micros(day * 86_400_000_000));
        assert!(
            price > decimal("36000") && price < decimal("84000"),
            "{price}"
        );
    }
}

#[test]
fn an_anchor_is_passed_through_exactly() {
    let mut feed = feed(1);
    let at = Micros(1_790_000_000_123_456);
    feed.anchor("BTCUSDT", decimal("71234.56"), at);
    assert_eq!(feed.price("BTCUSDT", tick(), at), decimal("71234.56"));
    let next = feed.price("BTCUSDT", tick(), Micros(at.0 + STEP));
    assert!(
        (next - decimal("71234.56")).abs() < decimal("100"),
        "{next}"
    );
    let elsewhere = feed.price("ETHUSDT", tick(), at);
    feed.anchor("BTCUSDT", decimal("-1"), at);
    assert_eq!(feed.price("BTCUSDT", tick(), at), decimal("71234.56"));
    assert_eq!(feed.price("ETHUSDT", tick(), at), elsewhere);
}

#[test]
fn prices_lie_on_the_tick_and_strangers_begin_between_10_and_1000() {
    let feed = feed(1);
    for number in 0..200 {
        let price = feed.price(&format!("S{number}"), decimal("0.05"), Micros(0));
        assert!((price % decimal("0.05")).is_zero());
        assert!(price >= decimal("6") && price <= decimal("1400"), "{price}");
    }
    assert_eq!(feed.price("EURUSD", decimal("5"), Micros(0)), decimal("5"));
}

#[test]
fn senseless_options_are_refused() {
    let refused = |options: FeedOptions| SeededFeed::new(&options).unwrap_err().message;
    let fast = FeedOptions {
        step_micros: 0,
        ..FeedOptions::default()
    };
    assert_eq!(
        refused(fast),
        "feed step 0 µs is not between 1000 and 3600000000"
    );
    let wild = FeedOptions {
        volatility_bps: decimal("101"),
        ..FeedOptions::default()
    };
    assert_eq!(
        refused(wild),
        "feed volatility 101 bps is not between 0 and 100"
    );
    let still = SeededFeed::new(&FeedOptions {
        volatility_bps: Decimal::ZERO,
        ..FeedOptions::default()
    })
    .unwrap();
    assert_eq!(
        still.price("BTCUSDT", tick(), Micros(123 * STEP)),
        decimal("60000")
    );
    let loud = SeededFeed::new(&FeedOptions {
        volatility_bps: Decimal::ONE_HUNDRED,
        ..FeedOptions::default()
    })
    .unwrap();
    assert!(loud.price("BTCUSDT", tick(), Micros(123 * STEP)) > Decimal::ZERO);
}
