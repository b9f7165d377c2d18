//! A secret is in no answer, no line of the log and no byte on disk.

use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use super::{MESSAGE, SECOND_SECRET, SECRET, Setup, World, alert, post};

/// What was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

/// Requests with the secret wherever a sender may put it.
fn requests() -> Vec<Vec<u8>> {
    let bare = r#"{"acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01}"#;
    let header = format!("x-ponte-secret: {SECRET}\r\n");
    let path = format!("/webhook/{SECRET}");
    let with_second = MESSAGE.replace(SECRET, SECOND_SECRET);
    let mut requests = vec![
        alert(MESSAGE),
        alert(MESSAGE),
        alert(&with_second),
        post(&path, &header, bare),
        post(&path, "", MESSAGE.replace(SECRET, "WRONG_SECRET")),
        post(&path, "", &with_second),
        post(
            &path,
            "",
            format!(r#"{{"acao":"{SECRET}","ativo":"BTCUSDT"}}"#),
        ),
        post(
            &path,
            "",
            format!(r#"{{"{SECRET}":1,"acao":"COMPRA","ativo":"BTCUSDT"}}"#),
        ),
        post(&path, "content-encoding: gzip\r\n", bare),
        post(&format!("{path}/"), "", bare),
        post(&format!("/{SECRET}"), &header, bare),
        format!("GET {path} HTTP/1.1\r\nhost: ponte\r\n{header}\r\n").into_bytes(),
    ];
    for broken in [
        "{\"segredo\":\"MEU_SEGREDO\",\"acao\":",
        "{'segredo':'MEU_SEGREDO','acao':'COMPRA'}",
        "{“segredo”:“MEU_SEGREDO”,“acao”:“COMPRA”}",
        "segredo=MEU_SEGREDO&acao=COMPRA",
        "segredo: MEU_SEGREDO\nacao: COMPRA",
        "{\"segredo\":\"MEU_SEGREDO\",\"acao\":\"MEU_SEGREDO\",\"ativo\":\"BTCUSDT\"}",
        "{\"segredo\":\"MEU_SEGREDO\",\"segredo\":\"MEU_SEGREDO\"}",
        "\"{\\\"segredo\\\":\\\"MEU_SEGREDO\\\"}\"",
    ] {
        requests.push(alert(broken));
        requests.push(post(&path, "", broken));
    }
    requests
}

#[tokio::test]
async fn a_secret_is_nowhere() {
    let lines = Lines::default();
    // With a single subscriber, tracing asks the thread of whichever test comes to a line first
    // whether the line is wanted; with two it asks both.
    let second = tracing::Dispatch::new(tracing_subscriber::registry());
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(lines.clone())
        .with_ansi(false)
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    // One failure is recorded and one is limited, so that both ways are seen.
    for failures_per_minute in [1000, 1] {
        let world = World::start(Setup {
            failures_per_minute,
            ..Setup::default()
        })
        .await;
        for request in requests() {
            let reply = world.ask(&request).await;
            for secret in [SECRET, SECOND_SECRET] {
                let asked = String::from_utf8_lossy(&request);
                assert!(!contains(&reply.raw, secret), "answer to {asked}");
            }
        }
        let directory = world.finish().await;
        let mut files = 0;
        for file in std::fs::read_dir(directory.path()).unwrap() {
            let path = file.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            for secret in [SECRET, SECOND_SECRET, "WRONG_SECRET"] {
                assert!(!contains(&bytes, secret), "{secret} in {}", path.display());
            }
            files += 1;
        }
        assert!(files >= 1);
    }
    drop((guard, second));
    let logged = lines.0.lock().unwrap();
    let text = String::from_utf8_lossy(&logged);
    for secret in [SECRET, SECOND_SECRET, "WRONG_SECRET", "/webhook/"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let decided: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("alert decided"))
        .collect();
    assert!(!decided.is_empty(), "{text}");
    for line in decided {
        for field in ["alert.id=A", "source=", "status=\"", "latency_us="] {
            assert!(line.contains(field), "{field} in {line}");
        }
    }
    assert!(text.contains("request refused") && text.contains("failed too often"));
}
