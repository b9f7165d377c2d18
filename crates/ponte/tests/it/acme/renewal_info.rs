//! An authority that says when to renew (RFC 9773) and has profiles: Pebble, with the two added by a
//! relay in front of it, since the packaged one has neither.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ponte::server::acme::{Acme, AcmeSettings, ChallengeKind, Directory};
use ponte::server::{
    self, Certificate, CertificateFiles, CertificateReport, Limits, Security, Tls,
};
use ponte_core::time::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::pebble::{Pebble, Ports};
use super::{DAYS_90, NAME};
use crate::program::free_port;

const STEP: Duration = Duration::from_millis(50);
const BYTES_MAX: usize = 1 << 20;

/// What the relay adds, and what it saw.
struct Relay {
    pebble: String,
    client: reqwest::Client,
    /// The window that is suggested.
    window: Mutex<(Timestamp, Timestamp)>,
    /// For which certificates a window was asked.
    asked: Mutex<Vec<String>>,
    /// The payloads of all orders that were taken.
    orders: Mutex<Vec<Value>>,
}

async fn relayed(State(relay): State<Arc<Relay>>, request: Request) -> Response<Body> {
    let path = request.uri().path().to_owned();
    if let Some(certificate) = path.strip_prefix("/renewal/") {
        relay.asked.lock().unwrap().push(certificate.to_owned());
        let (start, end) = *relay.window.lock().unwrap();
        let window =
            json!({"suggestedWindow": {"start": start.to_string(), "end": end.to_string()}});
        return Response::builder()
            .header("retry-after", "21600")
            .body(Body::from(window.to_string()))
            .unwrap();
    }
    let host = request.headers()["host"].to_str().unwrap().to_owned();
    let (head, body) = request.into_parts();
    let body = to_bytes(body, BYTES_MAX).await.unwrap();
    let (mut replaces, mut ordered) = (None, None);
    if path == "/order-plz" {
        let order: Value = serde_json::from_slice(&body).unwrap();
        let payload = URL_SAFE_NO_PAD
            .decode(order["payload"].as_str().unwrap())
            .unwrap();
        let payload: Value = serde_json::from_slice(&payload).unwrap();
        replaces = payload.get("replaces").cloned();
        ordered = Some(payload);
    }
    let url = format!("{}{path}", relay.pebble);
    let mut asked = relay.client.request(head.method, url).headers(head.headers);
    asked = asked.body(body);
    let answer = asked.send().await.unwrap();
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if name != "content-length" && name != "transfer-encoding" {
            response = response.header(name, value);
        }
    }
    let is_fine = answer.status().is_success();
    // The authority refuses a good nonce now and then, and is sent the same order again.
    relay
        .orders
        .lock()
        .unwrap()
        .extend(ordered.filter(|_| is_fine));
    let mut text = answer.text().await.unwrap();
    let mut change = |with: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_str(&text).unwrap();
        with(&mut value);
        text = value.to_string();
    };
    if path == "/dir" {
        change(&|directory| {
            directory["renewalInfo"] = json!(format!("https://{host}/renewal"));
            directory["meta"]["profiles"] = json!({"shortlived": "six days", "classic": "ninety"});
        });
    } else if let Some(replaces) = replaces.filter(|_| is_fine) {
        change(&|order| order["replaces"] = replaces.clone());
    }
    response.body(Body::from(text)).unwrap_or_else(|_| {
        let mut broken = Response::new(Body::empty());
        *broken.status_mut() = StatusCode::BAD_GATEWAY;
        broken
    })
}

struct World {
    pebble: Pebble,
    relay: Arc<Relay>,
    settings: AcmeSettings,
    folder: tempfile::TempDir,
    address: std::net::SocketAddr,
}

impl World {
    async fn new(profile: Option<&str>) -> Self {
        let (tls, http, port) = (free_port(), free_port(), free_port());
        let pebble = Pebble::start(Ports { tls, http }, DAYS_90).await;
        let now = ponte::clock::now();
        let relay = Arc::new(Relay {
            pebble: pebble.directory().trim_end_matches("/dir").to_owned(),
            client: pebble.client(),
            // Far away, but before two thirds of the life are over.
            window: Mutex::new((now.after(DAYS_90 / 3), now.after(DAYS_90 / 2))),
            asked: Mutex::default(),
            orders: Mutex::default(),
        });
        let certificate = Certificate::read(CertificateFiles {
            certificate: pebble.file("leaf.pem"),
            key: pebble.file("leaf.key"),
        });
        let security = Security::Tls(Tls::with_files(certificate.unwrap()));
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let router = Router::new().fallback(relayed).with_state(relay.clone());
        tokio::spawn(async move {
            let never = std::future::pending::<()>();
            server::serve_secured(listener, router, &security, Limits::default(), never).await
        });
        let settings = AcmeSettings {
            names: vec![NAME.to_owned()],
            contact: Vec::new(),
            directory: Directory::Url(format!("https://127.0.0.1:{port}/dir")),
            rehearsal: None,
            root: Some(pebble.root_file()),
            challenge: ChallengeKind::TlsAlpn01,
            http_listen: ([127, 0, 0, 1], http).into(),
            profile: profile.map(str::to_owned),
        };
        Self {
            pebble,
            relay,
            settings,
            folder: tempfile::tempdir().unwrap(),
            address: ([127, 0, 0, 1], tls).into(),
        }
    }

    fn report(&self) -> CertificateReport {
        CertificateReport::of_acme("webhook", &self.settings, self.folder.path())
    }

    fn orders(&self) -> Vec<Value> {
        self.relay.orders.lock().unwrap().clone()
    }

    /// Serves until `done` says so.
    async fn until(&self, done: impl Fn(&Self) -> bool) {
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
            if done(self) {
                upkeep.abort();
                drop(stop);
                serving.await.unwrap().unwrap();
                return;
            }
            tokio::time::sleep(STEP).await;
        }
        panic!("{:?}\n{}", self.report(), self.pebble.whole_log());
    }
}

#[tokio::test]
async fn the_authority_decides_when_a_certificate_is_renewed() {
    let world = World::new(None).await;
    let (start, end) = *world.relay.window.lock().unwrap();
    let in_window = |world: &World| {
        world
            .report()
            .next_renewal
            .is_some_and(|at| start <= at && at <= end)
    };
    world.until(in_window).await;
    let first = world.report().facts.unwrap();
    assert_eq!(world.orders().len(), 1);
    assert_eq!(world.orders()[0].get("replaces"), None);

    // A restart keeps to it, and asks no more before its time.
    let asked = world.relay.asked.lock().unwrap().len();
    world.until(in_window).await;
    assert_eq!(world.relay.asked.lock().unwrap().len(), asked);

    // After a mishap the authority wants it renewed at once: it is asked again when its time has come.
    let now = ponte::clock::now();
    *world.relay.window.lock().unwrap() = (now.before(DAYS_90), now.before(DAYS_90 / 2));
    let record = std::fs::read_dir(world.folder.path().join("acme")).unwrap();
    let mut files = record.map(|entry| entry.unwrap().path());
    let record = files.find(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with(NAME) && name.ends_with(".json")
    });
    let record = record.unwrap();
    let mut value: Value =
        serde_json::from_str(&std::fs::read_to_string(&record).unwrap()).unwrap();
    value["ask_window_at"] = json!(now.microseconds());
    std::fs::write(&record, value.to_string()).unwrap();
    let renewed = |world: &World| {
        let facts = world.report().facts;
        facts.is_ok_and(|facts| facts.fingerprint != first.fingerprint)
    };
    world.until(renewed).await;
    // The order says which certificate it replaces, as the question named it.
    let asked = world.relay.asked.lock().unwrap()[0].clone();
    assert_eq!(world.orders()[1]["replaces"], json!(asked));
    assert!(asked.contains('.'), "{asked}");
}

#[tokio::test]
async fn a_profile_is_asked_for_and_an_unknown_one_is_refused_with_the_known() {
    let mut world = World::new(Some("longlived")).await;
    world
        .until(|world| world.report().last_failure.is_some())
        .await;
    let failure = world.report().last_failure.unwrap();
    assert_eq!(failure.why, "the authority has no profile \"longlived\"");
    assert_eq!(
        failure.cure,
        "webhook.acme.profile is one of \"classic\", \"shortlived\""
    );
    assert!(world.orders().is_empty());
    world.settings.profile = Some("shortlived".to_owned());
    world.until(|world| world.report().facts.is_ok()).await;
    assert_eq!(world.orders()[0]["profile"], "shortlived");
}
