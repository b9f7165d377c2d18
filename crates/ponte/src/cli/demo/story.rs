//! The story: what is sent, what must come back, and what must be true after it.

use std::time::{Duration, Instant};

use reqwest::Client;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Failure, SECRET, webhook_url};
use crate::app::Served;
use crate::clock;
use crate::tls;

/// How long a step waits for the broker's side of it.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// One step as it went.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    /// What the step shows.
    pub(super) title: &'static str,
    /// What was sent, as somebody would type it.
    pub(super) sent: String,
    /// The answer in few words.
    pub(super) answer: String,
    /// From the request to the answer.
    pub(super) milliseconds: f64,
    /// What happened behind it.
    pub(super) lines: Vec<String>,
    /// Why it went otherwise than told, if it did.
    pub(super) problem: Option<String>,
}

/// A step before it is played.
struct Step {
    title: &'static str,
    action: Action,
    expect: Expect,
}

enum Action {
    /// An alert to the webhook.
    Alert(String),
    /// A request of the owner.
    Owner(&'static str, Value),
}

/// What must come back, and what must become true.
enum Expect {
    /// This HTTP status, and this word in the answer.
    Answer(u16, &'static str),
    /// Accepted, and these orders end filled: side and quantity, in the order of their planning.
    Fills(&'static [(&'static str, &'static str)]),
    /// Accepted; an entry fills, and an order that protects it rests.
    Protected,
    /// Accepted; and the protection of the step before fills.
    ProtectionFills,
}

fn alert(fields: &str) -> Action {
    Action::Alert(format!(r#"{{"segredo":"{SECRET}",{fields}}}"#))
}

fn step(title: &'static str, action: Action, expect: Expect) -> Step {
    Step {
        title,
        action,
        expect,
    }
}

fn steps() -> Vec<Step> {
    [first_alerts(), positions(), kill_switch()]
        .into_iter()
        .flatten()
        .collect()
}

/// What is taken and what is turned away.
fn first_alerts() -> Vec<Step> {
    let first = r#""acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01"#;
    vec![
        step(
            "A Portuguese alert becomes an order",
            alert(first),
            Expect::Fills(&[("buy", "0.01")]),
        ),
        step(
            "TradingView sends it again: nothing happens twice",
            alert(first),
            Expect::Answer(200, "duplicate"),
        ),
        step(
            "Somebody guesses the secret and learns nothing",
            Action::Alert(
                r#"{"segredo":"chute","acao":"COMPRA","ativo":"BTCUSDT","qtd":5}"#.to_owned(),
            ),
            Expect::Answer(403, ""),
        ),
        step(
            "A body that is broken is refused with the reason",
            alert(r#""acao":"COMPRA","ativo":"BTCUSDT","qtd":"{{strategy.order.contracts}}""#),
            Expect::Answer(400, "E_PLACEHOLDER"),
        ),
        step(
            "A rule of the trader stops what is too large",
            alert(r#""action":"buy","ticker":"BTCUSDT","qty":1,"id":"too-large""#),
            Expect::Answer(200, "max_order_notional"),
        ),
    ]
}

/// Protection and reversal.
fn positions() -> Vec<Step> {
    vec![
        step(
            "A bracket: entry, stop and target as one signal",
            alert(
                r#""acao":"COMPRA","ativo":"ETHUSDT","qtd":"0,5","preco":3000,"stop":2900,"alvo":3030,"id":"bracket""#,
            ),
            Expect::Protected,
        ),
        step(
            "The market reaches the target, and the stop goes with it",
            alert(
                r#""action":"buy","symbol":"ETHUSDT","qty":0.1,"price":3031,"strategy":"momentum","id":"higher""#,
            ),
            Expect::ProtectionFills,
        ),
        step(
            "A reversal: close, confirmed, then the other side",
            alert(r#""acao":"REVERTER","ativo":"BTCUSDT","id":"reverse""#),
            Expect::Fills(&[("sell", "0.01"), ("sell", "0.01")]),
        ),
    ]
}

fn kill_switch() -> Vec<Step> {
    let global = |extra: Value| {
        let mut body = json!({ "scope": "global", "by": "demo" });
        if let (Some(body), Some(extra)) = (body.as_object_mut(), extra.as_object()) {
            body.extend(extra.clone());
        }
        body
    };
    vec![
        step(
            "The kill switch: no entry passes",
            Action::Owner(
                "halt",
                global(json!({ "level": "block_entries", "reason": "lunch" })),
            ),
            Expect::Answer(200, ""),
        ),
        step(
            "An entry meets the halt",
            alert(r#""acao":"VENDA","ativo":"BTCUSDT","qtd":0.01,"id":"halted""#),
            Expect::Answer(200, "halted"),
        ),
        step(
            "An exit never does",
            alert(r#""acao":"ZERAR","ativo":"BTCUSDT","id":"flat""#),
            Expect::Fills(&[("buy", "0.01")]),
        ),
        step(
            "Resume",
            Action::Owner("resume", global(json!({}))),
            Expect::Answer(200, ""),
        ),
        step(
            "And trading goes on",
            alert(r#""accion":"comprar","simbolo":"BTCUSDT","cantidad":0.01,"id":"again""#),
            Expect::Fills(&[("buy", "0.01")]),
        ),
    ]
}

/// Plays every step; `each` hears of it as soon as it is over.
pub(super) async fn play(
    served: &Served,
    mut each: impl FnMut(&Told) -> Result<(), Failure>,
) -> Result<Vec<Told>, Failure> {
    let client = tls::http_client()
        .tcp_nodelay(true)
        .build()
        .map_err(|error| Failure::unreachable(error.to_string()))?;
    let stage = Stage {
        client,
        webhook: webhook_url(served.webhook),
        admin: format!("http://{}/api", served.admin),
    };
    let mut told = Vec::new();
    for step in steps() {
        let step = stage.play(step).await?;
        each(&step)?;
        told.push(step);
    }
    Ok(told)
}

struct Stage {
    client: Client,
    webhook: String,
    admin: String,
}

struct Answer {
    status: u16,
    text: String,
    body: Value,
    took: Duration,
}

impl Stage {
    async fn play(&self, step: Step) -> Result<Told, Failure> {
        let (sent, answer) = match &step.action {
            Action::Alert(body) => (body.clone(), self.post(&self.webhook, body.clone()).await?),
            Action::Owner(what, body) => {
                let answer = self
                    .post(&format!("{}/{what}", self.admin), body.to_string())
                    .await?;
                (format!("ponte {what}"), answer)
            }
        };
        let mut told = Told {
            title: step.title,
            sent,
            answer: in_words(&answer),
            milliseconds: answer.took.as_secs_f64() * 1000.0,
            lines: Vec::new(),
            problem: None,
        };
        let expected = self.check(&step.expect, &answer, &mut told.lines).await;
        told.problem = expected.err();
        Ok(told)
    }

    async fn post(&self, url: &str, body: String) -> Result<Answer, Failure> {
        let failed = |error: reqwest::Error| Failure::unreachable(error.to_string());
        let start: Instant = clock::instant();
        let request = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .body(body);
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let text = answer.text().await.map_err(failed)?;
        let took = start.elapsed();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer {
            status,
            text,
            body,
            took,
        })
    }

    async fn check(
        &self,
        expect: &Expect,
        answer: &Answer,
        lines: &mut Vec<String>,
    ) -> Result<(), String> {
        match expect {
            Expect::Answer(status, word) => {
                lines.extend(why(answer));
                if answer.status == *status && answer.text.contains(word) {
                    return Ok(());
                }
                Err(format!(
                    "expected {status} {word}, got {} {}",
                    answer.status, answer.text
                ))
            }
            Expect::Fills(fills) => {
                let orders = self
                    .orders_when(answer, |orders| all_filled(orders, fills))
                    .await?;
                lines.extend(orders.iter().map(order_line));
                Ok(())
            }
            Expect::Protected => {
                let rests = |orders: &[Value]| {
                    orders
                        .iter()
                        .any(|order| is(order, "class", "entry") && is(order, "status", "filled"))
                        && orders.iter().any(|order| {
                            is(order, "class", "protection") && is(order, "status", "working")
                        })
                };
                let orders = self.orders_when(answer, rests).await?;
                lines.extend(orders.iter().map(order_line));
                Ok(())
            }
            Expect::ProtectionFills => {
                self.orders_when(answer, |orders| all_filled(orders, &[("buy", "0.1")]))
                    .await?;
                let filled = |orders: &[Value]| {
                    orders.iter().any(|order| {
                        is(order, "class", "protection") && is(order, "status", "filled")
                    })
                };
                let orders = self.wait("orders?symbol=ETHUSDT", filled).await?;
                lines.extend(
                    orders
                        .iter()
                        .filter(|order| is(order, "status", "filled"))
                        .map(order_line),
                );
                Ok(())
            }
        }
    }

    /// The alert's orders, once they are as they should be; oldest first.
    async fn orders_when(
        &self,
        answer: &Answer,
        ready: impl Fn(&[Value]) -> bool,
    ) -> Result<Vec<Value>, String> {
        let Some(id) = answer.body["id"]
            .as_str()
            .filter(|_| is(&answer.body, "status", "accepted"))
        else {
            return Err(format!(
                "expected accepted, got {} {}",
                answer.status, answer.text
            ));
        };
        self.wait(&format!("orders?alert={id}"), ready).await
    }

    async fn wait(
        &self,
        path: &str,
        ready: impl Fn(&[Value]) -> bool,
    ) -> Result<Vec<Value>, String> {
        let start = clock::instant();
        loop {
            let answer = self
                .client
                .get(format!("{}/{path}", self.admin))
                .send()
                .await;
            let text = match answer {
                Ok(answer) => answer.text().await.unwrap_or_default(),
                Err(error) => return Err(error.to_string()),
            };
            let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
            let mut orders = body.as_array().cloned().unwrap_or_default();
            orders.reverse();
            if ready(&orders) {
                return Ok(orders);
            }
            if start.elapsed() > PATIENCE {
                return Err(format!("after {} s: {text}", PATIENCE.as_secs()));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

fn is(value: &Value, key: &str, word: &str) -> bool {
    value[key].as_str() == Some(word)
}

fn all_filled(orders: &[Value], fills: &[(&str, &str)]) -> bool {
    orders.len() == fills.len()
        && orders.iter().zip(fills).all(|(order, (side, quantity))| {
            is(order, "status", "filled")
                && is(order, "side", side)
                && is(order, "filled", quantity)
        })
}

fn order_line(order: &Value) -> String {
    let text = |key: &str| order[key].as_str().unwrap_or("").to_owned();
    let id = text("id");
    let id = ponte_core::id::short_order_id(&id);
    let at = if text("filled") == "0" {
        String::new()
    } else {
        format!(" at {}", text("average_price"))
    };
    let class = text("class");
    format!(
        "{} {} {} {}{at} · {class} {id}",
        text("status"),
        text("side").to_uppercase(),
        text("quantity"),
        text("symbol")
    )
}

/// The reason in an answer, if it has one.
fn why(answer: &Answer) -> Option<String> {
    let body = &answer.body;
    let reason = body["error"]["message"]
        .as_str()
        .or_else(|| body["legs"][0]["reason"].as_str())
        .or_else(|| body["reason"].as_str())?;
    Some(reason.to_owned())
}

fn in_words(answer: &Answer) -> String {
    let body = &answer.body;
    let word = body["status"]
        .as_str()
        .or_else(|| body["error"]["code"].as_str())
        .unwrap_or("");
    let id = body["id"].as_str().unwrap_or("");
    [&answer.status.to_string(), word, id]
        .join(" ")
        .trim_end()
        .to_owned()
}
