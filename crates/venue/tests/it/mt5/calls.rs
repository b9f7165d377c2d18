//! The package's functions: their values, their errors, and the shape of what they give.

use super::*;

/// The names of a structure's fields, in the order in which they were written.
fn fields(text: &str) -> Vec<&str> {
    // What stands before each `":` ends with a name.
    let mut parts: Vec<&str> = text.split("\":").collect();
    parts.pop();
    parts
        .iter()
        .filter_map(|part| part.rsplit_once('"'))
        .map(|(_, name)| name)
        .collect()
}

async fn raw(terminal: &Terminal, function: &str, arguments: Value) -> String {
    let body = json!({"function": function, "arguments": arguments}).to_string();
    let (_, text) = terminal
        .send(Method::POST, "/terminal/call", Some(body))
        .await
        .unwrap();
    let value = text.strip_prefix("{\"value\":").unwrap();
    value.split_once(",\"error\":").unwrap().0.to_owned()
}

/// Names and order of the package's structures, version 5.0.6231.
#[tokio::test]
async fn structures_have_the_packages_fields_in_its_order() {
    let terminal = Terminal::b3().await;
    terminal.order(buy("WINZ26", 1.0)).await;
    let limit = json!({
        "action": 5, "symbol": "WINZ26", "volume": 1.0, "type": 2, "price": 127000.0, "type_filling": 2
    });
    terminal.order(limit).await;
    let always = json!({"date_from": 0, "date_to": i64::from(u32::MAX)});
    let position = json!({"position": terminal.positions().await[0]["identifier"]});
    let symbol = json!({"symbol": "WINZ26"});
    let order = "ticket time_setup time_setup_msc time_done time_done_msc time_expiration type type_time type_filling \
                 state magic position_id position_by_id reason volume_initial volume_current price_open sl tp \
                 price_current price_stoplimit symbol comment external_id";
    let deal = "ticket order time time_msc type entry magic position_id reason volume price commission swap profit \
                fee symbol comment external_id";
    let cases = [
        ("orders_get", json!({}), order),
        ("history_orders_get", always, order),
        ("history_deals_get", position, deal),
        (
            "positions_get",
            json!({}),
            "ticket time time_msc time_update time_update_msc type magic identifier reason volume price_open sl tp \
             price_current swap profit symbol comment external_id",
        ),
        (
            "symbol_info_tick",
            symbol,
            "time bid ask last volume time_msc flags volume_real",
        ),
        (
            "account_info",
            json!({}),
            "login trade_mode leverage limit_orders margin_so_mode trade_allowed trade_expert margin_mode \
             currency_digits fifo_close balance credit profit equity margin margin_free margin_level margin_so_call \
             margin_so_so margin_initial margin_maintenance assets liabilities commission_blocked name server \
             currency company",
        ),
        (
            "terminal_info",
            json!({}),
            "community_account community_connection connected dlls_allowed trade_allowed tradeapi_disabled \
             email_enabled ftp_enabled notifications_enabled mqid build maxbars codepage ping_last community_balance \
             retransmission company name language path data_path commondata_path",
        ),
        (
            "order_check",
            json!({"request": buy("WINZ26", 1.0)}),
            "retcode balance equity profit margin margin_free margin_level comment request action magic order symbol \
             volume price stoplimit sl tp deviation type type_filling type_time expiration comment position \
             position_by",
        ),
        (
            "order_send",
            json!({"request": buy("WINZ26", 1.0)}),
            "retcode deal order volume price bid ask comment request_id retcode_external request action magic order \
             symbol volume price stoplimit sl tp deviation type type_filling type_time expiration comment position \
             position_by",
        ),
    ];
    for (function, arguments, expected) in cases {
        let text = raw(&terminal, function, arguments).await;
        let found = fields(&text);
        let expected: Vec<&str> = expected.split_whitespace().collect();
        assert_eq!(found, expected, "{function}");
    }
    terminal.stop().await;
}

#[tokio::test]
async fn a_symbol_says_what_the_broker_says_of_it() {
    let terminal = Terminal::b3().await;
    let text = raw(&terminal, "symbol_info", json!({"symbol": "WDOZ26"})).await;
    assert_eq!(fields(&text).len(), 96);
    let symbol: Value = serde_json::from_str(&text).unwrap();
    // Ticks of half a point though it has three digits.
    assert_eq!(
        (&symbol["digits"], &symbol["point"]),
        (&json!(3), &json!(0.001))
    );
    assert_eq!(
        (&symbol["trade_tick_size"], &symbol["trade_tick_value"]),
        (&json!(0.5), &json!(5.0))
    );
    assert_eq!(
        (&symbol["trade_exemode"], &symbol["filling_mode"]),
        (&json!(3), &json!(3))
    );
    assert_eq!(
        (&symbol["volume_min"], &symbol["volume_step"]),
        (&json!(1.0), &json!(1.0))
    );
    assert_eq!(
        (&symbol["select"], &symbol["visible"]),
        (&json!(false), &json!(false))
    );
    let continuous = terminal.ok("symbol_info", json!({"symbol": "WIN$"})).await;
    assert_eq!(continuous["trade_mode"], json!(0));
    let (unknown, code) = terminal
        .call("symbol_info", json!({"symbol": "WINZ99"}))
        .await;
    assert_eq!((unknown, code), (Value::Null, -4));
    let all = terminal.ok("symbols_total", json!({})).await;
    let listed = list(terminal.ok("symbols_get", json!({})).await);
    assert_eq!(json!(listed.len()), all);
    let futures = list(
        terminal
            .ok("symbols_get", json!({"group": "WIN*,!*$*,!*@*"}))
            .await,
    );
    let names: Vec<&str> = futures
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["WING27", "WINZ26"]);
    terminal.stop().await;
}

#[tokio::test]
async fn what_is_not_in_the_market_watch_has_no_tick_and_takes_no_order() {
    let terminal = Terminal::b3().await;
    let tick = terminal
        .ok("symbol_info_tick", json!({"symbol": "WDOZ26"}))
        .await;
    assert_eq!((&tick["bid"], &tick["time_msc"]), (&json!(0.0), &json!(0)));
    assert_eq!(terminal.retcode(buy("WDOZ26", 1.0)).await, 10_013);
    terminal.select("WDOZ26").await;
    let tick = terminal
        .ok("symbol_info_tick", json!({"symbol": "WDOZ26"}))
        .await;
    assert_eq!(tick["bid"], json!(5350.0));
    assert_eq!(terminal.retcode(buy("WDOZ26", 1.0)).await, 10_009);
    let stays = terminal
        .call(
            "symbol_select",
            json!({"symbol": "WDOZ26", "enable": false}),
        )
        .await;
    assert_eq!(stays, (json!(false), -1));
    let gone = terminal
        .call("symbol_select", json!({"symbol": "NOPE", "enable": true}))
        .await;
    assert_eq!(gone, (json!(false), -1));
    terminal.stop().await;
}

#[tokio::test]
async fn a_request_with_the_wrong_types_is_not_sent() {
    let terminal = Terminal::b3().await;
    let wrong = [
        ("volume", json!("1")),
        ("sl", json!(true)),
        ("magic", json!(-1)),
        ("magic", json!(u64::MAX)),
        ("type", json!(0.5)),
        ("symbol", json!(5)),
        ("position", json!("7")),
        ("comment", json!("twenty-eight characters long")),
        ("comment", json!("ação")),
        ("price", json!(1e300)),
    ];
    for (field, value) in wrong {
        let request = with(buy("WINZ26", 1.0), field, value);
        let answer = terminal
            .try_call("order_send", json!({"request": request}))
            .await
            .unwrap();
        assert_eq!(answer["value"], Value::Null, "{field}");
        assert_eq!(
            answer["error"],
            json!([-2, format!("Invalid \"{field}\" argument")])
        );
    }
    assert_eq!(
        terminal.call("order_send", json!({})).await,
        (Value::Null, -2)
    );
    assert_eq!(terminal.audit().await["deals"].as_array().unwrap().len(), 1);
    terminal.stop().await;
}

#[tokio::test]
async fn a_deal_is_found_again_by_time_order_and_position() {
    let terminal = Terminal::b3().await;
    let sent = terminal.order(buy("WINZ26", 2.0)).await;
    assert_eq!(
        (&sent["retcode"], &sent["price"], &sent["volume"]),
        (&json!(10_009), &json!(128000.0), &json!(2.0))
    );
    let position = &terminal.positions().await[0];
    // All 63 bits of the magic number, and the comment.
    assert_eq!(position["magic"], json!(4_611_686_018_427_387_905_u64));
    assert_eq!(position["comment"], json!("P0123456789abcdef012345"));
    assert_eq!(
        (&position["ticket"], &position["reason"]),
        (&sent["order"], &json!(3))
    );
    terminal.order(sell("WINZ26", 2.0)).await;
    for (function, key) in [
        ("history_deals_get", "order"),
        ("history_orders_get", "ticket"),
    ] {
        let of_order = list(
            terminal
                .ok(function, json!({"ticket": sent["order"]}))
                .await,
        );
        assert_eq!(of_order.len(), 1, "{function}");
        assert_eq!(of_order[0][key], sent["order"]);
        let of_position = list(
            terminal
                .ok(function, json!({"position": sent["order"]}))
                .await,
        );
        assert_eq!(of_position.len(), 2, "{function}");
    }
    // The initial deposit is a deal as well.
    let deals = terminal.history("history_deals_get").await;
    assert_eq!(
        (deals.len(), &deals[0]["type"], &deals[0]["order"]),
        (3, &json!(2), &json!(0))
    );
    let total = terminal
        .ok(
            "history_deals_total",
            json!({"date_from": 0, "date_to": i64::from(u32::MAX)}),
        )
        .await;
    assert_eq!(total, json!(3));
    let before = json!({"date_from": 0, "date_to": 1_000_000});
    assert_eq!(terminal.ok("history_deals_get", before).await, json!([]));
    assert_eq!(
        terminal.call("history_deals_get", json!({})).await,
        (Value::Null, -2)
    );
    terminal.stop().await;
}

#[tokio::test]
async fn times_are_on_the_servers_clock() {
    let hours = |hours| Mt5Options {
        server_utc_offset: hours,
        ..Mt5Options::b3()
    };
    let (utc, ahead) = (
        Terminal::start(&hours(0)).await,
        Terminal::start(&hours(3)).await,
    );
    let time = |audit: Value| audit["time_msc"].as_i64().unwrap();
    let (first, second) = (time(utc.audit().await), time(ahead.audit().await));
    let third = time(utc.audit().await);
    let three_hours = 3 * 3_600_000;
    assert!(first + three_hours <= second && second <= third + three_hours + 60_000);
    utc.stop().await;
    ahead.stop().await;
}

#[tokio::test]
async fn logging_in_needs_the_right_account() {
    let terminal = Terminal::b3().await;
    assert_eq!(terminal.ok("initialize", json!({})).await, json!(true));
    let right = json!({"login": 12_345_678, "server": "Standin-Demo", "password": "any"});
    assert_eq!(terminal.ok("login", right).await, json!(true));
    for wrong in [
        json!({"login": 1}),
        json!({"login": 12_345_678, "server": "Elsewhere"}),
    ] {
        assert_eq!(terminal.call("initialize", wrong).await, (json!(false), -6));
    }
    assert_eq!(terminal.ok("shutdown", json!({})).await, Value::Null);
    assert_eq!(terminal.ok("version", json!({})).await[0], json!(500));
    terminal.stop().await;
}

#[tokio::test]
async fn checks_and_calculations_change_nothing() {
    let terminal = Terminal::b3().await;
    let check = terminal
        .ok("order_check", json!({"request": buy("WINZ26", 2.0)}))
        .await;
    assert_eq!(
        (&check["retcode"], &check["margin"]),
        (&json!(0), &json!(200.0))
    );
    let check = terminal
        .ok("order_check", json!({"request": buy("WINZ26", 0.5)}))
        .await;
    assert_eq!(
        (&check["retcode"], &check["margin"]),
        (&json!(10_014), &json!(0.0))
    );
    let asked = json!({"action": 0, "symbol": "WINZ26", "volume": 3.0, "price": 128000.0});
    assert_eq!(terminal.ok("order_calc_margin", asked).await, json!(300.0));
    let asked = json!({
        "action": 1, "symbol": "WINZ26", "volume": 3.0, "price_open": 128000.0, "price_close": 127900.0
    });
    assert_eq!(terminal.ok("order_calc_profit", asked).await, json!(60.0));
    assert!(terminal.positions().await.is_empty());
    terminal.stop().await;
}

#[tokio::test]
async fn transactions_are_told_by_their_numbers() {
    let terminal = Terminal::b3().await;
    terminal.order(buy("WINZ26", 1.0)).await;
    let all = list(terminal.ok("transactions", json!({"after": 0})).await);
    let kinds: Vec<u64> = all
        .iter()
        .map(|one| one["type"].as_u64().unwrap())
        .collect();
    // Order added, deal added, order deleted, history added.
    assert_eq!(kinds, [0, 6, 2, 3]);
    let newest = &all[3]["number"];
    assert_eq!(
        terminal.ok("transactions", json!({"after": newest})).await,
        json!([])
    );
    let position = terminal.positions().await[0]["ticket"].clone();
    terminal
        .order(json!({"action": 6, "position": position, "sl": 127000.0}))
        .await;
    let told = list(terminal.ok("transactions", json!({"after": newest})).await);
    assert_eq!(
        (told.len(), &told[0]["type"], &told[0]["price_sl"]),
        (1, &json!(9), &json!(127000.0))
    );
    terminal.stop().await;
}

#[tokio::test]
async fn filters_choose_by_symbol_ticket_and_group() {
    let terminal = Terminal::hedging().await;
    terminal.select("XAUUSD").await;
    let first = terminal
        .order(with(buy("EURUSD", 0.1), "type_filling", json!(1)))
        .await;
    terminal
        .order(with(buy("XAUUSD", 0.1), "type_filling", json!(1)))
        .await;
    let cases = [
        (json!({}), 2),
        (json!({"symbol": "EURUSD"}), 1),
        (json!({"ticket": first["order"]}), 1),
        (json!({"group": "*USD,!XAU*"}), 1),
        (json!({"symbol": "GBPUSD"}), 0),
    ];
    for (arguments, expected) in cases {
        let found = list(terminal.ok("positions_get", arguments.clone()).await);
        assert_eq!(found.len(), expected, "{arguments}");
    }
    assert_eq!(terminal.ok("positions_total", json!({})).await, json!(2));
    terminal.stop().await;
}

#[tokio::test]
async fn what_is_no_call_is_a_bad_request() {
    let terminal = Terminal::b3().await;
    for body in [
        "",
        "{",
        "[]",
        "{\"function\":\"nope\"}",
        "{\"function\":\"version\",\"extra\":1}",
    ] {
        let sent = terminal
            .send(Method::POST, "/terminal/call", Some(body.to_owned()))
            .await;
        let (status, text) = sent.unwrap();
        assert_eq!(status, 400, "{body}");
        assert!(text.contains("error"), "{text}");
    }
    terminal.stop().await;
}
