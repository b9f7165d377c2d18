//! Funds: what an account is worth, and whether that carries one more order.

use super::{Venue, placing};
use crate::account::{Account, Balance};
use crate::money;
use crate::order::{OrderRequest, Side};
use crate::rejection::{RejectCode, Rejection};
use rust_decimal::Decimal;
use std::collections::BTreeSet;

impl Venue {
    /// Cash and equity of an account.
    pub(super) fn balance_of(&self, account: &Account) -> Result<Balance, Rejection> {
        let mut unrealised_profit = Decimal::ZERO;
        let mut unpriced_symbols = Vec::new();
        for (symbol, book) in account
            .positions
            .iter()
            .filter(|(_, book)| !book.quantity.is_zero())
        {
            let Some(value) = self.position_value(account, symbol)? else {
                unpriced_symbols.push(symbol.clone());
                continue;
            };
            let profit = money::subtract(value, book.cost, "unrealised profit")?;
            unrealised_profit = money::add(unrealised_profit, profit, "unrealised profit")?;
        }
        Ok(Balance {
            currency: account.currency.clone(),
            cash: account.cash,
            equity: money::add(account.cash, unrealised_profit, "equity")?,
            unrealised_profit,
            realised_profit: account.realised_profit,
            fees_paid: account.fees_paid,
            unpriced_symbols,
        })
    }

    /// Says whether the account carries the order: equity × leverage reaches the exposure with it, or the order
    /// doesn't raise the exposure at all.
    pub(super) fn check_funds(
        &self,
        account: &str,
        request: &OrderRequest,
        notional: Decimal,
    ) -> Result<(), Rejection> {
        let books = self.account(account)?;
        let before = self.exposure(books, None)?;
        let after = self.exposure(books, Some((request, notional)))?;
        if after <= before {
            return Ok(());
        }
        let equity = self.balance_of(books)?.equity;
        let carried = equity
            .checked_mul(self.leverage)
            .ok_or_else(|| Rejection::out_of_range("equity"))?;
        if after > carried {
            let (after, carried) = (after.normalize(), carried.normalize());
            let message = format!(
                "exposure {after} after the order is above the {carried} {} that account {account} carries",
                books.currency
            );
            return Err(Rejection::new(RejectCode::InsufficientFunds, message));
        }
        Ok(())
    }

    /// The most the account could hold, long or short and over all symbols, if its working orders that aren't
    /// reduce-only (and `extra`, with its notional) executed on one side.
    fn exposure(
        &self,
        account: &Account,
        extra: Option<(&OrderRequest, Decimal)>,
    ) -> Result<Decimal, Rejection> {
        let extra_symbol = extra.map(|(request, _)| &request.symbol);
        let symbols: BTreeSet<&String> = account
            .positions
            .keys()
            .chain(account.open_by_symbol.keys())
            .chain(extra_symbol)
            .collect();
        let mut total = Decimal::ZERO;
        for symbol in symbols {
            let held = match self.position_value(account, symbol)? {
                Some(value) => value,
                None => account
                    .positions
                    .get(symbol)
                    .map_or(Decimal::ZERO, |book| book.cost),
            };
            let (mut buys, mut sells) = self.working_notional(account, symbol)?;
            if let Some((request, notional)) =
                extra.filter(|(request, _)| request.symbol == *symbol)
            {
                match request.side {
                    Side::Buy => buys = money::add(buys, notional, "exposure")?,
                    Side::Sell => sells = money::add(sells, notional, "exposure")?,
                }
            }
            let long = money::add(held, buys, "exposure")?;
            let short = money::subtract(sells, held, "exposure")?;
            total = money::add(total, held.abs().max(long).max(short), "exposure")?;
        }
        Ok(total)
    }

    /// What the working orders in `symbol` that aren't reduce-only still want to buy and to sell.
    fn working_notional(
        &self,
        account: &Account,
        symbol: &str,
    ) -> Result<(Decimal, Decimal), Rejection> {
        let (mut buys, mut sells) = (Decimal::ZERO, Decimal::ZERO);
        let instrument = self.require_instrument(symbol)?;
        let ids = account.open_by_symbol.get(symbol).into_iter().flatten();
        for order in ids
            .filter_map(|id| account.orders.get(id))
            .filter(|order| !order.request.reduce_only)
        {
            let last = self
                .last_price(symbol)
                .map_or(Decimal::ZERO, |last| last.price);
            let price = placing::working_price(order.request.kind, last);
            let notional = money::value_of(
                order.remaining_quantity(),
                price,
                instrument.contract_multiplier,
            )?;
            match order.request.side {
                Side::Buy => buys = money::add(buys, notional, "exposure")?,
                Side::Sell => sells = money::add(sells, notional, "exposure")?,
            }
        }
        Ok((buys, sells))
    }

    /// The position's value at the last price, negative for short; none if no price is known.
    fn position_value(
        &self,
        account: &Account,
        symbol: &str,
    ) -> Result<Option<Decimal>, Rejection> {
        let Some(last) = self.last_price(symbol) else {
            return Ok(None);
        };
        let multiplier = self.require_instrument(symbol)?.contract_multiplier;
        money::value_of(account.net_quantity(symbol), last.price, multiplier).map(Some)
    }
}
