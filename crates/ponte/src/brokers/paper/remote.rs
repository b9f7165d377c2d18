//! A venue in another process, over HTTP: it goes on when this process dies, and it can be told to misbehave.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ponte_core::id::{AccountName, ClientOrderId, Symbol};
use ponte_core::instrument::{Instrument, Instruments};
use ponte_core::message::{
    Balance, CancelAnswer, Fate, FindAnswer, NotSent, OrderReport, ReportedStatus,
};
use ponte_core::order::{OrderKind, OrderPlan};
use ponte_core::policy::Capabilities;
use ponte_core::signal::{Side, Terms};
use ponte_core::time::Timestamp;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::translate;
use crate::brokers::{
    Answer, Broker, BrokerError, BrokerPosition, Credentials, Examination, News, PositionMode,
    Reports,
};
use crate::clock;
use crate::tls;

/// How long after its sending the venue may still accept an order: the time fence.
const WINDOW: Duration = Duration::from_secs(1);
/// What the fence allows for the two clocks and the venue's own work.
const FENCE_SLACK: Duration = Duration::from_millis(500);
/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(4);
/// How long one wait for reports is.
const POLL: Duration = Duration::from_secs(10);
/// The pause after a poll that failed.
const POLL_PAUSE: Duration = Duration::from_millis(250);
/// How many sent orders are remembered for their fences; older fences have passed long ago.
const FENCES_MAX: usize = 10_000;

/// A paper account at a venue in another process.
pub struct Remote {
    client: Client,
    base: String,
    started_at: Timestamp,
    fences: Mutex<BTreeMap<ClientOrderId, Timestamp>>,
    instruments: Instruments,
    prices_from_alerts: bool,
}

#[derive(Serialize)]
struct OrderBody<'a> {
    client_order_id: String,
    symbol: &'a str,
    side: Side,
    #[serde(rename = "type")]
    kind: &'static str,
    quantity: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_bps: Option<String>,
    reduce_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_price: Option<String>,
    valid_until: i64,
}

#[derive(Deserialize)]
struct OrderView {
    client_order_id: String,
    venue_order_id: u64,
    status: String,
    reason: Option<String>,
    filled_quantity: Decimal,
    average_price: Option<Decimal>,
    fills: Vec<Fill>,
    changed_at: i64,
}

#[derive(Deserialize)]
struct Fill {
    fee: Decimal,
}

#[derive(Deserialize)]
struct OrdersView {
    orders: Vec<OrderView>,
}

#[derive(Deserialize)]
struct RejectView {
    reject: Reject,
}

#[derive(Deserialize)]
struct Reject {
    code: String,
    message: String,
}

#[derive(Deserialize)]
struct ReportsView {
    reports: Vec<ReportView>,
    newest: u64,
}

#[derive(Deserialize)]
struct ReportView {
    number: u64,
    client_order_id: String,
}

#[derive(Deserialize)]
struct BalanceView {
    cash: Decimal,
    equity: Decimal,
}

#[derive(Deserialize)]
struct PositionsView {
    positions: Vec<PositionView>,
}

#[derive(Deserialize)]
struct PositionView {
    symbol: String,
    quantity: Decimal,
}

#[derive(Deserialize)]
struct InstrumentsView {
    instruments: Vec<Instrument>,
    default_instrument: Option<Instrument>,
}

/// What an HTTP exchange gave.
enum Exchange {
    /// Certain that nothing was sent.
    NotSent(String),
    /// A whole answer.
    Answered(StatusCode, Vec<u8>),
    /// Anything else.
    Broken(String),
}

impl Remote {
    /// Opens the account at the venue, or finds it as it is.
    ///
    /// # Errors
    /// When the venue can't be reached or refuses.
    pub async fn connect(
        url: &str,
        account: &AccountName,
        currency: &str,
        balance: Decimal,
        prices_from_alerts: bool,
    ) -> Result<Self, BrokerError> {
        let client = tls::http_client()
            .tcp_nodelay(true)
            .timeout(REQUEST_TIMEOUT)
            .build()
            .map_err(|problem| BrokerError::Refused(problem.to_string()))?;
        let mut remote = Self {
            client,
            base: format!("{url}/v1/{account}"),
            started_at: clock::now(),
            fences: Mutex::default(),
            instruments: Instruments::default(),
            prices_from_alerts,
        };
        let body = serde_json::json!({ "currency": currency, "balance": plain(balance) });
        let request = remote.client.put(&remote.base).json(&body);
        let _: BalanceView = remote.ask(request).await?;
        let view: InstrumentsView = remote
            .ask(remote.request(Method::GET, "/instruments"))
            .await?;
        remote.instruments = Instruments {
            listed: view
                .instruments
                .into_iter()
                .map(|i| (i.symbol.clone(), i))
                .collect(),
            any_other: view.default_instrument.map(Box::new),
        };
        Ok(remote)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    async fn exchange(&self, request: RequestBuilder) -> Exchange {
        match request.send().await {
            Ok(answer) => {
                let status = answer.status();
                match answer.bytes().await {
                    Ok(body) => Exchange::Answered(status, body.to_vec()),
                    Err(problem) => Exchange::Broken(problem.without_url().to_string()),
                }
            }
            Err(problem) if problem.is_connect() => {
                Exchange::NotSent(problem.without_url().to_string())
            }
            Err(problem) => Exchange::Broken(problem.without_url().to_string()),
        }
    }

    async fn ask<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, BrokerError> {
        match self.exchange(request).await {
            Exchange::Answered(StatusCode::OK, body) => serde_json::from_slice(&body)
                .map_err(|problem| BrokerError::Unreadable(problem.to_string())),
            Exchange::Answered(status, _) => Err(BrokerError::Refused(status.to_string())),
            Exchange::NotSent(why) | Exchange::Broken(why) => Err(BrokerError::Unanswered(why)),
        }
    }

    async fn place(&self, plan: &OrderPlan) -> Fate {
        let valid_until = clock::now().after(WINDOW);
        self.raise_fence(plan.id, valid_until);
        let body = self.body(plan, valid_until);
        let request = self.request(Method::POST, "/orders").json(&body);
        match self.exchange(request).await {
            Exchange::NotSent(why) => Fate::NotSent {
                why: NotSent::Unreachable(why),
            },
            Exchange::Broken(why) => Fate::Unknown { why },
            Exchange::Answered(StatusCode::OK, body) => match read_order(&body) {
                Some(report) => Fate::Acknowledged { report },
                None => Fate::Unknown {
                    why: "the venue's answer could not be read".to_owned(),
                },
            },
            Exchange::Answered(StatusCode::BAD_REQUEST, body) => {
                match serde_json::from_slice::<RejectView>(&body) {
                    // An order of that name is there: the broker is asked which.
                    Ok(view) if view.reject.code == "duplicate_client_order_id" => Fate::Unknown {
                        why: view.reject.message,
                    },
                    Ok(view) if view.reject.code == "expired" => {
                        let why = "it came to the venue after its time fence".to_owned();
                        Fate::NotSent {
                            why: NotSent::Unreachable(why),
                        }
                    }
                    Ok(view) => Fate::Rejected {
                        reason: view.reject.message,
                    },
                    Err(_) => Fate::Unknown {
                        why: "the venue answered 400 without a reason".to_owned(),
                    },
                }
            }
            Exchange::Answered(status, _) => Fate::Unknown {
                why: format!("the venue answered {status}"),
            },
        }
    }

    fn body<'a>(&self, plan: &'a OrderPlan, valid_until: Timestamp) -> OrderBody<'a> {
        let (kind, price, stop_price, target_price) = match plan.kind {
            OrderKind::Single {
                terms: Terms::Market,
            } => ("market", None, None, None),
            OrderKind::Single {
                terms: Terms::Limit { price },
            } => ("limit", Some(price), None, None),
            OrderKind::Single {
                terms: Terms::Stop { trigger },
            } => ("stop", None, Some(trigger), None),
            OrderKind::Single {
                terms: Terms::StopLimit { trigger, price },
            } => ("stop_limit", Some(price), Some(trigger), None),
            OrderKind::OneCancelsOther { stop, target } => ("oco", None, Some(stop), Some(target)),
            OrderKind::TrailingStop { .. } => ("trailing_stop", None, None, None),
        };
        let callback_bps = match plan.kind {
            OrderKind::TrailingStop { distance_percent } => {
                Some(plain(translate::basis_points(distance_percent)))
            }
            OrderKind::Single { .. } | OrderKind::OneCancelsOther { .. } => None,
        };
        let text = |price: Option<ponte_core::number::Price>| price.map(|price| plain(price.get()));
        OrderBody {
            client_order_id: plan.id.to_string(),
            symbol: plan.symbol.as_str(),
            side: plan.side,
            kind,
            quantity: plain(plan.quantity.get()),
            price: text(price),
            stop_price: text(stop_price),
            target_price: text(target_price),
            callback_bps,
            reduce_only: plan.reduce_only,
            reference_price: text(plan.reference_price.filter(|_| self.prices_from_alerts)),
            valid_until: valid_until.0,
        }
    }

    fn raise_fence(&self, id: ClientOrderId, fence: Timestamp) {
        let mut fences = self.fences.lock().unwrap_or_else(PoisonError::into_inner);
        if fences.len() >= FENCES_MAX {
            let now = clock::now();
            fences.retain(|_, fence| now < *fence);
        }
        fences.insert(id, fence);
    }

    /// The moment after which the venue can no longer accept an order that was sent. What an
    /// earlier process sent, it sent before this one started.
    fn fence(&self, id: &ClientOrderId) -> Timestamp {
        let fences = self.fences.lock().unwrap_or_else(PoisonError::into_inner);
        let fence = fences
            .get(id)
            .copied()
            .unwrap_or_else(|| self.started_at.after(WINDOW));
        fence.after(FENCE_SLACK)
    }

    async fn find_now(&self, id: &ClientOrderId) -> FindAnswer {
        let asked_at = clock::now();
        match self
            .exchange(self.request(Method::GET, &format!("/orders/{id}")))
            .await
        {
            Exchange::Answered(StatusCode::OK, body) => match read_order(&body) {
                Some(report) => FindAnswer::Found(report),
                None => FindAnswer::Unanswered("the venue's answer could not be read".to_owned()),
            },
            Exchange::Answered(StatusCode::NOT_FOUND, _) if asked_at > self.fence(id) => {
                FindAnswer::Absent
            }
            Exchange::Answered(StatusCode::NOT_FOUND, _) => FindAnswer::Unanswered(
                "the venue has no such order yet, and its time fence is not over".to_owned(),
            ),
            Exchange::Answered(status, _) => {
                FindAnswer::Unanswered(format!("the venue answered {status}"))
            }
            Exchange::NotSent(why) | Exchange::Broken(why) => FindAnswer::Unanswered(why),
        }
    }

    async fn cancel_now(&self, id: &ClientOrderId) -> CancelAnswer {
        match self
            .exchange(self.request(Method::DELETE, &format!("/orders/{id}")))
            .await
        {
            Exchange::Answered(StatusCode::OK, body) => {
                read_order(&body).map_or(CancelAnswer::NotOpen, CancelAnswer::Done)
            }
            Exchange::Answered(StatusCode::NOT_FOUND | StatusCode::CONFLICT, _) => {
                CancelAnswer::NotOpen
            }
            Exchange::Answered(status, _) => {
                CancelAnswer::Unanswered(format!("the venue answered {status}"))
            }
            Exchange::NotSent(why) | Exchange::Broken(why) => CancelAnswer::Unanswered(why),
        }
    }

    /// Reads reports after a number; waits for one when `wait` says so.
    async fn page(&self, after: u64, wait: Option<Duration>) -> Result<ReportsView, BrokerError> {
        let wait_part = wait.map(|wait| format!("&wait_ms={}", wait.as_millis()));
        let path = format!("/reports?after={after}{}", wait_part.unwrap_or_default());
        let patience = wait.unwrap_or_default() + REQUEST_TIMEOUT;
        self.ask(self.request(Method::GET, &path).timeout(patience))
            .await
    }

    /// Follows the venue's reports. Numbers tell what was missed; a gap is read again.
    async fn follow(&self, into: mpsc::UnboundedSender<News>) {
        let mut told = loop {
            match self.page(u64::MAX, None).await {
                Ok(view) => break view.newest,
                Err(_) => tokio::time::sleep(POLL_PAUSE).await,
            }
            if into.is_closed() {
                return;
            }
        };
        // What moved before that number was told to nobody.
        let _ = into.send(News::Missed);
        // Reported orders whose standing could not be asked yet.
        let mut owed: BTreeSet<ClientOrderId> = BTreeSet::new();
        while !into.is_closed() {
            let wait = if owed.is_empty() { POLL } else { POLL_PAUSE };
            match self.reports_after(told, wait).await {
                Ok(reports) => {
                    told = reports.last().map_or(told, |last| last.number);
                    owed.extend(
                        reports
                            .iter()
                            .filter_map(|r| r.client_order_id.parse::<ClientOrderId>().ok()),
                    );
                }
                Err(_) => tokio::time::sleep(POLL_PAUSE).await,
            }
            for id in std::mem::take(&mut owed) {
                match self.find_now(&id).await {
                    FindAnswer::Found(report) => drop(into.send(News::Order(report))),
                    FindAnswer::Absent => {}
                    FindAnswer::Unanswered(_) => drop(owed.insert(id)),
                }
            }
        }
    }

    /// The reports after a number, without a gap.
    async fn reports_after(
        &self,
        told: u64,
        wait: Duration,
    ) -> Result<Vec<ReportView>, BrokerError> {
        let live = self.page(told, Some(wait)).await?;
        let whole = live
            .reports
            .first()
            .is_none_or(|first| first.number == told + 1)
            && live
                .reports
                .windows(2)
                .all(|pair| pair[1].number == pair[0].number + 1)
            && live.reports.last().map_or(told, |last| last.number) == live.newest;
        if whole {
            return Ok(live.reports);
        }
        Ok(self.page(told, None).await?.reports)
    }
}

fn plain(number: Decimal) -> String {
    number.normalize().to_string()
}

fn read_order(body: &[u8]) -> Option<OrderReport> {
    to_report(serde_json::from_slice(body).ok()?)
}

fn to_report(view: OrderView) -> Option<OrderReport> {
    let reason = || {
        view.reason
            .clone()
            .unwrap_or_else(|| "ended at the venue".to_owned())
    };
    let status = match view.status.as_str() {
        "open" | "partially_filled" => ReportedStatus::Working,
        "filled" => ReportedStatus::Filled,
        "cancelled" | "expired" => ReportedStatus::Cancelled { reason: reason() },
        _ => return None,
    };
    Some(OrderReport {
        id: view.client_order_id.parse().ok()?,
        broker_order_id: view.venue_order_id.to_string(),
        status,
        filled: view.filled_quantity,
        average_price: view.average_price.unwrap_or_default(),
        fees: view
            .fills
            .iter()
            .fold(Decimal::ZERO, |sum, fill| sum + fill.fee),
        withheld: Decimal::ZERO,
        at: Timestamp(view.changed_at),
    })
}

impl Broker for Remote {
    fn submit<'a>(&'a self, order: &'a OrderPlan) -> Answer<'a, Fate> {
        Box::pin(self.place(order))
    }

    fn find<'a>(&'a self, order: &'a OrderPlan) -> Answer<'a, FindAnswer> {
        Box::pin(self.find_now(&order.id))
    }

    fn cancel<'a>(&'a self, order: &'a OrderPlan) -> Answer<'a, CancelAnswer> {
        Box::pin(self.cancel_now(&order.id))
    }

    fn cancel_all<'a>(&'a self, symbol: &'a Symbol) -> Answer<'a, Result<(), BrokerError>> {
        Box::pin(async move {
            let path = format!("/orders?symbol={symbol}");
            self.ask::<OrdersView>(self.request(Method::DELETE, &path))
                .await
                .map(drop)
        })
    }

    fn open_orders(&self) -> Answer<'_, Result<Vec<OrderReport>, BrokerError>> {
        Box::pin(async {
            let view: OrdersView = self.ask(self.request(Method::GET, "/orders")).await?;
            Ok(view.orders.into_iter().filter_map(to_report).collect())
        })
    }

    fn positions(&self) -> Answer<'_, Result<Vec<BrokerPosition>, BrokerError>> {
        Box::pin(async {
            let view: PositionsView = self.ask(self.request(Method::GET, "/positions")).await?;
            let positions = view.positions.into_iter().filter(|p| !p.quantity.is_zero());
            positions
                .map(|position| {
                    let symbol = Symbol::new(&position.symbol)
                        .map_err(|problem| BrokerError::Unreadable(problem.to_string()))?;
                    Ok(BrokerPosition {
                        symbol,
                        quantity: position.quantity,
                    })
                })
                .collect()
        })
    }

    fn balance(&self) -> Answer<'_, Result<Balance, BrokerError>> {
        Box::pin(async {
            let view: BalanceView = self.ask(self.request(Method::GET, "/balance")).await?;
            Ok(Balance {
                cash: view.cash,
                equity: view.equity,
            })
        })
    }

    fn instruments(&self) -> Answer<'_, Result<Instruments, BrokerError>> {
        Box::pin(async { Ok(self.instruments.clone()) })
    }

    fn reports(&self, into: mpsc::UnboundedSender<News>) -> Answer<'_, ()> {
        Box::pin(self.follow(into))
    }

    fn capabilities(&self) -> Capabilities {
        super::capabilities()
    }

    fn check_credentials(&self) -> Answer<'_, Result<Credentials, BrokerError>> {
        Box::pin(async {
            Ok(Credentials {
                can_trade: true,
                can_withdraw: Some(false),
                bound_to_address: None,
                warnings: Vec::new(),
            })
        })
    }

    fn examine(&self) -> Examination {
        Examination {
            clock_ahead_milliseconds: None,
            budgets: Vec::new(),
            reports: Reports::Asked,
            positions: Some(PositionMode::Net),
        }
    }
}
