use super::*;

const TEST: &str = r#"{"action":"heartbeat","strategy":"ponte-selftest"}"#;

fn make(tests: &SelfTests) -> Ticket {
    let messages = |_: &str| Messages {
        test: TEST.to_owned(),
        closing: None,
    };
    tests.make(messages).unwrap()
}

fn headers(value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(HEADER, value.parse().unwrap());
    headers
}

#[tokio::test]
async fn a_test_is_recognised_once() {
    let tests = SelfTests::new();
    let ticket = make(&tests);
    let claim = tests.claim(&headers(&ticket.header)).unwrap();
    assert!(tests.recognise(claim, TEST.as_bytes()).is_some());
    assert!(tests.claim(&headers(&ticket.header)).is_none());
}

#[tokio::test]
async fn of_two_that_claim_at_once_one_is_taken() {
    let tests = SelfTests::new();
    let ticket = make(&tests);
    let [one, two] = [(); 2].map(|()| tests.claim(&headers(&ticket.header)).unwrap());
    assert!(tests.recognise(one, TEST.as_bytes()).is_some());
    assert!(tests.recognise(two, TEST.as_bytes()).is_none());
}

#[tokio::test]
async fn what_was_forged_is_a_strangers() {
    let tests = SelfTests::new();
    let ticket = make(&tests);
    let parts: Vec<&str> = ticket.header.split('.').collect();
    let other = make(&SelfTests::new());
    for header in [
        other.header.clone(),
        format!("{}.{}.{}", parts[0], parts[1], "0".repeat(64)),
        format!("{}.{}.{}", parts[0], "9".repeat(18), parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        String::new(),
    ] {
        let claim = tests.claim(&headers(&header));
        let taken = claim.and_then(|claim| tests.recognise(claim, TEST.as_bytes()));
        assert!(taken.is_none(), "{header}");
    }
    let claim = tests.claim(&headers(&ticket.header)).unwrap();
    let changed = TEST.replace("heartbeat", "buy");
    assert!(tests.recognise(claim, changed.as_bytes()).is_none());
    // None of that has used it up.
    let claim = tests.claim(&headers(&ticket.header)).unwrap();
    assert!(tests.recognise(claim, TEST.as_bytes()).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_test_is_over_after_its_time() {
    let tests = SelfTests::new();
    let ticket = make(&tests);
    let claim = tests.claim(&headers(&ticket.header)).unwrap();
    tokio::time::advance(VALID_FOR).await;
    assert!(tests.claim(&headers(&ticket.header)).is_none());
    assert!(tests.recognise(claim, TEST.as_bytes()).is_none());
}

#[tokio::test(start_paused = true)]
async fn so_many_a_minute_are_made_and_no_more() {
    let tests = SelfTests::new();
    for _ in 0..PER_MINUTE_MAX {
        make(&tests);
    }
    let none = |_: &str| Messages {
        test: TEST.to_owned(),
        closing: None,
    };
    assert_eq!(tests.make(none), Err(TooMany));
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(tests.make(none).is_ok());
}
