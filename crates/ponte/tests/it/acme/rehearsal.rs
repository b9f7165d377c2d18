//! What is tried where it costs nothing is tried first, once for each set of names.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use ponte::server::acme::{Acme, AcmeSettings, ChallengeKind, Directory};
use ponte::server::{self, CertificateReport, CertificateSource, Limits, Security, Tls};
use tokio::net::TcpListener;

use super::pebble::{Pebble, Ports};
use super::{DAYS_90, NAME};
use crate::program::free_port;

const STEP: Duration = Duration::from_millis(50);

/// A listener with a certificate from `pebble`, rehearsed at its other door.
struct Served {
    pebble: Pebble,
    settings: AcmeSettings,
    folder: tempfile::TempDir,
    address: std::net::SocketAddr,
}

impl Served {
    async fn new() -> Self {
        let tls = free_port();
        let http = free_port();
        let pebble = Pebble::start(Ports { tls, http }, DAYS_90).await;
        let settings = AcmeSettings {
            names: vec![NAME.to_owned()],
            contact: Vec::new(),
            directory: Directory::Url(pebble.directory()),
            rehearsal: Some(Directory::Url(pebble.other_directory())),
            root: Some(pebble.root_file()),
            challenge: ChallengeKind::TlsAlpn01,
            http_listen: ([127, 0, 0, 1], http).into(),
            profile: None,
        };
        Self {
            pebble,
            settings,
            folder: tempfile::tempdir().unwrap(),
            address: ([127, 0, 0, 1], tls).into(),
        }
    }

    fn report(&self) -> CertificateReport {
        CertificateReport::of_acme("webhook", &self.settings, self.folder.path())
    }

    fn rehearsed(&self) -> bool {
        match self.report().source {
            CertificateSource::Acme { rehearsed_at, .. } => rehearsed_at.is_some(),
            CertificateSource::Files { .. } => false,
        }
    }

    /// Serves until `done` says so.
    async fn until(&self, done: impl Fn(&CertificateReport) -> bool) {
        let acme = Acme::open(self.settings.clone(), self.folder.path()).unwrap();
        let listener = TcpListener::bind(self.address).await.unwrap();
        let security = Security::Tls(Tls::with_acme(acme.clone()));
        let (stop, stopping) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            server::serve_secured(
                listener,
                Router::new(),
                &security,
                Limits::default(),
                stopping,
            )
            .await
        });
        let upkeep = tokio::spawn(Arc::clone(&acme).keep_fresh());
        for _ in 0..1200 {
            if done(&self.report()) {
                upkeep.abort();
                drop(stop);
                serving.await.unwrap().unwrap();
                return;
            }
            tokio::time::sleep(STEP).await;
        }
        panic!("{:?}", self.report());
    }

    fn orders(&self) -> usize {
        self.pebble.said("Added order")
    }
}

#[tokio::test]
async fn the_way_is_walked_once_where_it_costs_nothing() {
    let mut served = Served::new().await;
    served.until(|report| report.facts.is_ok()).await;
    assert!(served.rehearsed());
    assert_eq!(served.orders(), 2, "one rehearsal and one order");
    // Without its certificate it orders a new one, and remembers that the way is good.
    let stored = std::fs::read_dir(served.folder.path().join("acme")).unwrap();
    for path in stored.map(|entry| entry.unwrap().path()) {
        if path.extension().is_some_and(|kind| kind == "pem") {
            std::fs::remove_file(path).unwrap();
        }
    }
    served.until(|report| report.facts.is_ok()).await;
    assert_eq!(served.orders(), 3);
    // Other names have not been tried.
    served.settings.names.push("other.example.com".to_owned());
    assert!(!served.rehearsed());
    served.until(|report| report.facts.is_ok()).await;
    assert!(served.rehearsed());
    assert_eq!(served.orders(), 5);
}

#[tokio::test]
async fn a_rehearsal_that_fails_costs_no_order() {
    let served = Served::new().await;
    served.pebble.lead(NAME, "127.0.0.77").await;
    served.until(|report| report.last_failure.is_some()).await;
    let report = served.report();
    let failure = report.last_failure.unwrap();
    assert!(failure.rehearsal);
    assert!(failure.why.contains("127.0.0.77"), "{}", failure.why);
    assert!(report.facts.is_err());
    assert!(!served.rehearsed());
    assert_eq!(served.orders(), 1);
    // The directory itself does not even have an account of ours.
    assert_eq!(served.pebble.said("There are now 1 accounts"), 1);
    assert_eq!(served.pebble.said("There are now 2 accounts"), 0);
}
