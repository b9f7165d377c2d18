//! Orders on their way out: placing them, and taking them back.

use ponte_core::id::Symbol;
use ponte_core::message::{CancelAnswer, Fate, NotSent, OrderReport, ReportedStatus};
use ponte_core::order::{OrderClass, OrderPlan};
use reqwest::Method;

use super::lookup::{By, Looked};
use super::place::{
    Placement, PositionMode, Service, StopStyle, closes_position, placement, target_in_book,
};
use super::snapshot::{Snapshot, Standing, Totals};
use super::wire::{AlgoView, OrderView};
use super::{Futures, symbols};
use crate::brokers::BrokerError;
use crate::brokers::binance::client::Call;
use crate::brokers::binance::code::Class;
use crate::brokers::binance::limits::Purpose;
use crate::brokers::binance::options::StopSize;
use crate::brokers::binance::params::Params;
use crate::brokers::binance::reply::Reply;

/// The order's `positionSide` doesn't fit the account's position mode (USDⓈ-M Futures, "Error codes").
const WRONG_POSITION_SIDE: i64 = -4061;

/// The market is past the trigger already (USDⓈ-M Futures, "Error codes").
const WOULD_TRIGGER: [i64; 2] = [-2021, -4142];

/// Another stop closes the position already (USDⓈ-M Futures, "Error codes": an open stop or take
/// profit order with closePosition in the direction is existing).
const CLOSED_BY_ANOTHER: i64 = -4130;

/// What came of asking one service to take an order back.
enum TakenBack {
    /// It did; the body of its answer.
    Yes(Vec<u8>),
    /// It has no such order open.
    NotOpen,
    /// Nobody knows.
    Unclear(String),
}

impl Futures {
    /// Sends an order.
    pub(super) async fn place(&self, plan: &OrderPlan) -> Fate {
        let mode = match self.position_mode().await {
            Ok(mode) => mode,
            Err(why) => return unreachable(format!("the position mode is not known yet: {why}")),
        };
        let placement = match placement(plan, mode, self.style) {
            Ok(placement) => placement,
            Err(reason) => return Fate::Rejected { reason },
        };
        if plan.class == OrderClass::Entry
            && let Err(why) = self.prepare(&plan.symbol).await
        {
            return unreachable(why);
        }
        self.book().expect(plan);
        match self.send(plan, &placement).await {
            Reply::Refused(refusal) if refusal.code == Some(WRONG_POSITION_SIDE) => {
                self.mode_may_have_changed(mode, refusal.fate()).await
            }
            Reply::Refused(refusal) if refusal.code == Some(CLOSED_BY_ANOTHER) => {
                self.place_beside(plan, mode, refusal.fate()).await
            }
            Reply::Refused(refusal)
                if plan.kind.is_target()
                    && refusal
                        .code
                        .is_some_and(|code| WOULD_TRIGGER.contains(&code)) =>
            {
                self.place_target_at_once(plan, mode, refusal.fate()).await
            }
            reply
            @ (Reply::Done(_) | Reply::Refused(_) | Reply::NotSent(_) | Reply::Unknown(_)) => {
                match reply.or_fate() {
                    Ok(body) => self.taken(plan, placement.service, &body).await,
                    Err(fate) => *fate,
                }
            }
        }
    }

    /// The market has reached the target before it could rest: as an order of the book it trades at
    /// once, at its price or better. The refusal of the first try is definite.
    async fn place_target_at_once(
        &self,
        plan: &OrderPlan,
        mode: PositionMode,
        refused: Fate,
    ) -> Fate {
        let Ok(in_book) = target_in_book(plan, mode, self.style) else {
            return refused;
        };
        match self.send(plan, &in_book).await.or_fate() {
            Ok(body) => self.taken(plan, in_book.service, &body).await,
            Err(fate) => *fate,
        }
    }

    /// One stop may close the position, a second one has to name its quantity: of a position that was
    /// entered in two steps, and while a stop is replaced. The refusal of the first try is definite.
    async fn place_beside(&self, plan: &OrderPlan, mode: PositionMode, refused: Fate) -> Fate {
        let style = StopStyle {
            size: StopSize::Quantity,
            ..self.style
        };
        let beside = match placement(plan, mode, style) {
            Ok(beside) if closes_position(plan, self.style.size) => beside,
            Ok(_) | Err(_) => return refused,
        };
        match self.send(plan, &beside).await.or_fate() {
            Ok(body) => self.taken(plan, beside.service, &body).await,
            Err(fate) => *fate,
        }
    }

    async fn send(&self, plan: &OrderPlan, placement: &Placement) -> Reply {
        let purpose = purpose(plan.class);
        let service = placement.service;
        let params = placement.params.clone();
        let call = Call::signed(Method::POST, service.path(), params, purpose).places(plan.id);
        match &self.socket {
            Some(socket) => self.client.call_over(socket, service.method(), &call).await,
            None => self.client.call(&call).await,
        }
    }

    /// The refusal is definite. If the owner has changed the mode, the order may be sent again in
    /// the words of the new one.
    async fn mode_may_have_changed(&self, used: PositionMode, fate: Fate) -> Fate {
        match self.read_position_mode().await {
            Ok(mode) if mode == used => fate,
            Ok(_) => {
                unreachable("the account's position mode was changed at the exchange".to_owned())
            }
            Err(why) => unreachable(format!("the position mode is not known any more: {why}")),
        }
    }

    /// The exchange took the order: reads where it stands.
    async fn taken(&self, plan: &OrderPlan, service: Service, body: &[u8]) -> Fate {
        let report = match service {
            Service::Regular => self.taken_regular(plan, body).await,
            Service::Conditional => self.taken_conditional(plan, body),
        };
        match report {
            Some(report) => {
                self.await_stream(plan.id);
                Fate::Acknowledged { report }
            }
            None => Fate::Unknown {
                why: "the exchange's answer to the order could not be read".to_owned(),
            },
        }
    }

    async fn taken_regular(&self, plan: &OrderPlan, body: &[u8]) -> Option<OrderReport> {
        let view: OrderView = serde_json::from_slice(body).ok()?;
        if view.client_order_id != plan.id.to_string() {
            return None;
        }
        // The stream is often faster than the answer, and brings the fees.
        let streamed = self.book().report(plan.id);
        let has_traded = !view.executed_qty.is_zero();
        let is_over = Standing::of_regular(&view.status, None).is_some_and(|s| s.is_final());
        if let Some(report) = streamed.filter(|report| {
            let knows_the_end = !is_over || report.status != ReportedStatus::Working;
            has_traded && report.filled == view.executed_qty && knows_the_end
        }) {
            return Some(report);
        }
        let snapshot = match self.with_trades(&view).await {
            Ok(snapshot) => snapshot,
            Err(why) => {
                tracing::warn!(
                    order.id = %plan.id, account.id = %plan.account, reason = why,
                    "the trades of an order are not known yet; they are asked for again"
                );
                self.missed.notify_one();
                untraded(&view)
            }
        };
        self.book().absorb(plan.id, &plan.symbol, snapshot)
    }

    fn taken_conditional(&self, plan: &OrderPlan, body: &[u8]) -> Option<OrderReport> {
        let view: AlgoView = serde_json::from_slice(body).ok()?;
        if view.client_algo_id != plan.id.to_string() {
            return None;
        }
        // It may have been triggered already: then the stream or a question brings the rest.
        let snapshot = Snapshot::of_conditional(&view, None, self.client.clock.now())
            .unwrap_or_else(|_| {
                self.missed.notify_one();
                Snapshot {
                    algo_id: Some(view.algo_id),
                    order_id: view.actual_order_id,
                    standing: Standing::Working,
                    totals: Totals::default(),
                    trades: std::collections::BTreeSet::new(),
                    at: ponte_core::time::Timestamp::from_milliseconds(view.update_time),
                }
            });
        self.book().absorb(plan.id, &plan.symbol, snapshot)
    }

    /// Takes an order back, wherever it is: waiting for its trigger, or in the book.
    pub(super) async fn take_back(&self, plan: &OrderPlan) -> CancelAnswer {
        self.book().expect(plan);
        let Some(name) = symbols::to_wire(&plan.symbol) else {
            return CancelAnswer::NotOpen;
        };
        let first = Service::of(plan);
        for service in [first, first.other()] {
            match self.take_back_from(service, name, plan).await {
                TakenBack::Yes(body) => return self.taken_back(plan, service, &body).await,
                TakenBack::NotOpen => {}
                TakenBack::Unclear(why) => return CancelAnswer::Unanswered(why),
            }
        }
        CancelAnswer::NotOpen
    }

    async fn take_back_from(&self, service: Service, name: &str, plan: &OrderPlan) -> TakenBack {
        let (method, params) = match service {
            Service::Regular => {
                // A triggered order may be in the book under an id of the exchange's own.
                let number = self.book().order_id(plan.id);
                let by = number.map_or(By::Client(plan.id), By::Number);
                ("order.cancel", by.params(name))
            }
            Service::Conditional => {
                let params = Params::new().with("clientAlgoId", plan.id.to_string());
                ("algoOrder.cancel", params)
            }
        };
        let call = Call::signed(Method::DELETE, service.path(), params, Purpose::Exit);
        let reply = match &self.socket {
            Some(socket) => self.client.call_over(socket, method, &call).await,
            None => self.client.call(&call).await,
        };
        match reply {
            Reply::Done(body) => TakenBack::Yes(body),
            Reply::NotSent(why) | Reply::Unknown(why) => TakenBack::Unclear(why),
            Reply::Refused(refusal) => match refusal.class {
                Class::Benign | Class::NotFound => TakenBack::NotOpen,
                Class::Final | Class::Retry | Class::Resync | Class::Unknown | Class::Duplicate => {
                    TakenBack::Unclear(refusal.to_string())
                }
            },
        }
    }

    /// The exchange took the order back: reads what it had traded until then.
    async fn taken_back(&self, plan: &OrderPlan, service: Service, body: &[u8]) -> CancelAnswer {
        let snapshot = match service {
            Service::Regular => match serde_json::from_slice::<OrderView>(body) {
                Ok(view) => self.with_trades(&view).await,
                Err(problem) => Err(format!(
                    "the exchange's answer could not be read: {problem}"
                )),
            },
            // The answer says no more than that it was done.
            Service::Conditional => match self.look_up(&plan.symbol, plan.id, service).await {
                Looked::Seen(seen) => Ok(seen.snapshot),
                Looked::Missing => Err("the exchange took it back and does not show it".to_owned()),
                Looked::Unclear(why) => Err(why),
            },
        };
        let report = snapshot.map(|seen| self.book().absorb(plan.id, &plan.symbol, seen));
        match report {
            Ok(Some(report)) => CancelAnswer::Done(report),
            // It is done, and what it traded is asked for.
            Ok(None) => CancelAnswer::NotOpen,
            Err(why) => CancelAnswer::Unanswered(why),
        }
    }

    /// Takes back every order of a symbol: what rests in the book, and what waits for a trigger.
    ///
    /// # Errors
    /// When either could not be asked for; the other one was asked all the same.
    pub(super) async fn take_back_all(&self, symbol: &Symbol) -> Result<(), BrokerError> {
        let Some(name) = symbols::to_wire(symbol) else {
            return Ok(());
        };
        let delete = |path| {
            let params = Params::new().with("symbol", name);
            Call::signed(Method::DELETE, path, params, Purpose::Exit)
        };
        let (regular, conditional) = (
            delete("/fapi/v1/allOpenOrders"),
            delete("/fapi/v1/algoOpenOrders"),
        );
        let (regular, conditional) =
            tokio::join!(self.client.call(&regular), self.client.call(&conditional));
        is_done(regular).and(is_done(conditional))
    }
}

/// Whether nothing is left to take back.
fn is_done(reply: Reply) -> Result<(), BrokerError> {
    match reply {
        Reply::Refused(refusal) if matches!(refusal.class, Class::Benign | Class::NotFound) => {
            Ok(())
        }
        reply @ (Reply::Done(_) | Reply::Refused(_) | Reply::NotSent(_) | Reply::Unknown(_)) => {
            reply.or_error().map(drop)
        }
    }
}

/// An order that the exchange has, and whose trades are not known yet. Totals only grow, so that
/// nothing is said of them rather than something without its fees.
fn untraded(view: &OrderView) -> Snapshot {
    Snapshot {
        algo_id: None,
        order_id: Some(view.order_id),
        standing: Standing::Working,
        totals: Totals::default(),
        trades: std::collections::BTreeSet::new(),
        at: ponte_core::time::Timestamp::from_milliseconds(view.update_time),
    }
}

const fn purpose(class: OrderClass) -> Purpose {
    match class {
        OrderClass::Exit | OrderClass::Protection => Purpose::Exit,
        OrderClass::Entry => Purpose::Entry,
    }
}

const fn unreachable(why: String) -> Fate {
    Fate::NotSent {
        why: NotSent::Unreachable(why),
    }
}
