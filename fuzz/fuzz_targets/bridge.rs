//! What a bridge beside a MetaTrader terminal says: two requests to the real hub, over the real router, with
//! a new line each time.
#![no_main]

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use libfuzzer_sys::fuzz_target;
use ponte::bridge::protocol::SYNC_PATH;
use ponte::bridge::{Hub, Line};
use ponte::secret::Secret;
use ponte_core::id::AccountName;
use tokio::runtime::{Builder, Runtime};

const TOKEN: &str = "a-token-for-the-fuzzer-0123456789abcdef";
/// An answer that waits for something to tell is let go of.
const PATIENCE: Duration = Duration::from_millis(1);

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().unwrap());

fuzz_target!(|body: &[u8]| {
    let token = Secret::new(TOKEN.to_owned()).unwrap();
    let line = Line::new(AccountName::new("fuzzed").unwrap(), token);
    let hub = Hub::new(vec![line]);
    let service = TowerToHyperService::new(hub.router());
    RUNTIME.block_on(async {
        for body in body.split(|byte| *byte == 0).take(3) {
            let mut request = Request::post(SYNC_PATH)
                .header("authorization", format!("Bearer {TOKEN}"))
                .body(Body::from(body.to_vec()))
                .unwrap();
            let peer = SocketAddr::from(([127, 0, 0, 1], 1));
            request.extensions_mut().insert(ConnectInfo(peer));
            if let Ok(answer) = tokio::time::timeout(PATIENCE, service.call(request)).await {
                let status = answer.unwrap().status().as_u16();
                assert!(
                    [200, 400, 409, 410, 413, 426, 429, 503].contains(&status),
                    "{status}"
                );
            }
        }
    });
});
