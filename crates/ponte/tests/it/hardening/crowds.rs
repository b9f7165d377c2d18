//! Many connections: from one address, from many, and more than there are handles.

use futures_util::future::join_all;

use super::{BOTH, Connection, OWNER, Speaks, Target, stranger};

/// Connections of one stranger that may stay, by default.
const PER_ADDRESS: usize = 64;

/// The connections that are still open, once those that were turned away are gone.
async fn still_open(connections: Vec<Connection>) -> Vec<Connection> {
    let looked_at = connections.into_iter().map(async |mut connection| {
        let is_closed = connection.is_closed().await;
        (!is_closed).then_some(connection)
    });
    join_all(looked_at).await.into_iter().flatten().collect()
}

/// Each of them is held by the listener, and not by the system alone.
async fn answers_each(connections: Vec<Connection>) {
    for mut connection in connections {
        let request = b"GET /webhook HTTP/1.1\r\nhost: ponte\r\nconnection: close\r\n\r\n";
        assert!(connection.write(request).await);
        let said = connection.rest().await;
        assert!(said.starts_with("HTTP/1.1 405"), "{said}");
    }
}

async fn bare(target: &Target, from: std::net::Ipv4Addr) -> Connection {
    Connection(Box::new(target.touch(from).await.unwrap()))
}

#[tokio::test]
async fn one_address_opens_a_thousand_connections() {
    for speaks in BOTH {
        let mut target = Target::start(speaks).await;
        let mut held = Vec::new();
        for number in 0..1100 {
            held.push(bare(&target, stranger(0)).await);
            if number % 100 == 0 {
                target
                    .owner_passes("while one address opens connections")
                    .await;
            }
        }
        // The listener has accepted them all: the owner's came after them.
        target.is_unharmed("one address, 1,100 connections").await;
        let open = still_open(held).await;
        // Fewer, should a slow machine have let the limit on idle connections pass.
        assert!(open.len() <= PER_ADDRESS, "{speaks:?}: {}", open.len());
        drop(open);
        // An address that has let go may come again.
        let mut again = target.connect(stranger(0)).await;
        while again.is_err() {
            again = target.connect(stranger(0)).await;
        }
        target.is_unharmed("after they have let go").await;
    }
}

#[tokio::test]
async fn the_owners_address_may_hold_as_many_as_it_likes() {
    let mut target = Target::start(Speaks::Plain).await;
    let mut held = Vec::new();
    for _ in 0..500 {
        held.push(bare(&target, OWNER).await);
    }
    target.is_unharmed("500 of the owner's own").await;
    answers_each(held).await;
}

#[tokio::test]
async fn many_addresses_open_connections_and_say_nothing() {
    for speaks in BOTH {
        let mut target = Target::start(speaks).await;
        let mut held = Vec::new();
        for round in 0..60 {
            for number in 0..40 {
                held.push(bare(&target, stranger(number)).await);
            }
            if round % 20 == 0 {
                target.owner_passes("while many come").await;
            }
        }
        // Two KiB each, and a margin: neither TLS nor HTTP has taken any.
        target
            .is_unharmed_within("2,400 silent connections", 12 * 1024)
            .await;
        drop(held);
        target.is_unharmed("after them").await;
    }
}

#[tokio::test]
async fn strangers_never_take_the_last_slots() {
    for speaks in BOTH {
        // Three quarters of the handles are for connections, and of these seven eighths for strangers.
        let mut target = Target::start_with(speaks, Some(400)).await;
        let strangers = 263;
        let mut held = Vec::new();
        for round in 0..50 {
            for number in 0..10 {
                held.push(bare(&target, stranger(number)).await);
            }
            if round % 10 == 0 {
                target.owner_passes("while strangers fill the slots").await;
            }
        }
        target.is_unharmed("500 strangers for 263 slots").await;
        let open = still_open(held).await;
        assert!(open.len() <= strangers, "{speaks:?}: {}", open.len());
        // The owner takes more than the share that is kept for it: strangers make room.
        let mut owners = Vec::new();
        for _ in 0..200 {
            owners.push(target.connect(OWNER).await.unwrap());
        }
        target.is_unharmed("200 of the owner's among them").await;
        answers_each(owners).await;
    }
}
