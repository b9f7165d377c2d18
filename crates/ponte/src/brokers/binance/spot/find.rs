//! Asking about orders: by id, after a missed event, and all that rest.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ponte_core::id::{ClientOrderId, Symbol};
use ponte_core::message::{FindAnswer, OrderReport};
use ponte_core::order::OrderPlan;

use super::ledger::{Costs, Shape, Standing};
use super::orders::{UNREADABLE, standing};
use super::wire::{ListedOrders, OrderView, Trade};
use super::{Spot, translate};
use crate::brokers::BrokerError;
use crate::brokers::binance::client::Call;
use crate::brokers::binance::code::Class;
use crate::brokers::binance::ids::{self, Leg};
use crate::brokers::binance::params::Params;
use crate::brokers::binance::reply::Reply;
use crate::clock;

/// The pause before "there is no such order" is asked for a second time: look-ups lag.
const SECOND_LOOK: Duration = Duration::from_millis(500);
/// How much older than its first sending an order may be and still be the one that was sent.
const OLDER_MAX: Duration = Duration::from_secs(60);

/// The most trades that one answer holds (Binance Spot API, "Account trade list").
const TRADES_PER_PAGE: usize = 1_000;
/// How many answers are read for one order.
const TRADE_PAGES_MAX: usize = 20;

/// What a look-up gave.
pub(super) enum Looked {
    /// The orders that stand for ours.
    Found(Vec<(Leg, OrderView)>),
    /// The exchange has none of them.
    NotFound,
    /// No definite answer.
    Unanswered(String),
}

impl Spot {
    /// Answers a question about an order.
    pub(super) async fn find_order(&self, plan: &OrderPlan) -> FindAnswer {
        let shape = translate::shape(plan);
        let asked = clock::instant();
        match self.look(plan.id, &plan.symbol, shape).await {
            Looked::Found(views) => match self.misfit(plan, &views) {
                None => self.adopt(plan.id, &plan.symbol, shape, views).await,
                Some(why) => FindAnswer::Unanswered(why),
            },
            Looked::NotFound => self.absent(plan, asked).await,
            Looked::Unanswered(why) => FindAnswer::Unanswered(why),
        }
    }

    /// The exchange had no such order when it was asked: that is the last word only if it could not
    /// take it any more by then. Its clock decides, and is looked at anew: what follows from a wrong
    /// "absent" is a second order.
    async fn absent(&self, plan: &OrderPlan, asked: Instant) -> FindAnswer {
        if !self.client.set_clock().await {
            return FindAnswer::Unanswered("binance's clock could not be read".to_owned());
        }
        let sent = self.client.fences.last_sent(&plan.id);
        let until = self.client.fences.until(&plan.id, &self.client.clock);
        let since = clock::instant().duration_since(asked);
        if self.client.clock.now().before(since) <= until {
            return FindAnswer::Unanswered(format!(
                "binance has no such order yet; the exchange may still take it until {until}"
            ));
        }
        tokio::time::sleep(SECOND_LOOK).await;
        match self
            .look(plan.id, &plan.symbol, translate::shape(plan))
            .await
        {
            // Another answer to the same question may have let it go again meanwhile.
            Looked::NotFound if self.client.fences.last_sent(&plan.id) != sent => {
                FindAnswer::Unanswered(
                    "the order was sent again while it was asked about".to_owned(),
                )
            }
            Looked::NotFound => match self.ledger.ended(&plan.id) {
                // The exchange has told its end before; look-ups can forget.
                Some(report) => FindAnswer::Found(report),
                None => {
                    self.ledger.drop_unplaced(&plan.id);
                    FindAnswer::Absent
                }
            },
            Looked::Found(_) => {
                FindAnswer::Unanswered("binance found the order only at the second look".to_owned())
            }
            Looked::Unanswered(why) => FindAnswer::Unanswered(why),
        }
    }

    async fn adopt(
        &self,
        id: ClientOrderId,
        symbol: &Symbol,
        shape: Shape,
        views: Vec<(Leg, OrderView)>,
    ) -> FindAnswer {
        match self.settle(id, symbol, shape, views).await {
            Ok(report) => FindAnswer::Found(report),
            Err(why) => FindAnswer::Unanswered(why),
        }
    }

    /// Looks an order up and says where it stands. `None` when there is none.
    ///
    /// # Errors
    /// Why there is no answer.
    pub(super) async fn look_up(
        &self,
        id: ClientOrderId,
        symbol: &Symbol,
        shape: Shape,
    ) -> Result<Option<OrderReport>, String> {
        match self.look(id, symbol, shape).await {
            Looked::Found(views) => self.settle(id, symbol, shape, views).await.map(Some),
            Looked::NotFound => Ok(None),
            Looked::Unanswered(why) => Err(why),
        }
    }

    /// Asks for the orders that stand for ours. Of a pair there are both or none.
    async fn look(&self, id: ClientOrderId, symbol: &Symbol, shape: Shape) -> Looked {
        let mut found = Vec::new();
        for leg in shape.legs() {
            let by_id = Params::new().with("origClientOrderId", leg.wire_id(id));
            match self.ask_order(symbol, by_id).await {
                Ok(Some(view)) => found.push((*leg, view)),
                Ok(None) => {}
                Err(why) => return Looked::Unanswered(why),
            }
        }
        if found.len() == shape.legs().len() {
            return Looked::Found(found);
        }
        match shape {
            Shape::Single => Looked::NotFound,
            Shape::Pair => match self.look_by_list(id, symbol).await {
                Ok(legs) if legs.len() == shape.legs().len() => Looked::Found(legs),
                Ok(_) if found.is_empty() => Looked::NotFound,
                Ok(_) => Looked::Unanswered("binance told only one side of the pair".to_owned()),
                Err(why) => Looked::Unanswered(why),
            },
        }
    }

    /// One order, by the parameter that names it; `None` when there is none.
    async fn ask_order(&self, symbol: &Symbol, by: Params) -> Result<Option<OrderView>, String> {
        let params = by.with("symbol", symbol.as_str());
        match self.client.call(&Call::ask("/api/v3/order", params)).await {
            Reply::Done(body) => serde_json::from_slice(&body)
                .map(Some)
                .map_err(|_| UNREADABLE.to_owned()),
            Reply::Refused(refusal) => match refusal.class {
                Class::NotFound => Ok(None),
                Class::Final
                | Class::Retry
                | Class::Resync
                | Class::Unknown
                | Class::Duplicate
                | Class::Benign => Err(refusal.to_string()),
            },
            Reply::NotSent(why) | Reply::Unknown(why) => Err(why),
        }
    }

    /// The sides of a pair by the list that they belong to: the cancellation of a list has one id,
    /// which may have taken the place of both sides' own.
    async fn look_by_list(
        &self,
        id: ClientOrderId,
        symbol: &Symbol,
    ) -> Result<Vec<(Leg, OrderView)>, String> {
        let params = Params::new().with("origClientOrderId", id);
        let call = Call::ask("/api/v3/orderList", params);
        let list: ListedOrders = match self.client.call(&call).await {
            Reply::Done(body) => {
                serde_json::from_slice(&body).map_err(|_| UNREADABLE.to_owned())?
            }
            // Which code says that there is no such list is not documented: any definite refusal
            // means that nothing is learned here, and the sides' own ids have been asked for.
            Reply::Refused(refusal) => match refusal.class {
                Class::NotFound | Class::Final | Class::Benign => return Ok(Vec::new()),
                Class::Retry | Class::Resync | Class::Unknown | Class::Duplicate => {
                    return Err(refusal.to_string());
                }
            },
            Reply::NotSent(why) | Reply::Unknown(why) => return Err(why),
        };
        let mut legs = Vec::new();
        for order in list.orders {
            let by_number = Params::new().with("orderId", order.order_id.to_string());
            if let Some(view) = self.ask_order(symbol, by_number).await? {
                let leg = view.side_of_pair().ok_or(UNREADABLE)?;
                legs.push((leg, view));
            }
        }
        Ok(legs)
    }

    /// Why what was found can't be the order of the plan: an id is a handle, and can come back.
    fn misfit(&self, plan: &OrderPlan, views: &[(Leg, OrderView)]) -> Option<String> {
        let side = translate::side(plan.side);
        let sent = self.client.fences.first_sent(&plan.id);
        views.iter().find_map(|(_, view)| {
            let is_older = sent
                .zip(view.created_at())
                .is_some_and(|(sent, created)| created < sent.before(OLDER_MAX));
            let what = if view.symbol != plan.symbol.as_str() {
                format!("is for {}, not for {}", view.symbol, plan.symbol)
            } else if view.side != side {
                format!("is a {}, not a {side}", view.side)
            } else if view.orig_qty != plan.quantity.get() {
                format!("is for {}, not for {}", view.orig_qty, plan.quantity)
            } else if is_older {
                "is older than the one that was sent".to_owned()
            } else {
                return None;
            };
            Some(format!(
                "the order that binance has under this id {what}; look at the account"
            ))
        })
    }

    /// Takes found orders into the ledger, with what their trades have cost.
    async fn settle(
        &self,
        id: ClientOrderId,
        symbol: &Symbol,
        shape: Shape,
        views: Vec<(Leg, OrderView)>,
    ) -> Result<OrderReport, String> {
        let mut standings: Vec<(Leg, Standing)> = Vec::new();
        for (leg, view) in views {
            let costs = match self.costs_of(id, leg, &view) {
                Some(costs) => costs,
                None => self.ask_costs(&view).await?,
            };
            let standing = standing(&view, costs).ok_or(UNREADABLE)?;
            standings.push((leg, standing));
        }
        self.ledger.note(id, symbol, shape);
        let report = self.ledger.settle(id, standings);
        report.ok_or_else(|| UNREADABLE.to_owned())
    }

    /// Asks for an order's trades. All of them must be there: a total that is too small is wrong.
    async fn ask_costs(&self, view: &OrderView) -> Result<Costs, String> {
        let mut trades: Vec<Trade> = Vec::new();
        for _ in 0..TRADE_PAGES_MAX {
            let mut params = Params::new()
                .with("symbol", &view.symbol)
                .with("orderId", view.order_id.to_string())
                .with("limit", TRADES_PER_PAGE.to_string());
            if let Some(last) = trades.last().and_then(|trade| trade.id) {
                params = params.with("fromId", last.saturating_add(1).to_string());
            }
            let page: Vec<Trade> = self
                .client
                .read(&Call::ask("/api/v3/myTrades", params))
                .await
                .map_err(|problem| problem.to_string())?;
            let is_last = page.len() < TRADES_PER_PAGE;
            trades.extend(page);
            if is_last {
                break;
            }
        }
        view.costs(&trades, self.ledger.currency()).ok_or_else(|| {
            format!(
                "binance has not told all trades of the order yet: {} have traded",
                view.executed_qty
            )
        })
    }

    /// The orders of ours that rest.
    pub(super) async fn resting_orders(&self) -> Result<Vec<OrderReport>, BrokerError> {
        let call = Call::ask("/api/v3/openOrders", Params::new());
        let views: Vec<OrderView> = self.client.read(&call).await?;
        let mut ours: BTreeMap<ClientOrderId, Vec<(Leg, OrderView)>> = BTreeMap::new();
        for view in views {
            if let Some((id, leg)) = ids::read(view.wire_id()) {
                ours.entry(id).or_default().push((leg, view));
            }
        }
        let mut reports = Vec::new();
        for (id, views) in ours {
            let Some((leg, first)) = views.first() else {
                continue;
            };
            let shape = Shape::of(*leg);
            let symbol = Symbol::new(&first.symbol)
                .map_err(|problem| BrokerError::Unreadable(problem.to_string()))?;
            // Of a pair that is about to end one side may rest alone: it is looked up whole.
            let report = if views.len() == shape.legs().len() {
                self.settle(id, &symbol, shape, views).await.map(Some)
            } else {
                self.look_up(id, &symbol, shape).await
            };
            reports.extend(report.map_err(BrokerError::Unanswered)?);
        }
        Ok(reports)
    }
}
