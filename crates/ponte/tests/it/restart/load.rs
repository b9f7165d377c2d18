//! Senders that behave as `TradingView` does: three seconds of patience, at most three resends, and
//! only after a `5xx`. What meets a closed door is lost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::manager::Target;
use crate::program::SECRET;

/// After so long `TradingView` gives up on an answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often it sends again.
const RESENDS_MAX: u32 = 3;
/// The wait before it does. `TradingView` waits five seconds; a shorter wait asks more of a restart.
const RESEND_AFTER: Duration = Duration::from_millis(500);
/// Between two alerts of one sender.
const APART: Duration = Duration::from_millis(4);

/// What became of an alert.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// Answered `200`.
    Taken,
    /// Nobody answered in time, or the connection was refused or reset: it is not sent again.
    Lost(String),
    /// Answered `5xx` each time.
    GivenUp,
}

#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) id: String,
    pub(crate) fate: Fate,
    /// How often it was answered that it should come again.
    pub(crate) resends: u32,
}

pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    taken: Arc<AtomicUsize>,
    senders: Vec<JoinHandle<Vec<Sent>>>,
}

impl Load {
    /// Every second sender keeps its connection, the others make a new one for each alert.
    pub(crate) fn start(senders: usize, target: &Target) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let taken = Arc::new(AtomicUsize::new(0));
        let senders = (0..senders).map(|sender| {
            let sending = send(sender, target.clone(), stop.clone(), taken.clone());
            tokio::spawn(sending)
        });
        Self {
            senders: senders.collect(),
            stop,
            taken,
        }
    }

    /// Waits until so many more alerts have been answered `200`.
    pub(crate) async fn until_more(&self, more: usize) {
        let enough = self.taken.load(Ordering::Relaxed) + more;
        while self.taken.load(Ordering::Relaxed) < enough {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// No new alerts; those on their way come to their end first.
    pub(crate) async fn stop(self) -> Vec<Sent> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for sender in self.senders {
            all.extend(sender.await.unwrap());
        }
        all
    }
}

async fn send(
    sender: usize,
    target: Target,
    stop: Arc<AtomicBool>,
    taken: Arc<AtomicUsize>,
) -> Vec<Sent> {
    let mut client = target.client();
    let mut sent = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        if sender % 2 == 1 {
            client = target.client();
        }
        let id = format!("{sender}-{}", sent.len());
        let (fate, resends) = deliver(&client, &target.url, &id).await;
        if fate == Fate::Taken {
            taken.fetch_add(1, Ordering::Relaxed);
        }
        sent.push(Sent { id, fate, resends });
        tokio::time::sleep(APART).await;
    }
    sent
}

async fn deliver(client: &reqwest::Client, url: &str, id: &str) -> (Fate, u32) {
    let body = format!(
        r#"{{"segredo":"{SECRET}","acao":"COMPRA","ativo":"BTCUSDT","qtd":1,"preco":100,"id":"{id}"}}"#
    );
    for resends in 0..=RESENDS_MAX {
        let request = client.post(url).body(body.clone()).timeout(PATIENCE);
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return (Fate::Lost(why(&error)), resends),
        };
        let status = answer.status();
        let read = answer.bytes().await;
        match (status.as_u16(), read) {
            (200, Ok(_)) => return (Fate::Taken, resends),
            (504, _) | (400..=499, _) => panic!("{id} was answered {status}"),
            (500..=599, _) => tokio::time::sleep(RESEND_AFTER).await,
            (_, Err(error)) => return (Fate::Lost(why(&error)), resends),
            (_, Ok(_)) => panic!("{id} was answered {status}"),
        }
    }
    (Fate::GivenUp, RESENDS_MAX)
}

fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer within three seconds".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// How many alerts had which fate, and how many were sent again.
pub(crate) fn summary(sent: &[Sent]) -> String {
    let mut counts = BTreeMap::new();
    for alert in sent {
        *counts.entry(alert.fate.clone()).or_insert(0_usize) += 1;
    }
    let resent = sent.iter().filter(|alert| alert.resends > 0).count();
    format!("{counts:?}, {resent} of them sent again")
}
