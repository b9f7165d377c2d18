//! One door for the tables: a script of steps in, the trace of what happened out.
//!
//! Steps are `tick 100`, `cancel a`, `cancel all` and orders such as `a buy 3 stop 101 reduce`: client order id, side,
//! quantity, kind with prices, then any of `ioc`, `fok`, `reduce`, `ref PRICE`, `until MICROS`. Everything is in X,
//! tick 1, step 1, minimum notional 10. The step's index is the time.

use ponte_venue::*;

pub(crate) const ACCOUNT: &str = "demo";

pub(crate) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) fn instrument(symbol: &str) -> Instrument {
    Instrument {
        symbol: symbol.to_owned(),
        price_tick: Decimal::ONE,
        quantity_step: Decimal::ONE,
        minimum_quantity: Decimal::ONE,
        minimum_notional: Decimal::TEN,
        contract_multiplier: Decimal::ONE,
    }
}

pub(crate) fn options(fill_model: FillModel) -> VenueOptions {
    VenueOptions {
        instruments: vec![instrument("X"), instrument("Y")],
        default_instrument: None,
        fill_model,
        leverage: Decimal::TEN,
        ..VenueOptions::paper()
    }
}

pub(crate) fn venue(fill_model: FillModel) -> Venue {
    let mut venue = Venue::new(options(fill_model)).unwrap();
    venue
        .open_account(ACCOUNT, "USD", decimal("100000"))
        .unwrap();
    venue
}

/// Runs the script in a fresh venue with the optimistic fill model.
#[track_caller]
pub(crate) fn check(steps: &[&str], expected: &str) {
    check_in(&mut venue(FillModel::optimistic()), steps, expected);
}

#[track_caller]
pub(crate) fn check_in(venue: &mut Venue, steps: &[&str], expected: &str) {
    let mut trace = Vec::new();
    for (time, step) in steps.iter().enumerate() {
        run(venue, step, Micros(time as i64), &mut trace);
    }
    assert_eq!(trace.join(", "), expected, "{steps:?}");
}

pub(crate) fn run(venue: &mut Venue, step: &str, now: Micros, trace: &mut Vec<String>) {
    let seen = venue.reports_after(ACCOUNT, u64::MAX - 1).unwrap().newest;
    let words: Vec<&str> = step.split(' ').collect();
    match words.as_slice() {
        ["tick", price] => venue.tick("X", decimal(price), now).unwrap(),
        ["cancel", "all"] => drop(venue.cancel_all(ACCOUNT, None, now).unwrap()),
        ["cancel", id] => {
            if let Err(error) = venue.cancel(ACCOUNT, id, now) {
                let why = match error {
                    CancelError::UnknownAccount => "unknown account",
                    CancelError::UnknownOrder => "unknown order",
                    CancelError::AlreadyClosed(_) => "already closed",
                };
                trace.push(format!("{id} {why}"));
            }
        }
        words => {
            let request = parse(words);
            let id = request.client_order_id.clone();
            if let Err(rejection) = venue.place(ACCOUNT, request, now) {
                trace.push(format!("{id} rejected {}", rejection.code.as_str()));
            }
        }
    }
    let page = venue.reports_after(ACCOUNT, seen).unwrap();
    trace.extend(page.reports.iter().filter_map(show));
}

pub(crate) fn parse(words: &[&str]) -> OrderRequest {
    let [id, side, quantity, kind, rest @ ..] = words else {
        panic!("{words:?} is not an order")
    };
    let side = if *side == "buy" {
        Side::Buy
    } else {
        Side::Sell
    };
    let (kind, mut rest) = parse_kind(kind, rest);
    let mut request = OrderRequest::market(id, "X", side, decimal(quantity)).with_kind(kind);
    while let [flag, after @ ..] = rest {
        rest = after;
        match (*flag, after) {
            ("ioc", _) => request.time_in_force = TimeInForce::Ioc,
            ("fok", _) => request.time_in_force = TimeInForce::Fok,
            ("reduce", _) => request.reduce_only = true,
            ("ref", [price, after @ ..]) => {
                request.reference_price = Some(decimal(price));
                rest = after;
            }
            ("until", [until, after @ ..]) => {
                request.valid_until = Some(Micros(until.parse().unwrap()));
                rest = after;
            }
            _ => panic!("{words:?} has no known flag {flag}"),
        }
    }
    request
}

fn parse_kind<'a>(kind: &str, rest: &'a [&'a str]) -> (OrderKind, &'a [&'a str]) {
    match (kind, rest) {
        ("market", rest) => (OrderKind::Market, rest),
        ("limit", [price, rest @ ..]) => (
            OrderKind::Limit {
                price: decimal(price),
            },
            rest,
        ),
        ("stop", [stop, rest @ ..]) => (
            OrderKind::Stop {
                stop_price: decimal(stop),
            },
            rest,
        ),
        ("stoplimit", [stop, price, rest @ ..]) => (
            OrderKind::StopLimit {
                stop_price: decimal(stop),
                price: decimal(price),
            },
            rest,
        ),
        ("oco", [stop, target, rest @ ..]) => (
            OrderKind::OneCancelsOther {
                stop_price: decimal(stop),
                target_price: decimal(target),
            },
            rest,
        ),
        ("target", [stop, rest @ ..]) => (
            OrderKind::TakeProfit {
                stop_price: decimal(stop),
            },
            rest,
        ),
        ("targetlimit", [stop, price, rest @ ..]) => (
            OrderKind::TakeProfitLimit {
                stop_price: decimal(stop),
                price: decimal(price),
            },
            rest,
        ),
        ("trail", [callback_bps, activation, rest @ ..]) => (
            OrderKind::TrailingStop {
                callback_bps: decimal(callback_bps),
                activation_price: (*activation != "now").then(|| decimal(activation)),
            },
            rest,
        ),
        _ => panic!("{kind} {rest:?} is no known kind"),
    }
}

/// Rejections are left out: the trace takes them from the answer.
fn show(report: &Report) -> Option<String> {
    let id = &report.client_order_id;
    let text = match &report.event {
        ReportEvent::Accepted => format!("{id} accepted"),
        ReportEvent::Filled { fill, complete } => {
            let word = if *complete { "filled" } else { "part" };
            format!(
                "{id} {word} {}@{}",
                fill.quantity.normalize(),
                fill.price.normalize()
            )
        }
        ReportEvent::Cancelled {
            reason: CancelReason::Requested,
        } => format!("{id} cancelled"),
        ReportEvent::Cancelled { reason } => format!("{id} cancelled {reason:?}"),
        ReportEvent::Expired { reason } => format!("{id} expired {reason:?}"),
        ReportEvent::Rejected { .. } => return None,
    };
    Some(text)
}
