//! MetaTrader 5: the adapter with its listener, a bridge process, and the stand-in terminal.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ponte::bridge::{Hub, Line};
use ponte::brokers::mt5::{Accounting, Mt5, Options, OrderLife};
use ponte::brokers::{Answer, Broker};
use ponte::secret::Secret;
use ponte::server::{self, Security};
use ponte_core::id::{AccountName, Symbol};
use ponte_core::order::OrderPlan;
use ponte_core::policy::Mode;
use ponte_venue::faces::mt5::{MarginMode, Mt5Face, Mt5Options};
use reqwest::Client;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::mt5_audit::Intended;
use super::relay::Relay;
use super::subject::{Audit, Depth, Facts, Fault, Limits, Operation, Refusals, Stage, Subject};
use super::words::{NO_BANS, NO_SUCH_FAULT, NO_TIME_LIMIT, ONE_TERMINAL, Why};
use crate::mt5_bridge::{Bridge, BridgeOptions};

const TOKEN: &str = "a-token-of-the-conformance-suite-00000001";
/// How long the adapter waits for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(6);
/// How long a command may be begun after the bridge asked for it.
const VALID: Duration = Duration::from_secs(5);
/// What another bridge may have had can appear for so long.
const FENCE: Duration = Duration::from_secs(35);
/// Longer than the adapter waits for an answer.
const TOO_LATE: u64 = 8_000;
/// Within the time that the bridge lets a terminal settle.
const LATER: u64 = 500;
/// How far the trade server's clock can go wrong.
const SKEW_MILLISECONDS: i64 = 180_000;
/// Each behaviour is a process or more; more at a time only wait for each other.
const AT_A_TIME: usize = 4;
/// The pause between two looks at what the terminal has told.
const STEP: Duration = Duration::from_millis(50);

/// Accounts of one accounting.
pub(super) struct Mt5Subject(pub(super) Accounting);

struct Mt5Stage {
    accounting: Accounting,
    url: String,
    client: Client,
    relay: Relay,
    broker: Arc<dyn Broker>,
    facts: Facts,
    intended: Mutex<Intended>,
    _bridge: Bridge,
    _folder: TempDir,
    _stop: watch::Sender<bool>,
}

fn facts(accounting: Accounting) -> Facts {
    let name = |text| Symbol::new(text).unwrap();
    let refusals = Refusals {
        dust: "volume",
        symbol: "Market Watch",
        money: "money",
    };
    let facts = Facts {
        account: AccountName::new("conformance").unwrap(),
        symbol: name("WINZ26"),
        other: name("WDOZ26"),
        price: Decimal::from(130_000),
        other_price: Decimal::from(5_350),
        lot: Decimal::ONE,
        unaffordable: Decimal::from(500),
        dust: Decimal::new(5, 1),
        unknown_symbol: Ok(name("NOSUCHTHING")),
        one_at_a_time: true,
        limits: Limits::BehindTrigger,
        fence: FENCE,
        refusals,
    };
    match accounting {
        Accounting::Netting => facts,
        Accounting::Hedging => Facts {
            symbol: name("XAUUSD"),
            other: name("US500"),
            price: Decimal::from(2_600),
            other_price: Decimal::from(6_000),
            lot: Decimal::new(1, 1),
            limits: Limits::Waiting,
            unaffordable: Decimal::from(90),
            dust: Decimal::new(5, 3),
            ..facts
        },
    }
}

fn terminal(accounting: Accounting) -> Mt5Options {
    match accounting {
        Accounting::Netting => Mt5Options {
            balance: Decimal::from(20_000),
            ..Mt5Options::b3()
        },
        Accounting::Hedging => Mt5Options::forex(MarginMode::Hedging),
    }
}

/// A new process' adapter, and where it listens for its bridge.
async fn adapter(accounting: Accounting, facts: &Facts) -> (Arc<Mt5>, SocketAddr) {
    let told = terminal(accounting);
    let line = Line::new(
        facts.account.clone(),
        Secret::new(TOKEN.to_owned()).unwrap(),
    );
    let options = Options {
        account: facts.account.clone(),
        mode: Mode::Demo,
        login: i64::try_from(told.login).unwrap(),
        server: told.server,
        currency: told.currency,
        accounting,
        deviation_points: 20,
        filling: None,
        pending_orders_last: OrderLife::Gtc,
        answer_within: ANSWER_WITHIN,
        valid: VALID,
    };
    let adapter = Mt5::new(options, Arc::clone(&line));
    line.watch(facts.symbol.as_str());
    line.watch(facts.other.as_str());
    let hub = Hub::new(vec![line]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let never = std::future::pending::<()>();
        server::serve_secured(
            listener,
            hub.router(),
            &Security::Plain,
            Hub::limits(),
            never,
        )
        .await
    });
    (adapter, address)
}

/// Waits until the terminal has told what is traded.
async fn is_told(adapter: &Mt5, facts: &Facts) {
    loop {
        if let Ok(instruments) = adapter.instruments().await
            && instruments.get(&facts.symbol).is_some()
            && instruments.get(&facts.other).is_some()
            && adapter.positions().await.is_ok()
        {
            return;
        }
        tokio::time::sleep(STEP).await;
    }
}

impl Subject for Mt5Subject {
    fn name(&self) -> &'static str {
        match self.0 {
            Accounting::Netting => "mt5 netting",
            Accounting::Hedging => "mt5 hedging",
        }
    }

    fn at_a_time(&self) -> usize {
        AT_A_TIME
    }

    fn open(&self, depth: Depth) -> Answer<'_, Arc<dyn Stage>> {
        Box::pin(async move {
            let face = Mt5Face::new(&terminal(self.0)).unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let (stop, mut stopped) = watch::channel(false);
            tokio::spawn(async move {
                let stop = async { drop(stopped.wait_for(|stopped| *stopped).await) };
                face.serve_until(listener, stop).await.unwrap();
            });
            let facts = facts(self.0);
            let (adapter, address) = adapter(self.0, &facts).await;
            let relay = Relay::to(address).await;
            let folder = tempfile::tempdir().unwrap();
            let bridge = Bridge::start(&BridgeOptions {
                ponte: &format!("http://{}", relay.address),
                pin: None,
                token: TOKEN,
                terminal: &url,
                folder: folder.path(),
            });
            let told = is_told(&adapter, &facts);
            if tokio::time::timeout(Duration::from_secs(60), told)
                .await
                .is_err()
            {
                panic!("the bridge tells nothing: {}", bridge.log());
            }
            let stage = Mt5Stage {
                accounting: self.0,
                url,
                client: ponte::tls::http_client().build().unwrap(),
                relay,
                broker: adapter,
                facts,
                intended: Mutex::default(),
                _bridge: bridge,
                _folder: folder,
                _stop: stop,
            };
            if depth == Depth::Thin {
                let lot = stage.facts.lot.to_string();
                for symbol in [&stage.facts.symbol, &stage.facts.other] {
                    let body = json!({"symbol": symbol.as_str(), "volume": lot});
                    stage.post("/admin/depth", &body).await;
                }
            }
            Arc::new(stage) as Arc<dyn Stage>
        })
    }
}

impl Mt5Stage {
    async fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.url);
        let answer = self.client.get(url).send().await.unwrap();
        answer.error_for_status().unwrap().json().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) {
        let request = self.client.post(format!("{}{path}", self.url)).json(body);
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path} {body}: {text}");
    }
}

/// The terminal's fault for one of the suite's.
fn translated(fault: Fault) -> Result<Value, Why> {
    Ok(match fault {
        Fault::AcceptThenDisconnect => json!("drop_after"),
        Fault::DisconnectBefore => json!("drop_before"),
        Fault::AnswerTooLate => json!({"hang_ms": TOO_LATE}),
        Fault::ProcessLater => json!({"delay_ms": LATER}),
        // A general failure of the call (-1), which says nothing of what was done.
        Fault::ServerErrorAfter => json!({"none_after": -1}),
        Fault::ServerErrorBefore => json!({"none": -1}),
        // TRADE_RETCODE_TIMEOUT
        Fault::StatusUnknownPlaced => json!({"retcode_after": 10_012}),
        Fault::StatusUnknownNotPlaced => json!({"retcode": 10_012}),
        // TRADE_RETCODE_LOCKED
        Fault::Overloaded => json!({"retcode": 10_028}),
        // TRADE_RETCODE_REJECT
        Fault::Refuse => json!({"retcode": 10_006}),
        // TRADE_RETCODE_TOO_MANY_REQUESTS
        Fault::TooManyRequests => json!({"retcode": 10_024}),
        Fault::PretendAbsent => json!({"history_lag_ms": LATER}),
        Fault::Late => json!({"history_lag_ms": LATER}),
        Fault::Lose => json!({"none": -1}),
        Fault::ProcessTooLate => return Err(NO_TIME_LIMIT),
        Fault::Ban => return Err(NO_BANS),
        Fault::PageInsteadOfAnswer | Fault::BrokenAnswer => return Err(NO_SUCH_FAULT),
        Fault::Duplicate | Fault::Cut | Fault::ClockAhead | Fault::ClockBehind => {
            panic!("{fault:?} is no fault of a call")
        }
    })
}

impl Stage for Mt5Stage {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn broker(&self) -> Arc<dyn Broker> {
        Arc::clone(&self.broker)
    }

    fn reconnected(&self) -> Answer<'_, Result<Arc<dyn Broker>, Why>> {
        Box::pin(async {
            let (adapter, address) = adapter(self.accounting, &self.facts).await;
            self.relay.lead_to(address);
            is_told(&adapter, &self.facts).await;
            Ok(adapter as Arc<dyn Broker>)
        })
    }

    fn neighbour(&self) -> Answer<'_, Result<Arc<dyn Broker>, Why>> {
        Box::pin(async { Err(ONE_TERMINAL) })
    }

    fn intends(&self, plan: &OrderPlan) {
        self.intended.lock().unwrap().note(plan);
    }

    fn tell_price<'a>(&'a self, symbol: &'a Symbol, price: Decimal) -> Answer<'a, ()> {
        Box::pin(async move {
            let body = json!({"symbol": symbol.as_str(), "price": price.to_string()});
            self.post("/admin/price", &body).await;
        })
    }

    fn order_fault(
        &self,
        operation: Operation,
        fault: Fault,
        times: u64,
    ) -> Answer<'_, Result<(), Why>> {
        Box::pin(async move {
            match fault {
                Fault::ClockAhead | Fault::ClockBehind => {
                    let sign = if fault == Fault::ClockAhead { 1 } else { -1 };
                    let body = json!({"skew_ms": sign * SKEW_MILLISECONDS});
                    self.post("/admin/clock", &body).await;
                }
                Fault::Cut => self.relay.sever(),
                // An answer of Ponte that is lost has the bridge tell everything once more.
                Fault::Duplicate => self.relay.lose_an_answer(),
                Fault::AcceptThenDisconnect
                | Fault::DisconnectBefore
                | Fault::AnswerTooLate
                | Fault::ProcessTooLate
                | Fault::ProcessLater
                | Fault::ServerErrorAfter
                | Fault::ServerErrorBefore
                | Fault::StatusUnknownPlaced
                | Fault::StatusUnknownNotPlaced
                | Fault::Overloaded
                | Fault::PageInsteadOfAnswer
                | Fault::BrokenAnswer
                | Fault::Refuse
                | Fault::TooManyRequests
                | Fault::Ban
                | Fault::PretendAbsent
                | Fault::Lose
                | Fault::Late => {
                    let function = match operation {
                        Operation::Place | Operation::Cancel => "order_send",
                        Operation::Find | Operation::Reports => "history_deals_get",
                    };
                    let fault = translated(fault)?;
                    let body = json!({"function": function, "fault": fault, "times": times});
                    self.post("/admin/fault", &body).await;
                }
            }
            Ok(())
        })
    }

    fn faults_left(&self) -> Answer<'_, usize> {
        Box::pin(async {
            let rules = self.get("/admin/faults").await["faults"]
                .as_array()
                .unwrap()
                .len();
            rules + usize::from(self.relay.has_answer_to_lose())
        })
    }

    fn clear_faults(&self) -> Answer<'_, ()> {
        Box::pin(async {
            let url = format!("{}/admin/faults", self.url);
            let answer = self.client.delete(url).send().await.unwrap();
            answer.error_for_status().unwrap();
        })
    }

    fn audit(&self) -> Answer<'_, Audit> {
        Box::pin(async {
            let books = self.get("/admin/audit").await;
            self.intended.lock().unwrap().audit(&books)
        })
    }

    fn requests(&self) -> Answer<'_, Result<u64, Why>> {
        Box::pin(async { Err(NO_BANS) })
    }

    fn stop(&self) -> Answer<'_, Result<(), Why>> {
        Box::pin(async {
            self.relay.break_off();
            Ok(())
        })
    }
}
