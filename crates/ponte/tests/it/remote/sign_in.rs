//! Signing in and out: cookies, fixation, lock-out, names that nobody has.

use reqwest::{Method, StatusCode};

use super::{DEVICE, PASSWORD, SESSION, Site, whole};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_has_a_new_cookie_with_all_flags() {
    let site = Site::running().await;
    let browser = site.browser();
    // Somebody has planted an id that they know.
    browser.plant(SESSION, "planted-by-somebody-else");
    let answer = browser.sign_in(" Ana ", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.place(), Some("/"));
    let lines = answer.cookies();
    let flags = |name: &str| {
        let line = lines
            .iter()
            .find(|line| line.starts_with(&format!("{name}=")));
        line.unwrap().split_once("; ").unwrap().1.to_owned()
    };
    let strict = "Path=/; Secure; HttpOnly; SameSite=Strict";
    assert_eq!(flags(SESSION), format!("{strict}; Max-Age=604800"));
    assert_eq!(flags(DEVICE), format!("{strict}; Max-Age=15552000"));
    let id = browser.cookie(SESSION).unwrap();
    assert_ne!(id, "planted-by-somebody-else");
    assert_eq!(id.len(), 43, "256 bits");
    let other = site.browser();
    other.plant(SESSION, "planted-by-somebody-else");
    assert_eq!(other.get("/").await.place(), Some("/login"));

    // A second sign-in in the same browser has another id, and the first one is over.
    browser.sign_in("ana", PASSWORD).await;
    assert_ne!(browser.cookie(SESSION).unwrap(), id);
    other.plant(SESSION, &id);
    assert_eq!(other.get("/").await.place(), Some("/login"));
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_the_session() {
    let site = Site::running().await;
    let browser = site.signed_in("ana").await;
    let id = browser.cookie(SESSION).unwrap();
    let page = browser.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("Kill switch"), "{}", page.text);
    assert_eq!(browser.get("/login").await.place(), Some("/"));
    let answer = browser.post("/sign-out", &[]).await;
    assert_eq!(answer.place(), Some("/login?out=1"));
    assert_eq!(browser.cookie(SESSION), None);
    browser.plant(SESSION, &id);
    assert_eq!(browser.get("/").await.place(), Some("/login"));
    let acts = site.acts();
    let words: Vec<_> = acts
        .iter()
        .map(|act| (act.0.as_str(), act.1.as_str()))
        .collect();
    assert_eq!(words[..2], [("ana", "signed_out"), ("ana", "signed_in")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_waits_and_learns_nothing() {
    let site = Site::running().await;
    let mut seen = Vec::new();
    for name in ["ana", "nobody"] {
        // A fresh start for each: the address is the same.
        site.say(&["user", "unlock", "ana"], "");
        let browser = site.browser();
        let mut answers = Vec::new();
        for _ in 0..6 {
            answers.push(browser.sign_in(name, "wrong password, and long").await);
        }
        assert!(
            answers
                .iter()
                .all(|answer| answer.status == StatusCode::UNAUTHORIZED)
        );
        let answer = browser.sign_in(name, PASSWORD).await;
        assert_eq!(
            answer.status,
            StatusCode::TOO_MANY_REQUESTS,
            "even with the right one"
        );
        assert!(answer.text.contains("Try again in 1 s"), "{}", answer.text);
        seen.push((answers.remove(0).text, answer.text));
    }
    assert_eq!(seen[0], seen[1]);
    // The machine's owner lets ana in at once.
    site.say(&["user", "unlock", "ana"], "");
    site.signed_in("ana").await;
    let acts = site.acts();
    let find = |action: &str| {
        let details = acts.iter().filter(|act| act.1 == action);
        details
            .map(|act| (act.0.as_str(), act.2.as_str()))
            .collect::<Vec<_>>()
    };
    let from = "127.0.0.1";
    let failed = find("sign_in_failed");
    assert_eq!(failed.len(), 12);
    assert!(
        failed.contains(&(from, "user ana, wrong password")),
        "{failed:?}"
    );
    let nobody = (from, "a name that no user has, wrong password");
    assert!(failed.contains(&nobody), "{failed:?}");
    assert_eq!(
        find("locked_out"),
        [
            (
                from,
                "a name that no user has, the next attempt has to wait 1 s"
            ),
            (from, "user ana, the next attempt has to wait 1 s"),
        ]
    );
    assert_eq!(find("user_unlocked").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_was_signed_in_before_does_not_wait_for_strangers() {
    let site = Site::running().await;
    let owner = site.signed_in("ana").await;
    owner.post("/sign-out", &[]).await;
    let stranger = site.browser();
    for _ in 0..6 {
        stranger.sign_in("ana", "wrong password, and long").await;
    }
    let waits = stranger.sign_in("ana", PASSWORD).await;
    assert_eq!(waits.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(owner.sign_in("ana", PASSWORD).await.place(), Some("/"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_can_sign_nobody_in() {
    let site = Site::running().await;
    let body = super::form(&[("user", "ana"), ("password", PASSWORD)]);
    for origin in [
        None,
        Some("https://evil.example"),
        Some("null"),
        Some("http://localhost"),
    ] {
        let mut request = site
            .request(Method::POST, "/login")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.clone());
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let answer = whole(request).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin:?}");
        assert_eq!(answer.cookies(), [] as [String; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_and_huge_forms_are_refused() {
    let site = Site::running().await;
    let browser = site.browser();
    for fields in [
        &[("user", "ana")][..],
        &[("password", PASSWORD)],
        &[("user", "ana"), ("user", "eva"), ("password", PASSWORD)],
    ] {
        let answer = browser.send("/login", fields).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{fields:?}");
    }
    let long = "x".repeat(300);
    let answer = browser.sign_in("ana", &long).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let answer = browser.sign_in(&long, PASSWORD).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let huge = "x".repeat(9000);
    let answer = browser.sign_in("ana", &huge).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    site.signed_in("ana").await;
}
