//! `deploy/nginx/ponte.conf` and `deploy/caddy/Caddyfile` under the real nginx and the real Caddy.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ponte::server::SelfSigned;
use tokio::io::AsyncReadExt as _;

use super::{Guarded, PATIENCE_STEPS, Place, STEP, STRANGER, TRADINGVIEW, client, post};
use crate::program::free_port;

const NGINX: &str = include_str!("../../../../../deploy/nginx/ponte.conf");
const CADDY: &str = include_str!("../../../../../deploy/caddy/Caddyfile");

/// TradingView's addresses as both files name them.
const FIRST_ADDRESS: &str = "52.89.214.238";
const NAME: &str = "hook.example.com";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Nginx,
    Caddy,
}

/// A web server with our file, in front of whatever listens behind it.
struct Front {
    port: u16,
    certificate: PathBuf,
    _running: Guarded,
}

impl Front {
    /// Starts one. Those who may send are the stand-in for TradingView, or everybody, so that Ponte's own look at
    /// the header is seen.
    async fn start(kind: Kind, folder: &Path, behind: u16, lets_all_in: bool) -> Self {
        let pair = SelfSigned::make(&["localhost".to_owned()], ponte::clock::now());
        let pair = pair.unwrap().write_new(&folder.join("tls")).unwrap();
        let port = free_port();
        let mut command = match kind {
            Kind::Nginx => nginx(folder, port, behind, lets_all_in),
            Kind::Caddy => caddy(folder, port, behind, lets_all_in),
        };
        let log = fs::File::create(folder.join("front.log")).unwrap();
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let mut running = Guarded(
            command
                .spawn()
                .unwrap_or_else(|error| panic!("{kind:?}: {error}; .ci/run installs it")),
        );
        for _ in 0..PATIENCE_STEPS {
            if tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_ok()
            {
                return Self {
                    port,
                    certificate: pair.files.certificate,
                    _running: running,
                };
            }
            if let Some(status) = running.0.try_wait().unwrap() {
                let log = fs::read_to_string(folder.join("front.log")).unwrap();
                panic!("{kind:?} ended with {status}: {log}");
            }
            tokio::time::sleep(STEP).await;
        }
        panic!("{kind:?} does not listen");
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }
}

/// Puts something else where it stands, and it must stand there.
fn put(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in the file");
    text.replace(from, to)
}

fn nginx(folder: &Path, port: u16, behind: u16, lets_all_in: bool) -> Command {
    let show = |name: &str| folder.join(name).display().to_string();
    let mut site = put(NGINX, FIRST_ADDRESS, &TRADINGVIEW.to_string());
    site = put(
        &site,
        "listen 443 ssl",
        &format!("listen 127.0.0.1:{port} ssl"),
    );
    site = put(&site, "127.0.0.1:8080", &format!("127.0.0.1:{behind}"));
    site = put(
        &site,
        &format!("/etc/letsencrypt/live/{NAME}/fullchain.pem"),
        &show("tls/bridge-certificate.pem"),
    );
    site = put(
        &site,
        &format!("/etc/letsencrypt/live/{NAME}/privkey.pem"),
        &show("tls/bridge-key.pem"),
    );
    site = put(&site, NAME, "localhost");
    if lets_all_in {
        site = put(&site, "default        0;", "default        1;");
    }
    let mut whole = format!(
        "daemon off; master_process off; pid {}; error_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n",
        show("nginx.pid")
    );
    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        whole += &format!("{kind}_temp_path {};\n", show(kind));
    }
    fs::write(folder.join("nginx.conf"), whole + &site + "}\n").unwrap();
    let mut command = Command::new("nginx");
    command
        .arg("-e")
        .arg("stderr")
        .arg("-c")
        .arg(folder.join("nginx.conf"));
    command
}

fn caddy(folder: &Path, port: u16, behind: u16, lets_all_in: bool) -> Command {
    let show = |name: &str| folder.join(name).display().to_string();
    let tls = format!(
        "https://localhost:{port} {{\n\tbind 127.0.0.1\n\ttls {} {}\n",
        show("tls/bridge-certificate.pem"),
        show("tls/bridge-key.pem")
    );
    let sender = if lets_all_in {
        "127.0.0.0/8".to_owned()
    } else {
        TRADINGVIEW.to_string()
    };
    let mut site = put(CADDY, &format!("\n{NAME} {{\n"), &format!("\n{tls}"));
    site = put(&site, FIRST_ADDRESS, &sender);
    site = put(&site, "127.0.0.1:8080", &format!("127.0.0.1:{behind}"));
    let global = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n";
    fs::write(folder.join("Caddyfile"), format!("{global}{site}")).unwrap();
    let mut command = Command::new("caddy");
    command
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(folder.join("Caddyfile"))
        .env("HOME", folder)
        .env("XDG_DATA_HOME", folder)
        .env("XDG_CONFIG_HOME", folder);
    command
}

/// A Ponte for this web server. It calls from 127.0.0.1, and the other addresses of 127.0.0.0/8 stand for the world.
fn behind(kind: Kind, flags: &[&str]) -> Place {
    let name = match kind {
        Kind::Nginx => "nginx",
        Kind::Caddy => "caddy",
    };
    let place = Place::of(name, flags);
    let preset = format!("proxy = \"{name}\"");
    place.edit(
        &preset,
        &format!("{preset}\ntrusted_proxies = [\"127.0.0.1\"]"),
    );
    place
}

const BOTH: [Kind; 2] = [Kind::Nginx, Kind::Caddy];

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_passes_the_web_server_and_a_stranger_does_not() {
    for kind in BOTH {
        let mut place = behind(kind, &["--domain", NAME]);
        place.start().await;
        let front = Front::start(kind, place.folder.path(), place.port, false).await;
        let sender = client(TRADINGVIEW, Some(&front.certificate));
        let stranger = client(STRANGER, Some(&front.certificate));
        let url = front.url("/webhook");
        assert_eq!(
            post(&sender, &url, place.alert("1"), &[]).await,
            200,
            "{kind:?}"
        );
        // The secret in the path works as well.
        let path = front.url(&format!("/webhook/{}", place.secret()));
        let body = r#"{"acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01,"preco":60000,"id":"p"}"#;
        assert_eq!(
            post(&sender, &path, body.to_owned(), &[]).await,
            200,
            "{kind:?}"
        );
        let forged = [("x-forwarded-for", "127.0.0.2"), ("x-real-ip", "127.0.0.2")];
        assert_eq!(
            post(&stranger, &url, place.alert("2"), &forged).await,
            403,
            "{kind:?}"
        );
        assert_eq!(place.alerts(), 2, "{kind:?}");
        // Nothing but the webhook is there, and nothing leads elsewhere.
        for path in ["/", "/healthz", "/api/status", "/metrics"] {
            let answer = sender.get(front.url(path)).send().await.unwrap();
            assert_eq!(answer.status(), 404, "{kind:?} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_claims_of_itself_does_not_pass_the_web_server() {
    for kind in BOTH {
        let mut place = behind(kind, &[]);
        place.start().await;
        // The web server lets everybody in: Ponte alone looks at who it is.
        let front = Front::start(kind, place.folder.path(), place.port, true).await;
        let sender = client(TRADINGVIEW, Some(&front.certificate));
        let stranger = client(STRANGER, Some(&front.certificate));
        let url = front.url("/webhook");
        for (index, forged) in [
            &[("x-real-ip", "127.0.0.2")][..],
            &[("x-forwarded-for", "127.0.0.2")],
            &[("x-real-ip", "127.0.0.2"), ("x-real-ip", "127.0.0.2")],
            &[("forwarded", "for=127.0.0.2"), ("x_real_ip", "127.0.0.2")],
        ]
        .into_iter()
        .enumerate()
        {
            let alert = place.alert(&format!("f{index}"));
            assert_eq!(
                post(&stranger, &url, alert, forged).await,
                403,
                "{kind:?} {forged:?}"
            );
        }
        let forged = [
            ("x-real-ip", "203.0.113.1"),
            ("x-forwarded-for", "203.0.113.1"),
        ];
        let alert = place.alert("honest");
        assert_eq!(post(&sender, &url, alert, &forged).await, 200, "{kind:?}");
        assert_eq!(place.alerts(), 1, "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ponte_that_does_not_answer_is_503_and_is_asked_once() {
    for kind in BOTH {
        let mut place = behind(kind, &[]);
        place.start().await;
        let front = Front::start(kind, place.folder.path(), place.port, false).await;
        let sender = client(TRADINGVIEW, Some(&front.certificate));
        let url = front.url("/webhook");
        assert_eq!(
            post(&sender, &url, place.alert("1"), &[]).await,
            200,
            "{kind:?}"
        );
        place.stop();
        let answer = sender
            .post(&url)
            .body(place.alert("2"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 503, "{kind:?}");
        assert_eq!(answer.headers()["retry-after"], "5", "{kind:?}");
        // One that takes the request and says nothing, and one that takes it and goes away.
        for hangs in [true, false] {
            let behind = Silent::listen(place.port, hangs);
            assert_eq!(
                post(&sender, &url, place.alert("3"), &[]).await,
                503,
                "{kind:?} {hangs}"
            );
            assert_eq!(
                behind.requests.load(Ordering::SeqCst),
                1,
                "{kind:?} {hangs}"
            );
            behind.stop().await;
        }
        // It comes back, and so do alerts.
        place.start().await;
        assert_eq!(
            post(&sender, &url, place.alert("2"), &[]).await,
            200,
            "{kind:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_may_be_as_large_as_ponte_takes_it() {
    for kind in BOTH {
        let mut place = behind(kind, &[]);
        place.start().await;
        let front = Front::start(kind, place.folder.path(), place.port, false).await;
        let sender = client(TRADINGVIEW, Some(&front.certificate));
        let url = front.url("/webhook");
        let padded = |bytes: usize| place.alert("1") + &" ".repeat(bytes);
        assert_eq!(
            post(&sender, &url, padded(250 * 1024), &[]).await,
            200,
            "{kind:?}"
        );
        assert_eq!(
            post(&sender, &url, padded(300 * 1024), &[]).await,
            413,
            "{kind:?}"
        );
        assert_eq!(place.alerts(), 1, "{kind:?}");
    }
}

/// Something that takes requests and answers none.
struct Silent {
    requests: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Silent {
    fn listen(port: u16, hangs: bool) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let count = requests.clone();
        let task = tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = [0; 4096];
                if stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {
                    count.fetch_add(1, Ordering::SeqCst);
                }
                if hangs {
                    held.push(stream);
                }
            }
        });
        Self { requests, task }
    }

    /// Gives the port free.
    async fn stop(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}
