//! Restoring: an account rebuilt from what somebody else remembers of it.

use super::{ACCOUNTS_MAX, OPEN_ORDERS_MAX, Venue, check_name, placing};
use crate::account::{Account, PositionBook};
use crate::money;
use crate::order::{Order, OrderKind, OrderRequest, OrderStatus, Phase, VenueOrderId};
use crate::rejection::{RejectCode, Rejection};
use crate::report::ReportLog;
use crate::time::Micros;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// An account as a journal remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountSeed {
    /// The account's currency.
    pub currency: String,
    /// Its cash now: profit realised and fees paid so far are in it.
    pub cash: Decimal,
    /// Profit realised so far, before fees; shown on, not counted again.
    pub realised_profit: Decimal,
    /// Fees paid so far, likewise.
    pub fees_paid: Decimal,
    /// Its open positions.
    pub positions: Vec<PositionSeed>,
    /// Its open orders, oldest first.
    pub open_orders: Vec<OpenOrderSeed>,
    /// The last report number its reader has seen; zero for none. The next report gets the number after it.
    pub last_report: u64,
}

impl AccountSeed {
    /// An account with nothing but cash.
    #[must_use]
    pub fn empty(currency: &str, cash: Decimal) -> AccountSeed {
        AccountSeed {
            currency: currency.to_owned(),
            cash,
            realised_profit: Decimal::ZERO,
            fees_paid: Decimal::ZERO,
            positions: Vec::new(),
            open_orders: Vec::new(),
            last_report: 0,
        }
    }
}

/// A position to begin with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionSeed {
    /// The symbol.
    pub symbol: String,
    /// How much, negative for short; not zero.
    pub quantity: Decimal,
    /// The average price of it; above zero.
    pub average_price: Decimal,
}

/// An open order to begin with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOrderSeed {
    /// What was asked for. Its time fence and reference price have done their work and are ignored.
    pub request: OrderRequest,
    /// Executed so far; below the request's quantity.
    pub filled_quantity: Decimal,
    /// The average price of that; not needed when nothing was executed.
    pub average_price: Option<Decimal>,
    /// Its number at the venue, if that is remembered; else it gets a new one.
    pub venue_order_id: Option<VenueOrderId>,
    /// What it had become, if that is remembered. Without it an order that was filled in part is
    /// taken to be at its limit or target by now, and any other one not to have been triggered.
    pub phase: Option<Phase>,
    /// When it was accepted.
    pub accepted_at: Micros,
}

impl Venue {
    /// Opens an account in the state of the seed. Writes no reports, and executes nothing before the next tick.
    ///
    /// # Errors
    /// The account is there already, or the seed contradicts itself or the instruments; then nothing has changed.
    pub fn restore(&mut self, account: &str, seed: AccountSeed) -> Result<(), Rejection> {
        check_name("account", account)?;
        check_name("currency", &seed.currency)?;
        if self.accounts.contains_key(account) {
            return Err(Rejection::new(
                RejectCode::AccountExists,
                format!("account {account} is there already"),
            ));
        }
        if self.accounts.len() >= ACCOUNTS_MAX || seed.open_orders.len() > OPEN_ORDERS_MAX {
            return Err(Rejection::out_of_range("number of accounts or open orders"));
        }
        let amounts = [seed.cash, seed.realised_profit, seed.fees_paid];
        if amounts.iter().any(|amount| {
            amount.abs() > money::money_max() || amount.normalize().scale() > money::MONEY_DECIMALS
        }) {
            return Err(Rejection::out_of_range("opening balance"));
        }
        let log = ReportLog::after(seed.last_report);
        let mut books = Account::opening(
            &seed.currency,
            seed.cash,
            seed.realised_profit,
            seed.fees_paid,
            log,
        );
        for position in seed.positions {
            let book = self.seeded_position(&position)?;
            if books
                .positions
                .insert(position.symbol.clone(), book)
                .is_some()
            {
                return Err(invalid(format!(
                    "position in {} is given twice",
                    position.symbol
                )));
            }
        }
        let mut next_order_id = self.next_order_id;
        let highest_given = seed
            .open_orders
            .iter()
            .filter_map(|order| order.venue_order_id)
            .max();
        if let Some(VenueOrderId(highest)) = highest_given {
            next_order_id = next_order_id.max(highest.saturating_add(1));
        }
        for seeded in seed.open_orders {
            let id = seeded.venue_order_id.unwrap_or(VenueOrderId(next_order_id));
            if id.0 == next_order_id {
                next_order_id += 1;
            }
            let client_order_id = &seeded.request.client_order_id;
            if books.by_client_order_id.contains_key(client_order_id)
                || books.orders.contains_key(&id)
            {
                return Err(invalid(format!(
                    "open order {client_order_id} or its number {id} is given twice"
                )));
            }
            books.insert_open(self.seeded_order(seeded, id)?);
        }
        self.next_order_id = next_order_id;
        self.accounts.insert(account.to_owned(), books);
        Ok(())
    }

    fn seeded_position(&self, seed: &PositionSeed) -> Result<PositionBook, Rejection> {
        let instrument = self.require_instrument(&seed.symbol)?;
        let too_fine = seed.quantity.normalize().scale() > money::INPUT_DECIMALS_MAX;
        let too_large = seed.quantity.abs() > money::quantity_max();
        if seed.quantity.is_zero() || too_large || too_fine || seed.average_price <= Decimal::ZERO {
            let message = format!(
                "position {} of {} at {} can't be",
                seed.quantity, seed.symbol, seed.average_price
            );
            return Err(invalid(message));
        }
        let cost = money::value_of(
            seed.quantity,
            seed.average_price,
            instrument.contract_multiplier,
        )?;
        Ok(PositionBook::opening(seed.quantity, cost))
    }

    fn seeded_order(&self, seed: OpenOrderSeed, id: VenueOrderId) -> Result<Order, Rejection> {
        let request = seed.request;
        check_name("client order id", &request.client_order_id)?;
        let instrument = self.require_instrument(&request.symbol)?;
        placing::check_form(&request, &instrument)?;
        let filled = seed.filled_quantity;
        let too_fine = filled.normalize().scale() > money::INPUT_DECIMALS_MAX;
        if filled < Decimal::ZERO || filled >= request.quantity || too_fine {
            let message = format!(
                "open order {} has {filled} of {} filled",
                request.client_order_id, request.quantity
            );
            return Err(invalid(message));
        }
        let filled_value =
            money::value_of(filled, seed.average_price.unwrap_or_default(), Decimal::ONE)?;
        if filled_value.is_zero() != filled.is_zero() {
            return Err(invalid(format!(
                "open order {} has {filled} filled at no price",
                request.client_order_id
            )));
        }
        let phase = seed.phase.unwrap_or_else(|| likely_phase(&request, filled));
        let order = Order {
            venue_order_id: id,
            status: OrderStatus::Open,
            phase,
            filled_quantity: filled,
            filled_value,
            fills: Vec::new(),
            accepted_at: seed.accepted_at,
            changed_at: seed.accepted_at,
            request,
        };
        Ok(order)
    }
}

fn likely_phase(request: &OrderRequest, filled: Decimal) -> Phase {
    match request.kind {
        OrderKind::OneCancelsOther { target_price, .. } if !filled.is_zero() => Phase::AtLimit {
            price: target_price,
        },
        OrderKind::StopLimit { price, .. } | OrderKind::TakeProfitLimit { price, .. }
            if !filled.is_zero() =>
        {
            Phase::AtLimit { price }
        }
        OrderKind::Market
        | OrderKind::Limit { .. }
        | OrderKind::Stop { .. }
        | OrderKind::StopLimit { .. }
        | OrderKind::TakeProfit { .. }
        | OrderKind::TakeProfitLimit { .. }
        | OrderKind::TrailingStop { .. }
        | OrderKind::OneCancelsOther { .. } => placing::first_phase(request.kind),
    }
}

fn invalid(message: String) -> Rejection {
    Rejection::new(RejectCode::InvalidRequest, message)
}
