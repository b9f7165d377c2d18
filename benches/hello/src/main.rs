//! A hello-world on axum, listening where the first argument says. It neither reads the body nor
//! keeps anything: no webhook on axum can be faster.

use axum::Router;
use axum::routing::any;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:8002".to_owned());
    let hello = Router::new().route("/webhook", any(async || "hello, world"));
    axum::serve(TcpListener::bind(address).await?, hello).await
}
