//! `SymbolInfo` and `Tick` as JSON: the same fields in the same order as the package has them.

use super::number::double;
use super::symbols::{MarginRule, Symbol};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Serialize, Serializer};

/// `Tick`.
#[derive(Debug, Serialize)]
pub(super) struct TickView {
    time: i64,
    bid: f64,
    ask: f64,
    last: f64,
    volume: u64,
    time_msc: i64,
    flags: u32,
    volume_real: f64,
}

/// Bid and ask have changed (COPY_TICKS flags).
const TICK_FLAGS: u32 = 6;

impl TickView {
    /// The newest price; zeros for a symbol that is not in the Market Watch.
    pub(super) fn of(symbol: &Symbol) -> TickView {
        let shown = |price: Decimal| if symbol.selected { double(price) } else { 0.0 };
        let at = if symbol.selected { symbol.quoted_at } else { 0 };
        TickView {
            time: at / 1_000,
            bid: shown(symbol.bid),
            ask: shown(symbol.ask),
            last: shown(symbol.last),
            volume: 0,
            time_msc: at,
            flags: if symbol.selected { TICK_FLAGS } else { 0 },
            volume_real: 0.0,
        }
    }
}

/// The value of one field.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Field {
    Flag(bool),
    Whole(i64),
    Real(f64),
    Text(String),
}

type Named = (&'static str, Field);

/// `SymbolInfo`.
#[derive(Debug)]
pub(super) struct SymbolView(Vec<Named>);

impl SymbolView {
    pub(super) fn of(symbol: &Symbol) -> SymbolView {
        let mut fields = states(symbol);
        fields.extend(prices(symbol));
        fields.extend(terms(symbol));
        fields.extend(NOT_MODELLED.map(|name| (name, Field::Real(0.0))));
        fields.extend(texts(symbol));
        SymbolView(fields)
    }
}

impl Serialize for SymbolView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn states(symbol: &Symbol) -> Vec<Named> {
    let flag = |name, value| (name, Field::Flag(value));
    let code = |name, value: u32| (name, Field::Whole(value.into()));
    let spread = ((symbol.ask - symbol.bid) / symbol.point()).round();
    vec![
        flag("custom", false),
        code("chart_mode", 0),
        flag("select", symbol.selected),
        flag("visible", symbol.selected),
        code("session_deals", 0),
        code("session_buy_orders", 0),
        code("session_sell_orders", 0),
        code("volume", 0),
        code("volumehigh", 0),
        code("volumelow", 0),
        ("time", Field::Whole(TickView::of(symbol).time)),
        code("digits", symbol.digits),
        ("spread", Field::Whole(spread.to_i64().unwrap_or_default())),
        flag("spread_float", true),
        code("ticks_bookdepth", 10),
        code("trade_calc_mode", symbol.calc_mode),
        code("trade_mode", symbol.trade_mode.code()),
        ("start_time", Field::Whole(symbol.start_time)),
        ("expiration_time", Field::Whole(symbol.expiration_time)),
        code("trade_stops_level", symbol.stops_level),
        code("trade_freeze_level", symbol.freeze_level),
        code("trade_exemode", symbol.execution.code()),
        code("swap_mode", 0),
        code("swap_rollover3days", 3),
        flag("margin_hedged_use_leg", false),
        code("expiration_mode", symbol.expiration_flags),
        code("filling_mode", symbol.filling_flags),
        code("order_mode", symbol.order_flags),
        code("order_gtc_mode", 0),
        code("option_mode", 0),
        code("option_right", 0),
    ]
}

fn prices(symbol: &Symbol) -> Vec<Named> {
    let tick = TickView::of(symbol);
    let real = |name, value| (name, Field::Real(value));
    vec![
        real("bid", tick.bid),
        real("bidhigh", tick.bid),
        real("bidlow", tick.bid),
        real("ask", tick.ask),
        real("askhigh", tick.ask),
        real("asklow", tick.ask),
        real("last", tick.last),
        real("lasthigh", tick.last),
        real("lastlow", tick.last),
        real("volume_real", 0.0),
        real("volumehigh_real", 0.0),
        real("volumelow_real", 0.0),
        real("option_strike", 0.0),
    ]
}

fn terms(symbol: &Symbol) -> Vec<Named> {
    let real = |name, value| (name, Field::Real(double(value)));
    let margin = match symbol.margin {
        MarginRule::PerLot(amount) => amount,
        MarginRule::Leverage | MarginRule::Part(_) => Decimal::ZERO,
    };
    vec![
        real("point", symbol.point()),
        real("trade_tick_value", symbol.tick_value),
        real("trade_tick_value_profit", symbol.tick_value),
        real("trade_tick_value_loss", symbol.tick_value),
        real("trade_tick_size", symbol.tick_size),
        real("trade_contract_size", symbol.contract_size),
        real("trade_accrued_interest", Decimal::ZERO),
        real("trade_face_value", Decimal::ZERO),
        real("trade_liquidity_rate", Decimal::ZERO),
        real("volume_min", symbol.volume_min),
        real("volume_max", symbol.volume_max),
        real("volume_step", symbol.volume_step),
        real("volume_limit", symbol.volume_limit),
        real("swap_long", Decimal::ZERO),
        real("swap_short", Decimal::ZERO),
        real("margin_initial", margin),
        real("margin_maintenance", margin),
    ]
}

/// Fields that are always zero here.
const NOT_MODELLED: [&str; 22] = [
    "session_volume",
    "session_turnover",
    "session_interest",
    "session_buy_orders_volume",
    "session_sell_orders_volume",
    "session_open",
    "session_close",
    "session_aw",
    "session_price_settlement",
    "session_price_limit_min",
    "session_price_limit_max",
    "margin_hedged",
    "price_change",
    "price_volatility",
    "price_theoretical",
    "price_greeks_delta",
    "price_greeks_theta",
    "price_greeks_gamma",
    "price_greeks_vega",
    "price_greeks_rho",
    "price_greeks_omega",
    "price_sensitivity",
];

fn texts(symbol: &Symbol) -> Vec<Named> {
    let text = |name, value: &str| (name, Field::Text(value.to_owned()));
    vec![
        text("basis", ""),
        text("category", ""),
        text("currency_base", symbol.currency_base),
        text("currency_profit", symbol.currency_profit),
        text("currency_margin", symbol.currency_margin),
        text("bank", ""),
        text("description", &symbol.description),
        text("exchange", ""),
        text("formula", ""),
        text("isin", ""),
        text("name", &symbol.name),
        text("page", ""),
        text("path", &symbol.path),
    ]
}
