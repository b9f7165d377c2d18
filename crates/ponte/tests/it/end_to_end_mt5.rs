//! From the alert's bytes to the position in a MetaTrader 5 terminal, with the real program and the real bridge.

use std::net::SocketAddr;
use std::time::Duration;

use ponte::clock;
use ponte_core::b3::{Root, Rules, calendar};
use ponte_venue::faces::mt5::{MarginMode, Mt5Face, Mt5Options};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::conformance::relay::Relay;
use crate::mt5_bridge::{Bridge, BridgeOptions, TOKEN, mt5_account, write_token};
use crate::program::{Ponte, SECRET, client, free_port};

/// Longest wait for something that must happen.
const STEPS: u32 = 1200;
const STEP: Duration = Duration::from_millis(50);

/// The stand-in terminal with its trade server.
struct Terminal {
    url: String,
    serving: JoinHandle<()>,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Terminal {
    async fn start(options: Mt5Options) -> Self {
        let face = Mt5Face::new(&options).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            face.serve_until(listener, std::future::pending())
                .await
                .unwrap();
        });
        Self { url, serving }
    }

    async fn admin(&self, path: &str, body: Value) {
        let url = format!("{}/admin/{path}", self.url);
        let answer = client().post(url).json(&body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path} {body}: {text}");
    }

    async fn price(&self, symbol: &str, price: &str) {
        self.admin("price", json!({"symbol": symbol, "price": price}))
            .await;
    }

    async fn audit(&self) -> Value {
        let url = format!("{}/admin/audit", self.url);
        client()
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    /// The open positions: side, volume, symbol, stop.
    async fn positions(&self) -> Vec<String> {
        let audit = self.audit().await;
        let positions = audit["positions"].as_array().unwrap();
        let shown = positions.iter().map(|it| {
            let side = if it["type"] == 0 { "long" } else { "short" };
            let symbol = it["symbol"].as_str().unwrap();
            format!("{side} {} {symbol} stop {}", it["volume"], it["sl"])
        });
        shown.collect()
    }

    async fn until_positions(&self, wanted: &[&str]) {
        let mut seen = Vec::new();
        for _ in 0..STEPS {
            seen = self.positions().await;
            if seen == wanted {
                return;
            }
            tokio::time::sleep(STEP).await;
        }
        panic!("the positions are {seen:?}, not {wanted:?}");
    }

    /// The deals in a symbol: side and volume.
    async fn deals(&self, symbol: &str) -> Vec<String> {
        let audit = self.audit().await;
        let deals = audit["deals"].as_array().unwrap().iter();
        let shown = deals.filter(|it| it["symbol"] == symbol).map(|it| {
            let side = if it["type"] == 0 { "buy" } else { "sell" };
            format!("{side} {}", it["volume"])
        });
        shown.collect()
    }
}

/// A bridge with the folder that its journal lies in.
struct Beside {
    bridge: Bridge,
    _folder: TempDir,
}

fn beside(terminal: &Terminal, ponte: &str, token: &str, pin: Option<&str>) -> Beside {
    let folder = tempfile::tempdir().unwrap();
    let bridge = Bridge::start(&BridgeOptions {
        ponte,
        pin,
        token,
        terminal: &terminal.url,
        folder: folder.path(),
    });
    Beside {
        bridge,
        _folder: folder,
    }
}

/// Waits until the terminal is there and may be traded in.
async fn until_there(ponte: &Ponte, beside: &Beside) {
    let mut status = Value::Null;
    for _ in 0..STEPS {
        status = ponte.ask("status").await;
        let account = &status["accounts"][0];
        if account["terminal"]["ready"] == true && account["balance"].is_object() {
            return;
        }
        tokio::time::sleep(STEP).await;
    }
    panic!(
        "the terminal is not there: {status:#}\n{}",
        beside.bridge.log()
    );
}

async fn until_flat(ponte: &Ponte) {
    let mut positions = Value::Null;
    for _ in 0..STEPS {
        positions = ponte.positions().await;
        let mut held = positions.as_array().unwrap().iter();
        if held.all(|position| position["side"] == "flat") {
            return;
        }
        tokio::time::sleep(STEP).await;
    }
    panic!("positions stay: {positions:#}");
}

async fn alert(ponte: &Ponte, rest: &str) -> Value {
    let body = format!(r#"{{"segredo":"{SECRET}",{rest}}}"#);
    let (status, answer) = ponte.send(&body).await;
    assert_eq!(
        (status, &answer["status"]),
        (200, &json!("accepted")),
        "{answer}"
    );
    answer
}

/// B3 as it is at any hour that the test runs.
const B3_ANY_HOUR: &str = r#"
[accounts.b3]
auctions = "allow"
out_of_session = "send"
"#;

#[tokio::test]
async fn an_alert_of_the_continuous_symbol_trades_the_contract_of_the_day_and_its_stop_ends_it() {
    let terminal = Terminal::start(Mt5Options::b3()).await;
    let today = calendar::local(clock::now()).date();
    let contract = Rules::default().nth(Root::Win, 1, today).name();
    let listed = json!({"symbol": contract, "like": "WINZ26"});
    terminal.admin("symbol", listed).await;
    terminal.price(&contract, "128000").await;

    let port = free_port();
    let tls = "certificate = \"secrets/bridge-certificate.pem\"\nkey = \"secrets/bridge-key.pem\"";
    let account = mt5_account(port, "", B3_ANY_HOUR)
        .replace("[[accounts]]", &format!("{tls}\n[[accounts]]"))
        .replace("file:token", "file:secrets/mt5-bridge-token");
    let mut ponte = Ponte::install_accounts(&account);
    let (status, made) = ponte.command(&["bridge", "certificate", "--host", "127.0.0.1", "--json"]);
    assert_eq!(status, 0, "{made}");
    let made: Value = serde_json::from_str(&made).unwrap();
    let (status, text) = ponte.command(&["bridge", "token", "mt5"]);
    assert_eq!(status, 0, "{text}");
    let token = ponte.folder().join("secrets/mt5-bridge-token");
    let token = std::fs::read_to_string(token).unwrap();
    ponte.start().await;
    let url = format!("https://127.0.0.1:{port}");
    let pin = made["fingerprint"].as_str().unwrap();
    let beside = beside(&terminal, &url, &token, Some(pin));
    until_there(&ponte, &beside).await;

    alert(
        &ponte,
        r#""acao":"VENDA","ativo":"WIN1!","qtd":2,"stop":128500"#,
    )
    .await;
    terminal
        .until_positions(&[&format!("short 2.0 {contract} stop 128500.0")])
        .await;
    alert(&ponte, r#""acao":"FECHAR","ativo":"WIN1!","percent":50"#).await;
    terminal
        .until_positions(&[&format!("short 1.0 {contract} stop 128500.0")])
        .await;
    terminal.price(&contract, "128600").await;
    terminal.until_positions(&[]).await;
    until_flat(&ponte).await;
    ponte.wait_until_settled().await;
    assert_eq!(
        terminal.deals(&contract).await,
        ["sell 2.0", "buy 1.0", "buy 1.0"]
    );
}

#[tokio::test]
async fn two_strategies_of_a_hedging_account_hold_one_symbol_each_with_its_own_stop() {
    let terminal = Terminal::start(Mt5Options::forex(MarginMode::Hedging)).await;
    terminal.price("EURUSD", "1.10000").await;
    let port = free_port();
    let account = mt5_account(port, "", r#"accounting = "hedging""#);
    let mut ponte = Ponte::install_accounts(&account.replace("BRL", "USD"));
    write_token(ponte.folder());
    ponte.start().await;
    let beside = beside(&terminal, &format!("http://127.0.0.1:{port}"), TOKEN, None);
    until_there(&ponte, &beside).await;

    alert(
        &ponte,
        r#""action":"buy","symbol":"EURUSD","quantity":0.1,"stop":1.09,"strategy":"trend""#,
    )
    .await;
    terminal
        .until_positions(&["long 0.1 EURUSD stop 1.09"])
        .await;
    alert(
        &ponte,
        r#""action":"sell","symbol":"EURUSD","quantity":0.2,"stop":1.12,"strategy":"fade""#,
    )
    .await;
    let both = ["long 0.1 EURUSD stop 1.09", "short 0.2 EURUSD stop 1.12"];
    terminal.until_positions(&both).await;
    alert(
        &ponte,
        r#""action":"close","symbol":"EURUSD","strategy":"trend""#,
    )
    .await;
    terminal
        .until_positions(&["short 0.2 EURUSD stop 1.12"])
        .await;
    terminal.price("EURUSD", "1.12010").await;
    terminal.until_positions(&[]).await;
    until_flat(&ponte).await;
    ponte.wait_until_settled().await;
    let deals = ["buy 0.1", "sell 0.2", "sell 0.1", "buy 0.2"];
    assert_eq!(terminal.deals("EURUSD").await, deals);
}

/// Asks the doctor until it says something.
async fn until_doctor_says(ponte: &Ponte, wanted: &str) {
    let mut said = String::new();
    for _ in 0..STEPS {
        said = ponte.command(&["doctor", "--account", "mt5"]).1;
        // Its lines are as wide as a screen.
        let words: Vec<_> = said.split_whitespace().collect();
        if words.join(" ").contains(wanted) {
            return;
        }
        tokio::time::sleep(STEP).await;
    }
    panic!("the doctor never says {wanted:?}: {said}");
}

#[tokio::test]
async fn the_doctor_names_what_stands_in_the_terminals_way() {
    let terminal = Terminal::start(Mt5Options::b3()).await;
    let port = free_port();
    let symbols = r#"symbols = ["WINZ26", "WINQ99"]"#;
    let mut ponte = Ponte::install_accounts(&mt5_account(port, "", symbols));
    write_token(ponte.folder());
    ponte.start().await;
    until_doctor_says(&ponte, "no bridge has called since ponte was started").await;
    let beside = beside(&terminal, &format!("http://127.0.0.1:{port}"), TOKEN, None);
    until_there(&ponte, &beside).await;
    until_doctor_says(&ponte, "WINZ26 is in Market Watch").await;
    until_doctor_says(&ponte, "WINQ99 is not in the terminal's Market Watch").await;
    terminal
        .admin("terminal", json!({"trade_allowed": false}))
        .await;
    until_doctor_says(&ponte, "algorithmic trading is off in the terminal").await;
    terminal
        .admin(
            "terminal",
            json!({"trade_allowed": true, "connected": false}),
        )
        .await;
    until_doctor_says(&ponte, "the terminal is not connected to its trade server").await;
    terminal
        .admin("terminal", json!({"connected": true, "login": 777}))
        .await;
    until_doctor_says(&ponte, "the terminal is logged into 777").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_is_tried_rests_in_the_terminal_and_is_taken_back() {
    let terminal = Terminal::start(Mt5Options::b3()).await;
    terminal.price("WINZ26", "130000").await;
    let port = free_port();
    let symbols = r#"symbols = ["WINZ26"]"#;
    let mut ponte = Ponte::install_accounts(&mt5_account(port, "", symbols));
    write_token(ponte.folder());
    ponte.start().await;
    let beside = beside(&terminal, &format!("http://127.0.0.1:{port}"), TOKEN, None);
    until_there(&ponte, &beside).await;
    until_doctor_says(&ponte, "WINZ26 is in Market Watch").await;
    let tried = ["doctor", "--try-stop", "mt5"];
    let (status, said) = tokio::task::block_in_place(|| ponte.command(&tried));
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("rested at the broker after"), "{said}");
    assert!(terminal.deals("WINZ26").await.is_empty());
    ponte.wait_until_settled().await;
}

#[tokio::test]
async fn while_the_line_is_cut_entries_expire_exits_wait_and_fired_stops_are_known_afterwards() {
    let terminal = Terminal::start(Mt5Options::b3()).await;
    for (symbol, price) in [
        ("WINZ26", "130000"),
        ("WDOZ26", "5350"),
        ("WING27", "132000"),
    ] {
        terminal.price(symbol, price).await;
    }
    let port = free_port();
    let symbols = r#"symbols = ["WINZ26", "WDOZ26", "WING27"]"#;
    let mut ponte = Ponte::install_accounts(&mt5_account(port, "", symbols));
    write_token(ponte.folder());
    ponte.start().await;
    let relay = Relay::to(SocketAddr::from(([127, 0, 0, 1], port))).await;
    let beside = beside(&terminal, &format!("http://{}", relay.address), TOKEN, None);
    until_there(&ponte, &beside).await;
    alert(
        &ponte,
        r#""action":"buy","symbol":"WINZ26","quantity":1,"stop":129000,"strategy":"stopped""#,
    )
    .await;
    alert(
        &ponte,
        r#""action":"buy","symbol":"WDOZ26","quantity":2,"stop":5300,"strategy":"left""#,
    )
    .await;
    let held = [
        "long 1.0 WINZ26 stop 129000.0",
        "long 2.0 WDOZ26 stop 5300.0",
    ];
    terminal.until_positions(&held).await;
    ponte.wait_until_resting().await;

    relay.break_off();
    let entry = alert(
        &ponte,
        r#""action":"buy","symbol":"WING27","quantity":1,"strategy":"late""#,
    )
    .await;
    alert(
        &ponte,
        r#""action":"close","symbol":"WDOZ26","strategy":"left""#,
    )
    .await;
    terminal.price("WINZ26", "128900").await;
    terminal
        .until_positions(&["long 2.0 WDOZ26 stop 5300.0"])
        .await;
    // The entry's time is over before the line is there again.
    let mut why = String::new();
    for _ in 0..STEPS {
        why = ponte.command(&["why", entry["id"].as_str().unwrap()]).1;
        if why.contains("expired") {
            break;
        }
        tokio::time::sleep(STEP).await;
    }
    assert!(why.contains("expired"), "{why}");

    relay.mend();
    terminal.until_positions(&[]).await;
    until_flat(&ponte).await;
    ponte.wait_until_settled().await;
    assert_eq!(terminal.deals("WING27").await, Vec::<String>::new());
    assert_eq!(terminal.deals("WDOZ26").await, ["buy 2.0", "sell 2.0"]);
    assert_eq!(terminal.deals("WINZ26").await, ["buy 1.0", "sell 1.0"]);
}

#[tokio::test]
async fn a_stop_that_the_days_end_took_is_placed_again_when_the_market_opens() {
    let terminal = Terminal::start(Mt5Options::b3()).await;
    terminal.price("WINZ26", "130000").await;
    let port = free_port();
    let account = mt5_account(
        port,
        "protect_within = \"2s\"\nunprotected = \"close\"",
        r#"symbols = ["WINZ26"]"#,
    );
    let mut ponte = Ponte::install_accounts(&account);
    write_token(ponte.folder());
    ponte.start().await;
    let beside = beside(&terminal, &format!("http://127.0.0.1:{port}"), TOKEN, None);
    until_there(&ponte, &beside).await;
    alert(
        &ponte,
        r#""action":"buy","symbol":"WINZ26","quantity":2,"stop":129000"#,
    )
    .await;
    terminal
        .until_positions(&["long 2.0 WINZ26 stop 129000.0"])
        .await;
    ponte.wait_until_resting().await;

    terminal
        .admin("symbol", json!({"symbol": "WINZ26", "session_open": false}))
        .await;
    let before = sends(&terminal).await;
    terminal.admin("new_day", json!({})).await;
    terminal
        .until_positions(&["long 2.0 WINZ26 stop 0.0"])
        .await;
    // Ponte has tried to place it again, and the market was closed.
    for _ in 0..STEPS {
        if sends(&terminal).await > before {
            break;
        }
        tokio::time::sleep(STEP).await;
    }
    assert!(
        sends(&terminal).await > before,
        "nobody places the stop again"
    );
    terminal
        .admin("symbol", json!({"symbol": "WINZ26", "session_open": true}))
        .await;
    let mut positions = Vec::new();
    for _ in 0..STEPS {
        positions = terminal.positions().await;
        if positions == ["long 2.0 WINZ26 stop 129000.0"] || positions.is_empty() {
            break;
        }
        tokio::time::sleep(STEP).await;
    }
    assert_eq!(positions, ["long 2.0 WINZ26 stop 129000.0"]);
    assert_eq!(terminal.deals("WINZ26").await, ["buy 2.0"]);
}

/// How many requests the terminal has got.
async fn sends(terminal: &Terminal) -> u64 {
    terminal.audit().await["calls"]["order_send"]
        .as_u64()
        .unwrap()
}
