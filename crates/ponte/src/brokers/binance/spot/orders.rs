//! Placing orders and taking them back.

use std::sync::PoisonError;

use ponte_core::id::{ClientOrderId, Symbol};
use ponte_core::message::{CancelAnswer, Fate, NotSent, OrderReport};
use ponte_core::order::{OrderClass, OrderPlan};
use reqwest::Method;

use super::ledger::{Costs, Shape, Standing, broker_order_id};
use super::wire::{ListView, OrderView};
use super::{Spot, translate};
use crate::brokers::BrokerError;
use crate::brokers::binance::client::Call;
use crate::brokers::binance::code::Class;
use crate::brokers::binance::ids::{self, Leg};
use crate::brokers::binance::limits::Purpose;
use crate::brokers::binance::options::Transport;
use crate::brokers::binance::params::Params;
use crate::brokers::binance::reply::Reply;
use crate::clock;

/// How the exchange says that other orders hold what this one would sell (Spot API, "Error codes",
/// "Messages for -1010, -2010 and -2011").
const INSUFFICIENT: &str = "insufficient balance";
/// What is said of an answer that is not as documented.
pub(super) const UNREADABLE: &str = "binance's answer could not be read";

impl Spot {
    /// Places an order, in the place of others where the plan says so.
    pub(super) async fn place(&self, plan: &OrderPlan) -> Fate {
        let params = match translate::place(plan) {
            Ok(params) => params,
            Err(reason) => return Fate::Rejected { reason },
        };
        self.ledger
            .note(plan.id, &plan.symbol, translate::shape(plan));
        let fate = if plan.instead_of.is_empty() {
            tried_again(plan, self.place_alone(plan, &params).await)
        } else {
            self.swap(plan, params).await
        };
        match fate {
            Fate::Acknowledged { .. } => self.expect(plan.id),
            Fate::Rejected { .. } | Fate::NotSent { .. } => self.ledger.drop_unplaced(&plan.id),
            Fate::Unknown { .. } => {}
        }
        fate
    }

    /// Places an order.
    pub(super) async fn place_alone(&self, plan: &OrderPlan, params: &Params) -> Fate {
        let shape = translate::shape(plan);
        let path = match shape {
            Shape::Single => "/api/v3/order",
            Shape::Pair => "/api/v3/orderList/oco",
        };
        let call = Call::signed(Method::POST, path, params.clone(), purpose(plan)).places(plan.id);
        let reply = match (shape, self.transport) {
            (Shape::Single, Transport::WebSocket) => {
                let socket = &self.socket;
                self.client.call_over(socket, "order.place", &call).await
            }
            (Shape::Single | Shape::Pair, Transport::Rest)
            | (Shape::Pair, Transport::WebSocket) => self.client.call(&call).await,
        };
        self.placed(plan.id, reply)
    }

    fn placed(&self, id: ClientOrderId, reply: Reply) -> Fate {
        let body = match reply.or_fate() {
            Ok(body) => body,
            Err(fate) => return *fate,
        };
        self.acknowledged(id, &body)
    }

    /// Reads the answer to an order that was taken.
    pub(super) fn acknowledged(&self, id: ClientOrderId, body: &[u8]) -> Fate {
        match self.take_answer(id, body) {
            Some(report) => Fate::Acknowledged { report },
            None => Fate::Unknown {
                why: UNREADABLE.to_owned(),
            },
        }
    }

    /// Takes an answer with one order, or a list of them, into the ledger. `None` when it can't be
    /// read, is not about this order, or leaves its costs open.
    fn take_answer(&self, id: ClientOrderId, body: &[u8]) -> Option<OrderReport> {
        let views = read_orders(body)?;
        let standings: Option<Vec<(Leg, Standing)>> = views
            .iter()
            .map(|view| {
                let (said, leg) = ids::read(view.wire_id())?;
                let costs = self.costs_of(id, leg, view)?;
                (said == id).then_some((leg, standing(view, costs)?))
            })
            .collect();
        self.ledger.settle(id, standings?)
    }

    /// What an order's trades have cost, as far as the answer itself or the ledger knows.
    pub(super) fn costs_of(&self, id: ClientOrderId, leg: Leg, view: &OrderView) -> Option<Costs> {
        if view.executed_qty.is_zero() {
            return Some(Costs::default());
        }
        if let Some(known) = self.ledger.costs(&id, leg, view.executed_qty) {
            return Some(known);
        }
        view.costs(view.fills.as_deref()?, self.ledger.currency())
    }

    /// Takes an order back. A cancellation has an id of its own, which is said to take the place of
    /// the order's (Binance Spot API, "Cancel order", `newClientOrderId`): it is given the order's, so
    /// that the order is found by it afterwards either way.
    pub(super) async fn cancel_order(
        &self,
        id: ClientOrderId,
        symbol: &Symbol,
        shape: Shape,
    ) -> CancelAnswer {
        let params = Params::new().with("symbol", symbol.as_str());
        let (path, params) = match shape {
            Shape::Single => {
                let params = params
                    .with("origClientOrderId", id)
                    .with("newClientOrderId", id);
                ("/api/v3/order", params)
            }
            Shape::Pair => ("/api/v3/orderList", params.with("listClientOrderId", id)),
        };
        let call = Call::signed(Method::DELETE, path, params, Purpose::Exit);
        let reply = match (shape, self.transport) {
            (Shape::Single, Transport::WebSocket) => {
                let socket = &self.socket;
                self.client.call_over(socket, "order.cancel", &call).await
            }
            (Shape::Single | Shape::Pair, Transport::Rest)
            | (Shape::Pair, Transport::WebSocket) => self.client.call(&call).await,
        };
        match reply {
            // It is over, but what its last trades cost is not in the answer: it is asked about.
            Reply::Done(body) => self
                .take_answer(id, &body)
                .map_or(CancelAnswer::NotOpen, CancelAnswer::Done),
            Reply::Refused(refusal) => match refusal.class {
                Class::Benign | Class::NotFound => CancelAnswer::NotOpen,
                Class::Final | Class::Retry | Class::Resync | Class::Unknown | Class::Duplicate => {
                    CancelAnswer::Unanswered(refusal.to_string())
                }
            },
            Reply::NotSent(why) | Reply::Unknown(why) => CancelAnswer::Unanswered(why),
        }
    }

    /// Takes back every order of a symbol, lists among them.
    pub(super) async fn cancel_symbol(&self, symbol: &Symbol) -> Result<(), BrokerError> {
        let params = Params::new().with("symbol", symbol.as_str());
        let call = Call::signed(Method::DELETE, "/api/v3/openOrders", params, Purpose::Exit);
        match self.client.call(&call).await {
            // There was none.
            Reply::Refused(refusal) if refusal.class == Class::Benign => Ok(()),
            reply
            @ (Reply::Refused(_) | Reply::Done(_) | Reply::NotSent(_) | Reply::Unknown(_)) => {
                reply.or_error().map(drop)
            }
        }
    }

    /// The exchange has taken the order: the stream must speak of it soon.
    fn expect(&self, id: ClientOrderId) {
        if !self.ledger.heard(&id) {
            self.expected
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert((id, clock::instant()));
        }
    }
}

/// An exit at the market for which too little is free may be sent again: orders that are being replaced
/// hold what it would sell a moment longer. What has made way for an exit comes back instead.
fn tried_again(plan: &OrderPlan, fate: Fate) -> Fate {
    match fate {
        Fate::Rejected { reason }
            if plan.class == OrderClass::Exit
                && !plan.kind.rests()
                && reason.contains(INSUFFICIENT) =>
        {
            Fate::NotSent {
                why: NotSent::Unreachable(reason),
            }
        }
        Fate::Acknowledged { .. }
        | Fate::Rejected { .. }
        | Fate::NotSent { .. }
        | Fate::Unknown { .. } => fate,
    }
}

/// Which share of the limits an order may use.
pub(super) const fn purpose(plan: &OrderPlan) -> Purpose {
    match plan.class {
        OrderClass::Entry => Purpose::Entry,
        OrderClass::Exit | OrderClass::Protection => Purpose::Exit,
    }
}

/// Reads one order, or the orders of a list.
fn read_orders(body: &[u8]) -> Option<Vec<OrderView>> {
    match serde_json::from_slice::<ListView>(body) {
        Ok(list) => Some(list.order_reports),
        Err(_) => Some(vec![serde_json::from_slice(body).ok()?]),
    }
}

/// Where an order stands; `None` for a status that this version doesn't know.
pub(super) fn standing(view: &OrderView, costs: Costs) -> Option<Standing> {
    Some(Standing {
        broker_order_id: broker_order_id(view.order_id, view.order_list_id),
        status: view.status()?,
        filled: view.executed_qty,
        quote: view.quote_qty,
        costs,
        at: view.at(),
    })
}
