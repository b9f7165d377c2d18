//! The real binary from outside, as a trader's first day goes.

use std::time::Duration;

use serde_json::Value;

use crate::program::{Ponte, SECRET};

const PAPER: &str = "balance = \"10000\"\nprices = [\"alert\", \"seeded\"]";

fn portuguese() -> String {
    format!(r#"{{"segredo":"{SECRET}","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01}}"#)
}

async fn orders(ponte: &Ponte) -> Vec<Value> {
    ponte.wait_until_settled().await;
    ponte
        .ask("orders?limit=100")
        .await
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test]
async fn the_message_trades_once_through_repeats_and_a_restart() {
    let mut ponte = Ponte::install(PAPER);
    ponte.start().await;
    let body = portuguese();
    let (first, second, third) =
        tokio::join!(ponte.send(&body), ponte.send(&body), ponte.send(&body));
    let mut words: Vec<_> = [&first, &second, &third]
        .iter()
        .map(|(status, answer)| (*status, answer["status"].as_str().unwrap().to_owned()))
        .collect();
    words.sort();
    let word = |text: &str| (200, text.to_owned());
    assert_eq!(
        words,
        [word("accepted"), word("duplicate"), word("duplicate")]
    );
    let made = orders(&ponte).await;
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(
        (made[0]["status"].as_str(), made[0]["filled"].as_str()),
        (Some("filled"), Some("0.01"))
    );

    ponte.kill();
    ponte.start().await;
    let (status, answer) = ponte.send(&body).await;
    assert_eq!(
        (status, answer["status"].as_str()),
        (200, Some("duplicate")),
        "{answer}"
    );
    assert_eq!(answer["id"].as_str(), Some("A1"));
    assert_eq!(orders(&ponte).await.len(), 1);
    let positions = ponte.ask("positions").await;
    assert!(positions.to_string().contains("0.01"), "{positions}");
    ponte.stop().await;
}

#[tokio::test]
async fn an_explicit_id_is_remembered_for_ever_and_never_reused() {
    let mut ponte = Ponte::install(PAPER);
    ponte.start().await;
    let alert = |quantity: &str| {
        format!(
            r#"{{"segredo":"{SECRET}","acao":"COMPRA","ativo":"BTCUSDT","qtd":{quantity},"id":"once"}}"#
        )
    };
    assert_eq!(ponte.send(&alert("0.01")).await.1["status"], "accepted");
    ponte.kill();
    ponte.start().await;
    assert_eq!(ponte.send(&alert("0.010")).await.1["status"], "duplicate");
    let (status, answer) = ponte.send(&alert("0.02")).await;
    assert_eq!(
        (status, answer["status"].as_str()),
        (200, Some("refused")),
        "{answer}"
    );
    assert!(
        answer["reason"]
            .as_str()
            .unwrap()
            .contains("was used by A1"),
        "{answer}"
    );
    assert_eq!(orders(&ponte).await.len(), 1);
    ponte.stop().await;
}

#[tokio::test]
async fn balances_positions_and_resting_orders_survive_a_kill() {
    let mut ponte = Ponte::install("balance = \"10000\"\nprices = [\"alert\"]");
    ponte.start().await;
    let bracket = format!(
        r#"{{"segredo":"{SECRET}","acao":"COMPRA","ativo":"ETHUSDT","qtd":1,"preco":3000,"stop":2900,"alvo":3100}}"#
    );
    assert_eq!(ponte.send(&bracket).await.1["status"], "accepted");
    for _ in 0..200 {
        let open = ponte.ask("orders?open=true").await;
        if open[0]["class"] == "protection" && open[0]["status"] == "working" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let before = ponte.ask("orders?open=true").await;
    assert_eq!(before[0]["class"], "protection", "{before}");
    ponte.kill();
    ponte.start().await;
    let after = ponte.ask("orders?open=true").await;
    assert_eq!(
        (&after[0]["id"], &after[0]["status"]),
        (&before[0]["id"], &Value::from("working"))
    );

    // The price comes to the stop: what rested through the kill does its work.
    let lower = format!(
        r#"{{"segredo":"{SECRET}","acao":"COMPRA","ativo":"ETHUSDT","qtd":0.1,"preco":2890,"estrategia":"other"}}"#
    );
    assert_eq!(ponte.send(&lower).await.1["status"], "accepted");
    let made = orders(&ponte).await;
    let stop = made
        .iter()
        .find(|order| order["class"] == "protection")
        .unwrap();
    assert_eq!(stop["status"], "filled", "{made:?}");
    ponte.stop().await;
}

#[tokio::test]
async fn a_file_called_halt_halts_and_only_a_person_resumes() {
    let mut ponte = Ponte::install(PAPER);
    ponte.start().await;
    let file = ponte.folder().join("data/HALT");
    std::fs::write(&file, "").unwrap();
    let mut halted = Value::Null;
    for number in 0..200 {
        let body = format!(
            r#"{{"segredo":"{SECRET}","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.001,"id":"{number}"}}"#
        );
        halted = ponte.send(&body).await.1;
        if halted["status"] == "halted" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(halted["status"], "halted", "{halted}");
    let (code, text) = ponte.command(&["resume"]);
    assert_ne!(code, 0, "{text}");
    assert!(text.contains("HALT"), "{text}");
    std::fs::remove_file(&file).unwrap();
    let body = portuguese();
    assert_eq!(
        ponte.send(&body).await.1["status"],
        "halted",
        "taking the file away lifts nothing"
    );
    let (code, text) = ponte.command(&["resume"]);
    assert_eq!(code, 0, "{text}");
    let after = body.replace("0.01", "0.02");
    assert_eq!(ponte.send(&after).await.1["status"], "accepted");
    ponte.stop().await;
}

/// The secret of the webhook is in nothing that Ponte writes or prints.
#[tokio::test]
async fn the_canary_sings_nowhere() {
    let mut ponte = Ponte::install(PAPER);
    ponte.start().await;
    let bodies = [
        portuguese(),
        format!(r#"{{"segredo":"{SECRET}","acao":"COMPRA","ativo":"BTCUSDT","qtd":}}"#),
        format!(r#"{{"segredo":"{SECRET}","acao":"DANCAR","ativo":"BTCUSDT"}}"#),
        format!(r#"{{"acao":"{SECRET}","ativo":"{SECRET}","segredo":"{SECRET}"}}"#),
        format!("{SECRET} COMPRA BTCUSDT"),
        format!(r#"{{“segredo”:“{SECRET}”,“acao”:“COMPRA”}}"#),
    ];
    let mut seen = String::new();
    for body in &bodies {
        let (status, answer) = ponte.send(body).await;
        seen += &format!("{status} {answer}\n");
    }
    for arguments in [
        &["status"][..],
        &["alerts", "--json"],
        &["orders", "--json"],
        &["why", "A1"],
        &["check"],
        &["export"],
        &["send", "--example", "pt"],
        &["explain", &bodies[0]],
        &["explain", &bodies[1]],
    ] {
        seen += &ponte.command(arguments).1;
    }
    for path in ["status", "alerts?limit=100", "why/A1"] {
        seen += &ponte.ask(path).await.to_string();
    }
    ponte.stop().await;
    seen += &ponte.whole_log();
    assert!(seen.len() > 2000, "too little was looked at: {seen}");
    assert!(!seen.contains(SECRET), "{seen}");
    for file in std::fs::read_dir(ponte.folder().join("data")).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes
            .windows(SECRET.len())
            .any(|window| window == SECRET.as_bytes());
        assert!(!found, "the secret is in {}", path.display());
    }
}
