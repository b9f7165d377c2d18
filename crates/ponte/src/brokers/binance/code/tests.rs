//! Every code and status that the documentation names, in one table.

use super::Class::{Benign, Duplicate, Final, NotFound, Resync, Retry, Unknown};
use super::*;
use Market::{Futures, Spot};

#[test]
fn codes_of_both_markets() {
    let cases = [
        (-1000, Unknown),
        (-1001, Unknown),
        (-1002, Final),
        (-1006, Unknown),
        (-1007, Unknown),
        (-1008, Retry),
        (-1013, Final),
        (-1014, Final),
        (-1015, Retry),
        (-1016, Retry),
        (-1021, Resync),
        (-1022, Final),
        (-1100, Final),
        (-1102, Final),
        (-1111, Final),
        (-1121, Final),
        (-1130, Final),
        (-2010, Final),
        (-2011, Benign),
        (-2013, NotFound),
        (-2014, Final),
        (-2015, Final),
    ];
    for (code, class) in cases {
        for market in [Spot, Futures] {
            assert_eq!(
                classify(market, 400, Some(code), "x"),
                class,
                "{market:?} {code}"
            );
        }
    }
}

#[test]
fn codes_of_spot() {
    for (code, class) in [
        (-2026, NotFound),
        (-2021, Unknown),
        (-2022, Unknown),
        (-2039, Final),
        (-1165, Final),
        (-1199, Final),
    ] {
        assert_eq!(classify(Spot, 400, Some(code), "x"), class, "{code}");
    }
}

#[test]
fn codes_of_futures() {
    let refused = [
        -2018, -2019, -2021, -2022, -2025, -2027, -2028, -4003, -4004, -4005, -4013, -4014, -4015,
        -4016, -4023, -4024, -4028, -4045, -4047, -4048, -4061, -4067, -4068, -4109, -4118, -4120,
        -4131, -4137, -4138, -4140, -4142, -4164, -4192, -4400, -4401, -5021, -5022,
    ];
    for code in refused {
        assert_eq!(classify(Futures, 400, Some(code), "x"), Final, "{code}");
    }
    for (code, class) in [
        (-5028, Resync),
        (-4116, Duplicate),
        (-4046, Benign),
        (-4059, Benign),
        (-4171, Benign),
    ] {
        assert_eq!(classify(Futures, 400, Some(code), "x"), class, "{code}");
    }
}

#[test]
fn a_duplicate_is_told_by_its_message() {
    let class = |message| classify(Spot, 400, Some(-2010), message);
    assert_eq!(class("Duplicate order sent."), Duplicate);
    assert_eq!(
        class("Account has insufficient balance for requested action."),
        Final
    );
}

#[test]
fn limits_are_certain_refusals() {
    for market in [Spot, Futures] {
        for status in [429, 418] {
            assert_eq!(classify(market, status, Some(-1003), "x"), Retry);
            assert_eq!(classify(market, status, None, ""), Retry);
        }
        // The same code with another status is "too many requests queued".
        assert_eq!(classify(market, 400, Some(-1003), "x"), Unknown);
    }
}

#[test]
fn a_server_error_is_unknown_unless_the_documentation_says_otherwise() {
    for market in [Spot, Futures] {
        for status in [500, 502, 503, 504] {
            assert_eq!(classify(market, status, None, ""), Unknown);
            assert_eq!(classify(market, status, Some(-1021), "x"), Unknown);
            assert_eq!(classify(market, status, Some(-2010), "x"), Unknown);
        }
        let unknown = "Unknown error, please check your request or try again later.";
        assert_eq!(classify(market, 503, None, unknown), Unknown);
        assert_eq!(classify(market, 503, Some(-1008), "busy"), Retry);
        assert_eq!(classify(market, 500, Some(-1008), "busy"), Unknown);
    }
    for message in CERTAIN_503 {
        assert_eq!(classify(Futures, 503, None, message), Retry);
        assert_eq!(classify(Spot, 503, None, message), Unknown);
        assert_eq!(classify(Futures, 502, None, message), Unknown);
    }
    assert_eq!(
        classify(Futures, 503, None, "Service Unavailable. Or so."),
        Unknown
    );
}

#[test]
fn what_is_in_no_list_is_unknown() {
    assert_eq!(classify(Spot, 403, None, ""), Unknown);
    assert_eq!(classify(Spot, 404, None, "not found"), Unknown);
    assert_eq!(classify(Spot, 408, Some(-1100), "x"), Unknown);
    assert_eq!(classify(Spot, 302, Some(-1100), "x"), Unknown);
    assert_eq!(classify(Spot, 400, Some(-9999), "x"), Unknown);
    assert_eq!(classify(Futures, 400, Some(-5999), "x"), Unknown);
    assert_eq!(classify(Spot, 400, Some(1), "x"), Unknown);
    // New members of families of refusals.
    assert_eq!(classify(Spot, 400, Some(-1155), "x"), Final);
    assert_eq!(classify(Spot, 400, Some(-2045), "x"), Final);
    assert_eq!(classify(Futures, 400, Some(-4777), "x"), Final);
}
