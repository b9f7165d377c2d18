//! An account in a terminal, from the alert at the webhook to the position in the terminal, with a
//! bridge that is scripted.

pub(crate) mod desk;

use ponte::bridge::protocol::Task;
use ponte::server::SelfSigned;
use serde_json::{Value, json};

use crate::bridge::tls::trusting;
use desk::{Desk, SECRET, TOKEN, Terminal, configuration, decimal, loaded};

/// What a position is, in short.
fn held(positions: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let positions = positions.as_array().unwrap().iter();
    positions
        .map(|it| {
            format!(
                "{} {} {}",
                text(&it["side"]),
                text(&it["quantity"]),
                text(&it["symbol"])
            )
        })
        .collect()
}

fn finding<'f>(found: &'f Value, subject: &str) -> &'f Value {
    let findings = found[0]["findings"].as_array().unwrap();
    findings
        .iter()
        .find(|finding| finding["subject"] == subject)
        .unwrap_or_else(|| panic!("no {subject} in {found:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_becomes_a_position_with_its_stop_and_the_stop_ends_it() {
    let mut desk = Desk::new("").await;
    desk.connect().await;
    let answer = desk
        .alert(r#""acao":"VENDA","ativo":"WINZ26","qtd":2,"stop":128500,"estrategia":"s""#)
        .await;
    assert_eq!(answer["status"], "accepted", "{answer}");
    desk.settle().await;
    let [Task::Trade { requests, .. }] = desk.terminal.asked.as_slice() else {
        panic!("{:?}", desk.terminal.asked);
    };
    let request = &requests[0];
    assert_eq!(requests.len(), 1);
    assert_eq!(request.symbol, "WINZ26");
    assert_eq!(request.order_type, 1, "a sale");
    assert_eq!(request.volume, Some(decimal("2")));
    assert_eq!(
        request.sl,
        Some(decimal("128500")),
        "never without its stop"
    );
    let positions = desk.get("/api/positions").await;
    assert_eq!(held(&positions), ["short -2 WINZ26"]);
    let found = desk.ask("/api/doctor").await;
    assert_eq!(finding(&found, "positions")["health"], "fine", "{found:#}");
    desk.terminal.fire_stop().await;
    let flat = |positions: &Value| held(positions) == ["flat 0 WINZ26"];
    desk.until("/api/positions", flat).await;
    desk.until("/api/orders?open=true", |orders| orders == &json!([]))
        .await;
    assert_eq!(desk.terminal.asked.len(), 1, "{:?}", desk.terminal.asked);
    desk.served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_broker_closes_is_closed_in_the_books_too() {
    let mut desk = Desk::new("").await;
    desk.connect().await;
    desk.alert(r#""acao":"VENDA","ativo":"WINZ26","qtd":2,"stop":128500,"estrategia":"s""#)
        .await;
    desk.settle().await;
    desk.terminal.close(6, decimal("127900")).await;
    let flat = |positions: &Value| held(positions) == ["flat 0 WINZ26"];
    desk.until("/api/positions", flat).await;
    desk.until("/api/orders?open=true", |orders| orders == &json!([]))
        .await;
    assert_eq!(desk.terminal.asked.len(), 1, "{:?}", desk.terminal.asked);
    let found = desk.ask("/api/doctor").await;
    assert_eq!(finding(&found, "positions")["health"], "fine", "{found:#}");
    // Another strategy may have the symbol now.
    let answer = desk
        .alert(r#""acao":"COMPRA","ativo":"WINZ26","qtd":1,"estrategia":"t""#)
        .await;
    assert_eq!(answer["status"], "accepted", "{answer}");
    desk.settle().await;
    desk.served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_is_not_there_keeps_nothing_from_starting() {
    let mut desk = Desk::new("").await;
    let answer = desk
        .alert(r#""acao":"COMPRA","ativo":"WINZ26","qtd":1"#)
        .await;
    assert_eq!(answer["status"], "refused", "{answer}");
    let reason = answer.to_string();
    assert!(reason.contains("Market Watch"), "{reason}");
    let status = desk.get("/api/status").await;
    let terminal = &status["accounts"][0]["terminal"];
    assert_eq!(terminal["presence"], "never", "{status}");
    assert_eq!(terminal["ready"], false);
    let found = desk.get("/api/doctor").await;
    let bridge = finding(&found, "bridge_present");
    assert_eq!(bridge["health"], "wrong", "{found:#}");
    assert!(!bridge["cure"].as_str().unwrap().is_empty());
    // Then it comes, and what was refused is taken.
    desk.connect().await;
    let status = desk.get("/api/status").await;
    let terminal = &status["accounts"][0]["terminal"];
    assert_eq!(terminal["presence"], "present", "{status}");
    assert_eq!(terminal["ready"], true, "{status}");
    assert_eq!(status["accounts"][0]["balance"]["equity"], "100000");
    let answer = desk
        .alert(r#""acao":"COMPRA","ativo":"WINZ26","qtd":1,"id":"again""#)
        .await;
    assert_eq!(answer["status"], "accepted", "{answer}");
    desk.settle().await;
    desk.served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_symbol_that_nobody_watches_is_put_into_market_watch_by_its_first_alert() {
    let mut desk = Desk::new("").await;
    desk.connect().await;
    let answer = desk
        .alert(r#""acao":"COMPRA","ativo":"WING27","qtd":1"#)
        .await;
    assert_eq!(answer["status"], "accepted", "{answer}");
    desk.settle().await;
    assert_eq!(held(&desk.get("/api/positions").await), ["long 1 WING27"]);
    desk.served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_what_is_wrong_with_a_terminal() {
    let mut desk = Desk::new("[accounts.rules]\nallowed_symbols = [\"WINZ26\", \"PETR4\"]\n").await;
    desk.connect().await;
    let found = desk.ask("/api/doctor").await;
    assert_eq!(finding(&found, "algo_trading")["health"], "fine");
    let watched: Vec<_> = found[0]["findings"].as_array().unwrap().iter().collect();
    let missing = watched
        .iter()
        .find(|it| it["subject"] == "symbol_watched" && it["health"] == "wrong");
    let missing = missing.unwrap_or_else(|| panic!("{found:#}"));
    assert!(
        missing["text"].as_str().unwrap().contains("PETR4"),
        "{missing}"
    );
    desk.terminal.bridge.state.trade_allowed = false;
    desk.terminal.bridge.tell(Vec::new()).await;
    let found = desk.ask("/api/doctor").await;
    assert_eq!(
        finding(&found, "algo_trading")["health"],
        "wrong",
        "{found:#}"
    );
    let status = desk.get("/api/status").await;
    let terminal = &status["accounts"][0]["terminal"];
    assert_eq!(terminal["ready"], false, "{status}");
    desk.terminal.bridge.state.trade_allowed = true;
    desk.terminal.bridge.state.login = 1;
    desk.terminal.bridge.tell(Vec::new()).await;
    let found = desk.ask("/api/doctor").await;
    assert_eq!(
        finding(&found, "account_login")["health"],
        "wrong",
        "{found:#}"
    );
    desk.served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_terminal_listed_is_known_at_the_next_start() {
    let mut desk = Desk::new("").await;
    desk.connect().await;
    desk.served.stop().await;
    let served = ponte::app::serve(loaded(&desk.folder, &configuration("")))
        .await
        .unwrap();
    desk.served = served;
    desk.terminal.bridge.session = None;
    // Its terminal is away: the order is planned, and waits or expires; it is not refused.
    let answer = desk
        .alert(r#""acao":"COMPRA","ativo":"WINZ26","qtd":1"#)
        .await;
    assert_eq!(answer["status"], "accepted", "{answer}");
    desk.served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_in_nothing_that_is_written_or_answered() {
    let mut desk = Desk::new("").await;
    desk.connect().await;
    desk.alert(r#""acao":"COMPRA","ativo":"WINZ26","qtd":1,"stop":127000"#)
        .await;
    desk.settle().await;
    let mut seen = String::new();
    for path in [
        "/api/status",
        "/api/doctor",
        "/api/orders",
        "/api/alerts",
        "/api/why/A1",
    ] {
        seen += &desk.ask(path).await.to_string();
    }
    let metrics = format!("http://{}/metrics", desk.served.admin);
    let metrics = desk.client.get(metrics).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(metrics.contains("ponte_terminal_connected"), "{metrics}");
    seen += &metrics;
    desk.served.stop().await;
    let data = std::fs::read_dir(desk.folder.path().join("data")).unwrap();
    let mut files = 0;
    for entry in data {
        let path = entry.unwrap().path();
        if path.is_file() {
            files += 1;
            seen += &String::from_utf8_lossy(&std::fs::read(path).unwrap());
        }
    }
    assert!(files > 0);
    for secret in [TOKEN, SECRET] {
        assert!(!seen.contains(secret));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_calls_over_tls_and_nobody_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let pair = SelfSigned::make(&["localhost".to_owned()], ponte::clock::now()).unwrap();
    let files = pair.write_new(folder.path()).unwrap().files;
    let tls = format!(
        "[bridge]\nlisten = \"127.0.0.1:0\"\ncertificate = {:?}\nkey = {:?}",
        files.certificate, files.key
    );
    let text = configuration("").replace("[bridge]\n        listen = \"127.0.0.1:0\"", &tls);
    let served = ponte::app::serve(loaded(&folder, &text)).await.unwrap();
    let port = served.bridge.unwrap().port();
    let client = trusting(&files.certificate);
    let plain = client.post(format!("http://localhost:{port}/mt5/v1/sync"));
    let plain = plain.bearer_auth(TOKEN).send().await;
    assert!(plain.is_err(), "{plain:?}");
    let base = format!("https://localhost:{port}");
    let mut terminal = Terminal::posting(client, &base, TOKEN);
    terminal.bridge.hello().await;
    terminal.turn().await;
    served.stop().await;
}
