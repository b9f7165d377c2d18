//! What the halves of a swap say, in the documentation's own answers.

use ponte_core::id::AlertId;

use super::*;

fn old() -> ClientOrderId {
    ClientOrderId::derive(AlertId(3), &[b"old"])
}

fn fate(body: &str) -> Fate {
    match read(body.as_bytes(), old()) {
        Some(Swapped::OldGone(fate) | Swapped::Nothing(fate)) => fate,
        Some(Swapped::Both(_)) => panic!("counts as done: {body}"),
        None => unreadable(),
    }
}

#[test]
fn both_halves_done() {
    let body = r#"{"cancelResult":"SUCCESS","newOrderResult":"SUCCESS",
        "cancelResponse":{"symbol":"BTCUSDT","status":"CANCELED"},
        "newOrderResponse":{"symbol":"BTCUSDT","orderId":12}}"#;
    let Some(Swapped::Both(answer)) = read(body.as_bytes(), old()) else {
        panic!("counts as not done");
    };
    assert_eq!(answer, r#"{"symbol":"BTCUSDT","orderId":12}"#);
}

#[test]
fn an_order_that_does_not_rest_any_more_stops_the_swap() {
    let body = r#"{"code":-2022,"msg":"Order cancel-replace failed.","data":{
        "cancelResult":"FAILURE","newOrderResult":"NOT_ATTEMPTED",
        "cancelResponse":{"code":-2011,"msg":"Unknown order sent."},"newOrderResponse":null}}"#;
    let Fate::NotSent {
        why: NotSent::Unreachable(why),
    } = fate(body)
    else {
        panic!("the new order was not tried");
    };
    assert!(why.contains("is not resting any more") && why.contains(&old().to_string()));
}

#[test]
fn a_new_order_that_was_refused_is_rejected() {
    let body = |code: i64, message: &str| {
        format!(
            r#"{{"code":-2021,"msg":"Order cancel-replace partially failed.","data":{{
            "cancelResult":"SUCCESS","newOrderResult":"FAILURE",
            "cancelResponse":{{"symbol":"BTCUSDT","status":"CANCELED"}},
            "newOrderResponse":{{"code":{code},"msg":"{message}"}}}}}}"#
        )
    };
    let refused = "Account has insufficient balance for requested action.";
    let reason = format!("{refused} (binance -2010)");
    assert_eq!(fate(&body(-2010, refused)), Fate::Rejected { reason });
    assert!(matches!(
        fate(&body(-1007, "Timeout")),
        Fate::Unknown { .. }
    ));
    let duplicate = fate(&body(-2010, "Duplicate order sent."));
    assert!(matches!(duplicate, Fate::Unknown { .. }));
}

#[test]
fn halves_that_can_not_be_are_unknown() {
    for (cancel, new) in [
        ("FAILURE", "SUCCESS"),
        ("FAILURE", "FAILURE"),
        ("NOT_ATTEMPTED", "NOT_ATTEMPTED"),
    ] {
        let body = format!(
            r#"{{"code":-2021,"msg":"x","data":{{"cancelResult":"{cancel}","newOrderResult":"{new}",
            "cancelResponse":{{"code":-2011,"msg":"x"}},"newOrderResponse":{{"code":-2010,"msg":"x"}}}}}}"#
        );
        assert!(
            matches!(fate(&body), Fate::Unknown { .. }),
            "{cancel} {new}"
        );
    }
    assert!(matches!(
        fate(r#"{"code":-2021,"msg":"x"}"#),
        Fate::Unknown { .. }
    ));
}
