//! Events: what the user data stream says (Binance USDⓈ-M Futures, "User Data Streams").

use super::account::{Account, Position, SymbolSettings, Trade};
use super::order::{AlgoOrder, FuturesOrder, PositionSide, side_text};
use super::symbols::plain;
use super::wire;
use crate::time::Micros;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// An event on its way to an account's streams.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outgoing {
    /// Whose it is.
    pub(crate) account: String,
    /// Its kind, as a stream may choose it by (`events=`).
    pub(crate) name: &'static str,
    /// The event as it goes over the wire.
    pub(crate) body: Value,
}

/// What happened to an order.
pub(crate) enum Execution<'a> {
    New,
    Trade(&'a Trade),
    Canceled,
    /// With Binance's number of the reason (`er`).
    Expired(&'static str),
    Amended,
}

pub(crate) fn milliseconds(at: Micros) -> i64 {
    at.0.div_euclid(1_000)
}

/// `ORDER_TRADE_UPDATE`.
pub(crate) fn order_update(
    account: &str,
    books: &Account,
    order: &FuturesOrder,
    execution: &Execution<'_>,
) -> Outgoing {
    let (kind, expiry, trade) = match execution {
        Execution::New => ("NEW", "0", None),
        Execution::Trade(trade) => ("TRADE", "0", Some(*trade)),
        Execution::Canceled => ("CANCELED", "0", None),
        Execution::Expired(reason) => ("EXPIRED", *reason, None),
        Execution::Amended => ("AMENDMENT", "0", None),
    };
    let (bids, asks) = wire::open_notionals(books, &order.symbol, order.position_side);
    let number = |pick: fn(&Trade) -> Decimal| trade.map_or(Decimal::ZERO, pick);
    let mut fields = json!({
        "s": order.symbol,
        "c": order.client_order_id,
        "S": side_text(order.side),
        "o": order.order_type.as_str(),
        "f": order.time_in_force.as_str(),
        "q": plain(order.quantity),
        "p": plain(order.price),
        "ap": plain(order.average_price().round_dp(8)),
        "sp": plain(order.trigger_price),
        "x": kind,
        "X": order.status.as_str(),
        "i": order.id.0,
        "l": plain(number(|trade| trade.quantity)),
        "z": plain(order.executed),
        "L": plain(number(|trade| trade.price)),
        "n": plain(number(|trade| trade.commission)),
        "N": "USDT",
        "T": milliseconds(order.updated),
        "t": trade.map_or(0, |trade| trade.id),
        "b": plain(bids),
        "a": plain(asks),
        "m": trade.is_some_and(|trade| trade.is_maker),
        "R": order.reduce_only,
        "wt": order.working_type.as_str(),
        "ot": order.original_type.as_str(),
        "ps": order.position_side.as_str(),
        "cp": order.close_position,
        "pP": order.price_protect,
        "si": 0,
        "ss": 0,
        "rp": plain(number(|trade| trade.realised_profit)),
        "V": order.self_trade.as_str(),
        "pm": wire::price_match_text(order.price_match),
        "gtd": order.good_till_ms,
        "er": expiry,
    });
    if trade.is_none() {
        // Commission and its asset are only there when something was paid.
        if let Some(fields) = fields.as_object_mut() {
            fields.remove("n");
            fields.remove("N");
        }
    }
    let at = milliseconds(order.updated);
    let body = json!({"e": "ORDER_TRADE_UPDATE", "E": at, "T": at, "o": fields});
    outgoing(account, "ORDER_TRADE_UPDATE", body)
}

/// `TRADE_LITE`.
pub(crate) fn trade_lite(account: &str, order: &FuturesOrder, trade: &Trade) -> Outgoing {
    let at = milliseconds(trade.at);
    let body = json!({
        "e": "TRADE_LITE",
        "E": at,
        "T": at,
        "s": trade.symbol,
        "q": plain(order.quantity),
        "p": plain(order.price),
        "m": trade.is_maker,
        "c": order.client_order_id,
        "S": side_text(trade.side),
        "L": plain(trade.price),
        "l": plain(trade.quantity),
        "t": trade.id,
        "i": trade.order.0,
    });
    outgoing(account, "TRADE_LITE", body)
}

/// `ACCOUNT_UPDATE` after an execution: the wallet and the one position that changed.
pub(crate) fn account_update(
    account: &str,
    books: &Account,
    (symbol, position_side): (&str, PositionSide),
    mark: Decimal,
    now: Micros,
) -> Outgoing {
    let empty = Position::default();
    let key = (symbol.to_owned(), position_side);
    let position = books.positions.get(&key).unwrap_or(&empty);
    let settings = books.settings_of(symbol);
    let at = milliseconds(now);
    let body = json!({
        "e": "ACCOUNT_UPDATE",
        "E": at,
        "T": at,
        "a": {
            "m": "ORDER",
            "B": [{"a": "USDT", "wb": plain(books.wallet), "cw": plain(books.wallet), "bc": "0"}],
            "P": [{
                "s": symbol,
                "pa": plain(position.amount),
                "ep": plain(position.entry_price().round_dp(8)),
                "bep": plain(position.entry_price().round_dp(8)),
                "cr": plain(position.realised),
                "up": plain(position.unrealised(mark).round_dp(8)),
                "mt": wire::margin_type_stream(settings.margin_type),
                "iw": "0",
                "ps": position_side.as_str(),
            }],
        },
    });
    outgoing(account, "ACCOUNT_UPDATE", body)
}

/// `ALGO_UPDATE`; with the regular order it made, once there is one.
pub(crate) fn algo_update(
    account: &str,
    algo: &AlgoOrder,
    actual: Option<&FuturesOrder>,
) -> Outgoing {
    let at = milliseconds(algo.updated);
    let body = json!({
        "e": "ALGO_UPDATE",
        "T": at,
        "E": at,
        "o": {
            "caid": algo.client_algo_id,
            "aid": algo.id.0,
            "at": "CONDITIONAL",
            "o": algo.order_type.as_str(),
            "s": algo.symbol,
            "S": side_text(algo.side),
            "ps": algo.position_side.as_str(),
            "f": algo.time_in_force.as_str(),
            "q": plain(algo.quantity),
            "X": algo.status.as_str(),
            "ai": actual.map_or_else(String::new, |order| order.id.to_string()),
            "ap": actual.map_or_else(|| "0".to_owned(), |order| plain(order.average_price().round_dp(8))),
            "aq": actual.map_or_else(|| "0".to_owned(), |order| plain(order.executed)),
            "act": actual.map_or("0", |order| order.order_type.as_str()),
            "tp": plain(algo.trigger_price),
            "p": plain(algo.price),
            "V": algo.self_trade.as_str(),
            "wt": algo.working_type.as_str(),
            "pm": wire::price_match_text(algo.price_match),
            "cp": algo.close_position,
            "pP": algo.price_protect,
            "R": algo.reduce_only,
            "tt": algo.triggered.map_or(0, milliseconds),
            "gtd": algo.good_till_ms,
            "rm": algo.reject_reason,
        },
    });
    outgoing(account, "ALGO_UPDATE", body)
}

/// `ACCOUNT_CONFIG_UPDATE` after a change of leverage.
pub(crate) fn leverage_update(
    account: &str,
    symbol: &str,
    settings: SymbolSettings,
    now: Micros,
) -> Outgoing {
    let at = milliseconds(now);
    let change = json!({"s": symbol, "l": settings.leverage});
    let body = json!({"e": "ACCOUNT_CONFIG_UPDATE", "E": at, "T": at, "ac": change});
    outgoing(account, "ACCOUNT_CONFIG_UPDATE", body)
}

/// `ACCOUNT_CONFIG_UPDATE` after a change of the multi-assets mode.
pub(crate) fn multi_assets_update(account: &str, is_on: bool, now: Micros) -> Outgoing {
    let at = milliseconds(now);
    let body = json!({"e": "ACCOUNT_CONFIG_UPDATE", "E": at, "T": at, "ai": {"j": is_on}});
    outgoing(account, "ACCOUNT_CONFIG_UPDATE", body)
}

/// `listenKeyExpired`.
pub(crate) fn listen_key_expired(account: &str, key: &str, now: Micros) -> Outgoing {
    let body = json!({"e": "listenKeyExpired", "E": milliseconds(now), "listenKey": key});
    outgoing(account, "listenKeyExpired", body)
}

fn outgoing(account: &str, name: &'static str, body: Value) -> Outgoing {
    Outgoing {
        account: account.to_owned(),
        name,
        body,
    }
}
