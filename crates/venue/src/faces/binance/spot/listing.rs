//! Order lists: two legs of which one cancels the other, and orders that wait for a working one to be filled.
//!
//! Source: Binance Spot API, "New Order List" endpoints and their FAQ on OPO.

use super::exchange::SpotExchange;
use super::order::{Contingency, Expiry, NewOrder, OrderList, Status};
use super::placing::generated_id;
use super::symbols::ORDER_LISTS_MAX;
use crate::faces::binance::error::ApiError;
use crate::order::Side;
use crate::time::Micros;
use rust_decimal::Decimal;

/// A list that is asked for.
#[derive(Clone, Debug)]
pub(super) struct NewList {
    pub(super) client_id: Option<String>,
    /// The order that has to be filled first, if there is one.
    pub(super) working: Option<NewOrder>,
    /// One order, or two of which one cancels the other.
    pub(super) legs: Vec<NewOrder>,
    /// Whether the legs are as large as the working order's proceeds.
    pub(super) pays_pending: bool,
}

impl SpotExchange {
    /// Places a list; answers with its number.
    ///
    /// # Errors
    /// As for a single order, for each of them; then nothing was placed.
    pub(super) fn place_list(
        &mut self,
        account: &str,
        list: NewList,
        now: Micros,
    ) -> Result<u64, ApiError> {
        let (working, legs) = self.check_list(account, list.clone())?;
        let id = self.give_list_id();
        let first_status = if working.is_some() {
            Status::PendingNew
        } else {
            Status::New
        };
        let symbol = legs
            .first()
            .map(|leg| leg.symbol.clone())
            .unwrap_or_default();
        let contingency = match working {
            Some(_) => Contingency::Oto,
            None => Contingency::Oco,
        };
        let mut orders = Vec::new();
        if let Some(working) = working {
            orders.push(self.accept(account, working, Some(id), Status::New, now));
        }
        for leg in legs {
            orders.push(self.accept(account, leg, Some(id), first_status, now));
        }
        let entry = OrderList {
            id,
            account: account.to_owned(),
            client_id: list
                .client_id
                .unwrap_or_else(|| format!("list{}", generated_id(id))),
            symbol,
            contingency,
            orders: orders.clone(),
            pays_pending: list.pays_pending,
            is_done: false,
            at: now,
        };
        self.share_lock(entry.legs());
        self.lists.insert(id, entry);
        self.tell_list(id, "EXEC_STARTED", now);
        for order in &orders {
            self.tell_order(*order, "NEW", now);
        }
        if let Some(first) = orders.first().copied() {
            self.relock(first, now);
        }
        let starting = match contingency {
            Contingency::Oco => orders,
            Contingency::Oto => orders.into_iter().take(1).collect(),
        };
        for order in starting {
            self.start(order, None, now);
        }
        Ok(id)
    }

    /// Cancels all that is open of a list.
    pub(super) fn cancel_list(&mut self, id: u64, cancel_id: &str, now: Micros) {
        let orders = self.lists.get(&id).map(|list| list.orders.clone());
        for order in orders.unwrap_or_default() {
            self.cancel(order, cancel_id, now);
        }
    }

    /// Does what follows for an order's list from how the order stands now.
    pub(super) fn advance_list(&mut self, id: u64, now: Micros) {
        let Some(order) = self.orders.get(&id) else {
            return;
        };
        let Some(list) = order.list_id.and_then(|list| self.lists.get(&list)) else {
            return;
        };
        if list.is_done {
            return;
        }
        let list_id = list.id;
        let is_working = list.working() == Some(id);
        let others: Vec<u64> = list
            .orders
            .iter()
            .copied()
            .filter(|other| *other != id)
            .collect();
        let is_woken = order.request.kind.is_contingent() && order.trigger.is_none();
        match (order.status, order.expiry) {
            (Status::Canceled, _) => {
                for other in others {
                    self.cancel(other, "", now);
                }
            }
            (Status::Expired, Some(Expiry::OcoTrigger | Expiry::OtoPhaseOne)) => {}
            (Status::Expired, Some(Expiry::Rejected)) if !is_working => {
                self.expire_all(&others, Expiry::Rejected, now);
            }
            (Status::Expired, _) if is_working => {
                self.expire_all(&others, Expiry::OtoPhaseOne, now);
            }
            (Status::Filled, _) if is_working => self.activate(list_id, now),
            (Status::New, _) if !is_woken => {}
            (Status::New | Status::PartiallyFilled | Status::Filled | Status::Expired, _) => {
                if !is_working {
                    self.expire_all(&others, Expiry::OcoTrigger, now);
                }
            }
            (Status::PendingNew, _) => {}
        }
        self.finish_list(list_id, now);
    }

    fn finish_list(&mut self, id: u64, now: Micros) {
        let Some(list) = self.lists.get(&id).filter(|list| !list.is_done) else {
            return;
        };
        let is_over = |order: &u64| {
            self.orders
                .get(order)
                .is_none_or(|order| !order.status.is_open())
        };
        if !list.orders.iter().all(is_over) {
            return;
        }
        if let Some(list) = self.lists.get_mut(&id) {
            list.is_done = true;
            list.at = now;
        }
        self.tell_list(id, "ALL_DONE", now);
    }

    fn expire_all(&mut self, orders: &[u64], expiry: Expiry, now: Micros) {
        for order in orders {
            self.expire(*order, expiry, now);
        }
    }

    /// Brings the pending orders into the market, now that their working order is filled. What can't be brought there
    /// expires, all of them together: the position then stands without its exits.
    fn activate(&mut self, list_id: u64, now: Micros) {
        let Some(list) = self.lists.get(&list_id).cloned() else {
            return;
        };
        let legs: Vec<u64> = list.legs().to_vec();
        if list.pays_pending {
            let quantity = list.working().map(|working| self.proceeds(working));
            for leg in &legs {
                if let Some(order) = self.orders.get_mut(leg) {
                    order.request.quantity = quantity.unwrap_or_default();
                }
            }
        }
        let requests: Vec<NewOrder> = legs
            .iter()
            .filter_map(|leg| self.orders.get(leg))
            .map(|order| order.request.clone())
            .collect();
        let refused = requests.iter().find_map(|request| {
            let checked = self
                .check_filters(request)
                .and_then(|()| self.check_engine(request))
                .and_then(|()| self.check_funds(&list.account, &[request]));
            checked.err()
        });
        if refused.is_some() {
            self.expire_all(&legs, Expiry::Rejected, now);
            return;
        }
        for leg in &legs {
            if let Some(order) = self.orders.get_mut(leg) {
                order.status = Status::New;
                order.updated_at = now;
            }
            self.tell_order(*leg, "NEW", now);
        }
        if let Some(first) = legs.first().copied() {
            self.relock(first, now);
        }
        self.tell_list(list_id, "UPDATED", now);
        for leg in legs {
            self.start(leg, None, now);
        }
    }

    /// What a filled buy has brought, after its commission, in whole steps.
    fn proceeds(&self, id: u64) -> Decimal {
        let Some(order) = self.orders.get(&id) else {
            return Decimal::ZERO;
        };
        let step = self
            .symbols
            .get(&order.request.symbol)
            .map_or(Decimal::ONE, |symbol| symbol.step);
        let commission: Decimal = match order.request.side {
            Side::Buy => order.trades.iter().map(|trade| trade.commission).sum(),
            Side::Sell => Decimal::ZERO,
        };
        ((order.executed - commission) / step).floor() * step
    }

    /// The legs of which only one can be executed hold their funds together.
    fn share_lock(&mut self, legs: &[u64]) {
        let Some(lock) = legs.first().copied() else {
            return;
        };
        for leg in legs {
            if let Some(order) = self.orders.get_mut(leg) {
                order.lock = lock;
            }
        }
    }

    fn check_list(
        &self,
        account: &str,
        list: NewList,
    ) -> Result<(Option<NewOrder>, Vec<NewOrder>), ApiError> {
        let open = || {
            self.lists
                .values()
                .filter(|list| list.account == account && !list.is_done)
        };
        let duplicate = || ApiError::rejected("Duplicate order sent.");
        if let Some(id) = &list.client_id
            && open().any(|other| other.client_id == *id)
        {
            return Err(duplicate());
        }
        if open().count() >= ORDER_LISTS_MAX {
            return Err(ApiError::filter("MAX_NUM_ORDER_LISTS"));
        }
        let all: Vec<&NewOrder> = list.working.iter().chain(&list.legs).collect();
        let mut ids: Vec<&String> = all
            .iter()
            .filter_map(|order| order.client_id.as_ref())
            .collect();
        let named = ids.len();
        ids.sort();
        ids.dedup();
        if ids.len() < named {
            return Err(duplicate());
        }
        let mut legs = Vec::new();
        for leg in list.legs {
            let leg = if list.pays_pending {
                leg
            } else {
                self.check_request(account, leg)?
            };
            legs.push(leg);
        }
        let last = legs.first().map(|leg| self.last_price(&leg.symbol));
        if legs.len() == 2 && !prices_fit(&legs, last.filter(|_| list.working.is_none())) {
            return Err(ApiError::rejected(
                "The relationship of the prices for the orders is not correct.",
            ));
        }
        let working = match list.working {
            Some(working) => {
                let working = self.check_request(account, working)?;
                self.check_engine(&working)?;
                self.check_funds(account, &[&working])?;
                Some(working)
            }
            None => {
                for leg in &legs {
                    self.check_engine(leg)?;
                }
                self.check_funds(account, &legs.iter().collect::<Vec<_>>())?;
                None
            }
        };
        Ok((working, legs))
    }
}

/// Whether the legs (the upper one first) lie above and below each other, and on both sides of the last price. A leg
/// that trails has no price yet.
fn prices_fit(legs: &[NewOrder], last: Option<Decimal>) -> bool {
    let level = |leg: &NewOrder| {
        if leg.kind.is_contingent() {
            leg.stop_price
        } else {
            leg.price
        }
    };
    let [above, below] = legs else {
        return true;
    };
    let (above, below) = (level(above), level(below));
    let apart = above.zip(below).is_none_or(|(above, below)| above > below);
    let around = last.is_none_or(|last| {
        above.is_none_or(|above| above > last) && below.is_none_or(|below| below < last)
    });
    apart && around
}
