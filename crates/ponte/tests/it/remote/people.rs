//! Users and what they do: changes that end sessions, the record, the pages' forms.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{PASSWORD, Site, whole};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_user_it_does_not_start() {
    let site = Site::installed();
    let (status, said) = site.try_to_say(&["run"], "");
    assert_eq!(status, 3, "{said}");
    assert!(said.contains("there is no user"), "{said}");
    assert!(
        said.contains("try: ponte user add NAME --role operate"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_end_sessions_at_once() {
    let site = Site::running().await;
    for (user, change, input) in [
        ("ana", &["user", "password", "ana"][..], PASSWORD),
        ("ana", &["user", "role", "ana", "view"], ""),
        ("eva", &["user", "remove", "eva"], ""),
    ] {
        let browser = site.signed_in(user).await;
        assert_eq!(browser.get("/").await.status, StatusCode::OK);
        site.say(change, input);
        assert_eq!(browser.get("/").await.place(), Some("/login"), "{change:?}");
        assert_eq!(
            browser.get("/api/status").await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    let browser = site.signed_in("ana").await;
    let page = browser.get("/").await.text;
    assert!(page.contains("Your role is view"), "{page}");
    assert!(!page.contains("Kill switch"), "{page}");
    let answer = site.browser().sign_in("eva", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let acts = site.acts();
    for action in [
        "user_added",
        "password_changed",
        "user_role_changed",
        "user_removed",
    ] {
        assert!(
            acts.iter()
                .any(|act| act.1 == action && act.0 == "root (cli)"),
            "{action}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_did_it_is_who_is_known_whatever_the_body_says() {
    let site = Site::running().await;
    let token = site.token("panic-button", "operate");
    let halt = json!({"scope": "global", "by": "somebody else", "reason": "news"});
    let answer = whole(
        site.request(Method::POST, "/api/halt")
            .bearer_auth(&token)
            .json(&halt),
    )
    .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.json()["halts"][0]["by"], "token panic-button");
    let ana = site.signed_in("ana").await;
    let page = ana.get("/").await.text;
    assert!(
        page.contains("Halted") && page.contains("token panic-button"),
        "{page}"
    );
    let asked = ana.get("/resume?scope=global").await.text;
    assert!(asked.contains("Yes, resume"), "{asked}");
    let answer = ana
        .post("/resume", &[("scope", "global"), ("by", "x")])
        .await;
    assert_eq!(answer.place(), Some("/?done=resume"));
    let answer = ana.post("/resume", &[("scope", "global")]).await;
    assert_eq!(answer.place(), Some("/?done=nothing"));
    let acts = site.acts();
    let acts: Vec<_> = acts
        .iter()
        .take(4)
        .map(|(by, action, detail)| (by.as_str(), action.as_str(), detail.as_str()))
        .collect();
    assert_eq!(
        acts,
        [
            ("ana", "halt_lifted", "everything"),
            ("ana", "signed_in", "from 127.0.0.1, with a password"),
            (
                "token panic-button",
                "halt_set",
                "everything, block-entries, news"
            ),
            (
                "root (cli)",
                "token_made",
                "token panic-button, role operate, never expires"
            ),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_are_closed_after_a_second_look() {
    let site = Site::running().await;
    let alert = format!(
        r#"{{"secret":"{}","action":"buy","symbol":"BTCUSDT","quantity":0.01,"price":65000}}"#,
        crate::program::SECRET
    );
    assert_eq!(site.ponte.send(&alert).await.0, 200);
    site.ponte.wait_until_settled().await;
    let ana = site.signed_in("ana").await;
    let fields = [
        ("scope", "account paper"),
        ("level", "flatten"),
        ("reason", "enough"),
    ];
    let asked = ana.post("/halt", &fields).await;
    assert_eq!(asked.status, StatusCode::OK);
    assert!(asked.text.contains("Yes, close and halt"), "{}", asked.text);
    let status = ana.get("/api/status").await.json();
    assert_eq!(status["halts"], json!([]));
    let mut confirmed = fields.to_vec();
    confirmed.push(("confirmed", "true"));
    assert_eq!(
        ana.post("/halt", &confirmed).await.place(),
        Some("/?done=halt")
    );
    site.ponte.wait_until_settled().await;
    let positions = site.ponte.positions().await;
    assert_eq!(positions[0]["quantity"], "0", "{positions}");
    let page = ana.get("/").await.text;
    assert!(
        page.contains("Partly halted") && page.contains("enough"),
        "{page}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn own_sessions_are_listed_and_ended() {
    let site = Site::running().await;
    let phone = site.signed_in("ana").await;
    let laptop = site.signed_in("ana").await;
    let eva = site.signed_in("eva").await;
    let page = phone.get("/sessions").await.text;
    let names: Vec<&str> = page
        .split("name=\"session\" value=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(names.len(), 1, "{page}");
    // Somebody else's session is not theirs to end.
    let answer = eva.post("/sessions/end", &[("session", names[0])]).await;
    assert_eq!(answer.place(), Some("/sessions"));
    assert_eq!(laptop.get("/").await.status, StatusCode::OK);
    let answer = phone.post("/sessions/end", &[("session", names[0])]).await;
    assert_eq!(answer.place(), Some("/sessions?done=1"));
    assert_eq!(laptop.get("/").await.place(), Some("/login"));
    assert_eq!(phone.get("/").await.status, StatusCode::OK);
    laptop.sign_in("ana", PASSWORD).await;
    phone.post("/sessions/end", &[]).await;
    assert_eq!(laptop.get("/").await.place(), Some("/login"));
    assert_eq!(eva.get("/").await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_speak_two_languages() {
    let site = Site::running().await;
    let browser = site.signed_in("ana").await;
    let request = browser
        .request(Method::GET, "/")
        .header("accept-language", "pt-BR,pt;q=0.9");
    let page = whole(request).await.text;
    assert!(
        page.contains("lang=\"pt-BR\"") && page.contains("Botão de emergência"),
        "{page}"
    );
    assert_eq!(browser.get("/language/pt").await.place(), Some("/"));
    let page = browser.get("/").await.text;
    assert!(page.contains("Operando"), "{page}");
    browser.get("/language/en").await;
    assert!(browser.get("/").await.text.contains("Trading"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_off_is_seen_from_the_phone() {
    let site = Site::running().await;
    let browser = site.signed_in("ana").await;
    let page = browser.get("/").await.text;
    assert!(page.contains("Alerts are taken"), "{page}");
    let off = ["source", "off", "main", "--reason", "lost <the> phone"];
    site.say(&off, "");
    let page = browser.get("/").await.text;
    for words in [
        "Source main</b> <span class=\"badge bad\">off",
        "<q>lost &lt;the&gt; phone</q>",
        "ponte source on NAME",
    ] {
        assert!(page.contains(words), "{page}");
    }
    assert!(!page.contains("Alerts are taken"), "{page}");
    site.say(&["source", "on", "main"], "");
    let page = browser.get("/").await.text;
    assert!(page.contains("Alerts are taken"), "{page}");
}

/// Commands with what they are given, how they end and what they say.
const COMMANDS: &[(&[&str], &str, i32, &str)] = &[
    (
        &["user", "add", "ana", "--role", "operate"],
        "short",
        1,
        "5 characters, the minimum is 12",
    ),
    (
        &["user", "add", "ana", "--role", "operate"],
        "senha-senha-2026",
        1,
        "--generate",
    ),
    (
        &["user", "add", "a b", "--role", "operate"],
        PASSWORD,
        2,
        "can't be a name",
    ),
    (
        &["user", "add", "ana", "--role", "king"],
        PASSWORD,
        2,
        "view",
    ),
    (
        &["user", "add", "Ana", "--role", "operate"],
        PASSWORD,
        0,
        "added ana",
    ),
    (
        &["user", "add", "ana", "--role", "view"],
        PASSWORD,
        1,
        "already",
    ),
    (&["user", "role", "eva", "view"], "", 1, "there is ana"),
    (
        &["user", "add", "eva", "--role", "view", "--generate"],
        "",
        0,
        "shown this once",
    ),
    (
        &["token", "add", "t", "--role", "view", "--expires", "5m"],
        "",
        2,
        "90d",
    ),
    (
        &["token", "add", "t", "--role", "view", "--expires", "90d"],
        "",
        0,
        "ponte_",
    ),
    (&["token", "add", "t", "--role", "view"], "", 1, "already"),
    (&["token", "revoke", "u"], "", 1, "there is t"),
    (&["token", "revoke", "t"], "", 0, "revoked"),
];

#[test]
fn users_and_tokens_are_kept_without_a_running_ponte() {
    let site = Site::installed();
    for (arguments, input, status, said) in COMMANDS {
        let (found, text) = site.try_to_say(arguments, input);
        assert_eq!(found, *status, "{arguments:?}: {text}");
        assert!(text.contains(said), "{arguments:?}: {text}");
    }
    let acts = site.acts();
    let actions: Vec<&str> = acts.iter().map(|act| act.1.as_str()).collect();
    assert_eq!(
        actions,
        ["token_revoked", "token_made", "user_added", "user_added"]
    );
}
