//! Each fault shown: what the caller sees, and what the trade server has done.

use super::*;

async fn deals(terminal: &Terminal) -> usize {
    // Without the deposit.
    terminal.audit().await["deals"].as_array().unwrap().len() - 1
}

#[tokio::test]
async fn a_cut_connection_says_nothing_about_the_order() {
    for (fault, done) in [("drop_before", 0), ("drop_after", 1)] {
        let terminal = Terminal::b3().await;
        terminal
            .admin("fault", json!({"function": "order_send", "fault": fault}))
            .await;
        let request = json!({"request": buy("WINZ26", 1.0)});
        assert!(
            terminal.try_call("order_send", request).await.is_err(),
            "{fault}"
        );
        assert_eq!(deals(&terminal).await, done, "{fault}");
        assert!(terminal.faults_left().await.is_empty());
        terminal.stop().await;
    }
}

#[tokio::test]
async fn no_value_with_an_error_says_nothing_either() {
    let cases = [
        (json!({"fault": "none"}), -10_005, 0),
        (json!({"fault": "none", "code": -10_004}), -10_004, 0),
        (json!({"fault": {"none": -8}}), -8, 0),
        (json!({"fault": "none_after", "code": -10_002}), -10_002, 1),
    ];
    for (fault, code, done) in cases {
        let terminal = Terminal::b3().await;
        terminal.admin("fault", fault.clone()).await;
        let answer = terminal
            .call("order_send", json!({"request": buy("WINZ26", 1.0)}))
            .await;
        assert_eq!(answer, (Value::Null, code), "{fault}");
        assert_eq!(deals(&terminal).await, done, "{fault}");
        terminal.stop().await;
    }
}

#[tokio::test]
async fn a_return_code_can_be_true_or_not() {
    let cases = [
        (json!({"fault": "retcode", "retcode": 10_019}), 10_019, 0),
        (
            json!({"fault": "retcode_after", "retcode": 10_011}),
            10_011,
            1,
        ),
        (json!({"fault": {"retcode_after": 10_031}}), 10_031, 1),
        (json!({"fault": "retcode_after"}), 10_012, 1),
    ];
    for (fault, code, done) in cases {
        let terminal = Terminal::b3().await;
        terminal.admin("fault", fault.clone()).await;
        let sent = terminal.order(buy("WINZ26", 1.0)).await;
        assert_eq!(
            (&sent["retcode"], &sent["order"]),
            (&json!(code), &json!(0)),
            "{fault}"
        );
        assert_eq!(deals(&terminal).await, done, "{fault}");
        terminal.stop().await;
    }
}

#[tokio::test]
async fn a_delayed_order_is_executed_after_its_time_out() {
    let terminal = Terminal::b3().await;
    terminal
        .admin("fault", json!({"fault": "delay_ms", "ms": 30}))
        .await;
    assert_eq!(terminal.retcode(buy("WINZ26", 1.0)).await, 10_012);
    // It has left the terminal, which can lose its connection meanwhile.
    terminal
        .admin("terminal", json!({"connected": false}))
        .await;
    while deals(&terminal).await == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(deals(&terminal).await, 1);
    terminal.stop().await;
}

#[tokio::test]
async fn a_held_answer_comes_and_is_true() {
    let terminal = Terminal::b3().await;
    terminal
        .admin("fault", json!({"fault": {"hang_ms": 30}}))
        .await;
    assert_eq!(terminal.retcode(buy("WINZ26", 1.0)).await, 10_009);
    assert_eq!(deals(&terminal).await, 1);
    terminal.stop().await;
}

#[tokio::test]
async fn a_broker_can_write_its_own_comment() {
    let terminal = Terminal::b3().await;
    terminal
        .admin("fault", json!({"fault": "comment", "comment": "dealer"}))
        .await;
    let sent = terminal.order(buy("WINZ26", 1.0)).await;
    assert_eq!(sent["request"]["comment"], json!("P0123456789abcdef012345"));
    let position = &terminal.positions().await[0];
    assert_eq!(position["comment"], json!("dealer"));
    assert_eq!(position["magic"], json!(4_611_686_018_427_387_905_u64));
    assert_eq!(
        terminal.history("history_deals_get").await[1]["comment"],
        json!("dealer")
    );
    terminal.stop().await;
}

#[tokio::test]
async fn a_part_can_be_all_that_is_filled() {
    let terminal = Terminal::b3().await;
    terminal
        .admin("fault", json!({"fault": "partial", "share": "0.5"}))
        .await;
    let sent = terminal.order(buy("WINZ26", 4.0)).await;
    assert_eq!(
        (&sent["retcode"], &sent["volume"]),
        (&json!(10_010), &json!(2.0))
    );
    assert_eq!(terminal.positions().await[0]["volume"], json!(2.0));
    assert_eq!(
        terminal.history("history_orders_get").await[0]["state"],
        json!(2)
    );
    terminal.stop().await;
}

#[tokio::test]
async fn the_history_can_lag_behind() {
    let terminal = Terminal::b3().await;
    let lag = json!({"function": "history_deals_get", "fault": "history_lag_ms", "ms": 60_000, "times": 2});
    terminal.admin("fault", lag).await;
    terminal.order(buy("WINZ26", 1.0)).await;
    assert!(terminal.history("history_deals_get").await.is_empty());
    assert_eq!(terminal.history("history_orders_get").await.len(), 1);
    assert!(terminal.history("history_deals_get").await.is_empty());
    assert_eq!(terminal.history("history_deals_get").await.len(), 2);
    terminal.stop().await;
}

#[tokio::test]
async fn a_fault_can_wait_repeat_and_choose_its_symbol() {
    let terminal = Terminal::b3().await;
    terminal.select("WDOZ26").await;
    let fault =
        json!({"fault": "retcode", "retcode": 10_006, "times": 2, "skip": 1, "symbol": "WINZ26"});
    terminal.admin("fault", fault).await;
    let mut codes = Vec::new();
    for symbol in ["WINZ26", "WDOZ26", "WINZ26", "WDOZ26", "WINZ26", "WINZ26"] {
        codes.push(terminal.retcode(buy(symbol, 1.0)).await);
    }
    assert_eq!(codes, [10_009, 10_009, 10_006, 10_009, 10_006, 10_009]);
    terminal.stop().await;
}

#[tokio::test]
async fn any_function_can_fail_and_faults_can_be_taken_back() {
    let terminal = Terminal::b3().await;
    terminal
        .admin(
            "fault",
            json!({"function": "*", "fault": "none", "times": 9}),
        )
        .await;
    assert_eq!(
        terminal.call("account_info", json!({})).await,
        (Value::Null, -10_005)
    );
    assert_eq!(
        terminal.call("positions_get", json!({})).await,
        (Value::Null, -10_005)
    );
    assert_eq!(terminal.faults_left().await[0]["times"], json!(7));
    terminal
        .send(Method::DELETE, "/admin/faults", None)
        .await
        .unwrap();
    terminal.ok("account_info", json!({})).await;
    terminal.stop().await;
}

#[tokio::test]
async fn faults_that_make_no_sense_are_refused() {
    let terminal = Terminal::b3().await;
    let cases = [
        (json!({"fault": "explode"}), "fault explode is not known"),
        (
            json!({"fault": 7}),
            "fault 7 is neither a name nor an object of one",
        ),
        (
            json!({"fault": "delay_ms"}),
            "fault delay_ms needs its milliseconds as delay_ms",
        ),
        (
            json!({"fault": "partial", "share": "1.5"}),
            "share 1.5 is not between 0 and 1",
        ),
        (
            json!({"fault": "comment", "function": "positions_get"}),
            "fault comment can't strike positions_get, only order_send",
        ),
        (
            json!({"fault": "history_lag_ms", "ms": 5}),
            "fault history_lag_ms can't strike order_send, only history_",
        ),
    ];
    for (fault, message) in cases {
        assert_eq!(terminal.admin_refuses("fault", fault).await, message);
    }
    assert!(terminal.faults_left().await.is_empty());
    terminal.stop().await;
}
