//! A bridge to Binance that does no more than sign and send: an alert comes in over HTTP, its JSON is read, the order
//! goes out over a connection that is already open. No journal, no checks, no retry: nobody should trade with it.
//!
//! `bench-plain-binance LISTEN EXCHANGE rest|websocket`, with `API_KEY` and `SIGNING_KEY` in the environment.

mod alert;
mod exchange;
mod socket;

use std::env;
use std::error::Error;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use alert::Alerts;
use exchange::{Exchange, Settings};

/// What can go wrong is told in one sentence.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [listen, exchange, orders] = words.as_slice() else {
        return Err("usage: bench-plain-binance LISTEN EXCHANGE rest|websocket".into());
    };
    let is_socket = match orders.as_str() {
        "rest" => false,
        "websocket" => true,
        other => return Err(format!("orders go by rest or websocket, not by {other}").into()),
    };
    let address: SocketAddr = exchange.parse()?;
    let settings = Arc::new(Settings::new(
        address,
        is_socket,
        env::var("API_KEY")?,
        &env::var("SIGNING_KEY")?,
    ));
    for stream in TcpListener::bind(listen)?.incoming() {
        let (stream, settings) = (stream?, settings.clone());
        thread::spawn(move || {
            if let Err(error) = serve(stream, settings) {
                eprintln!("bench-plain-binance: {error}");
            }
        });
    }
    Ok(())
}

/// Serves one connection of the sender, with connections to the exchange of its own.
fn serve(stream: TcpStream, settings: Arc<Settings>) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut alerts = Alerts::new(stream);
    let mut exchange = Exchange::new(settings);
    while let Some(alert) = alerts.next()? {
        let answer = exchange.place(&alert)?;
        let length = answer.len();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        alerts.stream().write_all((head + &answer).as_bytes())?;
    }
    Ok(())
}
