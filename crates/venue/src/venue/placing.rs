//! Placing: what the venue checks before a request becomes an order.

use super::{DuplicateIds, LastPrice, OPEN_ORDERS_MAX, Venue, check_name, matching};
use crate::instrument::Instrument;
use crate::money;
use crate::order::{
    Order, OrderKind, OrderRequest, OrderStatus, Phase, Side, TimeInForce, VenueOrderId,
};
use crate::rejection::{RejectCode, Rejection};
use crate::report::{Report, ReportEvent};
use crate::time::Micros;
use rust_decimal::Decimal;

impl Venue {
    /// Places an order, and executes it as far as it can be now; answers with the order as it stands after that.
    ///
    /// The reference price, if there is one, acts first: it is a tick like any other and stays also when the order is
    /// then refused.
    ///
    /// # Errors
    /// The request was refused, definitely and without a trace but for the report of its refusal.
    pub fn place(
        &mut self,
        account: &str,
        request: OrderRequest,
        now: Micros,
    ) -> Result<Order, Rejection> {
        self.account(account)?;
        check_name("client order id", &request.client_order_id)?;
        check_name("symbol", &request.symbol)?;
        match self.admit(account, &request, now) {
            Ok(instrument) => self.accept(account, request, &instrument, now),
            Err(rejection) => {
                self.report_rejection(account, &request, &rejection, now);
                Err(rejection)
            }
        }
    }

    /// All checks, in the order in which a caller learns most from the first that fails.
    fn admit(
        &mut self,
        account: &str,
        request: &OrderRequest,
        now: Micros,
    ) -> Result<Instrument, Rejection> {
        self.check_duplicate(account, &request.client_order_id)?;
        check_fence(request, now)?;
        let instrument = self.require_instrument(&request.symbol)?;
        check_form(request, &instrument)?;
        if let Some(price) = request.reference_price {
            self.tick(&request.symbol, price, now)?;
        }
        let open = self.account(account)?.open_count();
        if open >= OPEN_ORDERS_MAX {
            let message =
                format!("account {account} has {open} open orders, the most is {OPEN_ORDERS_MAX}");
            return Err(Rejection::new(RejectCode::TooManyOrders, message));
        }
        let last = self.last_price(&request.symbol);
        let price = deciding_price(request, last)?;
        let notional = money::value_of(request.quantity, price, instrument.contract_multiplier)?;
        if request.reduce_only {
            self.check_reduces(account, request, &instrument, last, now)?;
        } else {
            check_notional(notional, &instrument)?;
            self.check_funds(account, request, notional)?;
        }
        Ok(instrument)
    }

    fn check_duplicate(&self, account: &str, client_order_id: &str) -> Result<(), Rejection> {
        let Some(earlier) = self.account(account)?.newest(client_order_id) else {
            return Ok(());
        };
        let refused = match self.duplicate_ids {
            DuplicateIds::RejectWhileOpen => earlier.is_open(),
            DuplicateIds::RejectForever => true,
        };
        if refused {
            let message = format!(
                "client order id {client_order_id} is taken by order {}",
                earlier.venue_order_id
            );
            return Err(Rejection::new(RejectCode::DuplicateClientOrderId, message));
        }
        Ok(())
    }

    /// A reduce-only order that would execute at once needs something to reduce; one that waits may wait for it.
    fn check_reduces(
        &mut self,
        account: &str,
        request: &OrderRequest,
        instrument: &Instrument,
        last: Option<LastPrice>,
        now: Micros,
    ) -> Result<(), Rejection> {
        let reducible = self
            .account(account)?
            .reducible(&request.symbol, request.side);
        let Some(last) = last.filter(|_| reducible.is_zero()) else {
            return Ok(());
        };
        if self
            .market(instrument, last.price, now)
            .executes_on_arrival(request)
        {
            let message = format!(
                "position {} of {} leaves nothing to reduce",
                self.account(account)?.net_quantity(&request.symbol),
                request.symbol
            );
            return Err(Rejection::new(RejectCode::NothingToReduce, message));
        }
        Ok(())
    }

    fn accept(
        &mut self,
        account: &str,
        request: OrderRequest,
        instrument: &Instrument,
        now: Micros,
    ) -> Result<Order, Rejection> {
        let id = VenueOrderId(self.next_order_id);
        self.next_order_id += 1;
        let order = Order {
            venue_order_id: id,
            status: OrderStatus::Open,
            phase: first_phase(request.kind),
            filled_quantity: Decimal::ZERO,
            filled_value: Decimal::ZERO,
            fills: Vec::new(),
            accepted_at: now,
            changed_at: now,
            request,
        };
        let last = self.last_price(&order.request.symbol);
        let Some(books) = self.accounts.get_mut(account) else {
            return Err(Rejection::unknown_account(account));
        };
        books.log.record(&order, ReportEvent::Accepted, now);
        books.insert_open(order);
        if let Some(last) = last {
            let mut market = matching::Market {
                model: &self.fill_model,
                instrument,
                last: last.price,
                now,
                next_trade_id: &mut self.next_trade_id,
            };
            books.advance(id, &mut market, true);
        }
        books
            .orders
            .get(&id)
            .cloned()
            .ok_or_else(|| Rejection::out_of_range("venue order id"))
    }

    /// Whether the order, if it arrived now, would execute at once, at least in part: what a post-only order may not.
    /// False while no price of its symbol is known.
    #[must_use]
    pub fn executes_on_arrival(&self, request: &OrderRequest) -> bool {
        self.asked_now(request, |market| market.executes_on_arrival(request))
    }

    /// Whether an order that waits for a price would not wait if it arrived now. False for market, limit and trailing
    /// orders, and while no price of its symbol is known.
    #[must_use]
    pub fn triggers_on_arrival(&self, request: &OrderRequest) -> bool {
        self.asked_now(request, |market| market.triggers_on_arrival(request))
    }

    /// The pieces (price, quantity) that an order would take from the market if it arrived now, not beyond `limit` if
    /// there is one. Empty while no price of the symbol is known or when the prices leave the venue's range.
    #[must_use]
    pub fn pieces_now(
        &self,
        symbol: &str,
        side: Side,
        quantity: Decimal,
        limit: Option<Decimal>,
    ) -> Vec<(Decimal, Decimal)> {
        let pieces = self.with_market(symbol, |market| market.pieces(side, quantity, limit));
        pieces.and_then(Result::ok).unwrap_or_default()
    }

    /// Best bid and best ask of the symbol; none while no price of it is known.
    #[must_use]
    pub fn bid_and_ask(&self, symbol: &str) -> Option<(Decimal, Decimal)> {
        self.with_market(symbol, |market| {
            let bid = market.opposing(Side::Sell, Decimal::ZERO)?;
            Some((bid, market.opposing(Side::Buy, Decimal::ZERO)?))
        })?
    }

    fn asked_now(
        &self,
        request: &OrderRequest,
        question: impl Fn(&matching::Market<'_>) -> bool,
    ) -> bool {
        self.with_market(&request.symbol, |market| question(market))
            .unwrap_or_default()
    }

    /// Shows the symbol's market as it is now, to somebody who only looks.
    fn with_market<T>(
        &self,
        symbol: &str,
        look: impl FnOnce(&matching::Market<'_>) -> T,
    ) -> Option<T> {
        let last = self.last_price(symbol)?;
        let instrument = self.instrument(symbol)?;
        let mut next_trade_id = self.next_trade_id;
        Some(look(&matching::Market {
            model: &self.fill_model,
            instrument: &instrument,
            last: last.price,
            now: last.at,
            next_trade_id: &mut next_trade_id,
        }))
    }

    fn market<'a>(
        &'a mut self,
        instrument: &'a Instrument,
        last: Decimal,
        now: Micros,
    ) -> matching::Market<'a> {
        matching::Market {
            model: &self.fill_model,
            instrument,
            last,
            now,
            next_trade_id: &mut self.next_trade_id,
        }
    }

    fn report_rejection(
        &mut self,
        account: &str,
        request: &OrderRequest,
        rejection: &Rejection,
        now: Micros,
    ) {
        let Some(account) = self.accounts.get_mut(account) else {
            return;
        };
        if account.newest(&request.client_order_id).is_some() {
            return;
        }
        account.log.push(Report {
            number: 0,
            at: now,
            client_order_id: request.client_order_id.clone(),
            venue_order_id: None,
            symbol: request.symbol.clone(),
            side: request.side,
            quantity: request.quantity,
            cumulative_quantity: Decimal::ZERO,
            average_price: None,
            event: ReportEvent::Rejected {
                rejection: rejection.clone(),
            },
        });
    }
}

/// What an order of that kind is before any price acts on it.
pub(super) fn first_phase(kind: OrderKind) -> Phase {
    match kind {
        OrderKind::Market => Phase::AtMarket,
        OrderKind::Limit { price } => Phase::AtLimit { price },
        OrderKind::Stop { .. }
        | OrderKind::StopLimit { .. }
        | OrderKind::TakeProfit { .. }
        | OrderKind::TakeProfitLimit { .. }
        | OrderKind::TrailingStop { .. }
        | OrderKind::OneCancelsOther { .. } => Phase::Armed,
    }
}

/// Says whether the request is one the venue can understand: steps, ticks, and prices that fit each other.
pub(super) fn check_form(request: &OrderRequest, instrument: &Instrument) -> Result<(), Rejection> {
    instrument.check_quantity(request.quantity)?;
    match request.kind {
        OrderKind::Market => Ok(()),
        OrderKind::Limit { price } => instrument.check_price("limit price", price),
        OrderKind::Stop { stop_price } | OrderKind::TakeProfit { stop_price } => {
            instrument.check_price("stop price", stop_price)
        }
        OrderKind::TrailingStop {
            callback_bps,
            activation_price,
        } => {
            check_callback(request, callback_bps)?;
            activation_price.map_or(Ok(()), |price| {
                instrument.check_price("activation price", price)
            })
        }
        OrderKind::StopLimit { stop_price, price }
        | OrderKind::TakeProfitLimit { stop_price, price } => {
            instrument.check_price("stop price", stop_price)?;
            instrument.check_price("limit price", price)
        }
        OrderKind::OneCancelsOther {
            stop_price,
            target_price,
        } => {
            instrument.check_price("stop price", stop_price)?;
            instrument.check_price("target price", target_price)?;
            check_bracket(request, stop_price, target_price)
        }
    }
}

fn check_callback(request: &OrderRequest, callback_bps: Decimal) -> Result<(), Rejection> {
    if callback_bps <= Decimal::ZERO
        || callback_bps >= Decimal::from(10_000)
        || callback_bps.scale() > money::INPUT_DECIMALS_MAX
    {
        let message = format!(
            "callback {callback_bps} bps of {} is not above 0 and below 10000",
            request.symbol
        );
        return Err(Rejection::new(RejectCode::InvalidRequest, message));
    }
    Ok(())
}

fn check_bracket(
    request: &OrderRequest,
    stop_price: Decimal,
    target_price: Decimal,
) -> Result<(), Rejection> {
    let (in_order, relation) = match request.side {
        Side::Buy => (target_price < stop_price, "below"),
        Side::Sell => (target_price > stop_price, "above"),
    };
    if !in_order {
        let message = format!(
            "target price {target_price} is not {relation} the stop price {stop_price} of {}",
            request.symbol
        );
        return Err(Rejection::new(RejectCode::InvalidRequest, message));
    }
    if request.time_in_force != TimeInForce::Gtc {
        let message = format!(
            "a one-cancels-other order of {} can't be immediate",
            request.symbol
        );
        return Err(Rejection::new(RejectCode::InvalidRequest, message));
    }
    Ok(())
}

fn check_fence(request: &OrderRequest, now: Micros) -> Result<(), Rejection> {
    match request.valid_until {
        Some(until) if now > until => {
            let message = format!(
                "request {} was processed at {now}, after its end of validity {until}",
                request.client_order_id
            );
            Err(Rejection::new(RejectCode::Expired, message))
        }
        Some(_) | None => Ok(()),
    }
}

fn check_notional(notional: Decimal, instrument: &Instrument) -> Result<(), Rejection> {
    if notional < instrument.minimum_notional {
        let message = format!(
            "notional {} is below the minimum {} of {}",
            notional.normalize(),
            instrument.minimum_notional,
            instrument.symbol
        );
        return Err(Rejection::new(RejectCode::BelowMinimumNotional, message));
    }
    Ok(())
}

/// The price at which the order counts against minimums and funds; an order that must execute at once needs a known
/// one.
fn deciding_price(request: &OrderRequest, last: Option<LastPrice>) -> Result<Decimal, Rejection> {
    let is_immediate_limit = matches!(request.kind, OrderKind::Limit { .. })
        && request.time_in_force != TimeInForce::Gtc;
    if last.is_none() && (request.kind == OrderKind::Market || is_immediate_limit) {
        return Err(Rejection::new(
            RejectCode::NoPrice,
            format!("no price of {} is known", request.symbol),
        ));
    }
    let last = last.map_or(Decimal::ZERO, |last| last.price);
    Ok(working_price(request.kind, last))
}

/// The price at which a working order counts as exposure: its own, or the last one of a market order.
pub(super) fn working_price(kind: OrderKind, last: Decimal) -> Decimal {
    match kind {
        OrderKind::Market => last,
        OrderKind::Limit { price }
        | OrderKind::StopLimit { price, .. }
        | OrderKind::TakeProfitLimit { price, .. } => price,
        OrderKind::Stop { stop_price } | OrderKind::TakeProfit { stop_price } => stop_price,
        OrderKind::TrailingStop {
            activation_price, ..
        } => activation_price.unwrap_or(last),
        OrderKind::OneCancelsOther {
            stop_price,
            target_price,
        } => stop_price.max(target_price),
    }
}
