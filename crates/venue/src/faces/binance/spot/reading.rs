//! Services that read an account: orders, lists, trades, balances and what its key may do.
//!
//! Source: Binance Spot API, "Account endpoints"; Binance Wallet API, "Get API Key Permission".

use super::order::{OrderList, SpotOrder};
use super::requests;
use super::symbols::{ASSET_DECIMALS, decimal};
use super::trading::Wanted;
use super::wire;
use crate::faces::binance::Market;
use crate::faces::binance::error::ApiError;
use crate::faces::binance::params::Params;
use crate::faces::binance::service::Call;
use crate::faces::binance::state::Inside;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// Rows of an answer, when the client names no number.
const ROWS: i64 = 500;
/// Rows of an answer at most.
const ROWS_MAX: i64 = 1_000;
/// The longest span between start and end of a search, in milliseconds.
const SPAN_MAX: i64 = 86_400_000;

/// `GET /api/v3/order`, `order.status`.
pub(super) fn order(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    let exchange = &inside.spot;
    let symbol = requests::symbol(call.params)?;
    exchange.symbol(symbol)?;
    let wanted = Wanted::read(call.params, "orderId", "origClientOrderId")?;
    let found = wanted.find(exchange, call.account(), symbol)?;
    found
        .filter(|_| !call.pretends_absent())
        .map(wire::found)
        .ok_or_else(|| ApiError::new(-2013, "Order does not exist."))
}

/// `GET /api/v3/openOrders`, `openOrders.status`.
pub(super) fn open_orders(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    let exchange = &inside.spot;
    let symbol = optional_symbol(inside, call.params)?;
    let orders = exchange.open_orders(call.account(), symbol);
    Ok(orders.map(wire::found).collect())
}

fn optional_symbol<'a>(inside: &Inside, params: &'a Params) -> Result<Option<&'a str>, ApiError> {
    if !params.has("symbol") {
        return Ok(None);
    }
    let symbol = requests::symbol(params)?;
    inside.spot.symbol(symbol)?;
    Ok(Some(symbol))
}

/// `GET /api/v3/allOrders`, `allOrders`.
pub(super) fn all_orders(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    let exchange = &inside.spot;
    let symbol = requests::symbol(call.params)?;
    exchange.symbol(symbol)?;
    let window = Window::read(call.params)?;
    let from = call.params.integer("orderId")?;
    let wanted = |order: &&SpotOrder| {
        order.request.symbol == symbol
            && from.is_none_or(|from| order.id >= from.unsigned_abs())
            && window.holds(wire::millis(order.created_at))
    };
    let orders = exchange.orders_of(call.account()).filter(wanted);
    Ok(window.page(orders.map(wire::found), from.is_some()))
}

/// `GET /api/v3/myTrades`, `myTrades`.
pub(super) fn trades(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    let exchange = &inside.spot;
    let symbol = requests::symbol(call.params)?;
    exchange.symbol(symbol)?;
    let window = Window::read(call.params)?;
    let of_order = call.params.integer("orderId")?.map(i64::unsigned_abs);
    let from = call.params.integer("fromId")?.map(i64::unsigned_abs);
    let mut rows: Vec<(u64, Value)> = exchange
        .orders_of(call.account())
        .filter(|order| {
            order.request.symbol == symbol && of_order.is_none_or(|only| only == order.id)
        })
        .flat_map(|order| order.trades.iter().map(move |trade| (order, trade)))
        .filter(|(_, trade)| from.is_none_or(|from| trade.id >= from))
        .filter(|(_, trade)| window.holds(wire::millis(trade.at)))
        .map(|(order, trade)| (trade.id, wire::trade(order, trade)))
        .collect();
    rows.sort_by_key(|(id, _)| *id);
    Ok(window.page(rows.into_iter().map(|(_, row)| row), from.is_some()))
}

/// Which rows a client wants.
struct Window {
    start: Option<i64>,
    end: Option<i64>,
    limit: usize,
}

impl Window {
    fn read(params: &Params) -> Result<Window, ApiError> {
        let (start, end) = (params.integer("startTime")?, params.integer("endTime")?);
        if let (Some(start), Some(end)) = (start, end)
            && end - start > SPAN_MAX
        {
            let message = "More than 24 hours between startTime and endTime.";
            return Err(ApiError::new(-1127, message));
        }
        let limit = params.integer("limit")?.unwrap_or(ROWS);
        let limit = usize::try_from(limit.clamp(1, ROWS_MAX)).unwrap_or_default();
        Ok(Window { start, end, limit })
    }

    fn holds(&self, moment: i64) -> bool {
        self.start.is_none_or(|start| moment >= start) && self.end.is_none_or(|end| moment <= end)
    }

    /// The first rows of a search that names its begin, else the last ones.
    fn page(&self, rows: impl Iterator<Item = Value>, from_begin: bool) -> Value {
        let rows: Vec<Value> = rows.collect();
        let surplus = rows.len().saturating_sub(self.limit);
        let skipped = if from_begin || self.start.is_some() {
            0
        } else {
            surplus
        };
        rows.into_iter().skip(skipped).take(self.limit).collect()
    }
}

/// `GET /api/v3/account`, `account.status`.
pub(super) fn account(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    let exchange = &inside.spot;
    let omits_zero = call.params.flag("omitZeroBalances")? == Some(true);
    let key = inside.keys.get(&call.identity.key);
    let (rate, none) = (decimal(exchange.commission), decimal(Decimal::ZERO));
    let basis_points = (exchange.commission * Decimal::from(10_000))
        .trunc()
        .to_string();
    let commission: u32 = basis_points.parse().unwrap_or_default();
    let updated = exchange
        .orders_of(call.account())
        .map(|order| order.updated_at)
        .max();
    Ok(json!({
        "makerCommission": commission,
        "takerCommission": commission,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {"maker": rate, "taker": rate, "buyer": none, "seller": none},
        "canTrade": key.is_some_and(|key| key.can_trade),
        "canWithdraw": key.is_some_and(|key| key.can_withdraw),
        "canDeposit": true,
        "brokered": false,
        "requireSelfTradePrevention": false,
        "preventSor": false,
        "updateTime": updated.map_or(0, wire::millis),
        "accountType": "SPOT",
        "balances": wire::balances(exchange, call.account(), omits_zero),
        "permissions": ["SPOT"],
        "uid": 1,
    }))
}

/// `GET /api/v3/rateLimit/order`, `account.rateLimits.orders`.
pub(super) fn order_counts(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    Ok(inside
        .limits
        .order_counts(Market::Spot, call.account(), call.now))
}

/// `GET /api/v3/myFilters`: no filter is meant for one account only.
pub(super) fn filters(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    inside.spot.symbol(requests::symbol(call.params)?)?;
    Ok(json!({"exchangeFilters": [], "symbolFilters": [], "assetFilters": []}))
}

/// `GET /api/v3/orderList`, `orderList.status`.
pub(super) fn list(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    let exchange = &inside.spot;
    let number = call.params.integer("orderListId")?.map(i64::unsigned_abs);
    let name = call.params.text("origClientOrderId");
    if number.is_none() && name.is_none() {
        return Err(ApiError::one_of("orderListId", "origClientOrderId"));
    }
    let found = exchange.lists.values().rev().find(|list| {
        list.account == call.account()
            && number.is_none_or(|number| number == list.id)
            && name.is_none_or(|name| name == list.client_id)
    });
    found
        .filter(|_| !call.pretends_absent())
        .map(|list| wire::list(exchange, list))
        .ok_or_else(|| ApiError::new(-2018, "Order list does not exist."))
}

/// `GET /api/v3/openOrderList`, `openOrderLists.status`.
pub(super) fn open_lists(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    Ok(lists(inside, call, |list| !list.is_done))
}

/// `GET /api/v3/allOrderList`, `allOrderLists`.
pub(super) fn all_lists(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    Window::read(call.params)?;
    Ok(lists(inside, call, |_| true))
}

fn lists(inside: &Inside, call: &Call<'_>, wanted: impl Fn(&OrderList) -> bool) -> Value {
    let exchange = &inside.spot;
    let own = exchange
        .lists
        .values()
        .filter(|list| list.account == call.account() && wanted(list));
    own.map(|list| wire::list(exchange, list)).collect()
}

/// `GET /sapi/v1/account/apiRestrictions`: what the key may do.
pub(super) fn restrictions(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    let key = inside
        .keys
        .get(&call.identity.key)
        .ok_or_else(ApiError::key_rejected)?;
    Ok(json!({
        "ipRestrict": key.ip_restricted,
        "createTime": 1_700_000_000_000_i64,
        "enableReading": true,
        "enableSpotAndMarginTrading": key.can_trade,
        "enableFutures": key.can_trade,
        "enableWithdrawals": key.can_withdraw,
        "enableInternalTransfer": false,
        "enableMargin": false,
        "permitsUniversalTransfer": false,
        "enableVanillaOptions": false,
        "enableFixApiTrade": false,
        "enableFixReadOnly": false,
        "enablePortfolioMarginTrading": false,
    }))
}

/// `GET /sapi/v1/margin/allPairs` and `/isolated/allPairs`: there is no margin here.
pub(super) fn nothing(_: &mut Inside, _: &Call<'_>) -> Result<Value, ApiError> {
    Ok(json!([]))
}

/// `GET /sapi/v1/capital/config/getall`: the coins with the account's amounts.
pub(super) fn coins(inside: &mut Inside, call: &Call<'_>) -> Result<Value, ApiError> {
    let wallet = inside.spot.wallets.get(call.account());
    let holdings = wallet.into_iter().flat_map(|wallet| wallet.holdings());
    let coins = holdings.map(|(asset, holding)| {
        json!({
            "coin": asset, "name": asset, "trading": true, "isLegalMoney": false,
            "depositAllEnable": false, "withdrawAllEnable": false,
            "free": decimal(holding.free), "locked": decimal(holding.locked), "freeze": "0", "ipoable": "0",
            "ipoing": "0", "storage": "0", "withdrawing": "0",
            "networkList": [{
                "network": asset, "coin": asset, "name": asset, "isDefault": true, "depositEnable": false,
                "withdrawEnable": false, "withdrawFee": "0", "withdrawMin": "0", "withdrawMax": "0",
                "withdrawIntegerMultiple": decimal(Decimal::new(1, ASSET_DECIMALS)), "minConfirm": 1,
                "unLockConfirm": 0,
            }],
        })
    });
    Ok(coins.collect())
}
