//! Bytes on a connection to the webhook: the real router, engine and journal behind hyper's own parser.
//!
//! Nobody without a secret is heard or told anything, every `403` is the same, nothing breaks.
#![no_main]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use axum::extract::{ConnectInfo, Request};
use axum::middleware::{Next, from_fn};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use libfuzzer_sys::fuzz_target;
use ponte::config::{
    AllowFrom, ClientAddress, ClientCertificatePolicy, ClientCertificateRules, NamedSet,
};
use ponte::engine::{Committed, Engine, Parts, Retention};
use ponte::intake::selftest::SelfTests;
use ponte::intake::{BODY_READ_MAX, Intake};
use ponte::journal::Writer;
use ponte::metrics::Metrics;
use ponte::secret::{Entry, Keyring, Role, Secret, SourceSecrets};
use ponte_core::decide::NoQuotes;
use ponte_core::format::Format;
use ponte_core::id::SourceName;
use ponte_core::policy::{Policy, SourcePolicy};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::UnboundedReceiver;

/// Short, so that the fuzzer finds it; it stands in the seeds too.
const SECRET: &str = "MEU_SEGREDO";
const TRIPWIRE: &str = "NINGUEM_USA";

struct World {
    runtime: Runtime,
    service: TowerToHyperService<axum::Router>,
    metrics: Arc<Metrics>,
    refused: Mutex<Option<String>>,
    _commands: Mutex<UnboundedReceiver<Committed>>,
    _folder: tempfile::TempDir,
}

static WORLD: LazyLock<World> = LazyLock::new(world);

fn world() -> World {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    let folder = made.unwrap();
    let mut writer = Writer::open(folder.path()).unwrap();
    let state = writer.load().unwrap().state;
    let metrics = Arc::new(Metrics::default());
    let main = SourceName::new("main").unwrap();
    let (sender, commands) = tokio::sync::mpsc::unbounded_channel();
    let (engine, _running) = Engine::start(Parts {
        writer,
        state,
        policy: Policy {
            installation: "fuzz".to_owned(),
            accounts: Default::default(),
            routes: Vec::new(),
            sources: [(main.clone(), SourcePolicy::default())].into(),
        },
        quotes: Arc::new(NoQuotes),
        commands: sender,
        metrics: metrics.clone(),
        retention: Retention::default(),
    })
    .unwrap();
    let secret = |text: &str| Secret::new(text.to_owned()).unwrap();
    let mut secrets = SourceSecrets::default();
    secrets.insert(main.clone(), secret(SECRET));
    let spare = vec![Entry::new(
        main.clone(),
        Role::Tripwire,
        None,
        secret(TRIPWIRE),
    )];
    let intake = Intake {
        engine,
        keyring: Arc::new(Keyring::new(Vec::new(), secrets, spare)),
        formats: [(main, Format::Ponte)].into(),
        allow_from: AllowFrom::Ranges(NamedSet::Loopback.ranges()),
        trusted_proxies: Vec::new(),
        client_address: ClientAddress::Peer,
        client_certificate: ClientCertificateRules {
            policy: ClientCertificatePolicy::Observe,
            keys: Default::default(),
        },
        failures_per_minute: u32::MAX,
        body_read_max: BODY_READ_MAX,
        self_tests: Arc::new(SelfTests::new()),
        metrics: metrics.clone(),
    };
    let router = intake
        .router()
        .layer(from_fn(|mut request: Request, next: Next| {
            let peer = SocketAddr::from(([127, 0, 0, 1], 1));
            request.extensions_mut().insert(ConnectInfo(peer));
            next.run(request)
        }));
    World {
        runtime: Builder::new_current_thread().enable_all().build().unwrap(),
        service: TowerToHyperService::new(router),
        metrics,
        refused: Mutex::default(),
        _commands: Mutex::new(commands),
        _folder: folder,
    }
}

fuzz_target!(|bytes: &[u8]| {
    let world = &*WORLD;
    let before = alerts(&world.metrics);
    let said = world.runtime.block_on(talk(&world.service, bytes));
    let said = String::from_utf8(said).unwrap();
    assert!(!said.contains(SECRET) && !said.contains(TRIPWIRE), "{said}");
    assert!(!said.contains("something broke"), "{said}");
    let may_pass = holds_the_secret(bytes);
    // Who has the secret reads its own `HTTP/1.` in a hint, but there on one line: JSON holds no bare line break.
    let answers = said
        .split("HTTP/1.")
        .skip(1)
        .filter(|answer| answer.contains("\r\n"));
    for answer in answers {
        let status: u16 = answer[2..5].parse().unwrap();
        assert!(
            [100, 200, 400, 403, 404, 405, 413, 415, 431].contains(&status),
            "{answer}"
        );
        assert!(may_pass || status != 200, "{answer}");
        assert!(may_pass || !answer.contains("error"), "{answer}");
        if status == 403 {
            let same: String = answer
                .lines()
                .skip(1)
                .filter(|line| !line.starts_with("connection:"))
                .collect();
            let mut first = world.refused.lock().unwrap();
            assert_eq!(first.get_or_insert_with(|| same.clone()), &same);
        }
    }
    assert!(may_pass || alerts(&world.metrics) == before);
});

async fn talk(service: &TowerToHyperService<axum::Router>, bytes: &[u8]) -> Vec<u8> {
    let (near, far) = tokio::io::duplex(1 << 20);
    let mut http = http1::Builder::new();
    http.half_close(true)
        .max_header_size(16 * 1024)
        .auto_date_header(false);
    let serving = http.serve_connection(TokioIo::new(far), service.clone());
    let (mut reading, mut writing) = tokio::io::split(near);
    let talking = async {
        let _ = writing.write_all(bytes).await;
        let _ = writing.shutdown().await;
        let mut said = Vec::new();
        let _ = reading.read_to_end(&mut said).await;
        said
    };
    let (_, said) = futures_util::future::join(serving, talking).await;
    said
}

fn alerts(metrics: &Metrics) -> u64 {
    let text = metrics.text();
    let counted = text
        .lines()
        .filter(|line| line.starts_with("ponte_alerts_total{"));
    counted
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
        .sum()
}

/// Whether its letters stand there in their order, however they are framed or escaped.
fn holds_the_secret(bytes: &[u8]) -> bool {
    let mut wanted = SECRET.bytes().peekable();
    for byte in bytes {
        if wanted.peek() == Some(byte) {
            wanted.next();
        }
    }
    // `\u004d` and `%4D` are letters too.
    wanted.peek().is_none() || bytes.windows(2).any(|two| two == b"\\u") || bytes.contains(&b'%')
}
