//! `[admin.remote]`: no password crosses a network in the clear, and nobody is led to believe so.

use expect_test::expect;

use super::{check, config, top};

const PAIR: &str = "certificate = \"c.pem\"\nkey = \"k.pem\"\n";

#[test]
fn it_needs_tls_or_a_proxy_on_this_machine() {
    check(
        &top("[admin.remote]\nnames = [\"ponte.example.com\"]\nlisten = \"0.0.0.0:8444\"\n"),
        &expect![[r#""#]],
    );
    check(
        &top("[admin.remote]\nnames = [\"ponte.example.com\"]\n"),
        &expect![[r#""#]],
    );
    check(
        &top("[admin.remote]\nnames = [\"ponte.example.com\"]\ncertificate = \"c.pem\"\n"),
        &expect![[r#""#]],
    );
    check(
        &top("[admin.remote]\nnames = [\"ponte.example.com\"]\nbehind_proxy = true\n"),
        &expect![[r#""#]],
    );
}

#[test]
fn it_answers_to_names() {
    for (names, said) in [
        ("", expect![[r#""#]]),
        ("names = []\n", expect![[r#""#]]),
        (
            "names = [\"https://ponte.example.com\", \"ponte.example.com:8444\"]\n",
            expect![[r#""#]],
        ),
    ] {
        check(&top(&format!("[admin.remote]\n{names}{PAIR}")), &said);
    }
    let text = format!(
        "[admin.remote]\nnames = [\"Ponte.Example.com\", \"[::1]\", \"::ffff:10.0.0.1\"]\n{PAIR}"
    );
    let remote = config(&top(&text)).admin.remote.unwrap();
    assert_eq!(remote.names, ["ponte.example.com", "::1", "10.0.0.1"]);
}

#[test]
fn what_contradicts_itself_is_said() {
    let text = format!(
        "[admin]\nlisten = \"127.0.0.1:8444\"\n[admin.remote]\nnames = [\"localhost\"]\n{PAIR}\
         trusted_proxies = [\"loopback\"]\nsession_idle = \"2d\"\nsession_max = \"1d\"\n"
    );
    check(&top(&text), &expect![[r#""#]]);
}
