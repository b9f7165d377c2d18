//! What a client asks for, read from its parameters: orders, lists and their prefixes.
//!
//! Source: Binance Spot API, "New order", "New Order List" and "Error codes".

use super::listing::NewList;
use super::order::{NewOrder, OrderType, TimeInForce};
use super::wire::Detail;
use crate::faces::binance::error::ApiError;
use crate::faces::binance::params::Params;
use crate::order::Side;
use rust_decimal::Decimal;

/// What a client order id may look like, as error messages show it.
const CLIENT_ID_RANGE: &str = "^[a-zA-Z0-9-_]{1,36}$";
/// What a symbol may look like, as error messages show it.
const SYMBOL_RANGE: &str = "^[A-Z0-9-_.]{1,20}$";
/// The lowest strategy type that is not reserved.
const STRATEGY_TYPE_MIN: i64 = 1_000_000;

/// The symbol, which has to be there.
///
/// # Errors
/// -1102, -1105 or -1100.
pub(super) fn symbol(params: &Params) -> Result<&str, ApiError> {
    let name = params.require("symbol")?;
    let is_legal = |byte: u8| {
        byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
    };
    if name.len() > 20 || !name.bytes().all(is_legal) {
        return Err(ApiError::illegal_characters("symbol", SYMBOL_RANGE));
    }
    Ok(name)
}

/// A client order id, if there is one.
///
/// # Errors
/// -1100.
pub(super) fn client_id(params: &Params, name: &str) -> Result<Option<String>, ApiError> {
    let is_legal: fn(u8) -> bool =
        |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    params.client_id(name, is_legal, CLIENT_ID_RANGE)
}

/// How much the answer is to tell; without a wish all of a market or limit order, else an acknowledgement.
///
/// # Errors
/// -1130.
pub(super) fn detail(params: &Params, default: Detail) -> Result<Detail, ApiError> {
    match params.text("newOrderRespType") {
        None => Ok(default),
        Some("ACK") => Ok(Detail::Ack),
        Some("RESULT") => Ok(Detail::Result),
        Some("FULL") => Ok(Detail::Full),
        Some(_) => Err(ApiError::invalid_data("newOrderRespType")),
    }
}

/// A single order.
///
/// # Errors
/// As Binance refuses what is malformed.
pub(super) fn single(params: &Params) -> Result<NewOrder, ApiError> {
    let symbol = symbol(params)?.to_owned();
    let side = read_side(params, "side")?;
    order(params, symbol, side, "", Size::Own)
}

/// Where an order's quantity comes from.
#[derive(Clone, Copy, Debug)]
enum Size {
    /// Its own `quantity`, or `quoteOrderQty`.
    Own,
    /// The list's.
    Given(Decimal),
}

fn read_side(params: &Params, name: &str) -> Result<Side, ApiError> {
    match params.require(name)? {
        "BUY" => Ok(Side::Buy),
        "SELL" => Ok(Side::Sell),
        _ => Err(ApiError::new(-1117, "Invalid side.")),
    }
}

/// An order from parameters that carry the prefix in front of their names.
fn order(
    params: &Params,
    symbol: String,
    side: Side,
    prefix: &str,
    size: Size,
) -> Result<NewOrder, ApiError> {
    let named = |name: &str| prefixed(prefix, name);
    let kind = params.require(&named("type"))?;
    let kind =
        OrderType::from_name(kind).ok_or_else(|| ApiError::new(-1116, "Invalid orderType."))?;
    let id_name = if prefix.is_empty() {
        "newClientOrderId".to_owned()
    } else {
        named("clientOrderId")
    };
    let price = read_price(params, &named("price"), kind)?;
    let (stop_price, trailing_delta) =
        read_trigger(params, &named("stopPrice"), &named("trailingDelta"), kind)?;
    let time_in_force = read_time_in_force(params, &named("timeInForce"), kind)?;
    let iceberg_quantity = params.decimal(&named("icebergQty"))?;
    if iceberg_quantity.is_some() && (time_in_force != TimeInForce::Gtc || !kind.has_price()) {
        return Err(ApiError::new(-1013, "Unsupported order combination"));
    }
    let (quantity, quote_quantity) = match size {
        Size::Given(quantity) => (quantity, None),
        Size::Own => read_size(params, kind)?,
    };
    let strategy_type = params.integer(&named("strategyType"))?;
    if strategy_type.is_some_and(|kind| kind < STRATEGY_TYPE_MIN) {
        return Err(ApiError::new(-1134, "strategyType was less than 1000000."));
    }
    let prevention = params
        .text("selfTradePreventionMode")
        .unwrap_or("EXPIRE_MAKER");
    Ok(NewOrder {
        symbol,
        client_id: client_id(params, &id_name)?,
        side,
        kind,
        time_in_force,
        quantity,
        quote_quantity,
        price,
        stop_price,
        trailing_delta,
        iceberg_quantity,
        strategy_id: params.integer(&named("strategyId"))?,
        strategy_type,
        self_trade_prevention: prevention.to_owned(),
    })
}

/// `aboveType` from `above` and `type`.
fn prefixed(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        return name.to_owned();
    }
    let (first, rest) = name.split_at(1);
    format!("{prefix}{}{rest}", first.to_ascii_uppercase())
}

fn read_price(params: &Params, name: &str, kind: OrderType) -> Result<Option<Decimal>, ApiError> {
    match (kind.has_price(), params.has(name)) {
        (true, _) => positive(params.require_decimal(name)?, name).map(Some),
        (false, false) => Ok(None),
        (false, true) => Err(ApiError::not_required(name)),
    }
}

fn read_trigger(
    params: &Params,
    stop_name: &str,
    trailing_name: &str,
    kind: OrderType,
) -> Result<(Option<Decimal>, Option<u32>), ApiError> {
    let stop_price = params.decimal(stop_name)?;
    let trailing = params.integer(trailing_name)?;
    let trailing = trailing.map(|delta| u32::try_from(delta).unwrap_or(u32::MAX));
    if !kind.is_contingent() {
        return match (stop_price, trailing) {
            (None, None) => Ok((None, None)),
            (Some(_), _) => Err(ApiError::not_required(stop_name)),
            (None, Some(_)) => Err(ApiError::not_required(trailing_name)),
        };
    }
    if stop_price.is_none() && trailing.is_none() {
        return Err(ApiError::one_of(stop_name, trailing_name));
    }
    let stop_price = stop_price
        .map(|price| positive(price, stop_name))
        .transpose()?;
    Ok((stop_price, trailing))
}

fn read_time_in_force(
    params: &Params,
    name: &str,
    kind: OrderType,
) -> Result<TimeInForce, ApiError> {
    match params.text(name) {
        Some(text) if kind.needs_time_in_force() => {
            TimeInForce::from_name(text).ok_or_else(|| ApiError::new(-1115, "Invalid timeInForce."))
        }
        Some(_) => Err(ApiError::not_required(name)),
        None if kind.needs_time_in_force() => Err(ApiError::mandatory(name)),
        None => Ok(TimeInForce::Gtc),
    }
}

fn read_size(params: &Params, kind: OrderType) -> Result<(Decimal, Option<Decimal>), ApiError> {
    let quantity = params.decimal("quantity")?;
    let amount = params.decimal("quoteOrderQty")?;
    match (quantity, amount) {
        (Some(_), Some(_)) => Err(ApiError::not_required("quoteOrderQty")),
        (Some(quantity), None) => Ok((positive(quantity, "quantity")?, None)),
        (None, Some(amount)) if kind == OrderType::Market => {
            Ok((Decimal::ZERO, Some(positive(amount, "quoteOrderQty")?)))
        }
        (None, Some(_)) => Err(ApiError::not_required("quoteOrderQty")),
        (None, None) if kind == OrderType::Market => {
            Err(ApiError::one_of("quantity", "quoteOrderQty"))
        }
        (None, None) => Err(ApiError::mandatory("quantity")),
    }
}

fn positive(number: Decimal, name: &str) -> Result<Decimal, ApiError> {
    let message = || format!("Invalid {name}.");
    (number > Decimal::ZERO)
        .then_some(number)
        .ok_or_else(|| ApiError::new(-1013, message()))
}

/// `orderList/oco`.
///
/// # Errors
/// As Binance refuses what is malformed, and -1165 to -1199 for legs on the wrong side.
pub(super) fn oco(params: &Params) -> Result<NewList, ApiError> {
    let symbol = symbol(params)?;
    let side = read_side(params, "side")?;
    let quantity = positive(params.require_decimal("quantity")?, "quantity")?;
    let legs = pair(params, symbol, side, ["above", "below"], quantity)?;
    Ok(NewList {
        client_id: client_id(params, "listClientOrderId")?,
        working: None,
        legs,
        pays_pending: false,
    })
}

/// `orderList/oto` and `orderList/opo`.
///
/// # Errors
/// As Binance refuses what is malformed.
pub(super) fn oto(params: &Params, pays_pending: bool) -> Result<NewList, ApiError> {
    let symbol = symbol(params)?;
    let working = working(params, symbol, pays_pending)?;
    let side = read_side(params, "pendingSide")?;
    let quantity = pending_quantity(params, side, &working, pays_pending)?;
    let leg = order(
        params,
        symbol.to_owned(),
        side,
        "pending",
        Size::Given(quantity),
    )?;
    Ok(NewList {
        client_id: client_id(params, "listClientOrderId")?,
        working: Some(working),
        legs: vec![leg],
        pays_pending,
    })
}

/// `orderList/otoco` and `orderList/opoco`.
///
/// # Errors
/// As Binance refuses what is malformed.
pub(super) fn otoco(params: &Params, pays_pending: bool) -> Result<NewList, ApiError> {
    let symbol = symbol(params)?;
    let working = working(params, symbol, pays_pending)?;
    let side = read_side(params, "pendingSide")?;
    let quantity = pending_quantity(params, side, &working, pays_pending)?;
    let prefixes = ["pendingAbove", "pendingBelow"];
    Ok(NewList {
        client_id: client_id(params, "listClientOrderId")?,
        working: Some(working),
        legs: pair(params, symbol, side, prefixes, quantity)?,
        pays_pending,
    })
}

fn working(params: &Params, symbol: &str, pays_pending: bool) -> Result<NewOrder, ApiError> {
    let side = read_side(params, "workingSide")?;
    if pays_pending && side != Side::Buy {
        return Err(ApiError::invalid_data("workingSide"));
    }
    let quantity = positive(
        params.require_decimal("workingQuantity")?,
        "workingQuantity",
    )?;
    let order = order(
        params,
        symbol.to_owned(),
        side,
        "working",
        Size::Given(quantity),
    )?;
    match order.kind {
        OrderType::Limit | OrderType::LimitMaker => Ok(order),
        OrderType::Market
        | OrderType::StopLoss
        | OrderType::StopLossLimit
        | OrderType::TakeProfit
        | OrderType::TakeProfitLimit => Err(ApiError::new(-1116, "Invalid orderType.")),
    }
}

/// How large the pending orders are; with `pays_pending` that is known only when the working one is filled.
fn pending_quantity(
    params: &Params,
    side: Side,
    working: &NewOrder,
    pays_pending: bool,
) -> Result<Decimal, ApiError> {
    if !pays_pending {
        return positive(
            params.require_decimal("pendingQuantity")?,
            "pendingQuantity",
        );
    }
    if params.has("pendingQuantity") {
        return Err(ApiError::not_required("pendingQuantity"));
    }
    if side != Side::Sell {
        return Err(ApiError::invalid_data("pendingSide"));
    }
    Ok(working.quantity)
}

/// Two legs of which one cancels the other, the upper one first.
fn pair(
    params: &Params,
    symbol: &str,
    side: Side,
    prefixes: [&str; 2],
    quantity: Decimal,
) -> Result<Vec<NewOrder>, ApiError> {
    let [above, below] = prefixes.map(|prefix| {
        order(
            params,
            symbol.to_owned(),
            side,
            prefix,
            Size::Given(quantity),
        )
    });
    let (above, below) = (above?, below?);
    if above.kind == OrderType::LimitMaker && below.kind == OrderType::LimitMaker {
        return Err(ApiError::new(
            -1168,
            "At least one OCO order must be contingent.",
        ));
    }
    // The target lies above the market for a sell, below it for a buy.
    let (target, stop) = match side {
        Side::Sell => (&above, &below),
        Side::Buy => (&below, &above),
    };
    check_place(side, target.kind, true)?;
    check_place(side, stop.kind, false)?;
    Ok(vec![above, below])
}

/// Says whether an order of that type may stand on the target's or on the stop's side of the market.
fn check_place(side: Side, kind: OrderType, is_target: bool) -> Result<(), ApiError> {
    let wrong = |code, message| Err(ApiError::new(code, message));
    match (kind, is_target) {
        (OrderType::Limit | OrderType::Market, _) => {
            wrong(-1158, "Order type not supported in OCO.")
        }
        (OrderType::LimitMaker | OrderType::TakeProfit | OrderType::TakeProfitLimit, true)
        | (OrderType::StopLoss | OrderType::StopLossLimit, false) => Ok(()),
        (OrderType::LimitMaker, false) => match side {
            Side::Buy => wrong(-1165, "A limit order in a buy OCO must be below."),
            Side::Sell => wrong(-1166, "A limit order in a sell OCO must be above."),
        },
        (OrderType::StopLoss | OrderType::StopLossLimit, true) => match side {
            Side::Buy => wrong(-1196, "A stop loss order in a buy OCO must be above."),
            Side::Sell => wrong(-1197, "A stop loss order in a sell OCO must be below."),
        },
        (OrderType::TakeProfit | OrderType::TakeProfitLimit, false) => match side {
            Side::Buy => wrong(-1198, "A take profit order in a buy OCO must be below."),
            Side::Sell => wrong(-1199, "A take profit order in a sell OCO must be above."),
        },
    }
}
