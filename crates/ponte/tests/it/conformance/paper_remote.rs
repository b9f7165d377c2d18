//! The paper broker whose venue is another process, with its faults.

use std::sync::Arc;

use ponte::brokers::paper::Remote;
use ponte::brokers::{Answer, Broker};
use ponte_core::id::{AccountName, Symbol};
use ponte_venue::VenueOptions;
use ponte_venue::faces::paper::{PaperFace, PaperOptions};
use ponte_venue::fault;
use reqwest::Client;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::paper;
use super::subject::{Audit, Depth, Facts, Fault, Operation, Stage, Subject};
use super::words::{NO_CLOCK, NO_LIMITS, NO_SUCH_FAULT, Why};

/// Longer than the adapter waits for an answer and than its time fence.
const TOO_LATE: u64 = 5_000;
/// Within the order's window.
const LATER: u64 = 500;

pub(super) struct PaperRemote;

struct RemoteStage {
    face: PaperFace,
    url: String,
    client: Client,
    broker: Arc<dyn Broker>,
    facts: Facts,
    stop: watch::Sender<bool>,
    server: tokio::sync::Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Subject for PaperRemote {
    fn name(&self) -> &'static str {
        "paper, remote"
    }

    fn open(&self, depth: Depth) -> Answer<'_, Arc<dyn Stage>> {
        Box::pin(async move {
            let options = PaperOptions {
                venue: VenueOptions {
                    fill_model: paper::fill_model(depth),
                    default_instrument: None,
                    ..VenueOptions::paper()
                },
                ..PaperOptions::paper()
            };
            let face = PaperFace::new(options).unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let (stop, mut stopped) = watch::channel(false);
            let serving = face.clone();
            let server = tokio::spawn(async move {
                let stop = async { drop(stopped.wait_for(|stopped| *stopped).await) };
                serving.serve_until(listener, stop).await.unwrap();
            });
            let facts = paper::facts();
            let stage = RemoteStage {
                broker: connect(&url, &facts.account).await,
                face,
                url,
                client: ponte::tls::http_client().build().unwrap(),
                facts,
                stop,
                server: tokio::sync::Mutex::new(Some(server)),
            };
            Arc::new(stage) as Arc<dyn Stage>
        })
    }
}

async fn connect(url: &str, account: &AccountName) -> Arc<dyn Broker> {
    let broker = Remote::connect(url, account, "USDT", paper::balance(), false).await;
    Arc::new(broker.unwrap())
}

/// The venue's name of a fault.
fn translated(operation: Operation, wanted: Fault) -> Result<(fault::Operation, Value), Why> {
    let operation = match operation {
        Operation::Place => fault::Operation::Place,
        Operation::Find => fault::Operation::Find,
        Operation::Cancel => fault::Operation::Cancel,
        Operation::Reports => fault::Operation::Reports,
    };
    let name = match wanted {
        Fault::AcceptThenDisconnect => json!("accept_then_disconnect"),
        Fault::DisconnectBefore | Fault::Cut => json!("disconnect_before"),
        Fault::ProcessTooLate => json!({"delay": {"milliseconds": TOO_LATE}}),
        Fault::ProcessLater => json!({"delay": {"milliseconds": LATER}}),
        Fault::ServerErrorAfter => json!("error_after_accept"),
        Fault::Refuse => json!("reject"),
        Fault::PretendAbsent => json!("pretend_absent"),
        Fault::Duplicate => json!("duplicate_report"),
        Fault::Lose => json!("lose_report"),
        Fault::Late => json!({"late_report": {"milliseconds": LATER}}),
        Fault::AnswerTooLate
        | Fault::ServerErrorBefore
        | Fault::StatusUnknownPlaced
        | Fault::StatusUnknownNotPlaced
        | Fault::Overloaded
        | Fault::PageInsteadOfAnswer
        | Fault::BrokenAnswer => return Err(NO_SUCH_FAULT),
        Fault::TooManyRequests | Fault::Ban => return Err(NO_LIMITS),
        Fault::ClockAhead | Fault::ClockBehind => return Err(NO_CLOCK),
    };
    Ok((operation, name))
}

impl RemoteStage {
    async fn rules(&self) -> Value {
        let url = format!("{}/admin/faults", self.url);
        self.client
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }
}

impl Stage for RemoteStage {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn broker(&self) -> Arc<dyn Broker> {
        Arc::clone(&self.broker)
    }

    fn reconnected(&self) -> Answer<'_, Result<Arc<dyn Broker>, Why>> {
        Box::pin(async { Ok(connect(&self.url, &self.facts.account).await) })
    }

    fn neighbour(&self) -> Answer<'_, Result<Arc<dyn Broker>, Why>> {
        Box::pin(async { Ok(connect(&self.url, &AccountName::new("neighbour").unwrap()).await) })
    }

    fn tell_price<'a>(&'a self, symbol: &'a Symbol, price: Decimal) -> Answer<'a, ()> {
        Box::pin(async move {
            let tick = json!({"symbol": symbol.as_str(), "price": price.to_string()});
            let url = format!("{}/v1/ticks", self.url);
            let answer = self.client.post(url).json(&tick).send().await.unwrap();
            answer.error_for_status().unwrap();
        })
    }

    fn order_fault(
        &self,
        operation: Operation,
        wanted: Fault,
        times: u64,
    ) -> Answer<'_, Result<(), Why>> {
        Box::pin(async move {
            let (operation, name) = translated(operation, wanted)?;
            let rule = json!({"fault": name, "trigger": {"next": times}, "operation": operation});
            let url = format!("{}/admin/faults", self.url);
            let answer = self.client.post(url).json(&rule).send().await.unwrap();
            answer.error_for_status().unwrap();
            Ok(())
        })
    }

    fn faults_left(&self) -> Answer<'_, usize> {
        Box::pin(async { self.rules().await["faults"].as_array().unwrap().len() })
    }

    fn clear_faults(&self) -> Answer<'_, ()> {
        Box::pin(async {
            let url = format!("{}/admin/faults", self.url);
            let answer = self.client.delete(url).send().await.unwrap();
            answer.error_for_status().unwrap();
        })
    }

    fn audit(&self) -> Answer<'_, Audit> {
        Box::pin(async { paper::audit(&self.face.venue().unwrap(), &self.facts.account) })
    }

    fn requests(&self) -> Answer<'_, Result<u64, Why>> {
        Box::pin(async { Err(NO_LIMITS) })
    }

    fn stop(&self) -> Answer<'_, Result<(), Why>> {
        Box::pin(async {
            self.stop.send_replace(true);
            if let Some(server) = self.server.lock().await.take() {
                server.await.unwrap();
            }
            Ok(())
        })
    }
}
