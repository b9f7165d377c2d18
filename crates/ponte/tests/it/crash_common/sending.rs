//! What every sender of alerts does that never gives up on one.

use std::time::Duration;

use serde_json::Value;

/// An alert that was answered `200`.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    /// The number that the answer named; the first one's, when it was a duplicate.
    pub(crate) alert: String,
    pub(crate) body: String,
}

/// Spreads the bits of a number over all of them.
pub(crate) fn mix(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// Sends an alert again and again until it is answered `200`; gives its number.
pub(crate) async fn until_answered(client: &reqwest::Client, url: &str, body: &str) -> String {
    loop {
        let answer = client
            .post(url)
            .body(body.to_owned())
            .timeout(Duration::from_secs(3))
            .send();
        if let Ok(answer) = answer.await {
            let status = answer.status();
            let text = answer.text().await;
            if let (200, Ok(text)) = (status.as_u16(), &text) {
                let value: Value = serde_json::from_str(text).unwrap();
                return value["id"].as_str().unwrap().to_owned();
            }
            assert_eq!(
                status.as_u16(),
                503,
                "only 503 asks for another try: {text:?} to {body}"
            );
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
