//! Restarts under load: with the socket held open no alert is lost to one.
//!
//! `PONTE_RESTARTS=200 cargo test -p ponte --test it restart` is the long run.

mod load;
mod manager;
mod units;
mod upgrade;

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::program::SECRET;
use load::{Fate, Load, Sent, summary};
use manager::{Holds, Manager, PATIENCE};

/// How often the program is started anew when nobody says otherwise.
const RESTARTS_DEFAULT: u64 = 12;
/// How many senders are at it.
const SENDERS: usize = 6;

fn restarts() -> u64 {
    let asked = std::env::var("PONTE_RESTARTS").ok();
    asked
        .and_then(|text| text.parse().ok())
        .unwrap_or(RESTARTS_DEFAULT)
}

/// Different moments each time, the same ones in every run.
async fn a_while(round: u64) {
    let pause = Duration::from_millis(30 + (round * 7919) % 250);
    tokio::time::sleep(pause).await;
}

/// How often each id stands in the journal as an alert of its own.
fn counted(manager: &Manager) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for id in manager.decided() {
        *counted.entry(id).or_insert(0) += 1;
    }
    counted
}

/// What was answered `200` stands in the journal once, nothing stands there twice, and nothing that
/// nobody sent.
fn audit(manager: &Manager, sent: &[Sent]) {
    let mut journal = counted(manager);
    for alert in sent {
        let times = journal.remove(&alert.id).unwrap_or(0);
        match alert.fate {
            Fate::Taken => assert_eq!(times, 1, "{alert:?}"),
            Fate::Lost(_) | Fate::GivenUp => assert!(times <= 1, "{alert:?} stands {times} times"),
        }
    }
    assert!(journal.is_empty(), "nobody sent {journal:?}");
    let path = ponte::journal::path_in(&manager.data_dir());
    assert_eq!(ponte::journal::verify(&path).unwrap().broken, None);
}

/// Restarts it under load; none may be lost.
async fn restarted_again_and_again(mut manager: Manager, how: &str) {
    manager.start_ready().await;
    let load = Load::start(SENDERS, &manager.target());
    for round in 0..restarts() {
        load.until_more(20).await;
        a_while(round).await;
        manager.stop().await;
        manager.start_ready().await;
    }
    load.until_more(20).await;
    let sent = load.stop().await;
    manager.stop().await;
    println!("{} restarts, {how}: {}", restarts(), summary(&sent));
    let mut not_taken = sent.iter().filter(|sent| sent.fate != Fate::Taken);
    assert_eq!(
        not_taken.next().map(|sent| &sent.fate),
        None,
        "{}",
        manager.log()
    );
    audit(&manager, &sent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_with_the_socket_held_open_loses_no_alert() {
    restarted_again_and_again(Manager::install(Holds::Webhook), "http").await;
}

/// As it stands on the open internet: handshakes are under way when the end begins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_with_a_certificate_of_its_own_loses_none_either() {
    restarted_again_and_again(Manager::install_with_certificate(), "https").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_loses_at_most_what_was_on_a_connection() {
    let mut manager = Manager::install(Holds::Webhook);
    manager.start_ready().await;
    let load = Load::start(SENDERS, &manager.target());
    for round in 0..restarts() {
        load.until_more(20).await;
        a_while(round).await;
        if round % 3 == 2 {
            manager.stop().await;
        } else {
            manager.kill().await;
        }
        manager.start_ready().await;
    }
    load.until_more(20).await;
    let sent = load.stop().await;
    manager.stop().await;
    println!(
        "{} restarts, most of them kill -9: {}",
        restarts(),
        summary(&sent)
    );
    let lost = sent.iter().filter(|sent| sent.fate != Fate::Taken);
    let at_most = usize::try_from(restarts()).unwrap() * SENDERS;
    assert!(lost.count() <= at_most, "more than was on its way");
    audit(&manager, &sent);
}

/// What a restart costs where nobody holds the socket: what comes while the program ends is asked to
/// come again, what comes between two processes is refused. How many that are is printed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_that_binds_its_own_socket_refuses_connections_between_two_processes() {
    let mut manager = Manager::install(Holds::Nothing);
    manager.start_ready().await;
    let load = Load::start(SENDERS, &manager.target());
    for round in 0..restarts() {
        load.until_more(20).await;
        a_while(round).await;
        manager.stop().await;
        manager.start_ready().await;
    }
    load.until_more(20).await;
    let sent = load.stop().await;
    manager.stop().await;
    println!(
        "{} restarts without a held socket: {}",
        restarts(),
        summary(&sent)
    );
    for alert in &sent {
        if let Fate::Lost(why) = &alert.fate {
            let between = ["refused", "reset", "closed"];
            assert!(between.iter().any(|word| why.contains(word)), "{alert:?}");
        }
    }
    audit(&manager, &sent);
}

async fn connect(manager: &Manager) -> TcpStream {
    TcpStream::connect(manager.webhook).await.unwrap()
}

fn alert(id: &str) -> String {
    let body = format!(
        r#"{{"segredo":"{SECRET}","acao":"COMPRA","ativo":"BTCUSDT","qtd":1,"preco":100,"id":"{id}"}}"#
    );
    format!(
        "POST /webhook HTTP/1.1\r\nhost: ponte\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// One whole answer, of which there is more to come on the connection.
async fn read_answer(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let length = |text: &str| {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let (_, length) = head.split_once("content-length: ")?;
        let length: usize = length.lines().next()?.parse().ok()?;
        Some(length == body.len())
    };
    let mut buffer = vec![0; 1024];
    while length(&text) != Some(true) {
        let read = timeout(PATIENCE, stream.read(&mut buffer)).await;
        let read = read.expect("an answer comes").unwrap();
        assert!(read > 0, "it ended after {text}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    text
}

async fn read_until_end(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut text)).await;
    read.expect("the connection is closed").unwrap();
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn what_comes_on_a_kept_connection_at_the_end_is_asked_to_come_again() {
    let mut manager = Manager::install(Holds::Webhook);
    manager.start_ready().await;
    let (mut kept, mut half, mut idle, mut fresh) = (
        connect(&manager).await,
        connect(&manager).await,
        connect(&manager).await,
        connect(&manager).await,
    );
    kept.write_all(alert("1").as_bytes()).await.unwrap();
    assert!(read_answer(&mut kept).await.starts_with("HTTP/1.1 200"));
    let two = alert("2");
    let (begin, rest) = two.split_at(two.len() - 10);
    half.write_all(begin.as_bytes()).await.unwrap();
    // Another answer later, the server has seen all of them.
    kept.write_all(alert("3").as_bytes()).await.unwrap();
    assert!(read_answer(&mut kept).await.starts_with("HTTP/1.1 200"));

    manager.signal("TERM");
    manager.until("STOPPING=1").await;
    fresh.write_all(alert("4").as_bytes()).await.unwrap();
    kept.write_all(alert("5").as_bytes()).await.unwrap();
    half.write_all(rest.as_bytes()).await.unwrap();
    // These are new: the kernel keeps them for the next process.
    let mut next = connect(&manager).await;
    next.write_all(alert("6").as_bytes()).await.unwrap();

    for stream in [&mut kept, &mut fresh] {
        let text = read_until_end(stream).await;
        assert!(text.starts_with("HTTP/1.1 503"), "{text}");
        assert!(text.contains("connection: close"), "{text}");
        assert!(text.contains("retry-after: 5"), "{text}");
    }
    // This one was under way.
    let text = read_until_end(&mut half).await;
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert!(text.contains("connection: close"), "{text}");
    assert_eq!(read_until_end(&mut idle).await, "", "cut at the end");
    assert!(manager.ended().await.success());

    manager.start_ready().await;
    assert!(read_answer(&mut next).await.starts_with("HTTP/1.1 200"));
    manager.stop().await;
    let mut decided = manager.decided();
    decided.sort();
    assert_eq!(decided, ["1", "2", "3", "6"]);
}

#[tokio::test]
async fn a_request_that_never_ends_is_asked_to_come_again_and_cut() {
    let mut manager = Manager::install(Holds::Webhook);
    manager.start_ready().await;
    let mut slow = connect(&manager).await;
    let text = alert("1");
    slow.write_all(&text.as_bytes()[..text.len() - 1])
        .await
        .unwrap();
    let mut other = connect(&manager).await;
    other.write_all(alert("2").as_bytes()).await.unwrap();
    read_answer(&mut other).await;
    manager.signal("TERM");
    let text = read_until_end(&mut slow).await;
    assert!(text.starts_with("HTTP/1.1 503"), "{text}");
    assert!(manager.ended().await.success());
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let mut manager = Manager::install(Holds::Webhook);
    manager.start_ready().await;
    // It would wait for this one.
    let mut idle = connect(&manager).await;
    idle.write_all(b"POST /webhook").await.unwrap();
    manager.signal("TERM");
    manager.until("STOPPING=1").await;
    manager.signal("TERM");
    let status = manager.ended().await;
    assert_eq!(status.code(), Some(1), "{}", manager.log());
    assert!(
        manager.log().contains("asked twice to end"),
        "{}",
        manager.log()
    );
    manager.start_ready().await;
    manager.stop().await;
}

#[tokio::test]
async fn a_closed_terminal_ends_it_as_well_as_a_stop_does() {
    let mut manager = Manager::install(Holds::Both);
    manager.start_ready().await;
    manager.signal("HUP");
    manager.until("STOPPING=1").await;
    assert!(manager.ended().await.success(), "{}", manager.log());
}

#[tokio::test]
async fn it_says_that_it_is_ready_when_alerts_are_taken_and_how_it_is() {
    let mut manager = Manager::install(Holds::Both);
    manager.start();
    let before = manager.until("READY=1").await;
    assert_eq!(before.first().map(String::as_str), Some("STATUS=starts"));
    let at = manager.webhook;
    assert_eq!(
        manager.hears().await,
        format!("STATUS=takes alerts at {at}")
    );
    manager
        .until(&format!("STATUS=takes alerts at {at}; no alert yet"))
        .await;
    let mut stream = connect(&manager).await;
    stream.write_all(alert("1").as_bytes()).await.unwrap();
    manager
        .until(&format!(
            "STATUS=takes alerts at {at}; 1 position; last alert A1"
        ))
        .await;
    let (status, shown) = manager.command(&["health"]);
    assert_eq!(status, 0, "{shown}");
    drop(stream);
    manager.stop().await;
    let said = manager.heard_so_far();
    assert!(said.contains(&"STOPPING=1".to_owned()), "{said:?}");
}

/// The journal's file is locked by somebody else, as a backup program may do it: the engine's thread
/// is stuck in it, while everything else of the process works.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_watchdog_is_fed_while_the_engine_goes_round_and_starved_while_it_is_stuck() {
    let mut manager = Manager::install(Holds::Webhook);
    manager.watchdog = Some(200_000);
    manager.start_ready().await;
    for _ in 0..5 {
        manager.until("WATCHDOG=1").await;
    }
    let path = ponte::journal::path_in(&manager.data_dir());
    let lock = rusqlite::Connection::open(path).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut stream = connect(&manager).await;
    stream.write_all(alert("1").as_bytes()).await.unwrap();
    // The engine waits for the lock until the database gives up: SQLite's five seconds.
    let text = read_answer(&mut stream).await;
    assert!(text.starts_with("HTTP/1.1 503"), "{text}");
    let fed = manager.heard_so_far();
    let fed = fed.iter().filter(|line| *line == "WATCHDOG=1").count();
    // Every tenth of a second would have been fifty times; some came before it was stuck.
    assert!(fed < 10, "fed {fed} times by a stuck engine");
    lock.execute_batch("ROLLBACK").unwrap();
    manager.until("WATCHDOG=1").await;
    manager.stop().await;
}

#[tokio::test]
async fn a_socket_that_no_address_is_for_keeps_it_from_starting() {
    let mut manager = Manager::install(Holds::Both);
    let other = crate::program::free_port();
    manager.configure(([127, 0, 0, 1], other).into());
    manager.start();
    let status = manager.ended().await;
    assert_eq!(status.code(), Some(3));
    let log = manager.log();
    let handed = manager.webhook;
    assert!(
        log.contains(&format!("a socket at {handed} was handed over")),
        "{log}"
    );
    assert!(
        log.contains(&format!("webhook.listen = 127.0.0.1:{other}")),
        "{log}"
    );
}
