//! Codes of an app, and those for the day the phone is lost.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};

use ponte::admin::auth::totp;
use ponte::clock;
use reqwest::StatusCode;

use super::{PASSWORD, SESSION, STEP, Site};

/// Sets a second factor as a person does: reads the secret, types its code. Gives the secret and the
/// recovery codes.
pub(super) fn set(site: &Site, user: &str) -> (String, Vec<String>) {
    let mut child = site.spawn(&["user", "totp", user, "--json"]);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut secret = None;
    let mut line = String::new();
    while secret.is_none() && stderr.read_line(&mut line).unwrap() > 0 {
        let found = line.split_once("secret=").map(|(_, rest)| rest);
        secret = found.map(|rest| rest.split('&').next().unwrap().to_owned());
        line.clear();
    }
    let secret = secret.unwrap();
    let code = totp::code_at(&secret, clock::now()).unwrap();
    writeln!(child.stdin.take().unwrap(), "{code}").unwrap();
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{rest}");
    let set: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let codes = set["recovery_codes"].as_array().unwrap();
    let codes = codes.iter().map(|code| code.as_str().unwrap().to_owned());
    (secret, codes.collect())
}

/// The code of the next half minute, which counts already: the present one was used when it was set.
pub(super) fn next_code(secret: &str) -> String {
    let later = clock::now().after(std::time::Duration::from_secs(30));
    totp::code_at(secret, later).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_asked_for_and_counts_once() {
    let mut site = Site::running().await;
    let before = site.signed_in("ana").await;
    let (secret, _) = set(&site, "ana");
    assert_eq!(
        before.get("/").await.place(),
        Some("/login"),
        "its sessions are over"
    );
    let browser = site.browser();
    let answer = browser.sign_in("ana", PASSWORD).await;
    assert_eq!(answer.place(), Some("/login/code"));
    assert_eq!(browser.cookie(SESSION), None);
    assert_eq!(
        browser.get("/").await.place(),
        Some("/login"),
        "half a sign-in opens nothing"
    );
    let half = browser.cookie(STEP).unwrap();
    let answer = browser.send("/login/code", &[("code", "000000")]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let code = next_code(&secret);
    let answer = browser.send("/login/code", &[("code", &code)]).await;
    assert_eq!(answer.place(), Some("/"), "{}", answer.text);
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    // The step is done, and the code is spent, also after a restart.
    let again = site.browser();
    again.plant(STEP, &half);
    let answer = again.send("/login/code", &[("code", &code)]).await;
    assert!(answer.text.contains("start again"), "{}", answer.text);
    site.ponte.stop().await;
    site.ponte.start().await;
    let again = site.browser();
    again.sign_in("ana", PASSWORD).await;
    let answer = again.send("/login/code", &[("code", &code)]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let acts = site.acts();
    assert_eq!(acts[0].1, "second_factor_failed");
    assert_eq!(acts[0].2, "user ana, right password, wrong code");
    assert!(acts.iter().any(|act| act.1 == "second_factor_set"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_code_opens_once() {
    let site = Site::running().await;
    let (_, codes) = set(&site, "ana");
    assert_eq!(codes.len(), 10);
    let browser = site.browser();
    browser.sign_in("ana", PASSWORD).await;
    let typed = codes[3].to_uppercase().replace('-', " ");
    let answer = browser.send("/login/code", &[("code", &typed)]).await;
    assert_eq!(answer.place(), Some("/"), "{}", answer.text);
    let again = site.browser();
    again.sign_in("ana", PASSWORD).await;
    let answer = again.send("/login/code", &[("code", &codes[3])]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let users = site.say(&["user", "list"], "");
    assert!(users.contains("9 recovery codes"), "{users}");
    let signed_in = site.acts();
    let signed_in = signed_in.iter().find(|act| act.1 == "signed_in").unwrap();
    assert!(
        signed_in.2.contains("a recovery code, 9 left"),
        "{}",
        signed_in.2
    );
    site.say(&["user", "totp", "ana", "--remove"], "");
    site.signed_in("ana").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_can_not_be_tried_for_ever() {
    let site = Site::running().await;
    let (secret, _) = set(&site, "ana");
    let browser = site.browser();
    browser.sign_in("ana", PASSWORD).await;
    for number in 0..6 {
        let guess = format!("{number:06}");
        let answer = browser.send("/login/code", &[("code", &guess)]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{number}");
    }
    let code = next_code(&secret);
    let answer = browser.send("/login/code", &[("code", &code)]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(site.acts().iter().any(|act| act.1 == "locked_out"));
}

#[test]
fn a_wrong_code_sets_nothing() {
    let site = Site::installed();
    site.add("ana", "view");
    let (status, said) = site.try_to_say(&["user", "totp", "ana"], "123");
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("nothing was changed"), "{said}");
    let users = site.say(&["user", "list", "--json"], "");
    let users: serde_json::Value = serde_json::from_str(&users).unwrap();
    assert_eq!(users[0]["totp"], false);
}
