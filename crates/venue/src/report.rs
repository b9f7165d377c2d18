//! What the venue tells about an account's orders: numbered without gaps, so that a reader sees what it missed.

use crate::order::{CancelReason, ExpiryReason, Fill, Order, Side, VenueOrderId};
use crate::rejection::Rejection;
use crate::time::Micros;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Reports kept for each account. Older ones are gone, which [`ReportPage::oldest`] shows.
pub const REPORTS_KEPT_MAX: usize = 65_536;

/// Reports in one page.
pub const REPORTS_PAGE_MAX: usize = 1_000;

/// One thing that happened to one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// 1, 2, 3, … within the account.
    pub number: u64,
    /// When it happened.
    pub at: Micros,
    /// The caller's name of the order.
    pub client_order_id: String,
    /// The venue's number of the order; none for a refused request, which never became an order.
    pub venue_order_id: Option<VenueOrderId>,
    /// The order's symbol.
    pub symbol: String,
    /// The order's side.
    pub side: Side,
    /// The quantity asked for.
    pub quantity: Decimal,
    /// Executed so far, this report included.
    pub cumulative_quantity: Decimal,
    /// The average price of that; none while nothing was executed.
    pub average_price: Option<Decimal>,
    /// What happened.
    pub event: ReportEvent,
}

/// What can happen to an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportEvent {
    /// The venue took it.
    Accepted,
    /// A part of it, or the last of it, was executed.
    Filled {
        /// The execution.
        fill: Fill,
        /// Whether the order is whole now.
        complete: bool,
    },
    /// What was left of it was cancelled.
    Cancelled {
        /// Why.
        reason: CancelReason,
    },
    /// What was left of it expired.
    Expired {
        /// Why.
        reason: ExpiryReason,
    },
    /// The request was refused. Written only when the venue knows no order under the request's client order id, so
    /// that it can't be taken for the fate of an order that exists.
    Rejected {
        /// Why.
        rejection: Rejection,
    },
}

/// A run of reports, oldest first, and where it stands among those that are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportPage {
    /// At most [`REPORTS_PAGE_MAX`] reports after the number asked for.
    pub reports: Vec<Report>,
    /// The lowest number that can still be read; one more than `newest` when nothing is kept.
    pub oldest: u64,
    /// The highest number given so far; zero before the first.
    pub newest: u64,
    /// Whether reports between the number asked for and `oldest` are gone for good: the reader has to look at orders,
    /// positions and the balance instead.
    pub some_are_gone: bool,
}

/// The reports of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReportLog {
    newest: u64,
    kept: VecDeque<Report>,
}

impl ReportLog {
    /// A log whose first report will carry the number after `newest`.
    pub(crate) fn after(newest: u64) -> ReportLog {
        ReportLog {
            newest,
            kept: VecDeque::new(),
        }
    }

    /// Writes down what happened to `order`, which shows its state after that.
    pub(crate) fn record(&mut self, order: &Order, event: ReportEvent, at: Micros) {
        let report = Report {
            number: 0,
            at,
            client_order_id: order.request.client_order_id.clone(),
            venue_order_id: Some(order.venue_order_id),
            symbol: order.request.symbol.clone(),
            side: order.request.side,
            quantity: order.request.quantity,
            cumulative_quantity: order.filled_quantity,
            average_price: order.average_price(),
            event,
        };
        self.push(report);
    }

    /// Numbers the report and keeps it; drops the oldest if there are too many.
    pub(crate) fn push(&mut self, report: Report) {
        self.newest += 1;
        if self.kept.len() == REPORTS_KEPT_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back(Report {
            number: self.newest,
            ..report
        });
        assert!(
            self.oldest() + self.kept.len() as u64 == self.newest + 1,
            "report numbers have a gap"
        );
    }

    /// The reports with a number above `number`.
    pub(crate) fn after_number(&self, number: u64) -> ReportPage {
        let oldest = self.oldest();
        let skipped = usize::try_from((number.saturating_add(1)).saturating_sub(oldest))
            .unwrap_or(usize::MAX);
        let reports = self
            .kept
            .iter()
            .skip(skipped)
            .take(REPORTS_PAGE_MAX)
            .cloned()
            .collect();
        let some_are_gone = number.saturating_add(1) < oldest;
        ReportPage {
            reports,
            oldest,
            newest: self.newest,
            some_are_gone,
        }
    }

    fn oldest(&self) -> u64 {
        self.kept
            .front()
            .map_or(self.newest + 1, |report| report.number)
    }
}
