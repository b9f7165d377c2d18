//! Conditional ("algo") orders: placing, triggering and ending them (Binance USDⓈ-M Futures, "New Algo Order").

use super::account::Account;
use super::events;
use super::exchange::FuturesExchange;
use super::order::{
    AlgoId, AlgoKey, AlgoOrder, AlgoStatus, AlgoTicket, FuturesOrder, OrderId, OrderStatus,
    OrderType, TimeInForce, Trailing, WorkingType,
};
use super::placing::{good_till, reduces};
use super::refusal::Refusal;
use super::symbols::OPEN_ALGO_ORDERS_MAX;
use crate::order::Side;
use crate::time::Micros;
use rust_decimal::Decimal;

impl FuturesExchange {
    /// Places a conditional order. Its margin is looked at only when it is triggered.
    pub(crate) fn place_algo(
        &mut self,
        account: &str,
        ticket: &AlgoTicket,
        now: Micros,
    ) -> Result<AlgoId, Refusal> {
        let mut algo = self.check_algo(account, ticket, now)?;
        self.next_algo += 1;
        let id = AlgoId(self.next_algo);
        algo.id = id;
        self.account_mut(account)?.keep_algo(algo.clone());
        self.outgoing
            .push(events::algo_update(account, &algo, None));
        Ok(id)
    }

    /// All checks of a conditional order; the order that would be placed.
    fn check_algo(
        &self,
        account: &str,
        ticket: &AlgoTicket,
        now: Micros,
    ) -> Result<AlgoOrder, Refusal> {
        let rules = self.rules(&ticket.symbol)?;
        let books = self.account(account)?;
        if !ticket.order_type.is_conditional() {
            return Err(Refusal::new(-1116, "Invalid orderType."));
        }
        let client_algo_id = self.client_order_id(ticket.client_algo_id.as_deref())?;
        let mut open = books.open_algos();
        if open.any(|algo| algo.client_algo_id == client_algo_id) {
            return Err(Refusal::new(-4116, "ClientOrderId is duplicated."));
        }
        let position_side = books.position_side(ticket.position_side)?;
        let is_market = ticket.order_type.working_type() == OrderType::Market;
        let (quantity, reduce_only) = if ticket.close_position {
            check_close_position(ticket)?;
            (Decimal::ZERO, true)
        } else {
            let reduce_only = reduces(position_side, ticket.side, ticket.reduce_only)?;
            let quantity = ticket
                .quantity
                .ok_or_else(|| Refusal::missing("quantity"))?;
            rules.check_quantity(quantity, is_market)?;
            (quantity, reduce_only)
        };
        if ticket.close_position && !reduces(position_side, ticket.side, None)? && books.hedge_mode
        {
            return Err(Refusal::reduce_only());
        }
        let price = self.algo_price(ticket)?;
        let trigger_price = self.trigger_price(ticket)?;
        let trailing = self.trailing(ticket)?;
        let good_till_ms = good_till(ticket.time_in_force, ticket.good_till_ms, now)?;
        let algo = AlgoOrder {
            id: AlgoId(0),
            client_algo_id,
            symbol: ticket.symbol.clone(),
            side: ticket.side,
            position_side,
            order_type: ticket.order_type,
            time_in_force: ticket.time_in_force.unwrap_or(TimeInForce::Gtc),
            quantity,
            price,
            price_match: ticket.price_match,
            trigger_price,
            working_type: ticket.working_type,
            close_position: ticket.close_position,
            price_protect: ticket.price_protect,
            reduce_only,
            trailing,
            self_trade: ticket.self_trade,
            good_till_ms,
            status: AlgoStatus::New,
            actual_order: None,
            reject_reason: String::new(),
            created: now,
            updated: now,
            triggered: None,
        };
        if books.open_algo_ids.len() >= OPEN_ALGO_ORDERS_MAX {
            return Err(Refusal::new(-4045, "Reach max stop order limit."));
        }
        check_life(books, &algo)?;
        self.check_twin(account, &algo)?;
        if algo.trailing.is_none() && self.is_reached(&algo) {
            return Err(Refusal::would_trigger());
        }
        Ok(algo)
    }

    /// Only one stop and one target may close a position as a whole (-4130).
    fn check_twin(&self, account: &str, algo: &AlgoOrder) -> Result<(), Refusal> {
        let books = self.account(account)?;
        let has_twin = books.open_algos().any(|open| {
            open.close_position
                && open.symbol == algo.symbol
                && open.side == algo.side
                && open.position_side == algo.position_side
                && open.order_type.is_target() == algo.order_type.is_target()
        });
        if algo.close_position && has_twin {
            let message = "An open stop or take profit order with GTE and closePosition in the direction is existing.";
            return Err(Refusal::new(-4130, message));
        }
        Ok(())
    }

    fn algo_price(&self, ticket: &AlgoTicket) -> Result<Decimal, Refusal> {
        if ticket.order_type.working_type() == OrderType::Limit {
            let (symbol, side) = (&ticket.symbol, ticket.side);
            let price = self.limit_price(symbol, side, ticket.price, ticket.price_match)?;
            self.rules(symbol)?.check_price(price)?;
            return Ok(price);
        }
        if ticket.price_match.is_some() {
            let message = "Price match only supports order type: LIMIT, STOP AND TAKE_PROFIT";
            return Err(Refusal::new(-5038, message));
        }
        let has_price = ticket.price.is_some_and(|price| !price.is_zero());
        if has_price {
            return Err(Refusal::not_required("price"));
        }
        Ok(Decimal::ZERO)
    }

    fn trigger_price(&self, ticket: &AlgoTicket) -> Result<Decimal, Refusal> {
        if ticket.order_type == OrderType::TrailingStopMarket {
            return Ok(Decimal::ZERO);
        }
        let price = ticket
            .trigger_price
            .ok_or_else(|| Refusal::missing("triggerPrice"))?;
        if price <= Decimal::ZERO {
            return Err(Refusal::new(-4006, "Stop price less than zero."));
        }
        self.rules(&ticket.symbol)?.check_price(price)?;
        Ok(price)
    }

    /// The moving stop of a trailing order: it follows from the activation price, at once without one.
    fn trailing(&self, ticket: &AlgoTicket) -> Result<Option<Trailing>, Refusal> {
        if ticket.order_type != OrderType::TrailingStopMarket {
            let extra = [
                ("callbackRate", ticket.callback_rate),
                ("activatePrice", ticket.activate_price),
            ];
            let sent = extra.iter().find(|(_, value)| value.is_some());
            return sent.map_or(Ok(None), |(name, _)| Err(Refusal::not_required(name)));
        }
        let callback_rate = ticket
            .callback_rate
            .ok_or_else(|| Refusal::missing("callbackRate"))?;
        // The upper bound was 10 until 2026-10-23.
        let range = Decimal::new(1, 1)..=Decimal::from(20);
        if !range.contains(&callback_rate) || callback_rate.normalize().scale() > 1 {
            return Err(Refusal::new(-2007, "Invalid callBack rate."));
        }
        let latest = self.working_price(&ticket.symbol, ticket.working_type);
        let Some(activate_price) = ticket.activate_price else {
            return Ok(Some(Trailing {
                activate_price: latest,
                callback_rate,
                extreme: Some(latest),
            }));
        };
        self.rules(&ticket.symbol)?.check_price(activate_price)?;
        let is_ahead = match ticket.side {
            Side::Buy => activate_price < latest,
            Side::Sell => activate_price > latest,
        };
        if !is_ahead {
            return Err(Refusal::would_trigger());
        }
        Ok(Some(Trailing {
            activate_price,
            callback_rate,
            extreme: None,
        }))
    }

    /// Cancels a conditional order that waits.
    pub(crate) fn cancel_algo(
        &mut self,
        account: &str,
        key: &AlgoKey,
        now: Micros,
    ) -> Result<AlgoId, Refusal> {
        let algo = self.find_algo(account, key);
        let open = algo.ok().filter(|algo| algo.is_open());
        let id = open.ok_or_else(Refusal::unknown_order)?.id;
        self.move_algo(account, id, AlgoStatus::Canceled, now);
        Ok(id)
    }

    /// Cancels all waiting conditional orders of a symbol.
    pub(crate) fn cancel_all_algos(
        &mut self,
        account: &str,
        symbol: &str,
        now: Micros,
    ) -> Result<Vec<AlgoId>, Refusal> {
        self.rules(symbol)?;
        let open = self.account(account)?.open_algos();
        let ids: Vec<AlgoId> = open
            .filter(|algo| algo.symbol == symbol)
            .map(|algo| algo.id)
            .collect();
        for id in &ids {
            self.move_algo(account, *id, AlgoStatus::Canceled, now);
        }
        Ok(ids)
    }

    /// The conditional order under that number or name (-2013); the newest, if several had the name.
    pub(crate) fn find_algo(&self, account: &str, key: &AlgoKey) -> Result<&AlgoOrder, Refusal> {
        let books = self.account(account)?;
        let algo = match key {
            AlgoKey::Id(id) => books.algos.get(id),
            AlgoKey::Client(name) => books.newest_algo(name),
        };
        algo.ok_or_else(Refusal::no_such_order)
    }

    /// Gives a conditional order another status and tells it.
    pub(super) fn move_algo(&mut self, account: &str, id: AlgoId, status: AlgoStatus, now: Micros) {
        let Some(books) = self.accounts.get_mut(account) else {
            return;
        };
        let Some(algo) = books.algos.get_mut(&id) else {
            return;
        };
        algo.status = status;
        algo.updated = now;
        if status == AlgoStatus::Triggering {
            algo.triggered = Some(now);
        }
        let algo = algo.clone();
        if !algo.is_open() {
            books.open_algo_ids.remove(&id);
        }
        let actual = algo.actual_order.and_then(|order| books.orders.get(&order));
        let event = events::algo_update(account, &algo, actual);
        self.outgoing.push(event);
    }

    /// Says that a conditional order's regular order exists.
    pub(super) fn announce_triggered(
        &mut self,
        account: &str,
        id: AlgoId,
        order: OrderId,
        now: Micros,
    ) {
        if let Some(algo) = self
            .accounts
            .get_mut(account)
            .and_then(|books| books.algos.get_mut(&id))
        {
            algo.actual_order = Some(order);
        }
        self.move_algo(account, id, AlgoStatus::Triggered, now);
    }

    /// Triggers what the present prices of a symbol trigger: accounts by name, orders by age.
    pub(super) fn trigger_reached(&mut self, symbol: &str, now: Micros) {
        let accounts: Vec<String> = self.accounts.keys().cloned().collect();
        for account in accounts {
            for id in self.reached(&account, symbol) {
                // An order triggered before it may have ended this one.
                let is_open = self
                    .account(&account)
                    .is_ok_and(|books| books.open_algo_ids.contains(&id));
                if is_open {
                    self.trigger(&account, id, now);
                }
            }
        }
    }

    fn reached(&mut self, account: &str, symbol: &str) -> Vec<AlgoId> {
        let prices = [
            self.working_price(symbol, WorkingType::Contract),
            self.working_price(symbol, WorkingType::Mark),
        ];
        let Some(books) = self.accounts.get_mut(account) else {
            return Vec::new();
        };
        let mut trailing_reached = Vec::new();
        for id in &books.open_algo_ids {
            let Some(algo) = books.algos.get_mut(id).filter(|algo| algo.symbol == symbol) else {
                continue;
            };
            let price = match algo.working_type {
                WorkingType::Contract => prices[0],
                WorkingType::Mark => prices[1],
            };
            let side = algo.side;
            if let Some(trailing) = &mut algo.trailing
                && trailing.moves(side, price)
            {
                trailing_reached.push(*id);
            }
        }
        let Ok(books) = self.account(account) else {
            return Vec::new();
        };
        let open = books.open_algos().filter(|algo| algo.symbol == symbol);
        let reached = open.filter(|algo| match algo.trailing {
            Some(_) => trailing_reached.contains(&algo.id),
            None => self.is_reached(algo) && !self.is_protected(algo),
        });
        reached.map(|algo| algo.id).collect()
    }

    /// Whether the working price has reached the trigger: stops from the worse side, targets from the better.
    fn is_reached(&self, algo: &AlgoOrder) -> bool {
        let price = self.working_price(&algo.symbol, algo.working_type);
        match (algo.side, algo.order_type.is_target()) {
            (Side::Buy, false) | (Side::Sell, true) => price >= algo.trigger_price,
            (Side::Sell, false) | (Side::Buy, true) => price <= algo.trigger_price,
        }
    }

    /// Whether price protection holds the trigger back: mark and last price are too far apart.
    fn is_protected(&self, algo: &AlgoOrder) -> bool {
        let (last, mark) = (self.last_price(&algo.symbol), self.mark_price(&algo.symbol));
        let limit = self
            .symbols
            .get(&algo.symbol)
            .map_or(Decimal::ONE, |rules| rules.trigger_protect);
        let difference = (last - mark).abs().checked_div(mark).unwrap_or_default();
        algo.price_protect && difference > limit
    }

    fn working_price(&self, symbol: &str, working_type: WorkingType) -> Decimal {
        match working_type {
            WorkingType::Contract => self.last_price(symbol),
            WorkingType::Mark => self.mark_price(symbol),
        }
    }

    /// Makes the regular order of a conditional one, or rejects it.
    fn trigger(&mut self, account: &str, id: AlgoId, now: Micros) {
        self.move_algo(account, id, AlgoStatus::Triggering, now);
        let Some(algo) = self
            .accounts
            .get(account)
            .and_then(|books| books.algos.get(&id))
        else {
            return;
        };
        let order = self.triggered_order(account, &algo.clone(), now);
        let outcome = self
            .check_working(account, &order)
            .and_then(|()| self.work(account, order, now));
        let Err(refusal) = outcome else {
            return;
        };
        if let Some(algo) = self
            .accounts
            .get_mut(account)
            .and_then(|books| books.algos.get_mut(&id))
        {
            algo.reject_reason = refusal.message.into_owned();
        }
        self.move_algo(account, id, AlgoStatus::Rejected, now);
    }

    /// The regular order that a triggered one becomes; it carries the conditional order's client id.
    fn triggered_order(&self, account: &str, algo: &AlgoOrder, now: Micros) -> FuturesOrder {
        let quantity = if algo.close_position {
            let books = self.account(account);
            books.map_or(Decimal::ZERO, |books| {
                books.reducible(&algo.symbol, algo.position_side, algo.side)
            })
        } else {
            algo.quantity
        };
        FuturesOrder {
            id: OrderId(0),
            client_order_id: algo.client_algo_id.clone(),
            symbol: algo.symbol.clone(),
            side: algo.side,
            position_side: algo.position_side,
            order_type: algo.order_type.working_type(),
            original_type: algo.order_type,
            time_in_force: match algo.time_in_force {
                TimeInForce::GteGtc => TimeInForce::Gtc,
                other @ (TimeInForce::Gtc
                | TimeInForce::Ioc
                | TimeInForce::Fok
                | TimeInForce::Gtx
                | TimeInForce::Gtd) => other,
            },
            quantity,
            price: algo.price,
            price_match: algo.price_match,
            reduce_only: algo.reduce_only,
            close_position: algo.close_position,
            trigger_price: algo.trigger_price,
            working_type: algo.working_type,
            price_protect: algo.price_protect,
            self_trade: algo.self_trade,
            good_till_ms: algo.good_till_ms,
            status: OrderStatus::New,
            executed: Decimal::ZERO,
            executed_value: Decimal::ZERO,
            realised_profit: Decimal::ZERO,
            parent: Some(algo.id),
            created: now,
            updated: now,
            venue_name: String::new(),
            venue_quantity: quantity,
        }
    }
}

/// An order that lives as long as a position needs one (-4509).
fn check_life(books: &Account, algo: &AlgoOrder) -> Result<(), Refusal> {
    let reducible = books.reducible(&algo.symbol, algo.position_side, algo.side);
    if algo.time_in_force != TimeInForce::GteGtc || !reducible.is_zero() {
        return Ok(());
    }
    let message = "Time in Force (TIF) GTE can only be used with open positions. \
                   Please ensure that positions are available.";
    Err(Refusal::new(-4509, message))
}

/// `closePosition` goes with market kinds only, and with neither quantity nor `reduceOnly`.
fn check_close_position(ticket: &AlgoTicket) -> Result<(), Refusal> {
    match ticket.order_type {
        OrderType::StopMarket | OrderType::TakeProfitMarket => {}
        other @ (OrderType::Limit
        | OrderType::Market
        | OrderType::Stop
        | OrderType::TakeProfit
        | OrderType::TrailingStopMarket) => {
            let message = format!(
                "Target strategy invalid for orderType {},closePosition true",
                other.as_str()
            );
            return Err(Refusal::new(-4136, message));
        }
    }
    if ticket.quantity.is_some_and(|quantity| !quantity.is_zero()) {
        let message = "Quantity must be zero with closePosition equals true";
        return Err(Refusal::new(-4137, message));
    }
    if ticket.reduce_only.is_some() {
        return Err(Refusal::not_required("reduceOnly"));
    }
    Ok(())
}
