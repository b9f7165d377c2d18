//! What may happen, drawn by chance: alerts, brokers' words, the operator's, and time that passes.

use proptest::prelude::*;

/// One thing that happens, before it is known which orders there are.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    /// A line of a script.
    Line(String),
    /// A broker's word about an order: which one, counted from the last, and how much of it has traded.
    Word(&'static str, usize, u32),
}

fn alerts() -> impl Strategy<Value = Happening> {
    let intent = prop_oneof![
        4 => (prop_oneof![Just("buy"), Just("sell")], 1..5u32).prop_map(|(verb, size)| format!("{verb} {size}")),
        2 => (prop_oneof![Just("long"), Just("short")], 1..5u32).prop_map(|(side, size)| format!("enter {side} {size}")),
        3 => prop_oneof![Just("close"), Just("close 50%"), Just("close 1"), Just("close long")].prop_map(str::to_owned),
        2 => prop_oneof![Just("reverse"), Just("reverse 2")].prop_map(str::to_owned),
        2 => (-4..5i32).prop_map(|size| format!("target {size}")),
        1 => Just("cancel".to_owned()),
        1 => Just("heartbeat".to_owned()),
    ];
    let terms = prop_oneof![4 => Just(""), 1 => Just(" limit 99"), 1 => Just(" trigger 101")];
    let protection = prop_oneof![
        2 => Just(""),
        2 => Just(" stop 90"),
        1 => Just(" stop 110"),
        1 => Just(" stop 90 targets 110,120"),
        1 => Just(" stop 85 targets 115"),
        1 => Just(" targets 105"),
        1 => Just(" trail 2")
    ];
    let identity = prop_oneof![
        3 => Just(String::new()),
        1 => (0..6u32).prop_map(|number| format!(" id x{number}")),
        1 => (0..6u32).prop_map(|number| format!(" digest x{number}")),
        1 => (0..90i32).prop_map(|age| format!(" fired -{age}")),
    ];
    let names = (
        prop_oneof![Just("S1"), Just("S2"), Just("S3")],
        prop_oneof![3 => Just("BTCUSDT"), 1 => Just("ETHUSDT")],
    );
    (intent, terms, protection, identity, names).prop_map(
        |(intent, terms, protection, identity, (strategy, symbol))| {
            Happening::Line(format!(
                "{intent} price 100 for {strategy} in {symbol}{terms}{protection}{identity}"
            ))
        },
    )
}

pub(super) fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let word = prop_oneof![
        4 => Just("ack"), 6 => Just("report"), 4 => Just("filled"), 1 => Just("rejected"), 3 => Just("unknown"),
        2 => Just("unreachable"), 1 => Just("gate_halted"), 1 => Just("gate_frozen"), 1 => Just("gate_expired"),
        3 => Just("found"), 3 => Just("absent"), 2 => Just("unanswered"), 2 => Just("cancelled"),
        1 => Just("not_open"), 1 => Just("cancel_unanswered"), 1 => Just("taken_away"),
    ];
    let words = (word, 0..8usize, 0..7u32)
        .prop_map(|(word, which, quarters)| Happening::Word(word, which, quarters));
    let operator = prop_oneof![
        Just("halt block_entries"),
        Just("halt cancel_working strategy S1"),
        Just("halt reduce_only symbol BTCUSDT"),
        Just("halt flatten account paper"),
        Just("resume"),
        Just("resume strategy S1"),
        Just("resume symbol BTCUSDT"),
        Just("resume account paper"),
        Just("flatten"),
        Just("restart"),
        Just("missed"),
    ];
    let time = prop_oneof![
        Just("tick 0.3"),
        Just("tick 5"),
        Just("tick 40"),
        Just("tick 1000")
    ];
    let one = prop_oneof![
        8 => alerts(),
        14 => words,
        2 => operator.prop_map(|line| Happening::Line(line.to_owned())),
        3 => time.prop_map(|line| Happening::Line(line.to_owned())),
    ];
    prop::collection::vec(one, 1..70)
}
