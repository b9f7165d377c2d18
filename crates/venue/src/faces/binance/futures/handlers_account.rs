//! Answers about the account: balances, positions, executions, settings and listen keys.

use super::super::Market;
use super::super::error::ApiError;
use super::super::service::Call;
use super::super::state::Inside;
use super::account::{MarginType, Trade};
use super::events::milliseconds;
use super::handlers_orders::{Answered, known_symbol, page};
use super::parse;
use super::refusal::Refusal;
use super::symbols::{fixed, plain};
use super::wire;
use super::wire_account::Version;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// `GET /fapi/v2|v3/balance`, `account.balance`.
pub(super) fn balance(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let exchange = &inside.futures;
    let books = exchange.account(call.account())?;
    Ok(exchange.balance(call.account(), books))
}

/// `GET /fapi/v2/account`, `account.status`.
pub(super) fn account_two(inside: &mut Inside, call: &Call<'_>) -> Answered {
    account(inside, call, Version::Two)
}

/// `GET /fapi/v3/account`, `v2/account.status`.
pub(super) fn account_three(inside: &mut Inside, call: &Call<'_>) -> Answered {
    account(inside, call, Version::Three)
}

fn account(inside: &Inside, call: &Call<'_>, version: Version) -> Answered {
    let exchange = &inside.futures;
    let books = exchange.account(call.account())?;
    Ok(exchange.account_information(books, version))
}

/// `GET /fapi/v2/positionRisk`, `account.position`.
pub(super) fn positions_two(inside: &mut Inside, call: &Call<'_>) -> Answered {
    positions(inside, call, Version::Two)
}

/// `GET /fapi/v3/positionRisk`, `v2/account.position`.
pub(super) fn positions_three(inside: &mut Inside, call: &Call<'_>) -> Answered {
    positions(inside, call, Version::Three)
}

fn positions(inside: &Inside, call: &Call<'_>, version: Version) -> Answered {
    let symbol = known_symbol(inside, call)?;
    let exchange = &inside.futures;
    let books = exchange.account(call.account())?;
    Ok(exchange.position_risk(books, symbol, version))
}

/// `GET /fapi/v1/accountConfig`.
pub(super) fn account_config(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let exchange = &inside.futures;
    Ok(exchange.account_config(exchange.account(call.account())?))
}

/// `GET /fapi/v1/symbolConfig`.
pub(super) fn symbol_config(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let symbol = known_symbol(inside, call)?;
    let exchange = &inside.futures;
    let books = exchange.account(call.account())?;
    Ok(exchange.symbol_config(books, symbol))
}

/// `GET /fapi/v1/leverageBracket`: a list, also for one symbol.
pub(super) fn leverage_bracket(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let symbol = known_symbol(inside, call)?;
    Ok(inside.futures.leverage_brackets(symbol))
}

/// `POST /fapi/v1/leverage`.
pub(super) fn set_leverage(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let symbol = call.params.require("symbol")?;
    call.params.require("leverage")?;
    let leverage = call.params.integer("leverage")?.unwrap_or_default();
    let exchange = &mut inside.futures;
    exchange.set_leverage(call.account(), symbol, leverage, call.now)?;
    let books = exchange.account(call.account())?;
    let shown = exchange.symbol_config(books, Some(symbol));
    Ok(json!({
        "symbol": symbol,
        "leverage": leverage,
        "maxNotionalValue": shown[0]["maxNotionalValue"],
    }))
}

/// `POST /fapi/v1/marginType`.
pub(super) fn set_margin_type(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let symbol = call.params.require("symbol")?;
    let margin_type = match call.params.require("marginType")? {
        "ISOLATED" => MarginType::Isolated,
        "CROSSED" => MarginType::Crossed,
        _ => return Err(ApiError::invalid_data("marginType")),
    };
    let exchange = &mut inside.futures;
    exchange.set_margin_type(call.account(), symbol, margin_type)?;
    Ok(success())
}

/// `GET /fapi/v1/positionSide/dual`.
pub(super) fn position_mode(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let books = inside.futures.account(call.account())?;
    Ok(json!({"dualSidePosition": books.hedge_mode}))
}

/// `POST /fapi/v1/positionSide/dual`.
pub(super) fn set_position_mode(inside: &mut Inside, call: &Call<'_>) -> Answered {
    call.params.require("dualSidePosition")?;
    let is_hedge = call.params.flag("dualSidePosition")?.unwrap_or(false);
    inside.futures.set_hedge_mode(call.account(), is_hedge)?;
    Ok(success())
}

/// `GET /fapi/v1/multiAssetsMargin`.
pub(super) fn multi_assets(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let books = inside.futures.account(call.account())?;
    Ok(json!({"multiAssetsMargin": books.multi_assets}))
}

/// `POST /fapi/v1/multiAssetsMargin`.
pub(super) fn set_multi_assets(inside: &mut Inside, call: &Call<'_>) -> Answered {
    call.params.require("multiAssetsMargin")?;
    let is_on = call.params.flag("multiAssetsMargin")?.unwrap_or(false);
    let exchange = &mut inside.futures;
    exchange.set_multi_assets(call.account(), is_on, call.now)?;
    Ok(success())
}

/// `POST /fapi/v1/countdownCancelAll`.
pub(super) fn countdown(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let symbol = call.params.require("symbol")?;
    call.params.require("countdownTime")?;
    let time = call.params.integer("countdownTime")?.unwrap_or_default();
    let exchange = &mut inside.futures;
    exchange.set_countdown(call.account(), symbol, time, call.now)?;
    Ok(json!({"symbol": symbol, "countdownTime": time.to_string()}))
}

/// `GET /fapi/v1/rateLimit/order`.
pub(super) fn order_limits(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let mut counts = inside
        .limits
        .order_counts(Market::Futures, call.account(), call.now);
    // This endpoint of the futures market shows the limits only.
    for row in counts.as_array_mut().into_iter().flatten() {
        if let Some(fields) = row.as_object_mut() {
            fields.remove("count");
        }
    }
    Ok(counts)
}

/// `GET /fapi/v1/commissionRate`.
pub(super) fn commission_rate(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let symbol = call.params.require("symbol")?;
    let exchange = &inside.futures;
    exchange.rules(symbol)?;
    let model = &exchange.options.fill_model;
    let rate = |basis_points: Decimal| fixed(basis_points / Decimal::from(10_000), 6);
    Ok(json!({
        "symbol": symbol,
        "makerCommissionRate": rate(model.maker_fee_bps),
        "takerCommissionRate": rate(model.taker_fee_bps),
        "rpiCommissionRate": rate(model.maker_fee_bps),
    }))
}

/// `GET /fapi/v1/userTrades`: oldest first; the newest ones, or those from a number on.
pub(super) fn trades(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let symbol = call.params.require("symbol")?;
    let window = parse::window(call.params)?;
    let limit = parse::limit(call.params, 500, 1_000)?;
    let from = call.params.integer("fromId")?.map(i64::unsigned_abs);
    let order = call.params.integer("orderId")?.map(i64::unsigned_abs);
    let exchange = &inside.futures;
    let rules = exchange.rules(symbol)?;
    let books = exchange.account(call.account())?;
    if call.pretends_absent() {
        return Ok(json!([]));
    }
    let trades = books.trades.iter().filter(|trade| {
        trade.symbol == symbol
            && from.is_none_or(|from| trade.id >= from)
            && order.is_none_or(|order| trade.order.0 == order)
            && wire::within(trade.at, window)
    });
    let trades: Vec<&Trade> = trades.collect();
    let chosen = page(&trades, from.is_some() || window.0.is_some(), limit);
    Ok(chosen
        .iter()
        .map(|trade| wire::trade(rules, trade))
        .collect())
}

/// `GET /fapi/v1/income`: realised profits and commissions.
pub(super) fn income(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let symbol = known_symbol(inside, call)?;
    let window = parse::window(call.params)?;
    let limit = parse::limit(call.params, 100, 1_000)?;
    let kind = call.params.text("incomeType");
    let books = inside.futures.account(call.account())?;
    let trades = books.trades.iter().filter(|trade| {
        symbol.is_none_or(|symbol| symbol == trade.symbol) && wire::within(trade.at, window)
    });
    let rows = trades.flat_map(|trade| {
        [
            ("REALIZED_PNL", trade.realised_profit),
            ("COMMISSION", -trade.commission),
        ]
        .map(|(name, amount)| (name, amount, trade))
    });
    let rows =
        rows.filter(|(name, amount, _)| !amount.is_zero() && kind.is_none_or(|kind| kind == *name));
    let rows: Vec<(&str, Decimal, &Trade)> = rows.collect();
    let chosen = page(&rows, window.0.is_some(), limit);
    let shown = chosen.iter().map(|(name, amount, trade)| {
        json!({
            "symbol": trade.symbol,
            "incomeType": name,
            "income": plain(*amount),
            "asset": "USDT",
            "time": milliseconds(trade.at),
            "info": trade.id.to_string(),
            "tranId": trade.id,
            "tradeId": trade.id.to_string(),
        })
    });
    Ok(shown.collect())
}

/// `POST /fapi/v1/listenKey`.
pub(super) fn start_stream(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let key = inside.futures.start_stream(call.account(), call.now)?;
    Ok(json!({"listenKey": key}))
}

/// `PUT /fapi/v1/listenKey`.
pub(super) fn extend_stream(inside: &mut Inside, call: &Call<'_>) -> Answered {
    let key = inside.futures.extend_stream(call.account(), call.now)?;
    Ok(json!({"listenKey": key}))
}

/// `DELETE /fapi/v1/listenKey`.
pub(super) fn close_stream(inside: &mut Inside, call: &Call<'_>) -> Answered {
    inside.futures.close_stream(call.account())?;
    Ok(json!({}))
}

/// `userDataStream.start`.
pub(super) fn ws_start_stream(inside: &mut Inside, call: &Call<'_>) -> Answered {
    start_stream(inside, call)
}

/// `userDataStream.ping`: the key that is there, extended; one that is sent has to be it.
pub(super) fn ws_extend_stream(inside: &mut Inside, call: &Call<'_>) -> Answered {
    check_listen_key(inside, call)?;
    extend_stream(inside, call)
}

/// `userDataStream.stop`.
pub(super) fn ws_close_stream(inside: &mut Inside, call: &Call<'_>) -> Answered {
    check_listen_key(inside, call)?;
    close_stream(inside, call)
}

fn check_listen_key(inside: &Inside, call: &Call<'_>) -> Result<(), ApiError> {
    let Some(key) = call.params.text("listenKey") else {
        return Ok(());
    };
    let owner = inside.futures.stream_owner(key);
    if owner == Some(call.account()) {
        return Ok(());
    }
    Err(Refusal::no_listen_key().into())
}

fn success() -> Value {
    json!({"code": 200, "msg": "success"})
}
