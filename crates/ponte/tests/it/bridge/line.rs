//! One line and scripted bridges, while the clock stands still wherever nobody has anything to do.

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use ponte::bridge::protocol::{Found, Outcome, SymbolInfo, SyncRequest, Tick, Want};
use ponte::bridge::{Heard, Line, Listener, Presence, Ran, Refused};
use ponte_core::id::Symbol;
use rust_decimal::Decimal;
use tokio::time::{sleep, timeout};

use super::scripted::{answered, code, ended, executed, found};
use super::{Desk, Said, Waiting, trade};

const VALID: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(10);

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn symbol(name: &str) -> SymbolInfo {
    SymbolInfo {
        name: name.to_owned(),
        digits: 0,
        point: Decimal::ONE,
        tick_size: decimal("5"),
        tick_value: decimal("1"),
        contract_size: Decimal::ONE,
        volume_min: Decimal::ONE,
        volume_max: decimal("500"),
        volume_step: Decimal::ONE,
        volume_limit: Decimal::ZERO,
        stops_level: 0,
        freeze_level: 0,
        trade_mode: 4,
        execution_mode: 3,
        filling_mode: 3,
        order_mode: 63,
        expiration_mode: 15,
        expiration_time: 0,
        currency_profit: "BRL".to_owned(),
        price_limit_min: Decimal::ZERO,
        price_limit_max: Decimal::ZERO,
        session_open: None,
    }
}

fn tick(symbol: &str, bid: &str, ask: &str, last: &str) -> Tick {
    Tick {
        symbol: symbol.to_owned(),
        bid: decimal(bid),
        ask: decimal(ask),
        last: decimal(last),
        time_ms: 0,
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_goes_out_and_its_result_comes_back_after_its_facts() {
    let desk = Desk::new();
    let mut bridge = desk.bridge();
    bridge.hello().await;
    let running = desk.run("01", VALID, PATIENCE);
    let command = bridge.command().await;
    assert_eq!(command.task, trade("01"));
    assert_eq!(
        (command.number, Some(&command.session)),
        (1, bridge.session.as_ref())
    );
    assert!(
        command.valid_ms >= 1 && command.valid_ms <= 15_000,
        "{command:?}"
    );

    let result = answered(
        &command,
        vec![executed(5, 6, decimal("2"), decimal("128340"))],
    );
    let answer = bridge.answer(result.clone(), Vec::new()).await;
    assert_eq!(answer.results_seen, vec![result.id.clone()]);
    assert_eq!(running.ran().await, Ran::Answered(result.clone()));
    assert_eq!(desk.ear.results(), vec![result.clone()]);

    // A bridge tells a result until it has read that it was seen.
    let again = bridge.answer(result.clone(), Vec::new()).await;
    assert_eq!(again.results_seen, [result.id]);
}

/// Looks, when it hears a result, whether somebody has it already.
#[derive(Default)]
struct First {
    running: Mutex<Option<Waiting>>,
    was_first: Mutex<Vec<bool>>,
}

impl Listener for First {
    fn heard(&self, heard: Heard<'_>) {
        if let Heard::Facts(request) = heard
            && !request.results.is_empty()
            && let Some(running) = &*self.running.lock().unwrap()
        {
            // Long enough for the other thread to end if it had been let go.
            std::thread::sleep(Duration::from_millis(50));
            self.was_first.lock().unwrap().push(!running.is_finished());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facts_are_heard_before_the_result_is_had() {
    let desk = Desk::new();
    let first = Arc::new(First::default());
    let listener: Arc<dyn Listener> = first.clone();
    desk.line.set_listener(Arc::downgrade(&listener));
    let mut bridge = desk.bridge();
    bridge.hello().await;
    *first.running.lock().unwrap() = Some(desk.run("01", VALID, PATIENCE));
    let command = bridge.command().await;
    bridge.done(&command, vec![code(10009)]).await;
    let running = first.running.lock().unwrap().take().unwrap();
    assert!(matches!(running.ran().await, Ran::Answered(_)));
    assert_eq!(*first.was_first.lock().unwrap(), [true]);
}

#[tokio::test(start_paused = true)]
async fn nobody_fetches_it_and_nobody_ever_will() {
    let desk = Desk::new();
    let ran = desk.line.run(trade("01"), VALID, PATIENCE).await;
    let Ran::NotHandedOver(why) = ran else {
        panic!("{ran:?}");
    };
    assert_eq!(
        why,
        "not fetched within 5000 ms: no bridge has called since the start"
    );
    let mut bridge = desk.bridge();
    bridge.hello().await;
    assert_eq!(bridge.poll(0).await, []);

    sleep(Duration::from_secs(60)).await;
    let ran = desk.line.run(trade("02"), VALID, PATIENCE).await;
    let Ran::NotHandedOver(why) = ran else {
        panic!("{ran:?}");
    };
    assert_eq!(
        why,
        "not fetched within 5000 ms: the bridge has not been heard for 65 s"
    );
}

#[tokio::test(start_paused = true)]
async fn whoever_stops_to_wait_takes_the_command_back() {
    let desk = Desk::new();
    let mut bridge = desk.bridge();
    bridge.hello().await;
    let running = desk.line.run(trade("01"), VALID, PATIENCE);
    assert!(timeout(Duration::from_secs(1), running).await.is_err());
    assert_eq!(bridge.poll(0).await, []);
}

#[tokio::test(start_paused = true)]
async fn no_command_is_valid_for_longer_than_it_was_meant() {
    let desk = Desk::new();
    let mut bridge = desk.bridge();
    bridge.hello().await;
    // It has waited for two of its five seconds when it is asked for.
    let waiting = desk.run("01", VALID, PATIENCE);
    sleep(Duration::from_secs(2)).await;
    let command = bridge.command().await;
    assert!((2900..=3000).contains(&command.valid_ms), "{command:?}");
    // The bridge counts from when it asked, four seconds before there was a command.
    let (asked, waiting_too) = tokio::join!(bridge.poll(8000), async {
        sleep(Duration::from_secs(4)).await;
        desk.run("02", VALID, PATIENCE)
    });
    assert!((8900..=9010).contains(&asked[0].valid_ms), "{asked:?}");
    waiting.abort();
    waiting_too.abort();
}

#[tokio::test(start_paused = true)]
async fn a_command_without_a_result_is_told_to_be_with_that_bridge() {
    let desk = Desk::new();
    let mut bridge = desk.bridge();
    bridge.hello().await;
    let running = desk.run("01", VALID, PATIENCE);
    let command = bridge.command().await;
    let Ran::NoResult { why, journal } = running.ran().await else {
        panic!("it has no result");
    };
    assert_eq!(why, "no result within 10000 ms");
    assert_eq!(journal, bridge.info.journal);
    // It comes late, and is heard as a fact.
    let result = answered(&command, vec![code(10009)]);
    let answer = bridge.answer(result.clone(), Vec::new()).await;
    assert_eq!(answer.results_seen, vec![result.id.clone()]);
    assert_eq!(desk.ear.results(), [result]);
}

#[tokio::test(start_paused = true)]
async fn a_new_session_ends_the_old_one_and_its_commands() {
    let desk = Desk::new();
    let mut bridge = desk.bridge();
    bridge.hello().await;
    let told = desk.run("01", VALID, PATIENCE);
    let untold = desk.run("02", VALID, PATIENCE);
    let (first, _) = (bridge.command().await, bridge.command().await);
    let old_session = bridge.session.clone();

    // The process starts anew, and tells in its first request what its journal knows of the first.
    let result = ended(&first, Outcome::Interrupted);
    let hello = SyncRequest {
        session: None,
        results: vec![result.clone()],
        ..bridge.facts()
    };
    let answer = bridge.send(hello).await.unwrap();
    assert_eq!(answer.results_seen, vec![result.id.clone()]);
    assert_eq!(told.ran().await, Ran::Answered(result));
    let Ran::NoResult { journal, .. } = untold.ran().await else {
        panic!("it has no result");
    };
    assert_eq!(journal, bridge.info.journal);
    assert_ne!(bridge.session, old_session);
    let sessions = desk.ear.all().into_iter().filter_map(|said| match said {
        Said::Session { new_journal, .. } => Some(new_journal),
        Said::Facts(_) | Said::Away => None,
    });
    assert_eq!(sessions.collect::<Vec<_>>(), [false, false]);

    // A request of the old session that was on its way changes nothing.
    let late = SyncRequest {
        session: old_session,
        take: true,
        ..bridge.request()
    };
    let running = desk.run("03", VALID, PATIENCE);
    tokio::task::yield_now().await;
    let session = bridge.session.clone();
    assert_eq!(bridge.send(late).await.unwrap_err().status, 410);
    bridge.session = session;
    assert_eq!(bridge.command().await.task, trade("03"));
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn a_second_bridge_waits_until_the_first_is_silent() {
    let desk = Desk::new();
    let mut first = desk.bridge();
    let mut second = desk.bridge();
    second.info.journal = "00000000000000bb".to_owned();
    first.hello().await;
    let refused = second.send(second.facts()).await.unwrap_err();
    assert_eq!(refused.status, 409);
    assert!(
        refused.text.contains("00000000000000aa"),
        "{}",
        refused.text
    );
    let (refusal, _) = desk.line.last_refusal().unwrap();
    assert!(matches!(refusal, Refused::AnotherBridge { .. }));

    sleep(Duration::from_secs(16)).await;
    assert!(matches!(desk.line.presence(), Presence::Away(_)));
    assert_eq!(desk.ear.all().last(), Some(&Said::Away));
    second.hello().await;
    let last = desk.ear.all().into_iter().rev().nth(1);
    let journal = second.info.journal.clone();
    assert_eq!(
        last,
        Some(Said::Session {
            journal,
            new_journal: true
        })
    );
    // The first one is sent away, and then has to wait itself.
    let late = first.send(first.facts()).await.unwrap_err();
    assert_eq!(late.status, 410);
    assert_eq!(first.send(first.facts()).await.unwrap_err().status, 409);
}

#[tokio::test(start_paused = true)]
async fn a_bridge_is_called_away_once_and_heard_again() {
    let desk = Desk::new();
    let mut bridge = desk.bridge();
    assert_eq!(desk.line.presence(), Presence::NeverSeen);
    bridge.hello().await;
    for _ in 0..3 {
        // Whoever only waits for commands is there.
        bridge.poll(20_000).await;
        assert!(matches!(desk.line.presence(), Presence::Present(_)));
    }
    let away = |desk: &Desk| {
        desk.ear
            .all()
            .iter()
            .filter(|said| **said == Said::Away)
            .count()
    };
    assert_eq!(away(&desk), 0);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(away(&desk), 1);
    bridge.tell(Vec::new()).await;
    let Presence::Present(seen) = desk.line.presence() else {
        panic!("it was heard");
    };
    assert_eq!(seen.state.as_ref(), Some(&bridge.state));
    assert_eq!(seen.bridge, bridge.info);
    assert!(seen.session_age > Duration::from_secs(60));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(away(&desk), 2);
}

#[tokio::test(start_paused = true)]
async fn of_two_requests_for_commands_the_newer_one_gets_them() {
    let desk = Desk::new();
    let mut old = desk.bridge();
    old.hello().await;
    let mut new = desk.bridge();
    new.session = old.session.clone();
    let held = tokio::spawn(async move { old.poll(9000).await });
    tokio::task::yield_now().await;
    let newer = tokio::spawn(async move { new.poll(9000).await });
    assert_eq!(held.await.unwrap(), []);
    let running = desk.run("01", VALID, PATIENCE);
    assert_eq!(newer.await.unwrap().len(), 1);
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn wishes_are_told_at_once_and_until_they_come_true() {
    let desk = Desk::new();
    let mut bridge = desk.bridge();
    let hello = bridge.hello().await;
    assert_eq!(hello.want, [Want::Symbols]);
    assert_eq!(hello.watch, Vec::<String>::new());
    assert!(desk.line.symbols().is_none());

    // It is not told with every answer: a long list takes several requests.
    let list = |names: &[&str], symbols_complete| SyncRequest {
        symbols: names.iter().map(|name| symbol(name)).collect(),
        symbols_complete,
        ..bridge.request()
    };
    let (one, two) = (list(&["WINZ26"], false), list(&["EURUSD.m"], true));
    assert_eq!(bridge.send(one).await.unwrap().want, []);
    assert!(desk.line.symbols().is_none());
    assert_eq!(bridge.send(two).await.unwrap().want, []);
    assert_eq!(desk.line.symbols().unwrap().len(), 2);

    let line: Arc<Line> = desk.line.clone();
    let (_, ()) = tokio::join!(bridge.poll(9000), async move {
        line.want(Want::Positions);
        line.watch("EURUSD.M");
    });
    let last = bridge.last.clone().unwrap();
    assert_eq!(last.want, [Want::Positions]);
    // As the terminal spells it.
    assert_eq!(last.watch, ["EURUSD.m"]);
    bridge.tell(Vec::new()).await;
    sleep(Duration::from_secs(120)).await;
    assert_eq!(bridge.tell(Vec::new()).await.want, []);

    // One that does not come true is told again, and to every new session.
    desk.line.want(Want::Symbols);
    bridge.poll(0).await;
    assert_eq!(bridge.last.clone().unwrap().want, [Want::Symbols]);
    bridge.poll(0).await;
    assert_eq!(bridge.last.clone().unwrap().want, []);
    sleep(Duration::from_secs(31)).await;
    bridge.poll(0).await;
    assert_eq!(bridge.last.clone().unwrap().want, [Want::Symbols]);
    assert_eq!(bridge.hello().await.want, [Want::Symbols]);
}

#[tokio::test(start_paused = true)]
async fn a_price_is_the_middle_and_grows_old() {
    let desk = Desk::new();
    let mut bridge = desk.bridge();
    bridge.hello().await;
    let ticks = vec![
        tick("EURUSD.m", "1.1000", "1.1002", "0"),
        tick("WINZ26", "0", "128345", "128340"),
        tick("PETR4", "0", "0", "0"),
    ];
    let told = SyncRequest {
        ticks,
        ..bridge.request()
    };
    bridge.send(told).await.unwrap();
    let quote = |name: &str| {
        let symbol = Symbol::new(name).unwrap();
        let price = desk.line.quote(&symbol, Duration::from_secs(10));
        price.map(|price| price.get())
    };
    assert_eq!(quote("EURUSD.M"), Some(decimal("1.1001")));
    assert_eq!(quote("WINZ26"), Some(decimal("128340")));
    assert_eq!(quote("PETR4"), None);
    assert_eq!(quote("VALE3"), None);
    sleep(Duration::from_secs(11)).await;
    assert_eq!(quote("WINZ26"), None);
    assert!(desk.line.tick("WINZ26").is_some());
}

#[tokio::test(start_paused = true)]
async fn what_breaks_the_protocol_is_refused_with_its_reason() {
    let desk = Desk::new();
    let mut bridge = desk.bridge();
    let no_facts = bridge.request();
    let cases = [
        (no_facts, 400, "begins with state"),
        (
            SyncRequest {
                session: Some("another".to_owned()),
                ..bridge.facts()
            },
            410,
            "say hello anew",
        ),
        (
            SyncRequest {
                protocol: 2,
                ..bridge.facts()
            },
            426,
            "version 2",
        ),
        (
            SyncRequest {
                ticks: vec![tick("A", "0", "0", "0"); 501],
                ..bridge.facts()
            },
            413,
            "ticks has 501 items, the maximum is 500",
        ),
        (
            SyncRequest {
                ticks: vec![tick(&"A".repeat(65), "0", "0", "0")],
                ..bridge.facts()
            },
            400,
            "ticks.symbol has 65 bytes, the maximum is 64",
        ),
    ];
    for (request, status, words) in cases {
        let refused = bridge.send(request).await.unwrap_err();
        assert_eq!(refused.status, status, "{}", refused.text);
        assert!(refused.text.contains(words), "{}", refused.text);
    }
    assert_eq!(desk.line.presence(), Presence::NeverSeen);
    assert_eq!(desk.ear.all(), []);
}

#[tokio::test(start_paused = true)]
async fn an_ending_line_lets_go_of_everybody() {
    let desk = Desk::new();
    let mut bridge = desk.bridge();
    bridge.hello().await;
    let (fetched, ()) = tokio::join!(bridge.poll(9000), async { desk.hub.close() });
    assert_eq!(fetched, []);
    let ran = desk.line.run(trade("01"), VALID, PATIENCE).await;
    assert_eq!(ran, Ran::NotHandedOver("ponte is ending".to_owned()));
}

struct Broken;

impl Listener for Broken {
    fn heard(&self, _: Heard<'_>) {
        panic!("this listener always does");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_broken_listener_has_not_heard_is_told_again() {
    let desk = Desk::new();
    let mut bridge = desk.bridge();
    bridge.hello().await;
    let running = desk.run("01", VALID, PATIENCE);
    let command = bridge.command().await;
    let broken: Arc<dyn Listener> = Arc::new(Broken);
    desk.line.set_listener(Arc::downgrade(&broken));
    let found = SyncRequest {
        results: vec![found(&command, Found::default())],
        ..bridge.facts()
    };
    assert_eq!(bridge.send(found.clone()).await.unwrap_err().status, 500);
    assert!(!running.is_finished());
    let nobody: Weak<dyn Listener> = Arc::downgrade(&broken);
    drop(broken);
    desk.line.set_listener(nobody);
    bridge.send(found).await.unwrap();
    assert!(matches!(running.ran().await, Ran::Answered(_)));
}

#[tokio::test(start_paused = true)]
async fn what_comes_late_tells_nothing_of_what_is() {
    let desk = Desk::new();
    let mut bridge = desk.bridge();
    bridge.hello().await;
    let running = desk.run("01", VALID, PATIENCE);
    let command = bridge.command().await;
    // The first one is given up by its sender, and delivered after the second.
    bridge.state.balance = decimal("1");
    let result = answered(&command, vec![code(10009)]);
    let late = SyncRequest {
        sequence: 1,
        results: vec![result.clone()],
        ticks: vec![tick("WINZ26", "1", "1", "1")],
        ..bridge.facts()
    };
    bridge.state.balance = decimal("2");
    let later = SyncRequest {
        sequence: 2,
        ticks: vec![tick("WINZ26", "2", "2", "2")],
        ..bridge.facts()
    };
    bridge.send(later.clone()).await.unwrap();
    let answer = bridge.send(late).await.unwrap();
    assert_eq!(answer.results_seen, vec![result.id.clone()]);
    assert_eq!(running.ran().await, Ran::Answered(result));
    let Some(Said::Facts(heard)) = desk.ear.all().pop() else {
        panic!("the result was heard");
    };
    assert_eq!(
        (heard.state, heard.positions, heard.orders),
        (None, None, None)
    );
    assert_eq!(desk.line.tick("WINZ26").unwrap().0.bid, decimal("2"));
    let Presence::Present(seen) = desk.line.presence() else {
        panic!("it was heard");
    };
    assert_eq!(seen.state.unwrap().balance, decimal("2"));
    // The same one again is as good as the first time.
    bridge.send(later).await.unwrap();
    let Some(Said::Facts(heard)) = desk.ear.all().pop() else {
        panic!("it was heard");
    };
    assert!(heard.positions.is_some());
}
