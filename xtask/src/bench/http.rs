//! As much HTTP as is needed to ask and to fire: one connection, one request after the other.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::Result;
use crate::process::Running;
use crate::stopwatch::Stopwatch;

/// How long a program may take until it answers for the first time.
const READY_MAX: Duration = Duration::from_secs(60);

/// How long an answer may take. Longer than any aim, so that a slow answer is measured, not cut.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// A connection to a port of this machine that stays open.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    /// Connects.
    pub(crate) fn open(port: u16) -> Result<Connection> {
        let stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        Ok(Connection(BufReader::new(stream)))
    }

    /// Sends a GET and returns the status and the body of the answer.
    pub(crate) fn get(&mut self, path: &str) -> Result<(u16, String)> {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    }

    /// Posts JSON and returns the status and the body of the answer.
    pub(crate) fn post(&mut self, path: &str, body: &str) -> Result<(u16, String)> {
        self.write_post(path, body)?;
        self.read_answer()
    }

    /// Posts JSON in one write and leaves its answer to be read.
    pub(crate) fn write_post(&mut self, path: &str, body: &str) -> Result<()> {
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        Ok(self.0.get_mut().write_all(request.as_bytes())?)
    }

    fn send(&mut self, request: &str) -> Result<(u16, String)> {
        self.0.get_mut().write_all(request.as_bytes())?;
        self.read_answer()
    }

    /// Reads the status and the body of the next answer.
    pub(crate) fn read_answer(&mut self) -> Result<(u16, String)> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.ok_or_else(|| format!("the answer begins with {line:?}"))?;
        let mut length = 0;
        loop {
            line.clear();
            self.0.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

/// A port of the loopback that nobody listens on just now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

/// Waits until a program that was just started listens on a port.
pub(crate) fn wait_for_port(program: &mut Running, port: u16) -> Result<()> {
    wait_until(program, || Connection::open(port).is_ok())
}

/// Waits until a GET is answered with 200.
pub(crate) fn wait_for_ok(program: &mut Running, port: u16, path: &str) -> Result<()> {
    wait_until(program, || {
        let answer = Connection::open(port).and_then(|mut connection| connection.get(path));
        answer.is_ok_and(|(status, _)| status == 200)
    })
}

fn wait_until(program: &mut Running, mut is_ready: impl FnMut() -> bool) -> Result<()> {
    let watch = Stopwatch::start();
    while !is_ready() {
        program.must_run()?;
        if watch.elapsed() > READY_MAX {
            return Err(format!("it was not ready after {} s", READY_MAX.as_secs()).into());
        }
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}
