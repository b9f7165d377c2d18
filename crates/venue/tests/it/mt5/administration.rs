//! The terminal's state, people and brokers beside the program, and the day's end.

use super::*;

#[tokio::test]
async fn the_terminal_and_the_account_can_forbid_trading() {
    let cases = [
        ("trade_allowed", json!(false), 10_027),
        ("connected", json!(false), 10_031),
        ("logged_in", json!(false), 10_031),
        ("account_trade_allowed", json!(false), 10_017),
        ("trade_expert", json!(false), 10_026),
    ];
    for (setting, value, retcode) in cases {
        let terminal = Terminal::b3().await;
        terminal.admin("terminal", json!({setting: value})).await;
        assert_eq!(
            terminal.retcode(buy("WINZ26", 1.0)).await,
            retcode,
            "{setting}"
        );
        terminal.admin("terminal", json!({setting: true})).await;
        assert_eq!(
            terminal.retcode(buy("WINZ26", 1.0)).await,
            10_009,
            "{setting}"
        );
        terminal.stop().await;
    }
    let terminal = Terminal::b3().await;
    terminal
        .admin("terminal", json!({"tradeapi_disabled": true}))
        .await;
    let answer = terminal
        .call("order_send", json!({"request": buy("WINZ26", 1.0)}))
        .await;
    assert_eq!(answer, (Value::Null, -8));
    assert_eq!(
        terminal.ok("terminal_info", json!({})).await["tradeapi_disabled"],
        json!(true)
    );
    terminal.stop().await;
}

#[tokio::test]
async fn a_terminal_without_connection_goes_on_showing_what_it_knew() {
    let terminal = Terminal::b3().await;
    let opened = with(buy("WINZ26", 1.0), "sl", json!(127000.0));
    terminal.order(opened).await;
    terminal
        .admin("terminal", json!({"connected": false}))
        .await;
    terminal.price("WINZ26", "126000").await;
    assert_eq!(terminal.positions().await.len(), 1);
    assert_eq!(terminal.history("history_deals_get").await.len(), 2);
    let tick = terminal
        .ok("symbol_info_tick", json!({"symbol": "WINZ26"}))
        .await;
    assert_eq!(tick["bid"], json!(128000.0));
    assert_eq!(
        terminal.ok("terminal_info", json!({})).await["connected"],
        json!(false)
    );
    assert_eq!(terminal.audit().await["positions"], json!([]));
    terminal.admin("terminal", json!({"connected": true})).await;
    assert!(terminal.positions().await.is_empty());
    let deals = terminal.history("history_deals_get").await;
    assert_eq!(
        (&deals[2]["reason"], &deals[2]["comment"]),
        (&json!(4), &json!("[sl 127000]"))
    );
    terminal.stop().await;
}

#[tokio::test]
async fn a_terminal_that_is_logged_out_shows_nothing() {
    let terminal = Terminal::b3().await;
    terminal.order(buy("WINZ26", 1.0)).await;
    terminal
        .admin("terminal", json!({"logged_in": false}))
        .await;
    assert!(terminal.positions().await.is_empty());
    assert!(terminal.history("history_deals_get").await.is_empty());
    assert_eq!(
        terminal.call("account_info", json!({})).await,
        (Value::Null, -6)
    );
    assert_eq!(
        terminal.call("initialize", json!({})).await,
        (json!(false), -6)
    );
    assert_eq!(
        terminal
            .ok("initialize", json!({"login": 12_345_678}))
            .await,
        json!(true)
    );
    assert_eq!(terminal.positions().await.len(), 1);
    terminal.stop().await;
}

#[tokio::test]
async fn a_person_and_the_broker_trade_with_magic_zero() {
    let terminal = Terminal::b3().await;
    terminal.order(buy("WINZ26", 2.0)).await;
    // The program may not trade; people may.
    terminal
        .admin("terminal", json!({"trade_allowed": false}))
        .await;
    terminal
        .admin(
            "manual",
            json!({"symbol": "WINZ26", "side": "sell", "volume": 1}),
        )
        .await;
    let position = &terminal.positions().await[0];
    assert_eq!(
        (&position["volume"], &position["magic"]),
        (&json!(1.0), &json!(0))
    );
    terminal
        .admin(
            "levels",
            json!({"position": position["ticket"], "sl": "127000", "tp": 0}),
        )
        .await;
    assert_eq!(terminal.positions().await[0]["sl"], json!(127000.0));
    let closed = terminal
        .admin("force_close", json!({"symbol": "WINZ26"}))
        .await;
    assert_eq!(closed["closed"], json!(1));
    let deals = terminal.history("history_deals_get").await;
    let reasons: Vec<&Value> = deals.iter().skip(1).map(|deal| &deal["reason"]).collect();
    assert_eq!(reasons, [&json!(3), &json!(0), &json!(6)]);
    assert_eq!(
        (&deals[2]["magic"], &deals[3]["magic"]),
        (&json!(0), &json!(0))
    );
    let refusal = terminal
        .admin_refuses(
            "manual",
            json!({"symbol": "WINZ26", "side": "buy", "volume": 0.5}),
        )
        .await;
    assert_eq!(refusal, "retcode 10014: Invalid volume");
    terminal.stop().await;
}

#[tokio::test]
async fn a_person_closes_one_position_of_an_account_that_hedges() {
    let terminal = Terminal::hedging().await;
    terminal.order(buy("EURUSD", 0.5)).await;
    let second = terminal.order(buy("EURUSD", 0.3)).await;
    let part =
        json!({"symbol": "EURUSD", "side": "sell", "volume": "0.1", "position": second["order"]});
    terminal.admin("manual", part).await;
    let volumes: Vec<Value> = terminal
        .positions()
        .await
        .iter()
        .map(|one| one["volume"].clone())
        .collect();
    assert_eq!(volumes, [json!(0.5), json!(0.2)]);
    terminal.stop().await;
}

#[tokio::test]
async fn the_day_ends_with_expired_orders_and_without_levels() {
    let terminal = Terminal::b3().await;
    terminal
        .order(with(buy("WINZ26", 1.0), "sl", json!(127000.0)))
        .await;
    let limit = json!({
        "action": 5, "symbol": "WINZ26", "volume": 1.0, "type": 2, "price": 127500.0, "type_filling": 2,
        "type_time": 1
    });
    let placed = terminal.order(limit).await;
    assert_eq!(placed["retcode"], json!(10_008));
    assert_eq!(terminal.ok("orders_total", json!({})).await, json!(1));
    terminal.admin("new_day", json!({})).await;
    assert_eq!(terminal.positions().await[0]["sl"], json!(0.0));
    assert_eq!(terminal.ok("orders_get", json!({})).await, json!([]));
    let ended = list(
        terminal
            .ok("history_orders_get", json!({"ticket": placed["order"]}))
            .await,
    );
    assert_eq!(ended[0]["state"], json!(6));
    terminal.stop().await;
}

#[tokio::test]
async fn orders_expire_by_the_servers_clock() {
    let terminal = Terminal::hedging().await;
    let now = terminal.audit().await["time_msc"].as_i64().unwrap() / 1_000;
    let limit = json!({
        "action": 5, "symbol": "EURUSD", "volume": 0.1, "type": 2, "price": 1.05, "type_filling": 2,
        "type_time": 2, "expiration": now + 3_600
    });
    assert_eq!(terminal.retcode(limit).await, 10_009);
    assert_eq!(terminal.ok("orders_total", json!({})).await, json!(1));
    terminal.admin("clock", json!({"skew_ms": 3_600_000})).await;
    assert_eq!(terminal.ok("orders_total", json!({})).await, json!(0));
    terminal.stop().await;
}

#[tokio::test]
async fn depth_session_and_symbol_settings_take_effect() {
    let terminal = Terminal::b3().await;
    terminal
        .admin("depth", json!({"symbol": "WINZ26", "volume": 1}))
        .await;
    let sent = terminal.order(buy("WINZ26", 3.0)).await;
    assert_eq!(
        (&sent["retcode"], &sent["volume"]),
        (&json!(10_010), &json!(1.0))
    );
    terminal
        .admin("depth", json!({"symbol": "WINZ26", "volume": null}))
        .await;
    assert_eq!(
        terminal
            .ok("session_trade", json!({"symbol": "WINZ26"}))
            .await,
        json!(true)
    );
    terminal
        .admin("symbol", json!({"symbol": "WINZ26", "session_open": false}))
        .await;
    assert_eq!(
        terminal
            .ok("session_trade", json!({"symbol": "WINZ26"}))
            .await,
        json!(false)
    );
    assert_eq!(terminal.retcode(buy("WINZ26", 1.0)).await, 10_018);
    let settings = json!({
        "symbol": "WINZ26", "session_open": true, "filling_mode": 1, "stops_level": 100, "trade_mode": 3,
        "visible": true
    });
    terminal.admin("symbol", settings).await;
    let symbol = terminal
        .ok("symbol_info", json!({"symbol": "WINZ26"}))
        .await;
    assert_eq!(
        (&symbol["filling_mode"], &symbol["trade_stops_level"]),
        (&json!(1), &json!(100))
    );
    assert_eq!(
        terminal
            .retcode(with(buy("WINZ26", 1.0), "type_filling", json!(0)))
            .await,
        10_044
    );
    terminal.stop().await;
}

#[tokio::test]
async fn prices_can_be_written_in_two_ways_and_have_to_be_a_market() {
    let terminal = Terminal::b3().await;
    let tick = || terminal.ok("symbol_info_tick", json!({"symbol": "WINZ26"}));
    terminal
        .admin(
            "price",
            json!({"symbol": "WINZ26", "bid": "128100", "ask": 128110}),
        )
        .await;
    assert_eq!(
        (&tick().await["bid"], &tick().await["ask"]),
        (&json!(128100.0), &json!(128110.0))
    );
    terminal
        .admin(
            "price",
            json!({"symbol": "WINZ26", "price": 128200, "spread_points": 15}),
        )
        .await;
    assert_eq!(
        (&tick().await["bid"], &tick().await["ask"]),
        (&json!(128200.0), &json!(128215.0))
    );
    let cases = [
        (
            json!({"symbol": "WINZ26", "bid": 2, "ask": 1}),
            "bid 2 and ask 1 are not a market",
        ),
        (
            json!({"symbol": "WINZ26", "bid": 2}),
            "a price is bid and ask, or price with spread_points",
        ),
        (
            json!({"symbol": "NOPE", "price": 1}),
            "symbol NOPE is not known",
        ),
    ];
    for (body, message) in cases {
        assert_eq!(terminal.admin_refuses("price", body).await, message);
    }
    terminal.stop().await;
}

#[tokio::test]
async fn the_audit_counts_calls_and_keeps_everything() {
    let terminal = Terminal::b3().await;
    terminal.order(buy("WINZ26", 1.0)).await;
    terminal.order(sell("WINZ26", 1.0)).await;
    let audit = terminal.audit().await;
    assert_eq!(audit["calls"]["order_send"], json!(2));
    assert_eq!(audit["history_orders"].as_array().unwrap().len(), 2);
    assert_eq!(audit["deals"].as_array().unwrap().len(), 3);
    assert_eq!(audit["account"]["login"], json!(12_345_678));
    // Two commissions.
    assert_eq!(audit["account"]["balance"], json!(99_999.5));
    terminal.stop().await;
}

#[tokio::test]
async fn options_that_make_no_sense_are_refused() {
    use rust_decimal::Decimal;
    let usual = Mt5Options::b3();
    let cases = [
        Mt5Options {
            balance: Decimal::ZERO,
            ..usual.clone()
        },
        Mt5Options {
            leverage: 0,
            ..usual.clone()
        },
        Mt5Options {
            server_utc_offset: 15,
            ..usual
        },
    ];
    for options in cases {
        assert!(Mt5Face::new(&options).is_err(), "{options:?}");
    }
}
