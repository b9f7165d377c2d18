//! What a platform asks the public side: is Ponte there? It is told nothing else.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::answer;
use crate::engine::Engine;

/// Longest time that the engine may take to look up. Platforms wait two to five seconds.
const LOOK_MAX: Duration = Duration::from_secs(1);

/// Answers `GET` and `HEAD` at this path, from any address, without a secret: `200` while the
/// engine goes round, else `503`.
///
/// A journal that can't be written doesn't make it `503`: alerts are answered `503` by then, which
/// makes `TradingView` send again; a platform that takes the machine out of service would lose them.
pub fn health(path: &str, engine: Engine) -> Router {
    let look = move || {
        let engine = engine.clone();
        async move { answer(&engine).await }
    };
    Router::new().route(path, get(look))
}

async fn answer(engine: &Engine) -> Response {
    let look = tokio::time::timeout(LOOK_MAX, engine.look(|_| ()));
    if !matches!(look.await, Ok(Ok(()))) {
        return answer::bare(StatusCode::SERVICE_UNAVAILABLE);
    }
    ([(CACHE_CONTROL, "no-store")], "ok\n").into_response()
}
