//! Through proxies: each preset's header and nobody else's, and the PROXY protocol at a real listener.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ponte::config::{AllowFrom, Cidr, Proxy};
use ponte::server::Gate;
use tokio::net::{TcpSocket, TcpStream};

use super::{Connection, MESSAGE, Setup, World, alert, post, refusals};

const GENUINE: &str = "52.89.214.238";

fn tradingview() -> AllowFrom {
    AllowFrom::Ranges(vec![GENUINE.parse().unwrap()])
}

/// A listener as a preset makes it, with a proxy that calls from `127.0.0.2`.
async fn behind(proxy: Proxy) -> World {
    let setup = Setup {
        allow_from: tradingview(),
        proxies: vec!["127.0.0.2".parse().unwrap()],
        client_address: proxy.client_address(),
        ..Setup::default()
    };
    World::start(setup).await
}

impl World {
    /// A connection from one of this machine's own addresses.
    async fn connect_from(&self, from: &str) -> Connection {
        let socket = TcpSocket::new_v4().unwrap();
        let from: IpAddr = from.parse().unwrap();
        socket.bind(SocketAddr::new(from, 0)).unwrap();
        Connection::over(socket.connect(self.address).await.unwrap())
    }

    async fn ask_from(&self, from: &str, headers: &str) -> u16 {
        let mut connection = self.connect_from(from).await;
        let request = post("/webhook", headers, MESSAGE);
        connection.send(request).await;
        connection.reply().await.status
    }
}

#[tokio::test]
async fn behind_each_preset_its_own_header_counts_and_no_other() {
    let evil = "203.0.113.9";
    let all = |address: &str| {
        [
            "x-forwarded-for",
            "x-real-ip",
            "cf-connecting-ip",
            "fly-client-ip",
            "forwarded",
        ]
        .map(|name| format!("{name}: {address}\r\n"))
        .concat()
    };
    for (name, proxy) in Proxy::ALL {
        let header = proxy.client_address().header().unwrap();
        // What each proxy makes of a client's address, whatever the client has forged.
        let through = |client: &str| match proxy {
            Proxy::Render => format!("{header}: {GENUINE}, {client}, 104.22.17.40\r\n"),
            Proxy::None | Proxy::Caddy | Proxy::Ngrok => {
                format!("{header}: {GENUINE}, {client}\r\n")
            }
            Proxy::Fly
            | Proxy::Railway
            | Proxy::Cloudflare
            | Proxy::CloudflareTunnel
            | Proxy::Nginx => format!("{header}: {client}\r\n"),
        };
        let other = all(GENUINE).replace(&format!("{header}: {GENUINE}\r\n"), "");
        let world = behind(proxy).await;
        for (case, from, headers, status) in [
            ("honest", "127.0.0.2", through(GENUINE), 200),
            ("a stranger, forging", "127.0.0.2", through(evil), 403),
            (
                "a stranger, forging others",
                "127.0.0.2",
                other.clone() + &through(evil),
                403,
            ),
            ("another header alone", "127.0.0.2", other.clone(), 403),
            (
                "honest, with forged others",
                "127.0.0.2",
                other + &through(GENUINE),
                200,
            ),
            ("no header", "127.0.0.2", String::new(), 403),
            ("not an address", "127.0.0.2", through("localhost"), 403),
            ("around the proxy", "127.0.0.3", all(GENUINE), 403),
            (
                "around the proxy, honestly",
                "127.0.0.3",
                through(GENUINE),
                403,
            ),
        ] {
            assert_eq!(
                world.ask_from(from, &headers).await,
                status,
                "{name}: {case}"
            );
        }
        world.finish().await;
    }
}

/// A listener that takes the PROXY protocol from `127.0.0.2`.
async fn with_proxy_protocol() -> World {
    let proxy: Cidr = "127.0.0.2".parse().unwrap();
    let genuine: IpAddr = GENUINE.parse().unwrap();
    let setup = Setup {
        allow_from: tradingview(),
        proxies: vec![proxy],
        gate: Gate {
            is_known: Arc::new(move |address| address == genuine),
            is_proxy: Arc::new(move |address| proxy.contains(address)),
            connections_per_address_max: 2,
            proxy_protocol: true,
        },
        ..Setup::default()
    };
    World::start(setup).await
}

fn version_1(client: &str) -> Vec<u8> {
    format!("PROXY TCP4 {client} 127.0.0.1 4711 443\r\n").into_bytes()
}

fn version_2(client: [u8; 4]) -> Vec<u8> {
    let addresses = [&client[..], &[127, 0, 0, 1], &[0x12, 0x67, 0x01, 0xBB]].concat();
    [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0C", &addresses[..]].concat()
}

#[tokio::test]
async fn a_proxys_header_names_the_client_of_a_connection() {
    let world = with_proxy_protocol().await;
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0".to_vec();
    for (case, header, status) in [
        ("version 1", version_1(GENUINE), 200),
        ("version 2", version_2([52, 89, 214, 238]), 200),
        ("a stranger", version_1("203.0.113.9"), 403),
        ("a stranger, version 2", version_2([203, 0, 113, 9]), 403),
        ("the proxy itself", local, 403),
    ] {
        let mut connection = world.connect_from("127.0.0.2").await;
        connection.send([header, alert(MESSAGE)].concat()).await;
        assert_eq!(connection.reply().await.status, status, "{case}");
    }
    let directory = world.finish().await;
    let mut peers: Vec<String> = refusals(directory.path())
        .into_iter()
        .map(|one| one.peer)
        .collect();
    peers.dedup();
    assert_eq!(peers, ["203.0.113.9", "127.0.0.2"]);
}

#[tokio::test]
async fn who_brings_no_header_or_is_no_proxy_is_closed() {
    let world = with_proxy_protocol().await;
    for (case, from, bytes) in [
        ("a proxy without a header", "127.0.0.2", alert(MESSAGE)),
        (
            "a stranger with a header",
            "127.0.0.3",
            [version_1(GENUINE), alert(MESSAGE)].concat(),
        ),
        ("a stranger without", "127.0.0.3", alert(MESSAGE)),
        (
            "no client",
            "127.0.0.2",
            [&b"PROXY UNKNOWN\r\n"[..], &alert(MESSAGE)].concat(),
        ),
        (
            "two headers",
            "127.0.0.2",
            [version_1(GENUINE), version_1(GENUINE)].concat(),
        ),
        (
            "TLS",
            "127.0.0.2",
            b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03aaaaaaaaaaaaa".to_vec(),
        ),
    ] {
        let mut connection = world.connect_from(from).await;
        // It may be closed before everything is written.
        connection.send_if_open(&bytes).await;
        let said = connection.end().await;
        let said = String::from_utf8_lossy(&said);
        assert!(
            !said.contains("200") && !said.contains("403"),
            "{case}: {said}"
        );
    }
    let mut owner = world.connect_from("127.0.0.2").await;
    owner
        .send([version_1(GENUINE), alert(MESSAGE)].concat())
        .await;
    assert_eq!(owner.reply().await.status, 200);
    world.finish().await;
}

#[tokio::test]
async fn connections_count_for_whom_the_proxy_names() {
    let world = with_proxy_protocol().await;
    let introduce = async |client: &str| -> Connection {
        let mut connection = world.connect_from("127.0.0.2").await;
        connection.send(version_1(client)).await;
        connection
    };
    let greedy = "203.0.113.9";
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut connection = introduce(greedy).await;
        connection.send(alert(MESSAGE)).await;
        assert_eq!(connection.reply().await.status, 403);
        held.push(connection);
    }
    assert!(
        introduce(greedy).await.end().await.is_empty(),
        "one too many"
    );
    for _ in 0..5 {
        let mut owner = introduce(GENUINE).await;
        owner.send(alert(MESSAGE)).await;
        assert_eq!(owner.reply().await.status, 200);
        held.push(owner);
    }
    drop(held);
    world.finish().await;
}

#[tokio::test]
async fn a_slow_header_is_not_waited_for() {
    let mut setup = Setup {
        gate: Gate {
            is_proxy: Arc::new(|_| true),
            proxy_protocol: true,
            ..Gate::default()
        },
        ..Setup::default()
    };
    setup.limits.handshake_max = std::time::Duration::from_millis(50);
    let world = World::start(setup).await;
    for start in [
        &b""[..],
        b"PROXY TCP4",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x08\x00",
    ] {
        let stream = TcpStream::connect(world.address).await.unwrap();
        let mut connection = Connection::over(stream);
        connection.send(start).await;
        assert!(connection.end().await.is_empty());
    }
    world.finish().await;
}
