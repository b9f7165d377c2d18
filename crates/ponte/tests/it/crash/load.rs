//! Senders that never give up on an alert: sent again until it is answered `200`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinHandle;

use crate::program::{SECRET, client};

/// The symbols, so that a lane that waits holds up only its own.
const SYMBOLS: [&str; 6] = [
    "AAAUSDT", "BBBUSDT", "CCCUSDT", "DDDUSDT", "EEEUSDT", "FFFUSDT",
];

/// An alert that was answered `200`.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    #[allow(dead_code, reason = "shown when an assertion fails")]
    pub(crate) id: String,
    /// The number that the answer named; the first one's, when it was a duplicate.
    pub(crate) alert: String,
    pub(crate) status: String,
}

pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    senders: Vec<JoinHandle<Vec<Answered>>>,
}

impl Load {
    pub(crate) fn start(senders: usize, url: String) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let senders = (0..senders)
            .map(|sender| tokio::spawn(send(sender, url.clone(), stop.clone())))
            .collect();
        Self { stop, senders }
    }

    /// No new alerts; those on their way are answered first.
    pub(crate) async fn stop(self) -> Vec<Answered> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for sender in self.senders {
            all.extend(sender.await.unwrap());
        }
        all
    }
}

async fn send(sender: usize, url: String, stop: Arc<AtomicBool>) -> Vec<Answered> {
    let client = client();
    let mut answered = Vec::new();
    let mut number = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let id = format!("{sender}-{number}");
        let symbol = SYMBOLS[(sender + usize::try_from(number).unwrap()) % SYMBOLS.len()];
        let body = format!(
            r#"{{"segredo":"{SECRET}","acao":"COMPRA","ativo":"{symbol}","qtd":1,"preco":100,"id":"{id}"}}"#
        );
        answered.push(until_answered(&client, &url, &body, &id).await);
        tokio::time::sleep(Duration::from_millis(8)).await;
    }
    answered
}

async fn until_answered(client: &reqwest::Client, url: &str, body: &str, id: &str) -> Answered {
    loop {
        let answer = client
            .post(url)
            .body(body.to_owned())
            .timeout(Duration::from_secs(3))
            .send();
        if let Ok(answer) = answer.await {
            let status = answer.status();
            let text = answer.text().await;
            if let (200, Ok(text)) = (status.as_u16(), text) {
                let value: Value = serde_json::from_str(&text).unwrap();
                return Answered {
                    id: id.to_owned(),
                    alert: value["id"].as_str().unwrap().to_owned(),
                    status: value["status"].as_str().unwrap().to_owned(),
                };
            }
            assert_eq!(status.as_u16(), 503, "only 503 asks for another try");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
