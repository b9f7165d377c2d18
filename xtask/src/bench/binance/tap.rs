//! The ear on the line: a proxy between a client and the exchange that notes when each order's first
//! byte comes. It hands on first and reads afterwards.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use super::wire::{Order, Reader};
use crate::Result;
use crate::stopwatch::Stopwatch;

/// How long an order may be on its way. Longer than any aim, so that a slow one is measured, not cut.
const ARRIVAL_MAX: Duration = Duration::from_secs(30);

/// A proxy that listens until it goes away.
pub(super) struct Tap {
    /// Where clients find the exchange.
    pub(super) port: u16,
    orders: Receiver<Order>,
    is_over: Arc<AtomicBool>,
}

impl Tap {
    /// Listens in front of the exchange; moments are those of the watch.
    pub(super) fn open(exchange: u16, watch: Stopwatch) -> Result<Tap> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let (told, orders) = mpsc::channel();
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = is_over.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                // A connection that fails is missed by who asked for it.
                let _ = client.and_then(|client| connect(client, exchange, told.clone(), watch));
            }
        });
        Ok(Tap {
            port,
            orders,
            is_over,
        })
    }

    /// The next order that comes.
    pub(super) fn next(&self) -> Result<Order> {
        self.orders.recv_timeout(ARRIVAL_MAX).map_err(|_| {
            let seconds = ARRIVAL_MAX.as_secs();
            format!("no order came to the exchange within {seconds} s").into()
        })
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Only to wake the listener; whether it works or not, nothing more can be done.
        let _ = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)));
    }
}

fn connect(
    client: TcpStream,
    exchange: u16,
    told: Sender<Order>,
    watch: Stopwatch,
) -> std::io::Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, exchange))?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let (from_server, to_client) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        let mut reader = Reader::default();
        copy(client, server, watch, |bytes, at| {
            for order in reader.take(bytes, at) {
                // Nobody may be listening any more.
                let _ = told.send(order);
            }
        });
    });
    thread::spawn(move || copy(from_server, to_client, watch, |_, _| {}));
    Ok(())
}

/// Hands bytes on until one side ends, and shows each read after it was handed on.
fn copy(
    mut from: TcpStream,
    mut to: TcpStream,
    watch: Stopwatch,
    mut show: impl FnMut(&[u8], Duration),
) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        let at = watch.elapsed();
        if to.write_all(&bytes[..length]).is_err() {
            break;
        }
        show(&bytes[..length], at);
    }
    // Either may be gone already.
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hands_on_both_ways_and_notes_orders() {
        let exchange = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let tap = Tap::open(exchange.local_addr().unwrap().port(), Stopwatch::start()).unwrap();
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, tap.port)).unwrap();
        let order =
            "POST /api/v3/order HTTP/1.1\r\nContent-Length: 25\r\n\r\nsymbol=BTCUSDT&quantity=1";
        client.write_all(order.as_bytes()).unwrap();

        let (mut server, _) = exchange.accept().unwrap();
        let mut heard = vec![0; order.len()];
        server.read_exact(&mut heard).unwrap();
        assert_eq!(heard, order.as_bytes());
        let noted = tap.next().unwrap();
        assert_eq!(
            (noted.symbol.as_str(), noted.quantity.as_str()),
            ("BTCUSDT", "1")
        );

        server.write_all(b"done").unwrap();
        let mut answer = [0; 4];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"done");
    }
}
