//! Alerts that are understood: what is answered, and what is handed to execution.

use ponte_core::message::{Fate, Input, OrderReport, ReportedStatus};
use ponte_core::order::OrderPlan;
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{MESSAGE, SECOND_SECRET, SECRET, Setup, World, alert, post};

#[tokio::test]
async fn the_message_of_a_trader_becomes_one_order() {
    let mut world = World::start(Setup::default()).await;
    let reply = world.ask(alert(MESSAGE)).await;
    assert_eq!(reply.status, 200, "{}", reply.body());
    let plans = world.submitted().await;
    let [plan] = plans.as_slice() else {
        panic!("{} orders", plans.len());
    };
    let answer = reply.json();
    let reason = answer["legs"][0]["reason"].clone();
    let expected = json!({
        "status": "accepted",
        "id": "A1",
        "legs": [{
            "account": "paper",
            "decision": "accepted",
            "reason": reason,
            "client_order_id": plan.id.to_string(),
            "side": "buy",
            "symbol": "BTCUSDT",
            "quantity": "0.01",
        }],
    });
    assert_eq!(answer, expected);
    assert!(reply.head().contains("content-type: application/json\r\n"));
    world.finish().await;
}

#[tokio::test]
async fn three_at_once_are_one_order() {
    let mut world = World::start(Setup::default()).await;
    let (one, two, three) = tokio::join!(
        world.ask(alert(MESSAGE)),
        world.ask(alert(MESSAGE)),
        world.ask(alert(MESSAGE)),
    );
    let answers = [one, two, three].map(|reply| {
        assert_eq!(reply.status, 200);
        reply.json()
    });
    let mut words: Vec<&str> = answers
        .iter()
        .filter_map(|a| a["status"].as_str())
        .collect();
    words.sort_unstable();
    assert_eq!(words, ["accepted", "duplicate", "duplicate"]);
    for answer in &answers {
        assert_eq!(answer["id"], "A1", "the first one's id, whoever repeats it");
        if answer["status"] == "duplicate" {
            assert!(["A2", "A3"].map(Value::from).contains(&answer["delivery"]));
            assert_eq!(answer["legs"], json!([]));
        } else {
            assert_eq!(answer.get("delivery"), None);
        }
    }
    assert_eq!(world.submitted().await.len(), 1);
    assert!(world.metrics.text().contains("outcome=\"duplicate\"} 2"));
    world.finish().await;
}

#[tokio::test]
async fn the_secret_may_stand_in_any_of_four_places() {
    let mut world = World::start(Setup::default()).await;
    let bare = |id: &str| format!(r#"{{"id":"{id}","acao":"compra","ativo":"BTCUSDT","qtd":1}}"#);
    let path = format!("/webhook/{SECRET}");
    let header = format!("X-Ponte-Secret: {SECRET}\r\n");
    let bearer = format!("authorization: bearer {SECRET}\r\n");
    let encoded = "/webhook/MEU%5FSEGREDO?ignored=1";
    for (number, request) in [
        post(&path, "", bare("1")),
        post("/webhook", &header, bare("2")),
        post("/webhook", &bearer, bare("3")),
        post(encoded, &format!("{header}{bearer}"), MESSAGE),
        // The header says nothing about the body, the body does.
        post(&path, "content-type: text/plain\r\n", bare("5")),
        post(
            &path,
            "content-type: image/png\r\ncontent-encoding: identity\r\n",
            bare("6"),
        ),
        // What a proxy authenticates by is not a secret of ours.
        post(&path, "authorization: Basic bm9ib2R5Og==\r\n", bare("7")),
    ]
    .into_iter()
    .enumerate()
    {
        let reply = world.ask(request).await;
        assert_eq!(reply.status, 200, "request {number}: {}", reply.body());
        assert_eq!(reply.json()["status"], "accepted", "request {number}");
    }
    assert_eq!(world.submitted().await.len(), 7);
    world.finish().await;
}

#[tokio::test]
async fn the_same_words_of_two_sources_are_two_alerts() {
    let mut world = World::start(Setup::default()).await;
    let second = MESSAGE.replace(SECRET, SECOND_SECRET);
    for message in [MESSAGE, &second] {
        let reply = world.ask(alert(message)).await;
        assert_eq!(reply.json()["status"], "accepted");
    }
    assert_eq!(world.submitted().await.len(), 2);
    world.finish().await;
}

#[tokio::test]
async fn a_reversal_shows_its_entry_and_all_its_orders() {
    let mut world = World::start(Setup::default()).await;
    world.ask(alert(MESSAGE)).await;
    let entry = world.submitted().await.remove(0);
    world.engine.tell(filled(&entry));
    let reverse = r#"{"segredo":"MEU_SEGREDO","acao":"REVERTER","ativo":"BTCUSDT","qtd":0.02}"#;
    let answer = world.ask(alert(reverse)).await.json();
    let leg = &answer["legs"][0];
    assert_eq!(leg["decision"], "accepted", "{answer}");
    let orders = leg["orders"].as_array().unwrap();
    assert_eq!(orders.len(), 2, "{answer}");
    assert_eq!(orders[0]["quantity"], "0.01");
    assert_eq!(orders[1]["client_order_id"], leg["client_order_id"]);
    assert_eq!(
        (&leg["side"], &leg["quantity"]),
        (&json!("sell"), &json!("0.02"))
    );
    world.finish().await;
}

fn filled(plan: &OrderPlan) -> Input {
    let at = Timestamp::from_milliseconds(1_700_000_000_000);
    Input::Submitted {
        id: plan.id,
        fate: Fate::Acknowledged {
            report: OrderReport {
                id: plan.id,
                broker_order_id: "1".to_owned(),
                status: ReportedStatus::Filled,
                filled: plan.quantity.get(),
                average_price: Decimal::from(50_000),
                fees: Decimal::ZERO,
                withheld: Decimal::ZERO,
                at,
            },
        },
        sent_at: at,
        answered_at: at,
    }
}

#[tokio::test]
async fn a_refusal_by_a_rule_is_an_answer_like_any_other() {
    let mut world = World::start(Setup::default()).await;
    let body = r#"{"segredo":"MEU_SEGREDO","acao":"compra","ativo":"BTCUSDT","qtd":0.00001}"#;
    let reply = world.ask(alert(body)).await;
    let answer = reply.json();
    assert_eq!((reply.status, &answer["status"]), (200, &json!("refused")));
    let leg = &answer["legs"][0];
    assert_eq!(leg["decision"], "refused");
    assert_ne!(leg["reason"], "");
    assert_eq!(leg["client_order_id"], Value::Null);
    assert_eq!(leg["symbol"], "BTCUSDT");
    let alive = r#"{"segredo":"MEU_SEGREDO","acao":"heartbeat"}"#;
    let answer = world.ask(alert(alive)).await.json();
    assert_eq!(answer["status"], "accepted");
    assert_eq!(answer["reason"], "heartbeat: nothing to trade");
    assert!(world.submitted().await.is_empty());
    world.finish().await;
}

#[tokio::test]
async fn what_can_not_be_made_durable_is_asked_for_again() {
    let world = World::start(Setup::default()).await;
    world.engine.stop();
    let reply = world.ask(alert(MESSAGE)).await;
    assert_eq!(reply.status, 503);
    assert!(reply.head().contains("retry-after: 5\r\n"));
    let error = &reply.json()["error"];
    assert_eq!(error["code"], "unavailable");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("nothing was done")
    );
    world.finish().await;
}
