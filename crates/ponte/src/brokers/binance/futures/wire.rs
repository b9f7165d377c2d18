//! The exchange's answers and events, field by field as they come over the wire.
//!
//! Only what is used is read; everything else may come, go and change. Where a field has
//! disappeared before (`avgPrice` and `cumQuote` of placing answers in July 2026) it is optional.

use rust_decimal::Decimal;
use serde::Deserialize;

use super::number;

/// A regular order: the answers of `POST`, `GET` and `DELETE /fapi/v1/order` and a row of `openOrders`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderView {
    pub(super) order_id: u64,
    #[serde(default)]
    pub(super) client_order_id: String,
    pub(super) symbol: String,
    pub(super) side: String,
    pub(super) status: String,
    #[serde(deserialize_with = "number::decimal")]
    pub(super) orig_qty: Decimal,
    #[serde(deserialize_with = "number::decimal")]
    pub(super) executed_qty: Decimal,
    #[serde(default, deserialize_with = "number::optional")]
    pub(super) cum_quote: Option<Decimal>,
    /// When it was created, in milliseconds; only `GET` tells it.
    #[serde(default)]
    pub(super) time: i64,
    #[serde(default)]
    pub(super) update_time: i64,
}

/// A conditional order: the answers of `POST` and `GET /fapi/v1/algoOrder` and a row of `openAlgoOrders`.
/// The answer to `POST` may be no more than its two ids.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AlgoView {
    pub(super) algo_id: u64,
    #[serde(default)]
    pub(super) client_algo_id: String,
    #[serde(default)]
    pub(super) symbol: String,
    #[serde(default)]
    pub(super) side: String,
    #[serde(default)]
    pub(super) algo_status: String,
    #[serde(default, deserialize_with = "number::optional")]
    pub(super) quantity: Option<Decimal>,
    #[serde(default)]
    pub(super) close_position: bool,
    /// The regular order that it has become; nothing before it is triggered.
    #[serde(default, deserialize_with = "number::order_id")]
    pub(super) actual_order_id: Option<u64>,
    #[serde(default)]
    pub(super) create_time: i64,
    #[serde(default)]
    pub(super) update_time: i64,
}

/// A row of `GET /fapi/v1/userTrades`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TradeView {
    pub(super) id: i64,
    #[serde(deserialize_with = "number::decimal")]
    pub(super) price: Decimal,
    #[serde(deserialize_with = "number::decimal")]
    pub(super) qty: Decimal,
    #[serde(default, deserialize_with = "number::decimal")]
    pub(super) commission: Decimal,
    #[serde(default)]
    pub(super) commission_asset: String,
    #[serde(default)]
    pub(super) time: i64,
}

/// What the user's stream brings, by its event type `e`.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    #[serde(rename = "e")]
    pub(super) kind: String,
    /// When it happened, in milliseconds. `listenKeyExpired` has text here, and needs none.
    #[serde(rename = "T", default)]
    pub(super) at: serde_json::Value,
    #[serde(rename = "o", default)]
    pub(super) order: serde_json::Value,
}

/// `o` of `ORDER_TRADE_UPDATE`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct OrderEvent {
    #[serde(rename = "s")]
    pub(super) symbol: String,
    #[serde(rename = "c")]
    pub(super) client_order_id: String,
    #[serde(rename = "i")]
    pub(super) order_id: u64,
    #[serde(rename = "x")]
    pub(super) execution: String,
    #[serde(rename = "X")]
    pub(super) status: String,
    #[serde(rename = "l", default, deserialize_with = "number::decimal")]
    pub(super) last_quantity: Decimal,
    #[serde(rename = "L", default, deserialize_with = "number::decimal")]
    pub(super) last_price: Decimal,
    #[serde(rename = "z", deserialize_with = "number::decimal")]
    pub(super) filled: Decimal,
    #[serde(rename = "n", default, deserialize_with = "number::decimal")]
    pub(super) commission: Decimal,
    #[serde(rename = "N", default)]
    pub(super) commission_asset: Option<String>,
    #[serde(rename = "t", default)]
    pub(super) trade_id: i64,
    #[serde(rename = "T", default)]
    pub(super) at: i64,
    /// The number of the reason for which the exchange ended it; `0` for none.
    #[serde(rename = "er", default)]
    pub(super) expiry_reason: serde_json::Value,
}

/// `o` of `ALGO_UPDATE`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct AlgoEvent {
    #[serde(rename = "caid")]
    pub(super) client_algo_id: String,
    #[serde(rename = "aid")]
    pub(super) algo_id: u64,
    #[serde(rename = "s")]
    pub(super) symbol: String,
    #[serde(rename = "X")]
    pub(super) status: String,
    #[serde(rename = "ai", default, deserialize_with = "number::order_id")]
    pub(super) actual_order_id: Option<u64>,
    #[serde(rename = "rm", default)]
    pub(super) reason: Option<String>,
}

/// `GET /fapi/v1/positionSide/dual`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PositionModeView {
    pub(super) dual_side_position: bool,
}

/// `GET /fapi/v1/accountConfig`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountConfigView {
    pub(super) can_trade: bool,
    pub(super) dual_side_position: bool,
    #[serde(default)]
    pub(super) multi_assets_margin: bool,
}

/// A row of `GET /fapi/v1/symbolConfig`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SymbolConfigView {
    pub(super) symbol: String,
    pub(super) margin_type: String,
    pub(super) leverage: u32,
}

/// `GET /fapi/v3/account`, the part about money.
#[derive(Debug, Deserialize)]
pub(super) struct AccountView {
    #[serde(default)]
    pub(super) assets: Vec<AssetView>,
}

/// One currency of an account.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AssetView {
    pub(super) asset: String,
    #[serde(deserialize_with = "number::decimal")]
    pub(super) wallet_balance: Decimal,
    #[serde(deserialize_with = "number::decimal")]
    pub(super) margin_balance: Decimal,
}

/// A row of `GET /fapi/v3/positionRisk`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PositionView {
    pub(super) symbol: String,
    #[serde(default)]
    pub(super) position_side: String,
    #[serde(deserialize_with = "number::decimal")]
    pub(super) position_amt: Decimal,
}

/// `POST /fapi/v1/listenKey`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListenKeyView {
    pub(super) listen_key: String,
}

/// `GET /sapi/v1/account/apiRestrictions`, on the spot host.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RestrictionsView {
    #[serde(default)]
    pub(super) ip_restrict: bool,
    #[serde(default)]
    pub(super) enable_withdrawals: bool,
    #[serde(default)]
    pub(super) enable_futures: bool,
}
