//! Single orders: types, answers, filters, balances and commission, client order ids.

use super::Exchange;
use ponte_venue::FillModel;
use ponte_venue::faces::binance::BinanceOptions;
use reqwest::Method;
use serde_json::{Value, json};

const ORDER: &str = "/api/v3/order";

#[tokio::test]
async fn a_market_order_takes_its_commission_from_what_it_receives() {
    let exchange = Exchange::start().await;
    let bought = exchange
        .place("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.1&newClientOrderId=first")
        .await;
    // Half a basis point above 60000, and 0.1 % of 0.1 BTC.
    let expected = json!({
        "symbol": "BTCUSDT", "clientOrderId": "first", "status": "FILLED", "type": "MARKET", "side": "BUY",
        "timeInForce": "GTC", "origQty": "0.10000000", "executedQty": "0.10000000",
        "cummulativeQuoteQty": "6000.30000000", "price": "0.00000000", "origQuoteOrderQty": "0.00000000",
        "orderListId": -1,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(bought[name], *value, "{name}");
    }
    let fill = json!([{
        "price": "60003.00000000", "qty": "0.10000000", "commission": "0.00010000", "commissionAsset": "BTC",
        "tradeId": 1,
    }]);
    assert_eq!(bought["fills"], fill);
    let own = |amount: &str| (amount.to_owned(), "0.00000000".to_owned());
    assert_eq!(exchange.balance("BTC").await, own("1.09990000"));
    assert_eq!(exchange.balance("USDT").await, own("93999.70000000"));

    let sold = exchange
        .place("symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.1")
        .await;
    assert_eq!(sold["fills"][0]["commission"], "5.99970000");
    assert_eq!(sold["fills"][0]["commissionAsset"], "USDT");
    let trades = exchange
        .ok(Method::GET, "/api/v3/myTrades", "symbol=BTCUSDT")
        .await;
    let sides: Vec<bool> = trades
        .as_array()
        .unwrap()
        .iter()
        .map(|trade| trade["isBuyer"].as_bool().unwrap())
        .collect();
    assert_eq!(sides, [true, false]);
    exchange.stop().await;
}

#[tokio::test]
async fn market_orders_by_amount_stay_within_it() {
    let exchange = Exchange::start().await;
    let bought = exchange
        .place("symbol=BTCUSDT&side=BUY&type=MARKET&quoteOrderQty=1000")
        .await;
    assert_eq!(bought["executedQty"], "0.01666000");
    assert_eq!(bought["cummulativeQuoteQty"], "999.64998000");
    assert_eq!(bought["origQuoteOrderQty"], "1000.00000000");
    let params = "symbol=BTCUSDT&side=BUY&type=MARKET&quoteOrderQty=0.5";
    let refused = exchange.refused(Method::POST, ORDER, params).await;
    assert_eq!(refused, (-1013, "Filter failure: NOTIONAL".to_owned()));
    exchange.stop().await;
}

#[tokio::test]
async fn resting_orders_lock_what_they_need_and_give_it_back() {
    let exchange = Exchange::start().await;
    let limit = "symbol=BTCUSDT&type=LIMIT&timeInForce=GTC&quantity=0.5";
    exchange
        .place(&format!(
            "{limit}&side=BUY&price=50000&newClientOrderId=low"
        ))
        .await;
    exchange
        .place(&format!(
            "{limit}&side=SELL&price=70000&newClientOrderId=high"
        ))
        .await;
    let both = |free: &str, locked: &str| (free.to_owned(), locked.to_owned());
    assert_eq!(
        exchange.balance("USDT").await,
        both("75000.00000000", "25000.00000000")
    );
    assert_eq!(
        exchange.balance("BTC").await,
        both("0.50000000", "0.50000000")
    );

    let too_much = exchange
        .refused(
            Method::POST,
            ORDER,
            &format!("{limit}1&side=SELL&price=70000"),
        )
        .await;
    let message = "Account has insufficient balance for requested action.";
    assert_eq!(too_much, (-2010, message.to_owned()));

    exchange.tick("49990").await;
    let low = exchange.find("low").await;
    assert_eq!(
        (&low["status"], &low["executedQty"]),
        (&json!("FILLED"), &json!("0.50000000"))
    );
    // Executed at its own price as the maker it was, less 0.1 %.
    assert_eq!(
        exchange.balance("USDT").await,
        both("75000.00000000", "0.00000000")
    );
    assert_eq!(
        exchange.balance("BTC").await,
        both("0.99950000", "0.50000000")
    );

    let cancelled = exchange
        .ok(
            Method::DELETE,
            ORDER,
            "symbol=BTCUSDT&origClientOrderId=high&newClientOrderId=why",
        )
        .await;
    let names =
        ["origClientOrderId", "clientOrderId", "status"].map(|name| cancelled[name].clone());
    assert_eq!(names, [json!("high"), json!("why"), json!("CANCELED")]);
    assert_eq!(
        exchange.balance("BTC").await,
        both("1.49950000", "0.00000000")
    );
    let again = exchange
        .refused(
            Method::DELETE,
            ORDER,
            "symbol=BTCUSDT&origClientOrderId=high",
        )
        .await;
    assert_eq!(again, (-2011, "Unknown order sent.".to_owned()));
    exchange.stop().await;
}

#[tokio::test]
async fn a_client_order_id_guards_only_an_open_order() {
    let exchange = Exchange::start().await;
    let resting = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.1&price=50000&newClientOrderId=same";
    exchange.place(resting).await;
    let refused = exchange.refused(Method::POST, ORDER, resting).await;
    assert_eq!(refused, (-2010, "Duplicate order sent.".to_owned()));

    // A market order has left the book when it is sent again: it is executed a second time.
    let market = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.1&newClientOrderId=twice";
    let first = exchange.place(market).await;
    let second = exchange.place(market).await;
    assert_ne!(first["orderId"], second["orderId"]);
    assert_eq!(exchange.find("twice").await["orderId"], second["orderId"]);
    let audit = exchange.audit().await;
    let orders = audit["spot"]["orders"].as_array().unwrap();
    let doubles = orders.iter().filter(|order| order["client_id"] == "twice");
    assert_eq!(doubles.count(), 2);
    assert_eq!(audit["spot"]["net_traded"]["BTCUSDT"], "0.20000000");
    exchange.stop().await;
}

#[tokio::test]
async fn every_filter_and_malformed_parameter_is_named() {
    let exchange = Exchange::start().await;
    let limit = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC";
    let filter = |name: &str| format!("Filter failure: {name}");
    let table: Vec<(String, i64, String)> = vec![
        (format!("{limit}&quantity=0.1&price=50000.001"), -1013, filter("PRICE_FILTER")),
        (format!("{limit}&quantity=0.1&price=1000001"), -1013, filter("PRICE_FILTER")),
        (format!("{limit}&quantity=0.1&price=400000"), -1013, filter("PERCENT_PRICE_BY_SIDE")),
        (format!("{limit}&quantity=0.000001&price=50000"), -1013, filter("LOT_SIZE")),
        (format!("{limit}&quantity=9001&price=50000"), -1013, filter("LOT_SIZE")),
        (format!("{limit}&quantity=0.00001&price=50000"), -1013, filter("NOTIONAL")),
        ("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=101".to_owned(), -1013, filter("MARKET_LOT_SIZE")),
        (
            format!("{limit}&quantity=0.1&price=50000.123456789"),
            -1111,
            "Parameter 'price' has too much precision.".to_owned(),
        ),
        (
            format!("{limit}&quantity=1e-1&price=50000"),
            -1100,
            r"Illegal characters found in parameter 'quantity'; legal range is '^([0-9]{1,20})(\.[0-9]{1,20})?$'.".to_owned(),
        ),
        (
            format!("{limit}&price=50000"),
            -1102,
            "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed.".to_owned(),
        ),
        ("symbol=NOPE&side=BUY&type=MARKET&quantity=1".to_owned(), -1121, "Invalid symbol.".to_owned()),
        ("symbol=BTCUSDT&side=UP&type=MARKET&quantity=1".to_owned(), -1117, "Invalid side.".to_owned()),
        ("symbol=BTCUSDT&side=BUY&type=NOPE&quantity=1".to_owned(), -1116, "Invalid orderType.".to_owned()),
        (
            "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1&price=5".to_owned(),
            -1106,
            "Parameter 'price' sent when not required.".to_owned(),
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.1&newClientOrderId=a%20b".to_owned(),
            -1100,
            "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'.".to_owned(),
        ),
        (
            "symbol=BTCUSDT&side=SELL&type=LIMIT_MAKER&quantity=0.1&price=59000".to_owned(),
            -2010,
            "Order would immediately match and take.".to_owned(),
        ),
        (
            "symbol=BTCUSDT&side=SELL&type=STOP_LOSS&quantity=0.1&stopPrice=61000".to_owned(),
            -2010,
            "Order would trigger immediately.".to_owned(),
        ),
    ];
    for (params, code, message) in table {
        let refused = exchange.refused(Method::POST, ORDER, &params).await;
        assert_eq!(refused, (code, message), "{params}");
    }
    let audit = exchange.audit().await;
    assert_eq!(audit["spot"]["orders"], json!([]));
    exchange.stop().await;
}

#[tokio::test]
async fn answers_are_as_long_as_they_are_asked_to_be() {
    let exchange = Exchange::start().await;
    let keys = |answer: &Value| answer.as_object().unwrap().len();
    let market = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01&newOrderRespType=";
    assert_eq!(keys(&exchange.place(&format!("{market}ACK")).await), 5);
    let result = exchange.place(&format!("{market}RESULT")).await;
    assert!(result["fills"].is_null() && result["status"] == "FILLED");
    // A stop order acknowledges only, without being asked.
    let stop = "symbol=BTCUSDT&side=SELL&type=STOP_LOSS&quantity=0.01&stopPrice=50000";
    assert_eq!(keys(&exchange.place(stop).await), 5);
    let tested = exchange
        .ok(Method::POST, "/api/v3/order/test", &format!("{market}FULL"))
        .await;
    assert_eq!(tested, json!({}));
    let audit = exchange.audit().await;
    assert_eq!(
        audit["spot"]["orders"].as_array().unwrap().len(),
        3,
        "a test places nothing"
    );
    exchange.stop().await;
}

#[tokio::test]
async fn contingent_orders_wait_for_their_price() {
    let exchange = Exchange::start().await;
    let orders = [
        (
            "stop",
            "side=SELL&type=STOP_LOSS&quantity=0.1&stopPrice=58000",
        ),
        (
            "target",
            "side=SELL&type=TAKE_PROFIT&quantity=0.1&stopPrice=65000",
        ),
        (
            "stoplimit",
            "side=BUY&type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=0.1&stopPrice=62000&price=61000",
        ),
        (
            "trail",
            "side=SELL&type=STOP_LOSS&quantity=0.1&trailingDelta=1000",
        ),
    ];
    for (id, params) in orders {
        exchange
            .place(&format!("symbol=BTCUSDT&{params}&newClientOrderId={id}"))
            .await;
    }
    let steps = [
        ("62500", ["NEW", "NEW", "NEW", "NEW"]),
        ("60990", ["NEW", "NEW", "FILLED", "NEW"]),
        ("66000", ["NEW", "FILLED", "FILLED", "NEW"]),
        ("59400", ["NEW", "FILLED", "FILLED", "FILLED"]),
        ("58000", ["FILLED"; 4]),
    ];
    for (price, expected) in steps {
        exchange.tick(price).await;
        for ((id, _), status) in orders.iter().zip(expected) {
            assert_eq!(exchange.find(id).await["status"], status, "{id} at {price}");
        }
    }
    let trail = exchange.find("trail").await;
    assert_eq!(trail["trailingDelta"], 1000);
    // Six more than the five that may wait at a time.
    let stop = "symbol=BTCUSDT&side=SELL&type=STOP_LOSS&quantity=0.01&stopPrice=50000";
    for _ in 0..5 {
        exchange.place(stop).await;
    }
    let refused = exchange.refused(Method::POST, ORDER, stop).await;
    assert_eq!(
        refused,
        (-1013, "Filter failure: MAX_NUM_ALGO_ORDERS".to_owned())
    );
    exchange.stop().await;
}

#[tokio::test]
async fn a_stop_that_cannot_be_paid_when_it_wakes_expires() {
    let exchange = Exchange::start().await;
    let stop =
        "symbol=BTCUSDT&side=BUY&type=STOP_LOSS&quantity=1.6&stopPrice=61000&newClientOrderId=gap";
    exchange.place(stop).await;
    exchange.tick("80000").await;
    let order = exchange.find("gap").await;
    assert_eq!(order["status"], "EXPIRED");
    assert_eq!(order["expiryReason"], "REJECTED");
    assert_eq!(exchange.balance("USDT").await.0, "100000.00000000");
    exchange.stop().await;
}

#[tokio::test]
async fn immediate_orders_take_what_is_there() {
    let mut options = BinanceOptions::rehearsal();
    options.fill_model = FillModel {
        slice_value: Some(6_000.into()),
        slice_slippage_bps: 100.into(),
        ..FillModel::optimistic()
    };
    let exchange = Exchange::start_with(options).await;
    let order = "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=0.5&price=60000";
    let partly = exchange.place(&format!("{order}&timeInForce=IOC")).await;
    assert_eq!(partly["status"], "EXPIRED");
    assert_eq!(partly["executedQty"], "0.10000000");
    assert_eq!(partly["expiryReason"], "UNFILLED_IOC_QUANTITY_EXPIRED");
    let nothing = exchange.place(&format!("{order}&timeInForce=FOK")).await;
    assert_eq!(
        (&nothing["status"], &nothing["executedQty"]),
        (&json!("EXPIRED"), &json!("0.00000000"))
    );
    let pieces = exchange
        .place("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.25")
        .await;
    assert_eq!(pieces["fills"].as_array().unwrap().len(), 3);
    assert_eq!(exchange.balance("USDT").await.1, "0.00000000");
    exchange.stop().await;
}
