//! The language of the examples. A line is one input, in the order of happening:
//!
//! ```text
//! buy 2 stop 95 targets 105,110     alerts: buy, sell, enter, close, reverse, target, cancel, heartbeat
//! ack 1        fill 1 0.5@100       what the broker says of order 1 (orders are numbered as they are planned)
//! unknown 1    absent 1   tick 5    what it doesn't say; 5 s pass
//! market 95    market none          what BTCUSDT costs, where that is known
//! halt block_entries everything     what a person asks
//! source off main    trip main      a source is switched off, by a person or by its tripwire
//! at 2026-11-23 10:00:00            the clock of Brasília shows this
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use ponte_core::decide::{Decision, Facts, Quotes, handle};
use ponte_core::halt::{HaltLevel, Scope};
use ponte_core::id::{AccountName, ClientOrderId, Digest, SourceName, StrategyTag, Symbol};
use ponte_core::identity::Identity;
use ponte_core::message::{
    AlertInput, Balance, CancelAnswer, Event, Fate, FindAnswer, Input, NotSent, OperatorAction,
    OperatorRequest, OrderReport, Outcome, OutsideFill, ReportedStatus, Seen,
};
use ponte_core::number::Price;
use ponte_core::policy::Policy;
use ponte_core::signal::{ExitAmount, Intent, PositionSide, Protection, Side, Signal, Terms};
use ponte_core::state::State;
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;

use super::world::{account, decimal, quantity, source, strategy, symbol};

/// Judges a table of cases, divided by empty lines. A case is the line `setup | input` and, below
/// it, what the input makes true and asks for. A mismatch prints the whole table as it came.
#[track_caller]
pub(crate) fn check(policy: &Policy, table: &str) {
    let mut actual = Vec::new();
    let mut expected = Vec::new();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        expected.push(line.to_owned());
        // A line of a case has no bar in it, except its first.
        let Some((setup, input)) = line.split_once('|') else {
            continue;
        };
        let mut play = Play::new(policy);
        play.line(setup);
        let decision = play.line(input);
        play.check_replay();
        actual.push(line.to_owned());
        actual.extend(play.render(&decision));
    }
    let place = std::panic::Location::caller();
    assert!(
        actual == expected,
        "SNAPSHOT {}:{}\n{}\nEND\n",
        place.file(),
        place.line(),
        actual.join("\n"),
    );
}

/// What the market costs, in every account.
#[derive(Default)]
pub(crate) struct Market(BTreeMap<Symbol, Price>);

impl Quotes for Market {
    fn quote(&self, _: &AccountName, symbol: &Symbol) -> Option<Price> {
        self.0.get(symbol).copied()
    }
}

/// A state, a clock and the names of the orders.
pub(crate) struct Play<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) state: State,
    pub(crate) now: Timestamp,
    pub(crate) market: Market,
    pub(crate) journal: Vec<(Timestamp, Event)>,
    pub(crate) orders: Vec<ClientOrderId>,
    seen: BTreeMap<Digest, Seen>,
}

const START: Timestamp = Timestamp(1_800_000_000_000_000);

impl<'a> Play<'a> {
    pub(crate) fn new(policy: &'a Policy) -> Self {
        Self {
            policy,
            state: State::default(),
            now: START,
            market: Market::default(),
            journal: Vec::new(),
            orders: Vec::new(),
            seen: BTreeMap::new(),
        }
    }

    /// Several inputs of one line are divided by `;`; the answer is the last one's.
    pub(crate) fn line(&mut self, line: &str) -> Decision {
        let mut last = Decision::default();
        for part in line.split(';').map(str::trim) {
            if let Some(input) = self.input(part) {
                last = self.handle(input);
            }
        }
        last
    }

    /// What a line does, in words.
    pub(crate) fn told(&mut self, line: &str) -> Vec<String> {
        let decision = self.line(line);
        self.render(&decision)
    }

    pub(crate) fn handle(&mut self, input: Input) -> Decision {
        let facts = Facts {
            now: self.now,
            quotes: &self.market,
        };
        let decision = handle(&mut self.state, self.policy, facts, input);
        self.remember(&decision);
        decision
    }

    fn remember(&mut self, decision: &Decision) {
        for event in &decision.events {
            self.journal.push((self.now, event.clone()));
            if let Event::OrderPlanned { plan, .. } = event {
                assert!(
                    !self.orders.contains(&plan.id),
                    "order {} is planned twice",
                    self.orders.len()
                );
                self.orders.push(plan.id);
            }
            if let Event::AlertDecided(decided) = event
                && decided.outcome != Outcome::Duplicate
                && decided.first.is_none()
            {
                let seen = Seen {
                    alert: decided.alert,
                    at: decided.received_at,
                    digest: decided.signal.digest,
                };
                self.seen.insert(decided.identity.key, seen);
            }
        }
    }

    /// What the journal says is what is true, also through its text.
    pub(crate) fn check_replay(&self) {
        let mut replayed = State::default();
        for (at, event) in &self.journal {
            let text = serde_json::to_string(event).unwrap();
            replayed.apply(*at, &serde_json::from_str(&text).unwrap());
        }
        assert_eq!(replayed, self.state, "a replay gives another state");
        let text = serde_json::to_string(&self.state).unwrap();
        let read: State = serde_json::from_str(&text).unwrap();
        assert_eq!(read, self.state, "a snapshot gives another state");
    }

    pub(crate) fn input(&mut self, line: &str) -> Option<Input> {
        let words: Vec<_> = line.split_whitespace().collect();
        let (verb, rest) = words.split_first()?;
        Some(match *verb {
            "wait" | "tick" => {
                if let Some(seconds) = rest.first() {
                    let micros = (decimal(seconds) * Decimal::from(1_000_000)).to_string();
                    let micros: i64 = decimal(&micros).trunc().to_string().parse().unwrap();
                    self.now = Timestamp(self.now.0 + micros);
                }
                if *verb == "wait" {
                    return None;
                }
                Input::Tick
            }
            "market" => {
                let price = |text: &str| Price::new(decimal(text)).unwrap();
                self.market.0 = match rest[0] {
                    "none" => BTreeMap::new(),
                    text => [(symbol("BTCUSDT"), price(text))].into(),
                };
                return None;
            }
            // Brasília's date and time.
            "at" => {
                let utc = format!("{}T{}-03:00", rest[0], rest[1]);
                self.now = Timestamp::parse_rfc3339(&utc).unwrap();
                return None;
            }
            "restart" => Input::Started {
                version: "1".to_owned(),
            },
            // Number of the deal, side, quantity at a price, and whose: `outside 7 sell 2@104 S1`.
            "outside" => {
                let (quantity, price) = rest[2].split_once('@').unwrap();
                Input::FilledOutside {
                    account: account("paper"),
                    fill: OutsideFill {
                        symbol: symbol("BTCUSDT"),
                        owner: StrategyTag::of(&strategy(rest.get(3).unwrap_or(&"S1"))),
                        deal: rest[0].parse().unwrap(),
                        side: if rest[1] == "buy" {
                            Side::Buy
                        } else {
                            Side::Sell
                        },
                        quantity: decimal(quantity),
                        price: decimal(price),
                        fee: decimal("0.5"),
                        reason: "stop out".to_owned(),
                        at: self.now,
                    },
                }
            }
            "missed" => Input::ReportsMissed {
                account: account("paper"),
            },
            "equity" => Input::AccountRead {
                account: account("paper"),
                balance: Balance {
                    cash: decimal(rest[0]),
                    equity: decimal(rest[0]),
                },
            },
            "halt" | "resume" | "flatten" | "source" | "trip" => Self::operator(verb, rest),
            "ack" | "fill" | "filled" | "rejected" | "unknown" | "unreachable" | "gate_halted"
            | "gate_frozen" | "gate_expired" | "found" | "absent" | "unanswered" | "cancelled"
            | "not_open" | "cancel_unanswered" | "report" | "taken_away" => self.broker(verb, rest),
            _ => self.alert(line),
        })
    }

    fn operator(verb: &str, rest: &[&str]) -> Input {
        let scope = |words: &[&str]| match words {
            ["everything"] | [] => Scope::Global,
            ["account", name] => Scope::Account(account(name)),
            ["strategy", name] => Scope::Strategy(strategy(name)),
            ["symbol", name] => Scope::Symbol(symbol(name)),
            other => panic!("no scope: {other:?}"),
        };
        let action = match (verb, rest) {
            ("halt", [level, of @ ..]) => OperatorAction::Halt {
                scope: scope(of),
                level: [
                    HaltLevel::BlockEntries,
                    HaltLevel::CancelWorking,
                    HaltLevel::ReduceOnly,
                    HaltLevel::Flatten,
                ]
                .into_iter()
                .find(|known| known.as_str() == *level)
                .unwrap(),
                reason: None,
            },
            ("resume", of) => OperatorAction::Resume { scope: scope(of) },
            ("flatten", of) => OperatorAction::Flatten { scope: scope(of) },
            ("source", [word, name, reason @ ..]) => OperatorAction::SwitchSource {
                source: SourceName::new(name).unwrap(),
                on: *word == "on",
                reason: (!reason.is_empty()).then(|| reason.join(" ")),
            },
            ("trip", [name]) => OperatorAction::Tripped {
                source: SourceName::new(name).unwrap(),
                from: "203.0.113.9".to_owned(),
            },
            other => panic!("no request: {other:?}"),
        };
        Input::Operator(OperatorRequest {
            by: "cli".to_owned(),
            action,
        })
    }

    /// `filled` is what has traded in all: `0.5@100`, or the whole order at 100. `kept=0.001` is what
    /// of it the broker has kept as its fee.
    fn broker(&self, verb: &str, rest: &[&str]) -> Input {
        let number: usize = rest[0].parse().unwrap();
        let id = self.orders[number - 1];
        let order = self.state.order(&id).unwrap();
        let whole = order.plan.quantity.get();
        let traded = rest.get(1).filter(|word| word.contains('@'));
        let traded = traded.map(|word| word.split_once('@').unwrap());
        let (filled, price) = traded
            .map_or((order.filled, order.average_price), |(filled, price)| {
                (decimal(filled), decimal(price))
            });
        let (filled, price) = match verb {
            "filled" if traded.is_none() => (whole, decimal("100")),
            _ => (filled, price),
        };
        let status = match verb {
            "cancelled" | "taken_away" => ReportedStatus::Cancelled {
                reason: "told to".to_owned(),
            },
            _ if filled >= whole => ReportedStatus::Filled,
            _ => ReportedStatus::Working,
        };
        let report = OrderReport {
            id,
            broker_order_id: format!("b{number}"),
            status,
            filled,
            average_price: price,
            fees: Decimal::ZERO,
            withheld: rest
                .iter()
                .find_map(|word| word.strip_prefix("kept="))
                .map_or(Decimal::ZERO, decimal),
            at: self.now,
        };
        let submitted = |fate| Input::Submitted {
            id,
            fate,
            sent_at: self.now,
            answered_at: self.now,
        };
        let not_sent = |why| submitted(Fate::NotSent { why });
        let why = || "time-out".to_owned();
        let found = |answer| Input::Found { id, answer };
        let cancelled = |answer| Input::CancelAnswered { id, answer };
        match verb {
            "ack" => submitted(Fate::Acknowledged { report }),
            "rejected" => submitted(Fate::Rejected {
                reason: "no".to_owned(),
            }),
            "unknown" => submitted(Fate::Unknown { why: why() }),
            "unreachable" => not_sent(NotSent::Unreachable("refused".to_owned())),
            "gate_halted" => not_sent(NotSent::Halted),
            "gate_frozen" => not_sent(NotSent::LaneFrozen),
            "gate_expired" => not_sent(NotSent::Expired),
            "found" => found(FindAnswer::Found(report)),
            "absent" => found(FindAnswer::Absent),
            "unanswered" => found(FindAnswer::Unanswered(why())),
            "cancelled" => cancelled(CancelAnswer::Done(report)),
            "not_open" => cancelled(CancelAnswer::NotOpen),
            "cancel_unanswered" => cancelled(CancelAnswer::Unanswered(why())),
            _ => Input::Reported {
                account: order.plan.account.clone(),
                report,
            },
        }
    }

    fn alert(&self, line: &str) -> Input {
        let signal = signal(line, self.now, self.journal.len());
        let mut words = line.split_whitespace().skip_while(|word| *word != "from");
        let named = words.nth(1).map(|name| SourceName::new(name).unwrap());
        let source = named.unwrap_or_else(source);
        let key = Identity::of(&source, &signal).key;
        Input::Alert(Box::new(AlertInput {
            source,
            received_at: self.now,
            seen: self.seen.get(&key).copied(),
            signal,
            delivery: ponte_core::message::Delivery::default(),
        }))
    }
}

/// Reads an alert: the intent's words first, then pairs of a name and a value.
pub(crate) fn signal(line: &str, now: Timestamp, serial: usize) -> Signal {
    let words: Vec<_> = line.split_whitespace().collect();
    let is_name = |word: &str| {
        [
            "limit", "trigger", "stop", "targets", "id", "price", "for", "in", "fired", "bar",
            "account", "was", "digest", "trail", "from",
        ]
        .contains(&word)
    };
    let split = words
        .iter()
        .position(|word| is_name(word))
        .unwrap_or(words.len());
    let (head, tail) = words.split_at(split);
    let named: BTreeMap<_, _> = tail.chunks(2).map(|pair| (pair[0], pair[1])).collect();
    let price = |name: &str| {
        named
            .get(name)
            .map(|text| Price::new(decimal(text)).unwrap())
    };
    let moment = |name: &str| {
        named.get(name).map(|text| {
            let seconds: i64 = text.parse().unwrap();
            Timestamp(now.0 + seconds * 1_000_000)
        })
    };
    let terms = match (price("limit"), price("trigger")) {
        (None, None) => Terms::Market,
        (Some(price), None) => Terms::Limit { price },
        (None, Some(trigger)) => Terms::Stop { trigger },
        (Some(price), Some(trigger)) => Terms::StopLimit { trigger, price },
    };
    let meaning: Vec<_> = match named.get("digest") {
        Some(text) => vec![*text],
        None => words.clone(),
    };
    // Without a word on it, an alert is one of a kind: scripts repeat lines and mean new alerts.
    let unique = (!named.contains_key("digest")).then_some(serial.to_le_bytes());
    Signal {
        strategy: strategy(named.get("for").unwrap_or(&"S1")),
        symbol: (head[0] != "heartbeat").then(|| symbol(named.get("in").unwrap_or(&"BTCUSDT"))),
        exchange: None,
        intent: intent(head, terms),
        account: named.get("account").map(|name| account(name)),
        reference_price: price("price"),
        protection: Protection {
            stop: price("stop"),
            targets: named.get("targets").map_or_else(Vec::new, |list| {
                list.split(',')
                    .map(|text| Price::new(decimal(text)).unwrap())
                    .collect()
            }),
            trail_percent: named.get("trail").map(|text| decimal(text)),
        },
        previous_position: named.get("was").map(|word| side_word(word)),
        explicit_id: named.get("id").map(|id| (*id).to_owned()),
        fired_at: moment("fired"),
        bar_at: moment("bar"),
        comment: None,
        digest: Digest::of_parts(
            "example",
            &[meaning.join(" ").as_bytes(), &unique.unwrap_or_default()],
        ),
    }
}

fn side_word(word: &str) -> PositionSide {
    match word {
        "long" => PositionSide::Long,
        "short" => PositionSide::Short,
        "flat" => PositionSide::Flat,
        other => panic!("no side: {other}"),
    }
}

fn intent(head: &[&str], terms: Terms) -> Intent {
    let optional = |rest: &[&str]| rest.first().map(|text| quantity(text));
    match head {
        ["buy", rest @ ..] => Intent::Trade {
            side: Side::Buy,
            quantity: optional(rest),
            terms,
        },
        ["sell", rest @ ..] => Intent::Trade {
            side: Side::Sell,
            quantity: optional(rest),
            terms,
        },
        ["enter", side, rest @ ..] => Intent::Enter {
            side: side_word(side),
            quantity: optional(rest),
            terms,
        },
        ["close", rest @ ..] => {
            let side = rest.iter().find(|word| ["long", "short"].contains(word));
            let amount = rest
                .iter()
                .find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
            Intent::Exit {
                side: side.map(|word| side_word(word)),
                amount: amount.map_or(ExitAmount::All, |text| match text.strip_suffix('%') {
                    Some(percent) => ExitAmount::Percent(decimal(percent)),
                    None => ExitAmount::Quantity(quantity(text)),
                }),
            }
        }
        ["reverse", rest @ ..] => Intent::Reverse {
            quantity: optional(rest),
        },
        ["target", position] => Intent::Target {
            position: decimal(position),
        },
        ["cancel"] => Intent::Cancel,
        ["heartbeat"] => Intent::Heartbeat,
        other => panic!("no input: {other:?}"),
    }
}

impl Play<'_> {
    pub(super) fn name(&self, id: &ClientOrderId) -> String {
        self.orders
            .iter()
            .position(|known| known == id)
            .map_or_else(|| "?".to_owned(), |index| format!("#{}", index + 1))
    }

    /// Puts the orders' numbers in place of their ids in a sentence.
    pub(super) fn short(&self, text: &str) -> String {
        self.orders
            .iter()
            .enumerate()
            .fold(text.to_owned(), |text, (index, id)| {
                text.replace(&id.to_string(), &format!("#{}", index + 1))
            })
    }

    pub(super) fn seconds(&self, at: Timestamp) -> String {
        let micros = at.0 - self.now.0;
        format!("{:+}s", Decimal::new(micros, 6).normalize())
    }
}

/// A span for policies.
pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}
