//! The broker: the venue with its faults, and a thin honest translation on both sides of the wire.

use std::collections::{BTreeMap, BTreeSet};

use ponte_core::id::{AccountName, ClientOrderId};
use ponte_core::message::{OrderReport, ReportedStatus};
use ponte_core::order::{OrderClass, OrderPlan};
use ponte_core::signal::Side;
use ponte_core::time::Timestamp;
use ponte_venue::fault::{Fault, FaultPlan, FaultRule, LiveDelivery, Operation, Trigger};
use ponte_venue::{
    CancelError, DuplicateIds, FillModel, Instrument, Micros, RejectCode, Report, ReportEvent,
    Venue, VenueOptions,
};
use rust_decimal::Decimal;

use super::faults::fault_table;
use super::levels::{self, Closed, Levels, Pair};
use super::random::Random;
use super::setting::{ACCOUNTS, SYMBOLS};
use super::translation::{report_of, translate};

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
        plan: Box<OrderPlan>,
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
    pub(super) levels: Levels,
    /// What was rejected for no reason, and is whenever it comes.
    refused: BTreeSet<ClientOrderId>,
    /// The entries that the terminal has taken.
    entries: BTreeMap<ClientOrderId, OrderPlan>,
    /// Which of the news of the levels get lost on their way.
    losses: Random,
    pub(super) closings: usize,
}

/// An order as the broker has it, for the auditor.
pub(super) struct Seen {
    pub(super) id: ClientOrderId,
    pub(super) symbol: String,
    pub(super) side: Side,
    pub(super) quantity: Decimal,
    pub(super) filled: Decimal,
    pub(super) is_open: bool,
    /// The number of each trade, and how much it was.
    pub(super) trades: Vec<(u64, Decimal)>,
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
            levels: Levels::default(),
            refused: BTreeSet::new(),
            entries: BTreeMap::new(),
            losses: Random::new(random.next()),
            closings: 0,
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
        self.watch_levels(now);
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
                // An exit that is rejected for no reason is beyond any program's help,
                Fault::Reject if leaves => {}
                // and so is a request of which one copy is rejected and the other one taken.
                Fault::Reject if self.has(request) => {}
                Fault::Reject => {
                    if let Request::Place { plan, .. } = request {
                        self.refused.insert(plan.id);
                    }
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
            Request::Place { plan, .. } if self.refused.contains(&plan.id) => {
                Response::Rejected("injected".to_owned())
            }
            Request::Place { plan, valid_until } if plan.account.as_str() == levels::ACCOUNT => {
                self.place_in_terminal(plan, *valid_until, now)
            }
            Request::Place { plan, valid_until } => {
                if let Some(response) = self.make_way(plan, now) {
                    return response;
                }
                self.place(plan, *valid_until, now)
            }
            Request::Find { plan } if self.levels.find(&plan.id).is_some() => {
                let shield = self
                    .levels
                    .find(&plan.id)
                    .filter(|shield| shield.accepted_at + lag <= now);
                Response::Found(shield.map(levels::Shield::report), now)
            }
            // A level may have done already what it never came there for.
            Request::Find { plan } if stands_for_level(plan) => {
                Response::Found(self.levels.claim(plan, now), now)
            }
            Request::Cancel { id, .. } if self.levels.find(id).is_some() => {
                Response::Cancelled(self.levels.cancel(id).unwrap())
            }
            Request::Find { plan } => {
                let (account, id) = (plan.account.as_str(), plan.id.to_string());
                let order = self.venue.find(account, &id).unwrap();
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

    /// Whether an order has been taken already.
    fn has(&self, request: &Request) -> bool {
        let Request::Place { plan, .. } = request else {
            return false;
        };
        let account = plan.account.as_str();
        let order = self.venue.find(account, &plan.id.to_string()).unwrap();
        order.is_some() || self.levels.find(&plan.id).is_some()
    }

    fn place(&mut self, plan: &OrderPlan, valid_until: i64, now: i64) -> Response {
        let order = translate(plan, valid_until);
        match self.venue.place(plan.account.as_str(), order, Micros(now)) {
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

    /// At `d` protection is no order, an order at the market trades at once, and an exit that is
    /// larger than the position is not handed over.
    fn place_in_terminal(&mut self, plan: &OrderPlan, valid_until: i64, now: i64) -> Response {
        if now > valid_until {
            return Response::Broken("expired".to_owned());
        }
        if let Some(shield) = self.levels.find(&plan.id) {
            return Response::Placed(shield.report());
        }
        let known = self
            .venue
            .find(levels::ACCOUNT, &plan.id.to_string())
            .unwrap();
        if known.is_some() {
            return self.place(plan, valid_until, now);
        }
        let symbol = plan.symbol.as_str();
        let closes = -plan.side.signed(self.held(symbol));
        match plan.class {
            OrderClass::Protection => {
                let is_held = closes > Decimal::ZERO;
                let price = Decimal::from(self.prices[symbol]);
                if is_held && Pair::of(plan).hit(plan.side, price).is_some() {
                    return Response::Rejected("invalid stops".to_owned());
                }
                return match self.levels.place(plan, is_held, now) {
                    Some(report) => Response::Placed(report),
                    None => Response::Rejected("there is no position".to_owned()),
                };
            }
            OrderClass::Exit if closes < plan.quantity.get() && !plan.kind.rests() => {
                return match self.levels.claim(plan, now) {
                    Some(report) => Response::Placed(report),
                    None => Response::NotTaken(format!("the position is {closes}")),
                };
            }
            OrderClass::Entry if !plan.kind.rests() => {
                let price = Decimal::from(self.prices[symbol]);
                if Pair::of(plan).hit(plan.side.opposite(), price).is_some() {
                    return Response::Rejected("invalid stops".to_owned());
                }
            }
            OrderClass::Exit | OrderClass::Entry => {}
        }
        if plan.class == OrderClass::Entry {
            self.entries.insert(plan.id, plan.clone());
        }
        let response = self.place(plan, valid_until, now);
        let Response::Placed(_) = response else {
            return response;
        };
        if !plan.kind.rests() {
            self.fill_now(symbol, &plan.id.to_string(), now);
        }
        self.watch_levels(now);
        let order = self
            .venue
            .find(levels::ACCOUNT, &plan.id.to_string())
            .unwrap();
        Response::Placed(report_of(order.unwrap()))
    }

    /// What the terminal's account holds.
    fn held(&self, symbol: &str) -> Decimal {
        let positions = self.venue.positions(levels::ACCOUNT).unwrap();
        let position = positions.iter().find(|position| position.symbol == symbol);
        position.map_or(Decimal::ZERO, |position| position.quantity)
    }

    fn fill_now(&mut self, symbol: &str, id: &str, now: i64) {
        let price = Decimal::from(self.prices[symbol]);
        while self
            .venue
            .find(levels::ACCOUNT, id)
            .unwrap()
            .is_some_and(ponte_venue::Order::is_open)
        {
            self.venue.tick(symbol, price, Micros(now)).unwrap();
        }
    }

    /// Gives the terminal's positions the levels that their deals bring, and closes what a level says.
    fn watch_levels(&mut self, now: i64) {
        for symbol in SYMBOLS {
            let held = self.held(symbol);
            self.levels.now_held(symbol, held);
            let entries: Vec<_> = self
                .orders(levels::ACCOUNT)
                .into_iter()
                .filter(|order| order.symbol == symbol)
                .collect();
            for order in entries {
                let plan = self.entries.get(&order.id);
                if let Some(plan) = plan {
                    self.levels.entered(plan, order.filled);
                }
            }
            if held.is_zero() {
                continue;
            }
            let closes = if held.is_sign_positive() {
                Side::Sell
            } else {
                Side::Buy
            };
            let price = Decimal::from(self.prices[symbol]);
            let Some(is_stop) = self.levels.of(symbol).hit(closes, price) else {
                continue;
            };
            let id = format!("level-{}", self.closings);
            self.closings += 1;
            let side = match closes {
                Side::Buy => ponte_venue::Side::Buy,
                Side::Sell => ponte_venue::Side::Sell,
            };
            let order = ponte_venue::OrderRequest::market(&id, symbol, side, held.abs());
            self.venue
                .place(levels::ACCOUNT, order, Micros(now))
                .unwrap();
            self.fill_now(symbol, &id, now);
            let order = self.venue.find(levels::ACCOUNT, &id).unwrap().unwrap();
            let fills = order.fills.iter().map(|fill| Closed {
                side: closes,
                trade: fill.trade_id.0,
                quantity: fill.quantity,
                price: fill.price,
            });
            let fills = fills.collect();
            self.levels.closed(symbol, is_stop, fills);
            self.levels.gone(symbol);
        }
    }

    /// All orders that the account has had; levels that have acted are not orders of their own.
    pub(super) fn orders(&self, account: &str) -> Vec<Seen> {
        let (orders, _) = self.venue.all_orders(account).unwrap();
        let orders = orders.into_iter().filter_map(|order| {
            Some(Seen {
                id: order.request.client_order_id.parse().ok()?,
                symbol: order.request.symbol.clone(),
                side: match order.request.side {
                    ponte_venue::Side::Buy => Side::Buy,
                    ponte_venue::Side::Sell => Side::Sell,
                },
                quantity: order.request.quantity,
                filled: order.filled_quantity,
                is_open: order.is_open(),
                trades: order
                    .fills
                    .iter()
                    .map(|fill| (fill.trade_id.0, fill.quantity))
                    .collect(),
            })
        });
        let mut seen: Vec<_> = orders.collect();
        if account == levels::ACCOUNT {
            seen.extend(self.levels.shields().iter().map(|shield| Seen {
                id: shield.plan.id,
                symbol: shield.plan.symbol.as_str().to_owned(),
                side: shield.plan.side,
                quantity: shield.plan.quantity.get(),
                filled: shield.filled,
                is_open: shield.is_open(),
                trades: shield.trades.clone(),
            }));
        }
        seen
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
        if account == levels::STREAM {
            let mut reports = self.levels.reports_after(after);
            reports.retain(|_| !self.losses.chance(200));
            return (reports, self.levels.newest());
        }
        let page = self.venue.reports_after(account, after).unwrap();
        let newest = page.reports.last().map_or(after, |report| report.number);
        let live = self.live.entry(account.to_owned()).or_default();
        let reports = live.deliver(&mut self.faults, &page.reports, Micros(now));
        (self.translate_reports(account, &reports), newest)
    }

    /// What a reading of the gap brings: everything, once more.
    pub(super) fn gap(&self, account: &str, after: u64) -> Vec<OrderReport> {
        if account == levels::STREAM {
            return self.levels.reports_after(after);
        }
        let page = self.venue.reports_after(account, after).unwrap();
        self.translate_reports(account, &page.reports)
    }

    pub(super) fn newest(&self, account: &str) -> u64 {
        if account == levels::STREAM {
            return self.levels.newest();
        }
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
        let id = report.client_order_id.parse().ok()?;
        let mut filled = Decimal::ZERO;
        let mut fees = Decimal::ZERO;
        for fill in &order.fills {
            if filled < report.cumulative_quantity {
                filled += fill.quantity;
                fees += fill.fee;
            }
        }
        Some(OrderReport {
            id,
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

fn stands_for_level(plan: &OrderPlan) -> bool {
    plan.account.as_str() == levels::ACCOUNT && plan.class == OrderClass::Protection
}
