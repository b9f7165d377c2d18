//! From the alert's bytes to the orders in a MetaTrader 5 terminal, with the real program and the real bridge.

mod b3;
mod cut;
mod doctor;
mod forex;
mod wire;

use std::future::Future;
use std::time::Duration;

use ponte_venue::faces::mt5::{Mt5Face, Mt5Options};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::mt5_bridge::{Bridge, BridgeOptions};
use crate::program::{Ponte, SECRET, client, free_port};
use wire::Wire;

/// Longest wait for something that must happen.
const STEPS: u32 = 1200;
const STEP: Duration = Duration::from_millis(50);

/// Looks again and again until `look` finds nothing missing any more.
async fn until<T, F: Future<Output = Result<T, String>>>(mut look: impl FnMut() -> F) -> T {
    let mut missing = String::new();
    for _ in 0..STEPS {
        match look().await {
            Ok(found) => return found,
            Err(text) => missing = text,
        }
        tokio::time::sleep(STEP).await;
    }
    panic!("{missing}");
}

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
    async fn start(options: &Mt5Options) -> Self {
        let face = Mt5Face::new(options).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            let never = std::future::pending();
            face.serve_until(listener, never).await.unwrap();
        });
        Self { url, serving }
    }

    async fn admin(&self, what: &str, body: Value) {
        let url = format!("{}/admin/{what}", self.url);
        let answer = client().post(url).json(&body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{what} {body}: {text}");
    }

    /// Moves a symbol's market.
    async fn price(&self, symbol: &str, price: &str) {
        self.admin("price", json!({"symbol": symbol, "price": price}))
            .await;
    }

    /// Everything that is and ever was, past bridge and adapter.
    async fn audit(&self) -> Value {
        let url = format!("{}/admin/audit", self.url);
        let text = client().get(url).send().await.unwrap().text().await;
        serde_json::from_str(&text.unwrap()).unwrap()
    }

    /// The open positions, each as `sell 2 WINZ26 sl 129000 tp 0`, oldest first.
    async fn positions(&self) -> Vec<String> {
        let audit = self.audit().await;
        let positions = audit["positions"].as_array().unwrap().iter();
        positions
            .map(|held| {
                format!(
                    "{} {} {} sl {} tp {}",
                    if held["type"] == 0 { "buy" } else { "sell" },
                    held["volume"].as_f64().unwrap(),
                    held["symbol"].as_str().unwrap(),
                    held["sl"].as_f64().unwrap(),
                    held["tp"].as_f64().unwrap(),
                )
            })
            .collect()
    }

    /// The deals that ever were, each as `in sell 2 WINZ26 by 3`: the direction, and who made it
    /// (ENUM_DEAL_REASON: 3 a program, 4 a stop, 5 a target), oldest first.
    async fn deals(&self) -> Vec<String> {
        let audit = self.audit().await;
        let deals = audit["deals"].as_array().unwrap().iter();
        let trades = deals.filter(|deal| deal["type"].as_u64().unwrap() < 2);
        trades
            .map(|deal| {
                format!(
                    "{} {} {} {} by {}",
                    ["in", "out", "turn", "out by"][deal["entry"].as_u64().unwrap() as usize],
                    if deal["type"] == 0 { "buy" } else { "sell" },
                    deal["volume"].as_f64().unwrap(),
                    deal["symbol"].as_str().unwrap(),
                    deal["reason"],
                )
            })
            .collect()
    }

    async fn until_positions(&self, wanted: &[&str]) {
        until(|| async {
            let positions = self.positions().await;
            let text = format!("the terminal holds {positions:?}, not {wanted:?}");
            (positions == wanted).then_some(()).ok_or(text)
        })
        .await;
    }
}

/// A Ponte as its owner installs it, a bridge that is not started yet, and the terminal beside it.
struct Desk {
    ponte: Ponte,
    terminal: Terminal,
    /// What the bridge is told to call: not Ponte's own address, so that the way can be cut.
    wire: Wire,
    bridge: Option<Bridge>,
    pin: String,
    token: String,
    /// The folder on the terminal's machine.
    beside: TempDir,
}

impl Desk {
    /// `ponte init` with these flags, its owner's changes to the file, and a terminal; Ponte runs.
    async fn install(
        flags: &[&str],
        terminal: &Mt5Options,
        change: impl FnOnce(String) -> String,
    ) -> Self {
        let terminal_login = terminal.login.to_string();
        let listen = format!("127.0.0.1:{}", free_port());
        let own = [
            "--broker",
            "mt5",
            "--login",
            &terminal_login,
            "--server",
            &terminal.server,
            "--host",
            "127.0.0.1",
            "--bridge-listen",
            &listen,
        ];
        let (mut ponte, made) = Ponte::initialised(&[&own[..], flags].concat(), |text| {
            // The account on paper, which init makes beside, has no part in this.
            let elsewhere = "[\"nobody\"]\naccounts = [\"paper\"]";
            change(text.replace("[\"*\"]\naccounts = [\"paper\"]", elsewhere))
        });
        let (status, text) = ponte.command(&["check"]);
        assert_eq!(status, 0, "{text}");
        ponte.start().await;
        let file = ponte
            .folder()
            .join(made["terminal"]["token"].as_str().unwrap());
        Self {
            terminal: Terminal::start(terminal).await,
            wire: Wire::to(listen.parse().unwrap()).await,
            bridge: None,
            pin: made["terminal"]["fingerprint"].as_str().unwrap().to_owned(),
            token: std::fs::read_to_string(file).unwrap(),
            beside: tempfile::tempdir().unwrap(),
            ponte,
        }
    }

    /// Starts the bridge, as it is run beside a terminal.
    fn start_bridge(&mut self) {
        self.bridge = Some(Bridge::start(&BridgeOptions {
            ponte: &format!("https://{}", self.wire.address),
            pin: Some(&self.pin),
            token: &self.token,
            terminal: &self.terminal.url,
            folder: self.beside.path(),
        }));
    }

    /// Waits until Ponte knows the terminal, and a price of the symbol there.
    async fn until_quoted(&self, symbol: &str) {
        let words = format!("{symbol} is at ");
        until(|| async {
            let found = self.findings().await;
            let log = self.bridge.as_ref().map(Bridge::log);
            let text = format!(
                "no price of {symbol}: {found:#?}, {}",
                log.unwrap_or_default()
            );
            let told = found.iter().any(|finding| finding.contains(&words));
            told.then_some(()).ok_or(text)
        })
        .await;
    }

    /// What the doctor finds at the account, each as `health subject: text`.
    async fn findings(&self) -> Vec<String> {
        let found = self.ponte.ask("doctor?account=mt5").await;
        let findings = found[0]["findings"].as_array().unwrap().iter();
        let word = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
        findings
            .map(|it| {
                let [health, subject, text] =
                    ["health", "subject", "text"].map(|key| word(it, key));
                format!("{health} {subject}: {text}")
            })
            .collect()
    }

    /// Fires an alert that must be taken; gives what it was answered.
    async fn accepted(&self, body: &str) -> Value {
        let (status, answer) = self.ponte.send(body).await;
        assert_eq!(
            (status, &answer["status"]),
            (200, &Value::from("accepted")),
            "{body}: {answer}"
        );
        answer
    }

    /// What Ponte's books say is held, each as `strategy symbol quantity`.
    async fn held(&self) -> Vec<String> {
        let positions = self.ponte.positions().await;
        let positions = positions.as_array().unwrap().iter();
        let open = positions.filter(|it| it["quantity"] != "0");
        let held = open.map(|it| {
            let word = |key: &str| it[key].as_str().unwrap().to_owned();
            format!(
                "{} {} {}",
                word("strategy"),
                word("symbol"),
                word("quantity")
            )
        });
        held.collect()
    }

    async fn until_held(&self, wanted: &[&str]) {
        until(|| async {
            let held = self.held().await;
            let text = format!("Ponte holds {held:?}, not {wanted:?}");
            (held == wanted).then_some(()).ok_or(text)
        })
        .await;
    }
}

/// An alert: the secret, and the rest of its body.
fn portuguese(rest: &str) -> String {
    format!(r#"{{"segredo":"{SECRET}",{rest}}}"#)
}

fn english(rest: &str) -> String {
    format!(r#"{{"secret":"{SECRET}",{rest}}}"#)
}
