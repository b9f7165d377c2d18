//! Address ranges, and whose word about the client is believed.

use std::net::IpAddr;

use ponte::config::{AllowFrom, Cidr, ClientAddress, NamedSet, Proxy, parse};

use super::PARTS;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn ranges_are_read_and_shown() {
    for (text, expected) in [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("52.89.214.238", "52.89.214.238"),
        ("52.89.214.238/32", "52.89.214.238"),
        ("::ffff:52.89.214.238", "52.89.214.238"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("::/0", "::/0"),
        (
            "10.1.0.0/8",
            "has bits set past its length, the range begins at 10.0.0.0/8",
        ),
        ("10.0.0.0/33", "has no length from 0 to 32 after the stroke"),
        ("10.0.0.0/", "has no length from 0 to 32 after the stroke"),
        ("10.0.0.0/-1", "has no length from 0 to 32 after the stroke"),
        (
            "::ffff:10.0.0.0/8",
            "has no length from 0 to 128 after the stroke",
        ),
        (
            "2001:db8::/129",
            "has no length from 0 to 128 after the stroke",
        ),
        ("10.0.0", "is not an address or a range of addresses"),
        ("", "is not an address or a range of addresses"),
    ] {
        let read = match text.parse::<Cidr>() {
            Ok(range) => range.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(read, expected, "{text}");
    }
}

#[test]
fn ranges_contain() {
    for (range, address, expected) in [
        ("10.0.0.0/8", "10.255.255.255", true),
        ("10.0.0.0/8", "11.0.0.0", false),
        ("10.0.0.0/8", "::ffff:10.1.2.3", true),
        ("0.0.0.0/0", "1.2.3.4", true),
        ("0.0.0.0/0", "2001:db8::1", false),
        ("::/0", "2001:db8::1", true),
        ("::/0", "1.2.3.4", false),
        ("2001:db8::/33", "2001:db8:7fff::", true),
        ("2001:db8::/33", "2001:db8:8000::", false),
        ("1.2.3.4", "1.2.3.4", true),
        ("1.2.3.4", "1.2.3.5", false),
    ] {
        let range: Cidr = range.parse().unwrap();
        assert_eq!(range.contains(ip(address)), expected, "{range} {address}");
    }
}

#[test]
fn named_sets_contain() {
    let contains =
        |set: NamedSet, address| set.ranges().iter().any(|range| range.contains(ip(address)));
    assert!(contains(NamedSet::Loopback, "127.8.0.1") && contains(NamedSet::Loopback, "::1"));
    for address in [
        "10.0.0.9",
        "172.31.0.1",
        "192.168.1.1",
        "100.100.0.1",
        "fd00::1",
        "fe80::1",
    ] {
        assert!(contains(NamedSet::Private, address), "{address}");
    }
    for address in [
        "172.32.0.1",
        "100.128.0.1",
        "8.8.8.8",
        "127.0.0.1",
        "2001:db8::1",
    ] {
        assert!(!contains(NamedSet::Private, address), "{address}");
    }
}

#[test]
fn the_client_is_believed_from_proxies_only() {
    use ClientAddress::{CfConnectingIp, Peer, XForwardedFor, XRealIp};
    let trusted: Vec<Cidr> = vec!["10.0.0.0/8".parse().unwrap()];
    for (way, peer, lines, expected) in [
        (Peer, "10.0.0.1", &["1.1.1.1"][..], Some("10.0.0.1")),
        (XForwardedFor, "9.9.9.9", &["1.1.1.1"], Some("9.9.9.9")),
        (
            XForwardedFor,
            "::ffff:9.9.9.9",
            &["1.1.1.1"],
            Some("9.9.9.9"),
        ),
        (
            XForwardedFor,
            "::ffff:10.0.0.1",
            &["1.1.1.1"],
            Some("1.1.1.1"),
        ),
        (
            XForwardedFor,
            "10.0.0.1",
            &["6.6.6.6, 1.1.1.1"],
            Some("1.1.1.1"),
        ),
        (
            XForwardedFor,
            "10.0.0.1",
            &["6.6.6.6", "1.1.1.1 , 10.0.0.2"],
            Some("1.1.1.1"),
        ),
        (
            XForwardedFor,
            "10.0.0.1",
            &["1.1.1.1:4711"],
            Some("1.1.1.1"),
        ),
        (
            XForwardedFor,
            "10.0.0.1",
            &["::ffff:1.1.1.1"],
            Some("1.1.1.1"),
        ),
        (XForwardedFor, "10.0.0.1", &[], None),
        (XForwardedFor, "10.0.0.1", &["10.0.0.3"], None),
        (XForwardedFor, "10.0.0.1", &["1.1.1.1, unknown"], None),
        (XForwardedFor, "10.0.0.1", &["1.1.1.1,"], None),
        (XRealIp, "10.0.0.1", &["1.1.1.1"], Some("1.1.1.1")),
        (XRealIp, "10.0.0.1", &["1.1.1.1", "2.2.2.2"], None),
        (XRealIp, "10.0.0.1", &["1.1.1.1, 2.2.2.2"], None),
        (CfConnectingIp, "9.9.9.9", &["1.1.1.1"], Some("9.9.9.9")),
        (CfConnectingIp, "10.0.0.1", &[], None),
    ] {
        let client = way.resolve(ip(peer), &trusted, lines);
        assert_eq!(client, expected.map(ip), "{way:?} {peer} {lines:?}");
    }
}

#[test]
fn cloudflares_ranges_are_all_read() {
    let ranges = NamedSet::Cloudflare.ranges();
    assert_eq!(ranges.len(), 22);
    for (address, expected) in [
        ("104.22.17.40", true),
        ("172.71.255.255", true),
        ("2606:4700::1", true),
        ("52.89.214.238", false),
        ("127.0.0.1", false),
    ] {
        let found = ranges.iter().any(|range| range.contains(ip(address)));
        assert_eq!(found, expected, "{address}");
    }
}

#[test]
fn an_entry_is_counted_from_the_right() {
    let trusted: Vec<Cidr> = vec!["10.0.0.0/8".parse().unwrap()];
    let client = "1.1.1.1";
    for (position, lines, expected) in [
        (1, &["6.6.6.6, 1.1.1.1"][..], Some(client)),
        (2, &["6.6.6.6, 1.1.1.1, 104.22.17.40"], Some(client)),
        (2, &["6.6.6.6", "1.1.1.1", "104.22.17.40"], Some(client)),
        (2, &["6.6.6.6, 1.1.1.1", "104.22.17.40"], Some(client)),
        (2, &["1.1.1.1, 10.0.0.9"], Some(client)),
        (3, &["1.1.1.1,2.2.2.2 ,3.3.3.3"], Some(client)),
        (2, &["104.22.17.40"], None),
        (2, &[], None),
        (1, &[""], None),
        (2, &["unknown, 104.22.17.40"], None),
        (2, &["\"1.1.1.1\", 104.22.17.40"], None),
        (16, &["1.1.1.1, 2.2.2.2"], None),
        (0, &["1.1.1.1"], None),
    ] {
        let way = ClientAddress::XForwardedForNth(position);
        let found = way.resolve(ip("10.0.0.1"), &trusted, lines);
        assert_eq!(found, expected.map(ip), "{position} {lines:?}");
    }
}

/// Who forges what, behind each preset: the peer, the lines of its header, and who it is then.
#[test]
fn nobody_forges_an_address_behind_a_preset() {
    const CLIENT: &str = "203.0.113.9";
    const FORGED: &str = "52.89.214.238";
    let cloudflare = NamedSet::Cloudflare.ranges();
    for (name, proxy) in Proxy::ALL {
        let (way, trusted) = (proxy.client_address(), proxy.addresses(&cloudflare));
        // The peer as it is at home there; and one that is anybody.
        let peer = match proxy {
            Proxy::None => {
                assert_eq!((way, trusted.len()), (ClientAddress::XForwardedFor, 0));
                continue;
            }
            Proxy::Fly => "172.16.12.34",
            Proxy::Render => "10.21.157.68",
            Proxy::Railway => "100.64.0.3",
            Proxy::Cloudflare => "172.71.1.2",
            Proxy::CloudflareTunnel | Proxy::Nginx | Proxy::Caddy | Proxy::Ngrok => "127.0.0.1",
        };
        let wrapped = if peer.contains(':') {
            peer.to_owned()
        } else {
            format!("::ffff:{peer}")
        };
        let overwrites = [CLIENT.to_string()];
        let appends = [format!("{FORGED}, {CLIENT}")];
        let appends_line = [FORGED.to_owned(), CLIENT.to_owned()];
        let two_hops = [format!("{FORGED}, {FORGED}, {CLIENT}, 104.22.17.40")];
        let (honest, forged): (&[String], Vec<&[String]>) = match way {
            ClientAddress::XForwardedForNth(2) => (&two_hops, vec![&two_hops]),
            ClientAddress::XForwardedFor => (&overwrites, vec![&appends, &appends_line]),
            ClientAddress::XRealIp | ClientAddress::CfConnectingIp | ClientAddress::FlyClientIp => {
                (&overwrites, vec![])
            }
            ClientAddress::Peer | ClientAddress::XForwardedForNth(_) => panic!("{name}: {way:?}"),
        };
        let resolved = |peer: &str, lines: &[String]| {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            way.resolve(ip(peer), &trusted, &lines)
        };
        for peer in [peer, &wrapped] {
            assert_eq!(resolved(peer, honest), Some(ip(CLIENT)), "{name}: honest");
            for lines in &forged {
                assert_eq!(resolved(peer, lines), Some(ip(CLIENT)), "{name}: {lines:?}");
            }
            assert_eq!(resolved(peer, &[]), None, "{name}: missing");
            assert_eq!(resolved(peer, &["".to_owned()]), None, "{name}: empty");
            assert_eq!(
                resolved(peer, &["me".to_owned()]),
                None,
                "{name}: unreadable"
            );
            if matches!(
                way,
                ClientAddress::XRealIp | ClientAddress::CfConnectingIp | ClientAddress::FlyClientIp
            ) {
                assert_eq!(resolved(peer, &appends_line), None, "{name}: doubled");
                assert_eq!(resolved(peer, &appends), None, "{name}: a list");
            }
        }
        // Around the proxy every header is a forgery.
        for stranger in ["198.51.100.7", "::ffff:198.51.100.7", "2001:db8::7"] {
            let own = ip(stranger).to_canonical();
            for lines in [&appends[..], &appends_line, &two_hops, &overwrites, &[]] {
                assert_eq!(resolved(stranger, lines), Some(own), "{name}: {stranger}");
            }
        }
    }
}

/// The findings about a webhook's section, each in a line.
fn findings(webhook: &str) -> String {
    let text = format!("[webhook]\n{webhook}\n{}", PARTS.text());
    match parse(&text, "ponte.toml") {
        Ok(parsed) => {
            let lines = parsed
                .warnings
                .iter()
                .map(|found| format!("warning: {}: {}\n", found.key, found.message));
            lines.collect()
        }
        Err(errors) => {
            let lines = errors
                .errors
                .iter()
                .map(|found| format!("{}: {}\n", found.key, found.message));
            lines.collect()
        }
    }
}

#[test]
fn named_sets_can_be_added_replaced_and_extended() {
    let webhook = |text: &str| {
        let text = format!("[webhook]\n{text}\n{}", PARTS.text());
        parse(&text, "ponte.toml")
            .unwrap_or_else(|errors| panic!("{errors}"))
            .config
            .webhook
    };
    let moved = webhook("address_sets = { tradingview = [\"203.0.113.9\"] }");
    let expected: Vec<Cidr> = vec!["203.0.113.9".parse().unwrap()];
    assert_eq!(moved.allow_from, AllowFrom::Ranges(expected.clone()));
    assert_eq!(moved.tradingview, expected);
    let more = webhook("address_sets = { tradingview = [\"tradingview\", \"203.0.113.9\"] }");
    assert_eq!(more.tradingview.len(), 5);
    let office = webhook(
        "allow_from = [\"office\", \"tradingview\"]\ntrusted_proxies = [\"office\"]\n\
         address_sets = { office = [\"203.0.113.0/24\", \"2001:db8::/32\"] }",
    );
    assert!(office.allow_from.allows(ip("203.0.113.200")));
    assert!(office.allow_from.allows(ip("52.32.178.7")));
    assert!(!office.allow_from.allows(ip("203.0.114.1")));
    assert_eq!(office.trusted_proxies.len(), 2);
    let cloudflare = webhook(
        "proxy = \"cloudflare\"\nlisten = \"0.0.0.0:80\"\n\
                              address_sets = { cloudflare = [\"198.51.100.0/24\"] }",
    );
    assert_eq!(
        cloudflare.trusted_proxies,
        ["198.51.100.0/24".parse().unwrap()]
    );
}

#[test]
fn a_preset_says_both_and_what_is_written_wins() {
    let webhook = |text: &str| {
        let text = format!(
            "[webhook]\nlisten = \"0.0.0.0:80\"\n{text}\n{}",
            PARTS.text()
        );
        let parsed = parse(&text, "ponte.toml").unwrap_or_else(|errors| panic!("{errors}"));
        // Without a proxy everybody on the way would read the alerts.
        let is_warned = parsed.config.webhook.proxy == Proxy::None;
        let told: Vec<_> = parsed
            .warnings
            .iter()
            .map(|told| told.key.as_str())
            .collect();
        let expected: &[&str] = if is_warned { &["webhook.listen"] } else { &[] };
        assert_eq!(told, expected, "{text}");
        parsed.config.webhook
    };
    for (name, proxy) in Proxy::ALL {
        let webhook = webhook(&format!("proxy = \"{name}\""));
        assert_eq!(webhook.proxy, proxy);
        assert_eq!(webhook.client_address, proxy.client_address());
        assert_eq!(
            webhook.trusted_proxies,
            proxy.addresses(&NamedSet::Cloudflare.ranges())
        );
    }
    let written = webhook(
        "proxy = \"nginx\"\ntrusted_proxies = [\"10.1.0.0/16\"]\nclient_address = { x-forwarded-for = 3 }",
    );
    assert_eq!(written.client_address, ClientAddress::XForwardedForNth(3));
    assert_eq!(written.trusted_proxies, ["10.1.0.0/16".parse().unwrap()]);
}

#[test]
fn what_is_wrong_about_senders_is_said() {
    for (webhook, expected) in [
        (
            "address_sets = { any = [\"1.2.3.4\"] }",
            "webhook.address_sets: \"any\" always means the same\n",
        ),
        (
            "address_sets = { Office = [\"1.2.3.4\"] }",
            "webhook.address_sets: \"Office\" is no name of a set\n",
        ),
        (
            "address_sets = { office = [] }",
            "webhook.address_sets: is empty\n",
        ),
        (
            "address_sets = { office = \"1.2.3.4\" }",
            "webhook.address_sets: expected a list, found \"1.2.3.4\"\n",
        ),
        (
            "address_sets = { office = [\"1.2.3.4/33\"] }",
            "webhook.address_sets: \"1.2.3.4/33\" has no length from 0 to 32 after the stroke\n",
        ),
        (
            "allow_from = [\"offce\"]\naddress_sets = { office = [\"1.2.3.4\"] }",
            "webhook.allow_from: expected an address, a range or a named set, found \"offce\"\n",
        ),
        (
            "trusted_proxies = [\"tradingview\"]",
            "webhook.trusted_proxies: \"tradingview\" is no proxy\n",
        ),
        (
            "proxy_protocol = true",
            "webhook.proxy_protocol: no proxy is trusted, so that every connection would be closed\n",
        ),
        (
            "proxy = \"fly\"",
            "warning: webhook.proxy: this proxy calls from another machine, and listen is loopback\n",
        ),
        (
            "client_address = { x-forwarded-for = 17 }",
            "webhook.client_address: expected a whole number from 1 to 16, found the number 17\n",
        ),
        (
            "client_address = { x-real-ip = 1 }",
            "webhook.client_address: expected a table with the one key x-forwarded-for\n",
        ),
        (
            "client_certificate = { policy = \"require\" }",
            "webhook.client_certificate.policy: no certificate comes where TLS doesn't end, so that \
             every alert would be refused\n",
        ),
        (
            "tls = { certificate = \"a\", key = \"b\" }\nclient_certificate = { policy = \"pin\" }",
            "webhook.client_certificate.policy: no key is pinned, so that every alert would be refused\n",
        ),
        (
            "client_certificate = { keys = [\"ab\"] }",
            "webhook.client_certificate.keys: \"ab\" is not the SHA-256 of a key, 64 hexadecimal digits\n",
        ),
        (
            "proxy = \"nginx\"\nclient_address = \"x-forwarded-for\"",
            "",
        ),
    ] {
        assert_eq!(findings(webhook), expected, "{webhook}");
    }
    let behind = "proxy = \"nginx\"\ntls = { certificate = \"a\", key = \"b\" }\nclient_certificate = { policy = \"require\" }";
    assert!(
        findings(behind).contains("the proxy in front ends TLS itself"),
        "{}",
        findings(behind)
    );
}
