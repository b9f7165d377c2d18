//! Address ranges, and whose word about the client is believed.

use std::net::IpAddr;

use ponte::config::{Cidr, ClientAddress, NamedSet};

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
