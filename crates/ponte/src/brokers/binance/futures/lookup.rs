//! Questions about orders: where one stands, what it traded, and which ones rest.

use std::time::Duration;

use ponte_core::id::{ClientOrderId, Symbol};
use ponte_core::message::{FindAnswer, OrderReport};
use ponte_core::order::OrderPlan;
use ponte_core::time::Timestamp;
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;

use super::place::{Service, closes_position, side};
use super::snapshot::Snapshot;
use super::wire::{AlgoView, OrderView, TradeView};
use super::{Futures, symbols};
use crate::brokers::BrokerError;
use crate::brokers::binance::client::Call;
use crate::brokers::binance::code::Class;
use crate::brokers::binance::options::StopSize;
use crate::brokers::binance::params::Params;
use crate::brokers::binance::reply::Reply;

/// The pause before a question is asked again whose first answer may have been behind.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// How often an order's trades are asked for while they don't add up, and the pause in between.
const TRADES_TRIES: u32 = 4;
const TRADES_PAUSE: Duration = Duration::from_millis(250);
/// The most trades that one answer lists (USDⓈ-M Futures, "Account Trade List").
const TRADES_MAX: &str = "1000";
/// After so long, trades that are missing from the list are old rather than late.
const TRADES_LAG_MAX: Duration = Duration::from_secs(60);
/// An order that is so much older than its plan's sending is another one under the same id.
const CREATION_SLACK: Duration = Duration::from_secs(60);

/// What a look-up gave.
pub(super) enum Looked {
    /// The order.
    Seen(Box<Seen>),
    /// The exchange says that it has none.
    Missing,
    /// No definite answer.
    Unclear(String),
}

/// An order as it was found.
pub(super) struct Seen {
    /// Where it stands.
    pub(super) snapshot: Snapshot,
    symbol: String,
    side: String,
    /// What it is for; `None` for an order that closes the position.
    quantity: Option<Decimal>,
    created: Timestamp,
}

/// By what a regular order is asked for.
#[derive(Clone, Copy)]
pub(super) enum By {
    /// Our id.
    Client(ClientOrderId),
    /// The exchange's number.
    Number(u64),
}

impl By {
    /// As parameters of `/fapi/v1/order`.
    pub(super) fn params(self, symbol: &str) -> Params {
        let params = Params::new().with("symbol", symbol);
        match self {
            Self::Client(id) => params.with("origClientOrderId", id.to_string()),
            Self::Number(number) => params.with("orderId", number.to_string()),
        }
    }
}

/// A question's answer, or what its absence means.
enum Asked<T> {
    Answer(T),
    Missing,
    Unclear(String),
}

impl Futures {
    /// Asks about an order until the answer is definite, or says why it isn't.
    pub(super) async fn find_order(&self, plan: &OrderPlan) -> FindAnswer {
        if symbols::to_wire(&plan.symbol).is_none() {
            // Such an order is refused here and never leaves.
            return FindAnswer::Absent;
        }
        self.book().expect(plan);
        let service = Service::of(plan);
        let asked_at = self.client.clock.now();
        match self.look_up(&plan.symbol, plan.id, service).await {
            Looked::Seen(seen) => self.adopt(plan, *seen),
            Looked::Unclear(why) => FindAnswer::Unanswered(why),
            Looked::Missing => self.missing(plan, service, asked_at).await,
        }
    }

    /// What "there is no such order" is worth.
    async fn missing(&self, plan: &OrderPlan, service: Service, asked_at: Timestamp) -> FindAnswer {
        if let Some(answer) = self.seen_before(plan) {
            return answer;
        }
        if !self.client.clock.is_set() {
            let why = "the exchange has no such order, and its clock could not be read yet";
            return FindAnswer::Unanswered(why.to_owned());
        }
        let sent = self.client.fences.last_sent(&plan.id);
        let fence = self.client.fences.until(&plan.id, &self.client.clock);
        if asked_at <= fence {
            return FindAnswer::Unanswered(format!(
                "the exchange has no such order yet; it may still take it until {fence}"
            ));
        }
        // What look-ups read may be behind: one that says no is not enough.
        tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        let answer = match self.look_up(&plan.symbol, plan.id, service).await {
            Looked::Seen(seen) => self.adopt(plan, *seen),
            Looked::Unclear(why) => FindAnswer::Unanswered(why),
            Looked::Missing => self.not_listed(plan, service).await,
        };
        // Another answer to the same question may have let it go again meanwhile.
        if answer == FindAnswer::Absent && self.client.fences.last_sent(&plan.id) != sent {
            return FindAnswer::Unanswered(
                "the order was sent again while it was asked about".to_owned(),
            );
        }
        answer
    }

    /// The last word on an order that no look-up shows. Those of the algo service have been seen to
    /// deny orders that rest: the list of what is open is asked too.
    async fn not_listed(&self, plan: &OrderPlan, service: Service) -> FindAnswer {
        let listed = match service {
            Service::Regular => Ok(None),
            Service::Conditional => self.listed_conditional(plan).await,
        };
        match listed {
            Ok(Some(seen)) => self.adopt(plan, seen),
            Ok(None) => self.seen_before(plan).unwrap_or(FindAnswer::Absent),
            Err(why) => FindAnswer::Unanswered(why),
        }
    }

    /// The order as the list of those that wait for their trigger has it.
    async fn listed_conditional(&self, plan: &OrderPlan) -> Result<Option<Seen>, String> {
        let symbol = symbols::to_wire(&plan.symbol).unwrap_or_default();
        let params = Params::new().with("symbol", symbol);
        let call = Call::ask("/fapi/v1/openAlgoOrders", params);
        let open: Vec<AlgoView> = self
            .client
            .read(&call)
            .await
            .map_err(|problem| problem.to_string())?;
        let id = plan.id.to_string();
        let Some(view) = open.into_iter().find(|view| view.client_algo_id == id) else {
            return Ok(None);
        };
        let snapshot = Snapshot::of_conditional(&view, None, self.client.clock.now())?;
        Ok(Some(Seen::conditional(view, snapshot)))
    }

    /// What is known of an order that look-ups don't show: it was there, so it is not absent.
    fn seen_before(&self, plan: &OrderPlan) -> Option<FindAnswer> {
        let report = self.book().report(plan.id)?;
        let is_open = report.status == ponte_core::message::ReportedStatus::Working;
        Some(if is_open {
            FindAnswer::Unanswered(format!(
                "the exchange told of order {} before, and look-ups don't show it now",
                report.broker_order_id
            ))
        } else {
            FindAnswer::Found(report)
        })
    }

    fn adopt(&self, plan: &OrderPlan, seen: Seen) -> FindAnswer {
        let sent_at = self.client.fences.first_sent(&plan.id);
        // The owner may have chosen otherwise since it was sent.
        let may_close = closes_position(plan, StopSize::ClosePosition);
        if let Err(why) = seen.fits(plan, may_close, sent_at) {
            return FindAnswer::Unanswered(why);
        }
        match self.book().absorb(plan.id, &plan.symbol, seen.snapshot) {
            Some(report) => FindAnswer::Found(report),
            None => FindAnswer::Unanswered("the exchange named no number of the order".to_owned()),
        }
    }

    /// Asks both services, the likelier one first. Nothing is missing before both say so.
    pub(super) async fn look_up(
        &self,
        symbol: &Symbol,
        id: ClientOrderId,
        first: Service,
    ) -> Looked {
        let Some(name) = symbols::to_wire(symbol) else {
            return Looked::Unclear(format!("{symbol} is not a perpetual contract"));
        };
        match self.look_in(first, name, id).await {
            Looked::Missing => self.look_in(first.other(), name, id).await,
            answer @ (Looked::Seen(_) | Looked::Unclear(_)) => answer,
        }
    }

    async fn look_in(&self, service: Service, name: &str, id: ClientOrderId) -> Looked {
        match service {
            Service::Regular => self.look_regular(name, By::Client(id)).await,
            Service::Conditional => self.look_conditional(name, id).await,
        }
    }

    /// Asks for a regular order and its trades.
    pub(super) async fn look_regular(&self, name: &str, by: By) -> Looked {
        let call = Call::ask(Service::Regular.path(), by.params(name));
        match self.asked::<OrderView>(&call).await {
            Asked::Answer(view) => match self.with_trades(&view).await {
                Ok(snapshot) => Looked::Seen(Box::new(Seen::regular(view, snapshot))),
                Err(why) => Looked::Unclear(why),
            },
            Asked::Missing => Looked::Missing,
            Asked::Unclear(why) => Looked::Unclear(why),
        }
    }

    async fn look_conditional(&self, name: &str, id: ClientOrderId) -> Looked {
        let params = Params::new().with("clientAlgoId", id.to_string());
        let call = Call::ask(Service::Conditional.path(), params);
        let view: AlgoView = match self.asked(&call).await {
            Asked::Answer(view) => view,
            Asked::Missing => return Looked::Missing,
            Asked::Unclear(why) => return Looked::Unclear(why),
        };
        let triggered = match view.actual_order_id {
            None => None,
            Some(number) => match self.look_regular(name, By::Number(number)).await {
                Looked::Seen(seen) => Some(seen.snapshot),
                Looked::Missing => None,
                Looked::Unclear(why) => return Looked::Unclear(why),
            },
        };
        match Snapshot::of_conditional(&view, triggered, self.client.clock.now()) {
            Ok(snapshot) => Looked::Seen(Box::new(Seen::conditional(view, snapshot))),
            Err(why) => Looked::Unclear(why),
        }
    }

    /// An order together with its trades, asked for until they add up.
    ///
    /// # Errors
    /// One sentence when they don't, or can't be had.
    pub(super) async fn with_trades(&self, view: &OrderView) -> Result<Snapshot, String> {
        let currency = &self.currency;
        if view.executed_qty.is_zero() {
            return Snapshot::of_regular(view, &[], currency);
        }
        let params = Params::new()
            .with("symbol", view.symbol.as_str())
            .with("orderId", view.order_id.to_string())
            .with("limit", TRADES_MAX);
        let call = Call::ask("/fapi/v1/userTrades", params);
        let mut problem = String::new();
        let mut listed: Vec<TradeView> = Vec::new();
        for attempt in 0..TRADES_TRIES {
            if attempt > 0 {
                tokio::time::sleep(TRADES_PAUSE).await;
            }
            listed = match self.client.read(&call).await {
                Ok(trades) => trades,
                Err(error) => return Err(error.to_string()),
            };
            match Snapshot::of_regular(view, &listed, currency) {
                Ok(snapshot) => return Ok(snapshot),
                Err(why) => problem = why,
            }
        }
        // The list goes back days, an order can rest for months: what is old has left the list.
        let changed = Timestamp::from_milliseconds(view.update_time);
        let is_old = self.client.clock.now() > changed.after(TRADES_LAG_MAX);
        Snapshot::without_trades(view, &listed, currency)
            .filter(|_| is_old)
            .ok_or(problem)
    }

    async fn asked<T: DeserializeOwned>(&self, call: &Call) -> Asked<T> {
        let body = match self.client.call(call).await {
            Reply::Done(body) => body,
            Reply::Refused(refusal) => {
                return match refusal.class {
                    Class::NotFound => Asked::Missing,
                    Class::Final
                    | Class::Retry
                    | Class::Resync
                    | Class::Unknown
                    | Class::Duplicate
                    | Class::Benign => Asked::Unclear(refusal.to_string()),
                };
            }
            Reply::NotSent(why) | Reply::Unknown(why) => return Asked::Unclear(why),
        };
        match serde_json::from_slice(&body) {
            Ok(answer) => Asked::Answer(answer),
            Err(problem) => Asked::Unclear(format!(
                "the exchange's answer could not be read: {problem}"
            )),
        }
    }

    /// The orders of ours that rest in the book or wait for their trigger.
    ///
    /// # Errors
    /// When either list can't be had, or the trades of one of its orders.
    pub(super) async fn resting_orders(&self) -> Result<Vec<OrderReport>, BrokerError> {
        let algos = Call::ask("/fapi/v1/openAlgoOrders", Params::new());
        let algos: Vec<AlgoView> = self.client.read(&algos).await?;
        let regular = Call::ask("/fapi/v1/openOrders", Params::new());
        let regular: Vec<OrderView> = self.client.read(&regular).await?;
        let mut reports = Vec::new();
        for view in algos {
            let (Ok(id), Some(symbol)) = (
                view.client_algo_id.parse::<ClientOrderId>(),
                symbols::from_wire(&view.symbol),
            ) else {
                continue;
            };
            // One that was triggered meanwhile is, or was, in the other list.
            if let Ok(snapshot) = Snapshot::of_conditional(&view, None, self.client.clock.now()) {
                reports.extend(self.book().absorb(id, &symbol, snapshot));
            }
        }
        for view in regular {
            let ours = view.client_order_id.parse::<ClientOrderId>().ok();
            let owner = self.book().owner(view.order_id);
            let (Some(id), Some(symbol)) = (ours.or(owner), symbols::from_wire(&view.symbol))
            else {
                continue;
            };
            let snapshot = self
                .with_trades(&view)
                .await
                .map_err(BrokerError::Unanswered)?;
            reports.extend(self.book().absorb(id, &symbol, snapshot));
        }
        Ok(reports)
    }
}

impl Seen {
    pub(super) fn regular(view: OrderView, snapshot: Snapshot) -> Self {
        Self {
            snapshot,
            symbol: view.symbol,
            side: view.side,
            quantity: Some(view.orig_qty),
            created: Timestamp::from_milliseconds(view.time),
        }
    }

    pub(super) fn conditional(view: AlgoView, snapshot: Snapshot) -> Self {
        Self {
            snapshot,
            symbol: view.symbol,
            side: view.side,
            quantity: view.quantity.filter(|_| !view.close_position),
            created: Timestamp::from_milliseconds(view.create_time),
        }
    }

    /// Whether this is the order that was planned, rather than another one under the same id.
    ///
    /// # Errors
    /// One sentence with both values.
    fn fits(
        &self,
        plan: &OrderPlan,
        may_close: bool,
        sent_at: Option<Timestamp>,
    ) -> Result<(), String> {
        let other = |what: &str, there: &str, here: &str| {
            Err(format!(
                "the exchange has an order under this id with {what} {there}, the plan has {here}; \
                 look at the account"
            ))
        };
        let symbol = symbols::to_wire(&plan.symbol).unwrap_or_default();
        if self.symbol != symbol {
            return other("symbol", &self.symbol, symbol);
        }
        if self.side != side(plan.side) {
            return other("side", &self.side, side(plan.side));
        }
        let planned = plan.quantity.get();
        if let Some(quantity) = self.quantity
            // The exchange makes an order that may only reduce as small as the position.
            && (quantity > planned || (quantity < planned && !plan.reduce_only))
        {
            let quantity = quantity.normalize().to_string();
            return other("quantity", &quantity, &planned.to_string());
        }
        if self.quantity.is_none() && !may_close {
            return other("no quantity", "of its own", &planned.to_string());
        }
        let known = self.created > Timestamp::EPOCH;
        match sent_at {
            Some(sent_at) if known && self.created < sent_at.before(CREATION_SLACK) => other(
                "creation time",
                &self.created.to_string(),
                &sent_at.to_string(),
            ),
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{market, plan_of};
    use super::super::snapshot::{Standing, Totals};
    use super::*;
    use ponte_core::order::OrderClass;
    use ponte_core::signal::Side;

    fn seen() -> Seen {
        Seen {
            snapshot: Snapshot {
                algo_id: None,
                order_id: Some(1),
                standing: Standing::Working,
                totals: Totals::default(),
                trades: std::collections::BTreeSet::new(),
                at: Timestamp(0),
            },
            symbol: "BTCUSDT".to_owned(),
            side: "BUY".to_owned(),
            quantity: Some(Decimal::new(500, 3)),
            created: Timestamp::from_milliseconds(1_000_000),
        }
    }

    #[test]
    fn only_the_planned_order_is_adopted() {
        let plan = plan_of(market(), Side::Buy, OrderClass::Entry);
        let sent = Some(Timestamp::from_milliseconds(1_059_000));
        let late = Some(Timestamp::from_milliseconds(1_061_000));
        assert_eq!(seen().fits(&plan, false, sent), Ok(()));
        assert_eq!(seen().fits(&plan, false, None), Ok(()));
        assert!(seen().fits(&plan, false, late).is_err(), "an older order");
        let no_time = Seen {
            created: Timestamp::EPOCH,
            ..seen()
        };
        assert_eq!(no_time.fits(&plan, false, late), Ok(()));
        let others = [
            Seen {
                symbol: "ETHUSDT".to_owned(),
                ..seen()
            },
            Seen {
                side: "SELL".to_owned(),
                ..seen()
            },
            Seen {
                quantity: Some(Decimal::ONE),
                ..seen()
            },
            Seen {
                quantity: Some(Decimal::new(1, 1)),
                ..seen()
            },
            Seen {
                quantity: None,
                ..seen()
            },
        ];
        for other in others {
            assert!(other.fits(&plan, false, sent).is_err());
        }
    }

    #[test]
    fn what_may_only_reduce_can_be_smaller_than_planned() {
        let mut plan = plan_of(market(), Side::Buy, OrderClass::Exit);
        plan.reduce_only = true;
        let smaller = Seen {
            quantity: Some(Decimal::new(1, 1)),
            ..seen()
        };
        assert_eq!(smaller.fits(&plan, false, None), Ok(()));
        let closing = Seen {
            quantity: None,
            ..seen()
        };
        assert_eq!(closing.fits(&plan, true, None), Ok(()));
    }
}
