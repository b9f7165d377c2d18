//! `[admin.remote]`: no password crosses a network in the clear, and nobody is led to believe so.

use expect_test::expect;

use super::{check, config, top};

const PAIR: &str = "certificate = \"c.pem\"\nkey = \"k.pem\"\n";

#[test]
fn it_needs_tls_or_a_proxy_on_this_machine() {
    check(
        &top("[admin.remote]\nnames = [\"ponte.example.com\"]\nlisten = \"0.0.0.0:8444\"\n"),
        &expect![[r#"
            ponte.toml:3:10: admin.remote.listen: 0.0.0.0:8444 is not a loopback address, and without certificate and key passwords would cross the network in the clear; add both: ponte admin certificate --host NAME writes a pair; or write "127.0.0.1:8444" with behind_proxy = true and put a proxy with TLS in front
              3 | listen = "0.0.0.0:8444"
                |          ^^^^^^^^^^^^^^"#]],
    );
    check(
        &top("[admin.remote]\nnames = [\"ponte.example.com\"]\n"),
        &expect![[r#"
            ponte.toml:1:1: admin.remote.certificate: missing, and browsers send no password and keep no cookie without TLS; add certificate and key: ponte admin certificate --host NAME writes a pair; or behind_proxy = true where a proxy on this machine speaks TLS
              1 | [admin.remote]
                | ^^^^^^^^^^^^^^"#]],
    );
    check(
        &top("[admin.remote]\nnames = [\"ponte.example.com\"]\ncertificate = \"c.pem\"\n"),
        &expect![[r#"
            ponte.toml:1:1: admin.remote.key: missing, and certificate is of no use without it; ponte admin certificate --host NAME writes a pair
              1 | [admin.remote]
                | ^^^^^^^^^^^^^^"#]],
    );
    check(
        &top("[admin.remote]\nnames = [\"ponte.example.com\"]\nbehind_proxy = true\n"),
        &expect![[r#"
            ponte.toml:1:1: warning: admin.remote.trusted_proxies: missing, and everybody would seem to come from the proxy; add trusted_proxies = ["loopback"], or the proxy's address
              1 | [admin.remote]
                | ^^^^^^^^^^^^^^"#]],
    );
}

#[test]
fn it_answers_to_names() {
    for (names, said) in [
        (
            "",
            expect![[r#"
            ponte.toml:1:1: admin.remote.names: missing; add names = ["ponte.example.com"]
              1 | [admin.remote]
                | ^^^^^^^^^^^^^^"#]],
        ),
        (
            "names = []\n",
            expect![[r#"
            ponte.toml:2:9: admin.remote.names: is empty, and Ponte would answer to no name; write the name in your browser's address bar
              2 | names = []
                |         ^^"#]],
        ),
        (
            "names = [\"https://ponte.example.com\", \"ponte.example.com:8444\"]\n",
            expect![[r#"
                ponte.toml:2:10: admin.remote.names: "https://ponte.example.com" is not the name of a host; write only the name, without https:// and port: "ponte.example.com"
                  2 | names = ["https://ponte.example.com", "ponte.example.com:8444"]
                    |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^
                ponte.toml:2:39: admin.remote.names: "ponte.example.com:8444" is not the name of a host; write only the name, without https:// and port: "ponte.example.com"
                  2 | names = ["https://ponte.example.com", "ponte.example.com:8444"]
                    |                                       ^^^^^^^^^^^^^^^^^^^^^^^^"#]],
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
    check(
        &top(&text),
        &expect![[r#"
        ponte.toml:3:1: admin.remote.listen: port 8444 is both the admin side's and the owner's from elsewhere; give each its own port
          3 | [admin.remote]
            | ^^^^^^^^^^^^^^
        ponte.toml:8:16: admin.remote.session_idle: is longer than session_max, which is 1d; write a shorter one, or a longer session_max
          8 | session_idle = "2d"
            |                ^^^^
        ponte.toml:7:19: warning: admin.remote.trusted_proxies: has no effect, behind_proxy is false; add behind_proxy = true, or take it out
          7 | trusted_proxies = ["loopback"]
            |                   ^^^^^^^^^^^^"#]],
    );
}
