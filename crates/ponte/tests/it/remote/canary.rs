//! Passwords, codes, tokens and cookies are in nothing that Ponte writes, prints or answers.

use std::path::Path;

use reqwest::Method;

use super::second_factor::{next_code, set};
use super::{DEVICE, PASSWORD, SESSION, STEP, Site, whole};

#[tokio::test(flavor = "multi_thread")]
async fn what_opens_stays_inside() {
    let mut site = Site::installed();
    site.ponte.set_log_filter("trace");
    site.add("ana", "operate");
    site.ponte.start().await;
    let token = site.token("canary", "operate");
    let (secret, recovery) = set(&site, "ana");
    let browser = site.browser();
    let mut seen = String::new();
    let mut opens = vec![PASSWORD.to_owned(), token.clone()];
    // The password in the field of the name, as it happens.
    seen += &browser.sign_in("CANARY in a hurry 77", PASSWORD).await.text;
    opens.push("CANARY in a hurry 77".to_owned());
    seen += &browser.sign_in("ana", "CANARY wrong password").await.text;
    opens.push("CANARY wrong password".to_owned());
    seen += &browser.sign_in("ana", PASSWORD).await.text;
    opens.push(browser.cookie(STEP).unwrap());
    seen += &browser
        .send("/login/code", &[("code", "CANARY-991-771")])
        .await
        .text;
    opens.push("CANARY-991-771".to_owned());
    let code = next_code(&secret);
    seen += &browser.send("/login/code", &[("code", &code)]).await.text;
    let cookies = [SESSION, DEVICE].map(|name| browser.cookie(name).unwrap());
    let csrf = browser.csrf().await;
    opens.extend(cookies);
    opens.extend(recovery);
    for path in ["/api/status", "/metrics", "/api/alerts", "/nothing"] {
        seen += &browser.get(path).await.text;
        let request = site.request(Method::GET, path).bearer_auth(&token);
        seen += &whole(request).await.text;
    }
    // The pages themselves carry the csrf token, and nothing else does.
    let pages = browser.get("/").await.text + &browser.get("/sessions").await.text;
    assert!(pages.contains(&csrf));
    for command in [
        &["status", "--json"][..],
        &["user", "list"],
        &["user", "list", "--json"],
        &["token", "list", "--json"],
        &["audit", "log"],
        &["export"],
        &["check"],
    ] {
        seen += &site.say(command, "");
    }
    browser.post("/sign-out", &[]).await;
    site.ponte.stop().await;
    let log = site.ponte.whole_log();
    for proof in ["somebody did not get in", "second_factor_failed"] {
        assert!(log.contains(proof), "nothing of {proof:?}");
    }
    let data = site.ponte.folder().join("data");
    opens.push(csrf);
    for canary in &opens {
        assert_silent(
            "a page",
            pages.as_bytes(),
            canary,
            opens.last() == Some(canary),
        );
        assert_silent("an answer", seen.as_bytes(), canary, false);
        assert_silent("the log", log.as_bytes(), canary, false);
        silent_files(&data, canary);
    }
    // A second factor's secret has to be kept, in the one file that is its owner's alone.
    assert_silent("an answer", (seen + &pages).as_bytes(), &secret, false);
    assert_silent("the log", log.as_bytes(), &secret, false);
    std::fs::remove_file(data.join("admin/users.json")).unwrap();
    silent_files(&data, &secret);
}

fn assert_silent(what: &str, bytes: &[u8], canary: &str, allowed: bool) {
    assert!(canary.len() >= 11, "{} bytes prove nothing", canary.len());
    let found = bytes
        .windows(canary.len())
        .position(|window| window == canary.as_bytes());
    if let (Some(place), false) = (found, allowed) {
        let around = &bytes[place.saturating_sub(200)..(place + 60).min(bytes.len())];
        panic!("it is in {what}: {}", String::from_utf8_lossy(around));
    }
}

fn silent_files(folder: &Path, canary: &str) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            silent_files(&path, canary);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            assert_silent(&path.display().to_string(), &bytes, canary, false);
        }
    }
}
