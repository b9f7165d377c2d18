//! Connections: kept, pipelined, half closed, idle, too many, and at the end.

use std::time::Duration;

use ponte::server::Limits;
use tokio::io::AsyncWriteExt as _;

use super::{MESSAGE, PATIENCE, Setup, World, alert};

fn numbered(number: u32) -> Vec<u8> {
    let id = format!(r#","id":"{number}"}}"#);
    alert(MESSAGE.replace('}', &id))
}

#[tokio::test]
async fn a_connection_is_kept_and_can_be_written_ahead() {
    let mut world = World::start(Setup::default()).await;
    let mut connection = world.connect().await;
    for number in 1..=3 {
        connection.send(numbered(number)).await;
        assert_eq!(connection.reply().await.json()["id"], format!("A{number}"));
    }
    let ahead: Vec<Vec<u8>> = (4..=9).map(numbered).collect();
    connection.send(ahead.concat()).await;
    for number in 4..=9 {
        assert_eq!(connection.reply().await.json()["id"], format!("A{number}"));
    }
    // A refusal does not end it either.
    connection.send([alert("{}"), numbered(10)].concat()).await;
    assert_eq!(connection.reply().await.status, 403);
    assert_eq!(connection.reply().await.status, 200);
    assert_eq!(world.submitted().await.len(), 10);
    world.finish().await;
}

#[tokio::test]
async fn many_connections_at_once_are_all_answered() {
    let mut world = World::start(Setup::default()).await;
    let mut connections = Vec::new();
    for number in 0..64 {
        let mut connection = world.connect().await;
        connection.send(numbered(number)).await;
        connections.push(connection);
    }
    for connection in &mut connections {
        assert_eq!(connection.reply().await.json()["status"], "accepted");
    }
    assert_eq!(world.submitted().await.len(), 64);
    world.finish().await;
}

#[tokio::test]
async fn a_sender_that_has_closed_its_side_gets_its_answer() {
    let world = World::start(Setup::default()).await;
    let mut connection = world.connect().await;
    connection.send(alert(MESSAGE)).await;
    connection.stream.shutdown().await.unwrap();
    assert_eq!(connection.reply().await.status, 200);
    assert!(connection.end().await.is_empty());
    world.finish().await;
}

#[tokio::test]
async fn headers_have_a_limit_in_bytes_and_in_time() {
    let limits = Limits {
        header_read_max: Duration::from_millis(50),
        ..Limits::default()
    };
    let world = World::start(Setup {
        limits,
        ..Setup::default()
    })
    .await;
    let mut connection = world.connect().await;
    connection.send("POST /webhook HTTP/1.1\r\nhost:").await;
    assert!(connection.end().await.is_empty());
    world.finish().await;
    let world = World::start(Setup::default()).await;
    let long = format!(
        "POST /webhook HTTP/1.1\r\nhost: ponte\r\nx-long: {}\r\n\r\n",
        "x".repeat(17_000)
    );
    assert_eq!(world.ask(long).await.status, 431);
    world.finish().await;
}

#[tokio::test]
async fn one_connection_too_many_waits_for_its_turn() {
    let limits = Limits {
        connections_max: 1,
        ..Limits::default()
    };
    let world = World::start(Setup {
        limits,
        ..Setup::default()
    })
    .await;
    let mut first = world.connect().await;
    first.send(numbered(1)).await;
    assert_eq!(first.reply().await.json()["id"], "A1");
    let mut second = world.connect().await;
    second.send(numbered(2)).await;
    // The first one is still served, though the second has been waiting.
    first.send(numbered(3)).await;
    assert_eq!(first.reply().await.json()["id"], "A2");
    drop(first);
    assert_eq!(second.reply().await.json()["id"], "A3");
    drop(second);
    world.finish().await;
}

/// How many connections wait in a listening socket to be accepted, as the system counts them.
fn waiting_to_be_accepted(address: std::net::SocketAddr) -> u32 {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let local = format!(":{:04X}", address.port());
    let mut rows = table.lines().map(|row| row.split_whitespace().collect());
    let is_ours = |row: &Vec<&str>| row[1].ends_with(&local) && row[3] == "0A";
    let row: Vec<&str> = rows.find(is_ours).unwrap();
    let (_, waiting) = row[4].split_once(':').unwrap();
    u32::from_str_radix(waiting, 16).unwrap()
}

/// It was taken out of the socket, so that no other process can answer it.
#[tokio::test]
async fn one_that_waits_for_its_turn_at_the_end_is_asked_to_come_again() {
    let limits = Limits {
        connections_max: 1,
        held_open: true,
        drain_max: PATIENCE,
        ..Limits::default()
    };
    let mut world = World::start(Setup {
        limits,
        ..Setup::default()
    })
    .await;
    let mut first = world.connect().await;
    first.send(numbered(1)).await;
    assert_eq!(first.reply().await.json()["id"], "A1");
    let mut second = world.connect().await;
    second.send(numbered(2)).await;
    while waiting_to_be_accepted(world.address) > 0 {
        tokio::task::yield_now().await;
    }
    world.begin_the_end();
    drop(first);
    let reply = second.reply().await;
    assert_eq!(reply.status, 503, "{}", reply.head());
    assert!(second.end().await.is_empty());
    world.finish().await;
}

/// A connection that is closed while its sender still writes breaks, and the answer with it.
#[tokio::test]
async fn whoever_is_asked_to_come_again_is_heard_out_first() {
    let limits = Limits {
        drain_max: PATIENCE,
        ..Limits::default()
    };
    let mut world = World::start(Setup {
        limits,
        ..Setup::default()
    })
    .await;
    let mut kept = world.connect().await;
    kept.send(numbered(1)).await;
    assert_eq!(kept.reply().await.status, 200);
    world.begin_the_end();
    let mut other = world.connect().await;
    other.send(numbered(2)).await;
    assert_eq!(other.reply().await.status, 503);
    let head = format!(
        "POST /webhook HTTP/1.1\r\nhost: ponte\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        MESSAGE.len()
    );
    kept.send(head).await;
    assert_eq!(kept.reply().await.status, 100);
    kept.send(MESSAGE).await;
    assert_eq!(kept.reply().await.status, 503);
    assert!(kept.end().await.is_empty());
    world.finish().await;
}

#[tokio::test]
async fn what_is_under_way_at_the_end_is_answered() {
    let mut world = World::start(Setup::default()).await;
    let mut idle = world.connect().await;
    idle.send(numbered(1)).await;
    idle.reply().await;
    let mut busy = world.connect().await;
    let head = format!(
        "POST /webhook HTTP/1.1\r\nhost: ponte\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        MESSAGE.len()
    );
    busy.send(head).await;
    assert_eq!(
        busy.reply().await.status,
        100,
        "the body is being waited for"
    );
    world.begin_the_end();
    busy.send(MESSAGE).await;
    let reply = busy.reply().await;
    assert_eq!(reply.status, 200);
    assert!(reply.head().contains("connection: close\r\n"));
    assert!(busy.end().await.is_empty());
    assert!(idle.end().await.is_empty(), "an idle connection ends");
    let address = world.address;
    world.finish().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
