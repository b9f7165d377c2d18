//! Connections: kept, pipelined, half closed, idle, too many, and at the end.

use std::time::Duration;

use ponte::server::Limits;
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

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
    let (stop, _) = tokio::sync::oneshot::channel();
    drop(std::mem::replace(&mut world.stop, stop));
    busy.send(MESSAGE).await;
    let reply = busy.reply().await;
    assert_eq!(reply.status, 200);
    assert!(reply.head().contains("connection: close\r\n"));
    assert!(busy.end().await.is_empty());
    assert!(idle.end().await.is_empty(), "an idle connection ends");
    timeout(PATIENCE, &mut world.server)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(tokio::net::TcpStream::connect(world.address).await.is_err());
    world.engine.stop();
}
