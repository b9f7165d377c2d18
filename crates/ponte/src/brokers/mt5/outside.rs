//! Deals at positions of ours that are no orders of ours: what a person, another program or the broker has closed.
//!
//! Stop losses and take profits are not among them: the orders that protect a position answer for those.

use std::collections::{BTreeMap, BTreeSet};

use ponte_core::id::Symbol;
use ponte_core::message::OutsideFill;
use ponte_core::signal::Side;
use rust_decimal::Decimal;

use super::Desk;
use super::book::{Book, Dealt, side_of};
use super::identity::Tag;
use crate::bridge::protocol::Deal;
use crate::brokers::News;

/// `DEAL_ENTRY_IN`.
const IN: u32 = 0;
/// `DEAL_ENTRY_INOUT`: closes what is there and opens the other side with the rest.
const IN_OUT: u32 = 2;
/// `DEAL_REASON_EXPERT`.
const EXPERT: u32 = 3;
/// `DEAL_REASON_SL` and `DEAL_REASON_TP`.
const LEVELS: [u32; 2] = [4, 5];
/// `DEAL_REASON_ROLLOVER`, `_VMARGIN`, `_SPLIT` and `_CORPORATE_ACTION`: the server closes a position
/// and opens it again at another price.
const REOPENED: [u32; 4] = [7, 8, 9, 10];

/// `ENUM_DEAL_REASON` in words (MQL5 Reference, "Deal Properties").
fn words(reason: u32) -> String {
    match reason {
        0 => "by hand".to_owned(),
        1 => "by hand in the mobile terminal".to_owned(),
        2 => "by hand in the web terminal".to_owned(),
        EXPERT => "another program".to_owned(),
        6 => "stop out".to_owned(),
        other => format!("reason {other}"),
    }
}

/// A position while its deals are gone through in the order in which they happened. Above zero is
/// bought.
#[derive(Default)]
struct Course {
    /// All that is open.
    net: Decimal,
    /// The part of it that others have opened.
    foreign: Decimal,
}

impl Course {
    /// A deal of ours, or one that our levels made.
    fn own(&mut self, signed: Decimal) {
        self.net += signed;
        if self.net.is_zero() {
            self.foreign = Decimal::ZERO;
        }
    }

    /// A deal of others: how much of ours it has closed. What they had opened they close first.
    fn others(&mut self, deal: &Deal, side: Side) -> Decimal {
        let signed = side.signed(deal.volume);
        let against = |open: Decimal| side.opposite().signed(open).max(Decimal::ZERO);
        // The opening may be too old to be known: then the terminal's word is all there is.
        let closing = match deal.entry {
            IN => Decimal::ZERO,
            IN_OUT if !against(self.net).is_zero() => deal.volume.min(against(self.net)),
            _ => deal.volume,
        };
        let theirs = against(self.foreign).min(closing);
        self.foreign += side.signed(theirs) + side.signed(deal.volume - closing);
        self.net += signed;
        closing - theirs
    }
}

/// Every deal in the mirror that has closed something of ours and is not ours, oldest first.
pub(super) fn fills(book: &Book) -> Vec<OutsideFill> {
    let mut courses: BTreeMap<u64, Course> = BTreeMap::new();
    let mut found = Vec::new();
    for dealt in book.deals() {
        let Dealt { deal, share } = dealt;
        let Some(tag) = book.tag_of_position(deal.position_id) else {
            continue;
        };
        let side = side_of(deal.deal_type);
        let course = courses.entry(deal.position_id).or_default();
        if LEVELS.contains(&deal.reason) || REOPENED.contains(&deal.reason) || is_ours(book, deal) {
            course.own(side.signed(deal.volume));
            continue;
        }
        let closed = course.others(deal, side);
        let Ok(symbol) = Symbol::new(&deal.symbol) else {
            continue;
        };
        if closed > Decimal::ZERO {
            found.push(OutsideFill {
                symbol,
                owner: tag.0,
                deal: deal.ticket,
                side,
                quantity: closed.normalize(),
                price: deal.price.normalize(),
                fee: share.part(closed).fees.normalize(),
                reason: words(deal.reason),
                at: share.at,
            });
        }
    }
    found
}

/// Whether a deal is an order of ours, also one of an earlier process.
fn is_ours(book: &Book, deal: &Deal) -> bool {
    let is_tagged = deal.reason == EXPERT && Tag::in_magic(deal.magic).is_some();
    is_tagged || book.owner_of_deal(deal).is_some()
}

impl Desk {
    /// Tells what others have closed of ours with these deals.
    pub(super) fn tell_outside(&self, deals: &[u64]) {
        if deals.is_empty() {
            return;
        }
        let deals: BTreeSet<u64> = deals.iter().copied().collect();
        self.send_outside(|fill| deals.contains(&fill.deal));
    }

    /// Tells all that is known of what others have closed of ours, to one who begins to listen.
    pub(super) fn tell_all_outside(&self) {
        self.send_outside(|_| true);
    }

    fn send_outside(&self, is_wanted: impl Fn(&OutsideFill) -> bool) {
        let Some(news) = &self.news else {
            return;
        };
        for fill in fills(&self.book).into_iter().filter(is_wanted) {
            // Nobody listens any more: the process ends.
            let _ = news.send(News::Outside(fill));
        }
    }
}
