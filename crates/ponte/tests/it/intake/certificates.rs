//! Client certificates: asked for, recorded, and worth what the policy says; no handshake fails for one.

use std::collections::BTreeSet;

use ponte::config::{ClientCertificatePolicy, ClientCertificateRules};
use ponte::journal::{Reader, Senders, path_in};
use ponte::server::{Certificate, Security, SelfSigned, Tls};
use ponte_core::message::{Event, SenderCertificate};
use rustls::version::{TLS12, TLS13};

use super::{Connection, MESSAGE, Setup, World, alert, events, refusals};
use crate::tls_client::{self, Identity, TRADINGVIEW_EMAIL};

/// A listener with a certificate of its own, which asks for others'.
fn security() -> (tempfile::TempDir, Security) {
    let folder = tempfile::tempdir().unwrap();
    let made = SelfSigned::make(&["localhost".to_owned()], ponte_core::time::Timestamp(0)).unwrap();
    let written = made.write_new(folder.path()).unwrap();
    let certificate = Certificate::read(written.files).unwrap();
    let tls = Tls::with_files(certificate).asking_senders();
    (folder, Security::Tls(tls))
}

async fn world(policy: ClientCertificatePolicy, keys: &[&Identity]) -> (tempfile::TempDir, World) {
    let (folder, security) = security();
    let keys = keys.iter().map(|identity| identity.key.clone()).collect();
    let client_certificate = ClientCertificateRules { policy, keys };
    let setup = Setup {
        security,
        client_certificate,
        failures_per_minute: 6,
        ..Setup::default()
    };
    (folder, World::start(setup).await)
}

impl World {
    async fn greet(&self, identity: Option<&Identity>) -> Connection {
        let config = tls_client::config(identity, &[&TLS13, &TLS12]);
        let stream = tls_client::connect(self.address, config).await.unwrap();
        Connection::over(stream)
    }
}

fn numbered(number: u32) -> Vec<u8> {
    alert(MESSAGE.replace('}', &format!(r#","id":"{number}"}}"#)))
}

fn certificates(directory: &std::path::Path) -> Vec<Option<SenderCertificate>> {
    let decided = events(directory, "alert_decided").into_iter();
    let decided = decided.map(|event| {
        let Event::AlertDecided(decision) = event else {
            panic!("another kind of event");
        };
        decision.delivery.certificate
    });
    decided.collect()
}

fn alarms(directory: &std::path::Path) -> Vec<String> {
    let alarms = events(directory, "alarm").into_iter().map(|event| {
        let Event::Alarm { message, .. } = event else {
            panic!("another kind of event");
        };
        message
    });
    alarms.collect()
}

#[tokio::test]
async fn what_is_presented_is_recorded_whatever_it_is() {
    let (_folder, world) = world(ClientCertificatePolicy::Observe, &[]).await;
    let forged = Identity::forged();
    let (_, borrowed) = Identity::borrowed();
    let senders = [None, Some(&forged), Some(&borrowed)];
    let mut number = 0;
    for version in [&TLS12, &TLS13] {
        for identity in senders {
            let config = tls_client::config(identity, &[version]);
            let stream = tls_client::connect(world.address, config).await.unwrap();
            let mut connection = Connection::over(stream);
            // Twice over one connection: the certificate is the connection's.
            for _ in 0..2 {
                number += 1;
                connection.send(numbered(number)).await;
                assert_eq!(
                    connection.reply().await.status,
                    200,
                    "{version:?} {identity:?}"
                );
            }
        }
    }
    let directory = world.finish().await;
    let recorded = certificates(directory.path());
    assert_eq!(recorded.len(), 12);
    for of_version in recorded.chunks(6) {
        assert_eq!(of_version[..2], [None, None]);
        let known = |identity: &Identity, proven| {
            let certificate = of_version.iter().flatten();
            let mut same = certificate.filter(|found| found.key == identity.key);
            same.all(|found| found.proven == proven)
        };
        assert!(
            known(&forged, true) && known(&borrowed, false),
            "{of_version:?}"
        );
        assert_eq!(of_version[2], of_version[3]);
        let shown = of_version[2].clone().unwrap();
        assert_eq!(shown.email.as_deref(), Some(TRADINGVIEW_EMAIL));
        assert!(
            shown.subject.contains("TradingView, Inc."),
            "{}",
            shown.subject
        );
    }
    assert_eq!(alarms(directory.path()), [""; 0]);
}

#[tokio::test]
async fn a_session_is_never_taken_up_again_without_a_new_proof() {
    let (_folder, world) = world(ClientCertificatePolicy::Observe, &[]).await;
    let identity = Identity::forged();
    for version in [&TLS12, &TLS13] {
        let config = tls_client::config(Some(&identity), &[version]);
        for round in 0..3 {
            let stream = tls_client::connect(world.address, config.clone());
            let mut connection = Connection::over(stream.await.unwrap());
            connection.send(alert(MESSAGE)).await;
            assert_eq!(connection.reply().await.status, 200, "{version:?} {round}");
        }
    }
    let directory = world.finish().await;
    let all = certificates(directory.path());
    assert_eq!(all.len(), 6);
    assert!(all.iter().flatten().all(|found| found.proven) && all.iter().all(Option::is_some));
}

#[tokio::test]
async fn a_refusal_for_the_certificate_is_any_other_refusal() {
    let pinned = Identity::forged();
    let (owner, borrowed) = Identity::borrowed();
    let other = Identity::with_email("me@example.com");
    let unpinned = Identity::forged();
    type Case<'c> = (&'c str, Option<&'c Identity>, u16);
    let cases: [(_, &[Case<'_>]); 2] = [
        (
            ClientCertificatePolicy::Require,
            &[
                ("none", None, 403),
                ("another name", Some(&other), 403),
                ("without its key", Some(&borrowed), 403),
                ("the right name, which proves nothing", Some(&unpinned), 200),
            ],
        ),
        (
            ClientCertificatePolicy::Pin,
            &[
                ("none", None, 403),
                ("the right name and another key", Some(&unpinned), 403),
                (
                    "the pinned key's certificate without the key",
                    Some(&borrowed),
                    403,
                ),
                ("the pinned key", Some(&pinned), 200),
                ("the other pinned key", Some(&owner), 200),
            ],
        ),
    ];
    for (policy, senders) in cases {
        let (_folder, world) = world(policy, &[&pinned, &owner]).await;
        let mut stranger = world.greet(None).await;
        stranger.send(alert("{}")).await;
        let usual = stranger.reply().await;
        assert_eq!(usual.status, 403);
        for (case, identity, status) in senders {
            let mut connection = world.greet(*identity).await;
            connection.send(alert(MESSAGE)).await;
            let reply = connection.reply().await;
            assert_eq!(reply.status, *status, "{policy:?}: {case}");
            if *status == 403 {
                assert_eq!(reply.raw, usual.raw, "{policy:?}: {case}");
            }
            // A wrong secret is refused whatever the certificate, and the connection goes on.
            let wrong = if *status == 403 { "{" } else { "{}" };
            connection.send(alert(wrong)).await;
            let reply = connection.reply().await.status;
            assert!([403, 429].contains(&reply), "{policy:?}: {case}: {reply}");
        }
        let directory = world.finish().await;
        let refused = refusals(directory.path());
        let of_certificate = refused
            .iter()
            .filter(|one| one.code == "client_certificate");
        let of_certificate: Vec<_> = of_certificate.collect();
        assert!(!of_certificate.is_empty());
        for one in of_certificate {
            let source = one.source.as_ref().map(|source| source.as_str());
            assert_eq!(
                (source, one.http_status, &one.excerpt),
                (Some("main"), 403, &None)
            );
        }
    }
}

#[tokio::test]
async fn a_right_secret_with_a_wrong_certificate_is_limited_like_a_wrong_secret() {
    let pinned = Identity::forged();
    let (_folder, world) = world(ClientCertificatePolicy::Pin, &[&pinned]).await;
    let mut connection = world.greet(None).await;
    let mut statuses = Vec::new();
    for _ in 0..8 {
        connection.send(alert(MESSAGE)).await;
        statuses.push(connection.reply().await.status);
    }
    assert_eq!(statuses, [403, 403, 403, 403, 403, 403, 429, 429]);
    let mut owner = world.greet(Some(&pinned)).await;
    owner.send(alert(MESSAGE)).await;
    assert_eq!(
        owner.reply().await.status,
        200,
        "the limit never meets a right one"
    );
    world.finish().await;
}

#[tokio::test]
async fn a_key_that_is_not_pinned_is_one_alarm_and_can_be_promoted() {
    let pinned = Identity::forged();
    let fresh = Identity::forged();
    for (policy, status) in [
        (ClientCertificatePolicy::Observe, 200),
        (ClientCertificatePolicy::Pin, 403),
    ] {
        let (_folder, world) = world(policy, &[&pinned]).await;
        for (number, identity) in [(1, &pinned), (2, &fresh), (3, &fresh)] {
            let expected = if number == 1 { 200 } else { status };
            let mut connection = world.greet(Some(identity)).await;
            connection.send(numbered(number)).await;
            assert_eq!(
                connection.reply().await.status,
                expected,
                "{policy:?} {number}"
            );
        }
        // With a wrong secret a key is nobody's, and no alarm.
        let mut connection = world.greet(Some(&Identity::forged())).await;
        connection.send(alert("{}")).await;
        assert_eq!(connection.reply().await.status, 403);
        let directory = world.finish().await;
        let alarms = alarms(directory.path());
        let [alarm] = &alarms[..] else {
            panic!("{policy:?}: {alarms:?}");
        };
        assert!(
            alarm.contains(&fresh.key) && alarm.contains("127.0.0.1"),
            "{alarm}"
        );
        let senders = Reader::open(&path_in(directory.path())).unwrap();
        check_senders(&senders.senders(None).unwrap(), [&fresh, &pinned], status);
    }
}

fn check_senders(senders: &Senders, keys: [&Identity; 2], status: u16) {
    let (decided, refused) = if status == 200 { (2, 0) } else { (0, 2) };
    let [address] = &senders.addresses[..] else {
        panic!("{senders:?}");
    };
    assert_eq!(address.address, "127.0.0.1");
    assert_eq!((address.alerts, address.refused), (decided + 1, refused));
    assert_eq!(address.sources, BTreeSet::from(["main".to_owned()]));
    let [fresh, pinned] = &senders.keys[..] else {
        panic!("{senders:?}");
    };
    assert_eq!([&fresh.key, &pinned.key], [&keys[0].key, &keys[1].key]);
    assert_eq!((fresh.alerts, fresh.refused), (decided, refused));
    assert_eq!((pinned.alerts, pinned.refused), (1, 0));
    assert!(fresh.proven && fresh.email.as_deref() == Some(TRADINGVIEW_EMAIL));
    assert!(fresh.last_at >= pinned.last_at);
}
