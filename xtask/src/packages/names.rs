//! A name server of one name, for a program that must find its broker without the system's libraries.

use std::net::UdpSocket;
use std::thread;

use crate::Result;

/// The name that it knows, and the address that it names.
pub(super) const NAME: &str = "broker.example";
/// Where it listens. All of 127.0.0.0/8 is this machine.
pub(super) const SERVER: &str = "127.0.0.99";

/// Answers until the program ends.
pub(super) fn serve() -> Result<()> {
    let socket = UdpSocket::bind((SERVER, 53))
        .map_err(|error| format!("no name server can listen at {SERVER}:53: {error}"))?;
    thread::spawn(move || {
        let mut question = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut question) {
            if let Some(answer) = answer(&question[..length]) {
                // Whoever asked will ask again.
                let _ = socket.send_to(&answer, from);
            }
        }
    });
    Ok(())
}

/// The answer to a question of RFC 1035, 4.1: 127.0.0.1 for our name's address, else that there is none.
fn answer(question: &[u8]) -> Option<Vec<u8>> {
    let mut at = 12;
    let mut labels = Vec::new();
    loop {
        let length = usize::from(*question.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(question.get(at..at + length)?).to_lowercase());
        at += length;
    }
    let kind = question.get(at..at + 4)?;
    let is_ours = labels.join(".") == NAME;
    let has_address = is_ours && kind == [0, 1, 0, 1];
    let mut answer = question.get(..2)?.to_vec();
    // A response, authoritative, recursion available; NXDOMAIN for other names.
    answer.extend([0x85, if is_ours { 0x80 } else { 0x83 }]);
    answer.extend([0, 1, 0, u8::from(has_address), 0, 0, 0, 0]);
    answer.extend(question.get(12..at + 4)?);
    if has_address {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    }
    Some(answer)
}
