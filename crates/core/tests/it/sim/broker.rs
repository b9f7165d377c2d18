//! The broker: the venue with its faults, and a thin honest translation on both sides of the wire.

use std::collections::BTreeMap;

use ponte_core::id::{AccountName, ClientOrderId};
use ponte_core::message::{OrderReport, ReportedStatus};
use ponte_core::order::{OrderClass, OrderKind, OrderPlan};
use ponte_core::signal::{Side, Terms};
use ponte_core::time::Timestamp;
use ponte_venue::fault::{Fault, FaultPlan, FaultRule, LiveDelivery, Operation, Trigger};
use ponte_venue::{
    CancelError, DuplicateIds, FillModel, Instrument, Micros, RejectCode, Report, ReportEvent,
    Venue, VenueOptions,
};
use rust_decimal::Decimal;

use super::random::Random;
use super::setting::{ACCOUNTS, SYMBOLS};

/// The look-up by client order id may lag behind so much.
pub(super) const LAG_MAX: i64 = 1_500_000;

/// What travels to the venue.
#[derive(Debug, Clone)]
pub(super) enum Request {
    Place {
        plan: Box<OrderPlan>,
        valid_until: i64,
    },
    Find {
        account: AccountName,
        id: ClientOrderId,
    },
    Cancel {
        account: AccountName,
        id: ClientOrderId,
    },
}

/// What comes back.
#[derive(Debug, Clone)]
pub(super) enum Response {
    Placed(OrderReport),
    Rejected(String),
    /// Found or not, at this moment of the venue's clock.
    Found(Option<OrderReport>, i64),
    Cancelled(OrderReport),
    NotOpen,
    /// Certain that the order was not taken; it may be sent again.
    NotTaken(String),
    /// The connection broke, or the answer leaves the outcome open.
    Broken(String),
}

/// What the venue does with a request now.
pub(super) enum Handled {
    Answered(Response),
    /// It lies in a queue over there for so long.
    Later(i64),
}

pub(super) struct Broker {
    pub(super) venue: Venue,
    faults: FaultPlan,
    live: BTreeMap<String, LiveDelivery>,
    pub(super) duplicates_requests: bool,
    pub(super) prices: BTreeMap<String, i64>,
}

impl Broker {
    pub(super) fn new(random: &mut Random, now: i64) -> Self {
        let pessimistic = random.chance(500);
        let forever = random.chance(500);
        let mut fill_model = FillModel::optimistic();
        if pessimistic {
            fill_model = FillModel::pessimistic();
            fill_model.slice_value = Some(Decimal::from(2_000));
        }
        let instrument = |name: &&str| Instrument {
            price_tick: Decimal::ONE,
            quantity_step: Decimal::ONE,
            ..Instrument::permissive().named(name)
        };
        let mut venue = Venue::new(VenueOptions {
            instruments: SYMBOLS.iter().map(instrument).collect(),
            default_instrument: None,
            fill_model,
            // Only a venue that knows an id for ever may be sent a request twice by the network.
            duplicate_ids: if forever {
                DuplicateIds::RejectForever
            } else {
                DuplicateIds::RejectWhileOpen
            },
            leverage: Decimal::from(1_000),
            ..VenueOptions::paper()
        })
        .unwrap();
        for name in ACCOUNTS {
            venue
                .open_account(name, "USDT", Decimal::from(10_000_000))
                .unwrap();
        }
        let mut prices = BTreeMap::new();
        for name in SYMBOLS {
            venue.tick(name, Decimal::from(1_000), Micros(now)).unwrap();
            prices.insert(name.to_owned(), 1_000);
        }
        let mut faults = FaultPlan::new(random.next());
        for (fault, per_mille, operation) in fault_table(random) {
            faults
                .add(FaultRule {
                    fault,
                    trigger: Trigger::PerMille(per_mille),
                    operation,
                })
                .unwrap();
        }
        Self {
            venue,
            faults,
            live: BTreeMap::new(),
            duplicates_requests: forever,
            prices,
        }
    }

    /// No faults from now on.
    pub(super) fn calm(&mut self) {
        self.faults.clear();
    }

    pub(super) fn walk(&mut self, random: &mut Random, now: i64) {
        for (name, price) in &mut self.prices {
            let reach = if random.chance(50) { 25 } else { 4 };
            *price = (*price + random.between(-reach, reach)).clamp(800, 1_200);
            self.venue
                .tick(name, Decimal::from(*price), Micros(now))
                .unwrap();
        }
    }

    pub(super) fn handle(&mut self, request: &Request, now: i64, lag: i64) -> Handled {
        let (operation, leaves) = match request {
            Request::Place { plan, .. } => (Operation::Place, plan.class == OrderClass::Exit),
            Request::Find { .. } => (Operation::Find, false),
            Request::Cancel { .. } => (Operation::Cancel, false),
        };
        let mut breaks = false;
        for fault in self.faults.next(operation) {
            match fault {
                Fault::Delay { milliseconds } => {
                    return Handled::Later(i64::try_from(milliseconds).unwrap() * 1_000);
                }
                // An exit that is rejected for no reason is beyond any program's help.
                Fault::Reject if leaves => {}
                Fault::Reject => {
                    return Handled::Answered(match operation {
                        Operation::Place => Response::Rejected("injected".to_owned()),
                        Operation::Find | Operation::Cancel | Operation::Reports => {
                            Response::Broken("refused for now".to_owned())
                        }
                    });
                }
                Fault::DisconnectBefore => {
                    return Handled::Answered(Response::Broken("disconnected".to_owned()));
                }
                Fault::AcceptThenDisconnect | Fault::ErrorAfterAccept => breaks = true,
                Fault::PretendAbsent
                | Fault::DuplicateReport
                | Fault::LoseReport
                | Fault::LateReport { .. } => {}
            }
        }
        let response = self.process(request, now, lag);
        Handled::Answered(if breaks {
            Response::Broken("500".to_owned())
        } else {
            response
        })
    }

    fn process(&mut self, request: &Request, now: i64, lag: i64) -> Response {
        match request {
            Request::Place { plan, valid_until } => {
                if let Some(response) = self.make_way(plan, now) {
                    return response;
                }
                let placed = self.venue.place(
                    plan.account.as_str(),
                    translate(plan, *valid_until),
                    Micros(now),
                );
                match placed {
                    Ok(order) => Response::Placed(report_of(&order)),
                    // Another copy of the request may have been taken.
                    Err(rejection)
                        if matches!(
                            rejection.code,
                            RejectCode::DuplicateClientOrderId | RejectCode::Expired
                        ) =>
                    {
                        Response::Broken(rejection.message)
                    }
                    Err(rejection) => Response::Rejected(rejection.message),
                }
            }
            Request::Find { account, id } => {
                let order = self.venue.find(account.as_str(), &id.to_string()).unwrap();
                let visible = order.filter(|order| order.accepted_at.0 + lag <= now);
                Response::Found(visible.map(report_of), now)
            }
            Request::Cancel { account, id } => {
                let text = id.to_string();
                match self.venue.cancel(account.as_str(), &text, Micros(now)) {
                    Ok(order) => Response::Cancelled(report_of(&order)),
                    Err(CancelError::AlreadyClosed(order)) => {
                        Response::Cancelled(report_of(&order))
                    }
                    Err(CancelError::UnknownOrder | CancelError::UnknownAccount) => {
                        Response::NotOpen
                    }
                }
            }
        }
    }

    /// At `c` what rests holds what it would sell: it is taken back for what comes in its stead, and
    /// nothing can be sold twice.
    fn make_way(&mut self, plan: &OrderPlan, now: i64) -> Option<Response> {
        let account = plan.account.as_str();
        if account != "c" || plan.side == Side::Buy {
            return None;
        }
        let known = self.venue.find(account, &plan.id.to_string()).unwrap();
        if known.is_some() {
            return None;
        }
        for id in &plan.instead_of {
            if self
                .venue
                .cancel(account, &id.to_string(), Micros(now))
                .is_err()
            {
                return Some(Response::NotTaken(format!("{id} does not rest")));
            }
        }
        let symbol = plan.symbol.as_str();
        let positions = self.venue.positions(account).unwrap();
        let held = positions.iter().find(|position| position.symbol == symbol);
        let bound: Decimal = self
            .venue
            .open_orders(account)
            .unwrap()
            .iter()
            .filter(|order| order.request.symbol == symbol)
            .filter(|order| order.request.side == ponte_venue::Side::Sell)
            .map(|order| order.remaining_quantity())
            .sum();
        let free = held.map_or(Decimal::ZERO, |held| held.quantity) - bound;
        (plan.quantity.get() > free)
            .then(|| Response::Rejected(format!("only {free} of {symbol} are free")))
    }

    /// What the stream of reports brings now, and the number to read from next.
    pub(super) fn stream(
        &mut self,
        account: &str,
        after: u64,
        now: i64,
    ) -> (Vec<OrderReport>, u64) {
        let page = self.venue.reports_after(account, after).unwrap();
        let newest = page.reports.last().map_or(after, |report| report.number);
        let live = self.live.entry(account.to_owned()).or_default();
        let reports = live.deliver(&mut self.faults, &page.reports, Micros(now));
        (self.translate_reports(account, &reports), newest)
    }

    /// What a reading of the gap brings: everything, once more.
    pub(super) fn gap(&self, account: &str, after: u64) -> Vec<OrderReport> {
        let page = self.venue.reports_after(account, after).unwrap();
        self.translate_reports(account, &page.reports)
    }

    pub(super) fn newest(&self, account: &str) -> u64 {
        self.venue.reports_after(account, 0).unwrap().newest
    }

    fn translate_reports(&self, account: &str, reports: &[Report]) -> Vec<OrderReport> {
        reports
            .iter()
            .filter_map(|report| self.translate_report(account, report))
            .collect()
    }

    /// The refusal of a request is no report on an order: the same id may have been taken since.
    fn translate_report(&self, account: &str, report: &Report) -> Option<OrderReport> {
        let status = match &report.event {
            ReportEvent::Accepted
            | ReportEvent::Filled {
                complete: false, ..
            } => ReportedStatus::Working,
            ReportEvent::Filled { complete: true, .. } => ReportedStatus::Filled,
            ReportEvent::Cancelled { reason } => ReportedStatus::Cancelled {
                reason: format!("{reason:?}"),
            },
            ReportEvent::Expired { reason } => ReportedStatus::Cancelled {
                reason: format!("{reason:?}"),
            },
            ReportEvent::Rejected { .. } => return None,
        };
        let order = self.venue.find(account, &report.client_order_id).unwrap()?;
        let mut filled = Decimal::ZERO;
        let mut fees = Decimal::ZERO;
        for fill in &order.fills {
            if filled < report.cumulative_quantity {
                filled += fill.quantity;
                fees += fill.fee;
            }
        }
        Some(OrderReport {
            id: report.client_order_id.parse().unwrap(),
            broker_order_id: order.venue_order_id.to_string(),
            status,
            filled: report.cumulative_quantity,
            average_price: report.average_price.unwrap_or_default(),
            fees,
            withheld: Decimal::ZERO,
            at: Timestamp(report.at.0),
        })
    }
}

/// Each seed has its own mixture of faults, some have none of a kind.
fn fault_table(random: &mut Random) -> Vec<(Fault, u32, Option<Operation>)> {
    let mut often = |most: i64| {
        if random.chance(400) {
            0
        } else {
            u32::try_from(random.between(0, most)).unwrap()
        }
    };
    vec![
        (Fault::Delay { milliseconds: 300 }, often(100), None),
        (
            Fault::Delay {
                milliseconds: 3_000,
            },
            often(60),
            None,
        ),
        (
            Fault::Delay {
                milliseconds: 9_000,
            },
            often(40),
            None,
        ),
        (Fault::Reject, often(50), None),
        (Fault::DisconnectBefore, often(100), None),
        (Fault::AcceptThenDisconnect, often(150), None),
        (Fault::ErrorAfterAccept, often(60), None),
        (Fault::DuplicateReport, often(200), None),
        (Fault::LoseReport, often(200), None),
        (Fault::LateReport { milliseconds: 700 }, often(200), None),
        (
            Fault::LateReport {
                milliseconds: 12_000,
            },
            often(60),
            None,
        ),
    ]
}

fn translate(plan: &OrderPlan, valid_until: i64) -> ponte_venue::OrderRequest {
    let kind = match plan.kind {
        OrderKind::Single { terms } => match terms {
            Terms::Market => ponte_venue::OrderKind::Market,
            Terms::Limit { price } => ponte_venue::OrderKind::Limit { price: price.get() },
            Terms::Stop { trigger } => ponte_venue::OrderKind::Stop {
                stop_price: trigger.get(),
            },
            Terms::StopLimit { trigger, price } => ponte_venue::OrderKind::StopLimit {
                stop_price: trigger.get(),
                price: price.get(),
            },
        },
        OrderKind::OneCancelsOther { stop, target } => ponte_venue::OrderKind::OneCancelsOther {
            stop_price: stop.get(),
            target_price: target.get(),
        },
        OrderKind::TrailingStop { .. } => panic!("the simulated broker can't trail"),
    };
    let side = match plan.side {
        Side::Buy => ponte_venue::Side::Buy,
        Side::Sell => ponte_venue::Side::Sell,
    };
    ponte_venue::OrderRequest {
        valid_until: Some(Micros(valid_until)),
        reduce_only: plan.reduce_only,
        ..ponte_venue::OrderRequest::market(
            &plan.id.to_string(),
            plan.symbol.as_str(),
            side,
            plan.quantity.get(),
        )
        .with_kind(kind)
    }
}

fn report_of(order: &ponte_venue::Order) -> OrderReport {
    let status = match order.status {
        ponte_venue::OrderStatus::Open => ReportedStatus::Working,
        ponte_venue::OrderStatus::Filled => ReportedStatus::Filled,
        ponte_venue::OrderStatus::Cancelled(reason) => ReportedStatus::Cancelled {
            reason: format!("{reason:?}"),
        },
        ponte_venue::OrderStatus::Expired(reason) => ReportedStatus::Cancelled {
            reason: format!("{reason:?}"),
        },
    };
    OrderReport {
        id: order.request.client_order_id.parse().unwrap(),
        broker_order_id: order.venue_order_id.to_string(),
        status,
        filled: order.filled_quantity,
        average_price: order.average_price().unwrap_or_default(),
        fees: order.fills.iter().map(|fill| fill.fee).sum(),
        withheld: Decimal::ZERO,
        at: Timestamp(order.changed_at.0),
    }
}
