//! Reading: from the parameters of a request to tickets, keys and windows, with the futures API's error codes.

use super::super::error::ApiError;
use super::super::params::Params;
use super::order::{
    AlgoId, AlgoKey, AlgoTicket, OrderId, OrderKey, OrderTicket, OrderType, PositionSide,
    PriceMatch, SelfTrade, TimeInForce, WorkingType, parse_side,
};
use super::refusal::Refusal;
use super::wire::ResponseType;
use crate::order::Side;
use rust_decimal::Decimal;

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> ApiError {
        ApiError::new(refusal.code, refusal.message)
    }
}

/// The ticket of a regular order.
///
/// # Errors
/// -1102 for what is missing, and the codes of words that mean nothing.
pub(super) fn order_ticket(params: &Params) -> Result<OrderTicket, ApiError> {
    Ok(OrderTicket {
        symbol: params.require("symbol")?.to_owned(),
        side: side(params)?,
        order_type: order_type(params)?,
        position_side: position_side(params)?,
        time_in_force: time_in_force(params)?,
        quantity: decimal(params, "quantity")?,
        price: decimal(params, "price")?,
        price_match: price_match(params)?,
        reduce_only: params.flag("reduceOnly")?,
        client_order_id: name(params, "newClientOrderId"),
        good_till_ms: params.integer("goodTillDate")?,
        self_trade: self_trade(params)?,
    })
}

/// The ticket of a change: an order's new price and quantity.
///
/// # Errors
/// As [`order_ticket`].
pub(super) fn modify_ticket(params: &Params) -> Result<OrderTicket, ApiError> {
    let price_match = price_match(params)?;
    if price_match.is_none() {
        params.require("price")?;
    }
    params.require("quantity")?;
    Ok(OrderTicket {
        symbol: params.require("symbol")?.to_owned(),
        side: side(params)?,
        order_type: OrderType::Limit,
        position_side: None,
        time_in_force: None,
        quantity: decimal(params, "quantity")?,
        price: decimal(params, "price")?,
        price_match,
        reduce_only: None,
        client_order_id: None,
        good_till_ms: None,
        self_trade: SelfTrade::ExpireMaker,
    })
}

/// The ticket of a conditional order.
///
/// # Errors
/// As [`order_ticket`].
pub(super) fn algo_ticket(params: &Params) -> Result<AlgoTicket, ApiError> {
    if params.require("algoType")? != "CONDITIONAL" {
        return Err(ApiError::invalid_data("algoType"));
    }
    let working_type = match params.text("workingType") {
        None => WorkingType::Contract,
        Some(word) => WorkingType::parse(word)
            .ok_or_else(|| ApiError::new(-4031, "Invalid parameter working type"))?,
    };
    Ok(AlgoTicket {
        symbol: params.require("symbol")?.to_owned(),
        side: side(params)?,
        order_type: order_type(params)?,
        position_side: position_side(params)?,
        time_in_force: time_in_force(params)?,
        quantity: decimal(params, "quantity")?,
        price: decimal(params, "price")?,
        price_match: price_match(params)?,
        trigger_price: decimal(params, "triggerPrice")?,
        working_type,
        close_position: params.flag("closePosition")?.unwrap_or(false),
        price_protect: params.flag("priceProtect")?.unwrap_or(false),
        reduce_only: params.flag("reduceOnly")?,
        activate_price: decimal(params, "activatePrice")?,
        callback_rate: decimal(params, "callbackRate")?,
        client_algo_id: name(params, "clientAlgoId"),
        good_till_ms: params.integer("goodTillDate")?,
        self_trade: self_trade(params)?,
    })
}

/// How a request names a regular order.
///
/// # Errors
/// -1102 without a name.
pub(super) fn order_key(params: &Params) -> Result<OrderKey, ApiError> {
    if let Some(id) = params.integer("orderId")? {
        return Ok(OrderKey::Id(OrderId(id.unsigned_abs())));
    }
    let name = params.text("origClientOrderId");
    name.map(|name| OrderKey::Client(name.to_owned()))
        .ok_or_else(|| ApiError::one_of("origClientOrderId", "orderId"))
}

/// How a request names a conditional order.
///
/// # Errors
/// -1102 without a name.
pub(super) fn algo_key(params: &Params) -> Result<AlgoKey, ApiError> {
    if let Some(id) = params.integer("algoId")? {
        return Ok(AlgoKey::Id(AlgoId(id.unsigned_abs())));
    }
    let name = params.text("clientAlgoId");
    name.map(|name| AlgoKey::Client(name.to_owned()))
        .ok_or_else(|| ApiError::one_of("algoId", "clientAlgoId"))
}

/// How much of an order an answer is to show: only the acknowledgement, unless it asks for more.
///
/// # Errors
/// -1136 for another word.
pub(super) fn response_type(params: &Params) -> Result<ResponseType, ApiError> {
    match params.text("newOrderRespType") {
        None | Some("ACK") => Ok(ResponseType::Ack),
        Some("RESULT") => Ok(ResponseType::Result),
        Some(_) => Err(ApiError::new(-1136, "Invalid newOrderRespType.")),
    }
}

/// The window of time of a list, in milliseconds.
///
/// # Errors
/// -1023 if it ends before it begins, -4165 if it is longer than seven days.
pub(super) fn window(params: &Params) -> Result<(Option<i64>, Option<i64>), ApiError> {
    let window = (params.integer("startTime")?, params.integer("endTime")?);
    if let (Some(from), Some(to)) = window {
        if from > to {
            return Err(ApiError::new(-1023, "Start time is greater than end time."));
        }
        if to - from > 7 * 86_400_000 {
            return Err(ApiError::new(-4165, "Maximum time interval is 7 days"));
        }
    }
    Ok(window)
}

/// How many rows a list may have.
///
/// # Errors
/// -1130 outside of 1 to `most`.
pub(super) fn limit(params: &Params, usual: usize, most: usize) -> Result<usize, ApiError> {
    let Some(limit) = params.integer("limit")? else {
        return Ok(usual);
    };
    let limit = usize::try_from(limit).ok();
    limit
        .filter(|limit| (1..=most).contains(limit))
        .ok_or_else(|| ApiError::invalid_data("limit"))
}

fn side(params: &Params) -> Result<Side, ApiError> {
    let word = params.require("side")?;
    parse_side(word).ok_or_else(|| ApiError::new(-1117, "Invalid side."))
}

fn order_type(params: &Params) -> Result<OrderType, ApiError> {
    let word = params.require("type")?;
    OrderType::parse(word).ok_or_else(|| ApiError::new(-1116, "Invalid orderType."))
}

fn position_side(params: &Params) -> Result<Option<PositionSide>, ApiError> {
    let parse = |word| {
        PositionSide::parse(word).ok_or_else(|| ApiError::new(-4060, "Invalid position side."))
    };
    params.text("positionSide").map(parse).transpose()
}

fn time_in_force(params: &Params) -> Result<Option<TimeInForce>, ApiError> {
    let parse =
        |word| TimeInForce::parse(word).ok_or_else(|| ApiError::new(-1115, "Invalid timeInForce."));
    params.text("timeInForce").map(parse).transpose()
}

fn price_match(params: &Params) -> Result<Option<PriceMatch>, ApiError> {
    let parse =
        |word| PriceMatch::parse(word).ok_or_else(|| ApiError::new(-5037, "Invalid price match"));
    let word = params.text("priceMatch").filter(|word| *word != "NONE");
    word.map(parse).transpose()
}

fn self_trade(params: &Params) -> Result<SelfTrade, ApiError> {
    let invalid = || ApiError::new(-5039, "Invalid self trade prevention mode");
    match params.text("selfTradePreventionMode") {
        None => Ok(SelfTrade::ExpireMaker),
        Some(word) => SelfTrade::parse(word).ok_or_else(invalid),
    }
}

fn name(params: &Params, parameter: &str) -> Option<String> {
    params.text(parameter).map(str::to_owned)
}

fn decimal(params: &Params, name: &str) -> Result<Option<Decimal>, ApiError> {
    params.decimal(name).map_err(|error| {
        if error.code == Refusal::precision().code {
            ApiError::from(Refusal::precision())
        } else {
            error
        }
    })
}
