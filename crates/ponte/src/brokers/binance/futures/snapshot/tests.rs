//! Answers as documented, and what they say together.

use super::*;

/// As `GET /fapi/v1/order` answers (USDⓈ-M Futures, "Query Order"), with numbers of a partial fill.
const ORDER: &str = r#"{"avgPrice":"60001.00000","clientOrderId":"abc","cumQuote":"18000.3",
    "executedQty":"0.3","orderId":1917641,"origQty":"0.5","origType":"LIMIT","price":"60010","reduceOnly":false,
    "side":"BUY","positionSide":"BOTH","status":"PARTIALLY_FILLED","stopPrice":"0","closePosition":false,
    "symbol":"BTCUSDT","time":1579276756075,"timeInForce":"GTC","type":"LIMIT","updateTime":1579276756075,
    "workingType":"CONTRACT_PRICE","priceProtect":false,"priceMatch":"NONE",
    "selfTradePreventionMode":"NONE","goodTillDate":0}"#;
/// As `GET /fapi/v1/userTrades` answers (USDⓈ-M Futures, "Account Trade List").
const TRADES: &str = r#"[
    {"buyer":true,"commission":"0.6","commissionAsset":"USDT","id":698759,"maker":false,"orderId":1917641,
     "price":"60000","qty":"0.1","quoteQty":"6000","realizedPnl":"0","side":"BUY","positionSide":"BOTH",
     "symbol":"BTCUSDT","time":1579276756100},
    {"commission":"0.00002","commissionAsset":"BTC","id":698760,"price":"60001.5","qty":"0.2","time":1579276756200},
    {"commission":"0.001","commissionAsset":"BNB","id":698760,"price":"60001.5","qty":"0.2","time":1579276756200}]"#;
/// As `GET /fapi/v1/algoOrder` answers (USDⓈ-M Futures, "Query Algo Order").
const ALGO: &str = r#"{"algoId":2146760,"clientAlgoId":"abc","algoType":"CONDITIONAL","orderType":"STOP_MARKET",
    "symbol":"BTCUSDT","side":"SELL","positionSide":"BOTH","timeInForce":"GTC","quantity":"0.5",
    "algoStatus":"STATUS","actualOrderId":"","actualPrice":"0.00000","triggerPrice":"58000","price":"0",
    "icebergQuantity":null,"tpTriggerPrice":"0.000","tpOrderType":"","workingType":"CONTRACT_PRICE",
    "closePosition":false,"priceProtect":false,"reduceOnly":false,"createTime":1750485492076,
    "updateTime":1750514545091,"triggerTime":0,"goodTillDate":0}"#;

fn order() -> OrderView {
    serde_json::from_str(ORDER).expect("the documented answer")
}

fn trades() -> Vec<TradeView> {
    serde_json::from_str(TRADES).expect("the documented answer")
}

fn algo(status: &str) -> AlgoView {
    serde_json::from_str(&ALGO.replace("STATUS", status)).expect("the documented answer")
}

fn number(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

#[test]
fn an_order_and_its_trades_give_exact_totals() {
    let snapshot = Snapshot::of_regular(&order(), &trades(), "USDT").expect("they add up");
    assert_eq!(snapshot.standing, Standing::Working);
    assert_eq!(snapshot.totals.quantity, number("0.3"));
    assert_eq!(snapshot.totals.average_price(), number("60001"));
    // 0.6 in the currency and 0.00002 of the base asset at 60001.5; the repeated trade counts once.
    assert_eq!(snapshot.totals.fees, number("1.80003"));
    assert_eq!(snapshot.at, Timestamp::from_milliseconds(1_579_276_756_200));
}

#[test]
fn trades_that_do_not_add_up_are_not_guessed_at() {
    let problem = Snapshot::of_regular(&order(), &trades()[..1], "USDT");
    assert_eq!(
        problem,
        Err("the exchange lists trades of 0.1 for an order that it says has traded 0.3".to_owned())
    );
    let old = Snapshot::without_trades(&order(), &trades()[..1], "USDT").expect("cumQuote is told");
    assert_eq!(old.totals.average_price(), number("60001"));
    assert_eq!(old.totals.fees, number("0.6"));
    let mut placed = order();
    placed.cum_quote = None;
    assert_eq!(Snapshot::without_trades(&placed, &[], "USDT"), None);
}

#[test]
fn each_status_of_a_regular_order_has_its_meaning() {
    let cases = [
        ("NEW", Some("working")),
        ("PARTIALLY_FILLED", Some("working")),
        ("FILLED", Some("filled")),
        ("CANCELED", Some("cancelled")),
        ("EXPIRED", Some("cancelled")),
        ("EXPIRED_IN_MATCH", Some("cancelled")),
        ("REJECTED", Some("rejected")),
        ("SOMETHING_NEW", None),
    ];
    for (status, expected) in cases {
        let meaning = Standing::of_regular(status, None).map(|standing| match standing {
            Standing::Working => "working",
            Standing::Filled => "filled",
            Standing::Cancelled(_) => "cancelled",
            Standing::Rejected(_) => "rejected",
        });
        assert_eq!(meaning, expected, "{status}");
    }
}

#[test]
fn a_conditional_order_is_what_it_has_become() {
    let now = Timestamp::from_milliseconds(1_750_514_600_000);
    let waiting = Snapshot::of_conditional(&algo("NEW"), None, now).expect("it waits");
    assert_eq!(waiting.standing, Standing::Working);
    assert_eq!((waiting.algo_id, waiting.order_id), (Some(2_146_760), None));

    for status in ["TRIGGERED", "FINISHED"] {
        assert!(Snapshot::of_conditional(&algo(status), None, now).is_err());
        let regular = Snapshot::of_regular(&order(), &trades(), "USDT").expect("they add up");
        let both = Snapshot::of_conditional(&algo(status), Some(regular.clone()), now);
        let both = both.expect("both halves are there");
        assert_eq!(
            (both.algo_id, both.order_id),
            (Some(2_146_760), Some(1_917_641))
        );
        assert_eq!(both.totals, regular.totals);
    }
    for (status, rejected) in [("CANCELED", false), ("EXPIRED", false), ("REJECTED", true)] {
        let ended = Snapshot::of_conditional(&algo(status), None, now).expect("it has ended");
        assert!(ended.standing.is_final());
        assert_eq!(matches!(ended.standing, Standing::Rejected(_)), rejected);
    }
    assert!(Snapshot::of_conditional(&algo("PAUSED"), None, now).is_err());
}

#[test]
fn what_the_exchange_has_forgotten_had_not_traded() {
    let days = |days: i64| Timestamp::from_milliseconds(1_750_514_545_091 + days * 86_400_000);
    assert!(Snapshot::of_conditional(&algo("FINISHED"), None, days(3)).is_err());
    let old = Snapshot::of_conditional(&algo("FINISHED"), None, days(4)).expect("it has ended");
    assert!(matches!(old.standing, Standing::Cancelled(_)));
    assert!(Snapshot::of_conditional(&algo("TRIGGERED"), None, days(4)).is_err());
}
