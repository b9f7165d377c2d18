//! TradingView: composes alerts, sends them, and sends again what was answered with a 5xx.

use ponte_core::halt::{HaltLevel, Scope};
use ponte_core::id::{AlertId, Digest};
use ponte_core::message::{OperatorAction, OperatorRequest, Outcome};
use ponte_core::number::{Price, Quantity};
use ponte_core::signal::{ExitAmount, Intent, PositionSide, Protection, Side, Signal, Terms};
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;

use super::random::Random;
use super::setting::{ACCOUNTS, STRATEGIES, SYMBOLS, account, strategy, symbol};

/// TradingView sends so often again after a 5xx.
pub(super) const RESENDS_MAX: usize = 3;
/// And waits so long before it does.
pub(super) const RESEND_AFTER: i64 = 5_000_000;
/// After so long without an answer it gives up for good.
pub(super) const PATIENCE: i64 = 3_000_000;

/// One alert and everything that was heard of it.
pub(super) struct SentAlert {
    pub(super) signal: Signal,
    pub(super) deliveries: Vec<Delivery>,
}

/// One request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delivery {
    pub(super) answer: Option<Answer>,
    /// Whether TradingView still listens.
    pub(super) listening: bool,
}

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// 200, with the alert's number and the decision in a word.
    Ok(AlertId, Outcome),
    /// A 5xx.
    Unavailable,
}

fn quantity(value: i64) -> Quantity {
    Quantity::new(Decimal::from(value)).unwrap()
}

fn price(value: i64) -> Price {
    Price::new(Decimal::from(value)).unwrap()
}

/// Composes an alert for a market at `last`.
pub(super) fn compose(
    random: &mut Random,
    number: usize,
    now: i64,
    last: i64,
    name: &str,
) -> Signal {
    let strategy_name = random.pick(&STRATEGIES);
    let side = random.pick(&[Side::Buy, Side::Sell]);
    let amount = random.between(1, 4);
    let terms = match random.between(0, 9) {
        0 => Terms::Limit {
            price: price(
                last - side
                    .signed(Decimal::from(random.between(0, 8)))
                    .to_string()
                    .parse::<i64>()
                    .unwrap(),
            ),
        },
        1 => Terms::Stop {
            trigger: price(
                last + side
                    .signed(Decimal::from(random.between(0, 8)))
                    .to_string()
                    .parse::<i64>()
                    .unwrap(),
            ),
        },
        _ => Terms::Market,
    };
    let free = strategy_name == "S2";
    let intent = intent(random, free, side, amount, terms);
    let away = match side {
        Side::Buy => -1,
        Side::Sell => 1,
    };
    let protection = match strategy_name {
        "S2" => Protection::default(),
        name => Protection {
            stop: Some(price(last + away * random.between(12, 30))),
            targets: if name == "S3" {
                (1..=random.between(0, 3))
                    .map(|step| price(last - away * (step * 5 + 10)))
                    .collect()
            } else {
                Vec::new()
            },
            trail_percent: None,
        },
    };
    let way = random.between(0, 9);
    let timed = Timestamp(now - random.between(0, 800_000));
    Signal {
        strategy: strategy(strategy_name),
        symbol: Some(symbol(name)),
        exchange: None,
        intent,
        account: random.chance(50).then(|| account(random.pick(&ACCOUNTS))),
        reference_price: Some(price(last)),
        protection,
        previous_position: None,
        explicit_id: (way < 4).then(|| format!("id {number}")),
        fired_at: (4..8).contains(&way).then_some(timed),
        bar_at: None,
        comment: None,
        digest: Digest::of_parts("simulation", &[&number.to_le_bytes()]),
    }
}

/// What an alert wants. Only a strategy without stops (`free`) turns around by itself: the stop of
/// a reversal lies on a side that nobody knows when the alert is written.
fn intent(random: &mut Random, free: bool, side: Side, amount: i64, terms: Terms) -> Intent {
    let some = Some(quantity(amount));
    match random.between(0, if free { 12 } else { 8 }) {
        0..=3 => Intent::Trade {
            side,
            quantity: some,
            terms,
        },
        4 | 5 => Intent::Enter {
            side: match side {
                Side::Buy => PositionSide::Long,
                Side::Sell => PositionSide::Short,
            },
            quantity: some,
            terms,
        },
        6 => Intent::Exit {
            side: None,
            amount: ExitAmount::All,
        },
        7 => Intent::Exit {
            side: None,
            amount: random.pick(&[
                ExitAmount::Percent(Decimal::from(50)),
                ExitAmount::Quantity(quantity(1)),
            ]),
        },
        8 => Intent::Cancel,
        9 | 10 => Intent::Reverse {
            quantity: random.chance(500).then(|| quantity(amount)),
        },
        _ => Intent::Target {
            position: Decimal::from(random.between(-4, 4)),
        },
    }
}

/// What a person asks for.
pub(super) fn request(random: &mut Random) -> OperatorRequest {
    let scope = match random.between(0, 3) {
        0 => Scope::Global,
        1 => Scope::Account(account(random.pick(&ACCOUNTS))),
        2 => Scope::Strategy(strategy(random.pick(&STRATEGIES))),
        _ => Scope::Symbol(symbol(random.pick(&SYMBOLS))),
    };
    let action = match random.between(0, 4) {
        0 | 1 => OperatorAction::Halt {
            scope,
            level: random.pick(&[
                HaltLevel::BlockEntries,
                HaltLevel::CancelWorking,
                HaltLevel::ReduceOnly,
                HaltLevel::Flatten,
            ]),
            reason: None,
        },
        2 | 3 => OperatorAction::Resume { scope },
        _ => OperatorAction::Flatten { scope },
    };
    OperatorRequest {
        by: "cli".to_owned(),
        action,
    }
}
