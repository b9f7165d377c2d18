//! Exchange info as the documentation shows it.

use super::*;

const FILTERS: &str = r#"[
    {"filterType":"PRICE_FILTER","minPrice":"0.01000000","maxPrice":"1000000.00000000","tickSize":"0.01000000"},
    {"filterType":"LOT_SIZE","minQty":"0.00001000","maxQty":"9000.00000000","stepSize":"0.00001000"},
    {"filterType":"ICEBERG_PARTS","limit":10},
    {"filterType":"MARKET_LOT_SIZE","minQty":"0.00000000","maxQty":"107.69","stepSize":"0.00000000"},
    {"filterType":"TRAILING_DELTA","minTrailingAboveDelta":10,"maxTrailingAboveDelta":2000,
     "minTrailingBelowDelta":10,"maxTrailingBelowDelta":2000},
    {"filterType":"PERCENT_PRICE_BY_SIDE","bidMultiplierUp":"5","bidMultiplierDown":"0.2",
     "askMultiplierUp":"4","askMultiplierDown":"0.3","avgPriceMins":5},
    {"filterType":"NOTIONAL","minNotional":"5.00000000","applyMinToMarket":true,
     "maxNotional":"9000000.00000000","applyMaxToMarket":false,"avgPriceMins":5},
    {"filterType":"MAX_NUM_ORDERS","maxNumOrders":200}]"#;

fn symbol(name: &str, quote: &str, more: &str, filters: &str) -> String {
    format!(
        r#"{{"symbol":"{name}","status":"TRADING","baseAsset":"X","quoteAsset":"{quote}",
        "permissions":[],"filters":{filters}{more}}}"#
    )
}

fn listed(symbols: &[String]) -> BTreeMap<Symbol, Instrument> {
    let info = format!(
        r#"{{"timezone":"UTC","rateLimits":[{{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE",
        "intervalNum":1,"limit":6000}}],"exchangeFilters":[],"symbols":[{}]}}"#,
        symbols.join(",")
    );
    let info: ExchangeInfo = serde_json::from_str(&info).unwrap();
    assert_eq!(info.rate_limits.len(), 1);
    read(info.symbols, "USDT")
}

#[test]
fn filters_become_steps_and_limits() {
    let more = r#","isSpotTradingAllowed":true,"permissionSets":[["SPOT","MARGIN"]]"#;
    let listed = listed(&[symbol("BTCUSDT", "USDT", more, FILTERS)]);
    let instrument = &listed[&Symbol::new("BTCUSDT").unwrap()];
    let decimal = |text: &str| text.parse::<Decimal>().unwrap();
    assert_eq!(instrument.price_tick, decimal("0.01"));
    assert_eq!(instrument.quantity_step, decimal("0.00001"));
    assert_eq!(instrument.minimum_quantity, decimal("0.00001"));
    assert_eq!(instrument.minimum_notional, decimal("5"));
    assert_eq!(
        instrument.limits,
        Limits {
            maximum_quantity: Some(decimal("9000")),
            market: MarketLot {
                minimum: None,
                maximum: Some(decimal("107.69")),
                step: None,
            },
            maximum_notional: Some(decimal("9000000")),
            price_band: Some(PriceBand {
                buy: (decimal("0.2"), decimal("5")),
                sell: (decimal("0.3"), decimal("4")),
            }),
            trailing_percent: Some((decimal("0.1"), decimal("20"))),
            closed: None,
        }
    );
}

#[test]
fn only_what_the_account_can_trade_and_count_is_listed() {
    let listed = listed(&[
        symbol("ETHBTC", "BTC", "", FILTERS),
        symbol("AUSDT", "USDT", r#","isSpotTradingAllowed":false"#, FILTERS),
        symbol(
            "BUSDT",
            "USDT",
            r#","permissionSets":[["SPOT"],["TRD_GRP_9"]]"#,
            FILTERS,
        ),
        symbol("CUSDT", "USDT", "", "[]"),
        symbol("DUSDT", "USDT", "", FILTERS),
    ]);
    let names: Vec<&str> = listed.keys().map(Symbol::as_str).collect();
    assert_eq!(names, ["DUSDT"]);
}

#[test]
fn a_symbol_that_is_closed_says_so() {
    let closed = symbol("BTCUSDT", "USDT", "", FILTERS).replace("TRADING", "CANCEL_ONLY");
    let listed = listed(&[closed]);
    let limits = &listed.values().next().unwrap().limits;
    assert_eq!(limits.closed.as_deref(), Some("CANCEL_ONLY"));
}

#[test]
fn older_filters_are_understood() {
    let filters = FILTERS
        .replace("PERCENT_PRICE_BY_SIDE\",\"bid", "PERCENT_PRICE\",\"")
        .replace("\"MultiplierUp", "\"multiplierUp")
        .replace("bidMultiplierDown", "multiplierDown")
        .replace(
            "NOTIONAL\",\"minNotional\":\"5",
            "MIN_NOTIONAL\",\"minNotional\":\"7",
        );
    let listed = listed(&[symbol("BTCUSDT", "USDT", "", &filters)]);
    let instrument = listed.values().next().unwrap();
    assert_eq!(instrument.minimum_notional, Decimal::from(7));
    assert_eq!(instrument.limits.maximum_notional, None);
    let band = instrument.limits.price_band.unwrap();
    let wanted = (Decimal::new(2, 1), Decimal::from(5));
    assert_eq!((band.buy, band.sell), (wanted, wanted));
}
