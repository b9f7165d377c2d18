//! The owner's side beyond loopback: the real binary, TLS, and whoever tries to get in.

mod canary;
mod documents;
mod gate;
mod people;
mod roles;
mod second_factor;
mod sign_in;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use reqwest::header::{HeaderMap, SET_COOKIE};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;

use crate::program::{self, Ponte, SECRET};

const PASSWORD: &str = "CANARY três pratos de trigo";
const SESSION: &str = "__Host-ponte";
const DEVICE: &str = "__Host-ponte-device";
const STEP: &str = "__Host-ponte-step";

/// A Ponte that is reached from elsewhere.
struct Site {
    ponte: Ponte,
    client: Client,
    base: String,
}

/// An answer, whole.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

/// A browser: it keeps its cookies and says where its forms come from.
struct Browser<'s> {
    site: &'s Site,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Site {
    /// An installation with a certificate and `[admin.remote]`, and nobody in it.
    fn installed() -> Self {
        let ponte = Ponte::install("prices = [\"alert\"]\n");
        let port = program::free_port();
        let folder = ponte.folder().to_owned();
        let path = folder.join("ponte.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let section = format!(
            "{text}\n[admin.remote]\nlisten = \"127.0.0.1:{port}\"\n\
             names = [\"localhost\", \"ponte.example.com\"]\n\
             certificate = \"secrets/admin-certificate.pem\"\nkey = \"secrets/admin-key.pem\"\n"
        );
        std::fs::write(&path, section).unwrap();
        let (status, said) = ponte.command(&["admin", "certificate", "--host", "localhost"]);
        assert_eq!(status, 0, "{said}");
        Self {
            client: client(&folder.join("secrets/admin-certificate.pem")),
            base: format!("https://localhost:{port}"),
            ponte,
        }
    }

    /// One with ana, who operates, and eva, who views; it runs.
    async fn running() -> Self {
        let mut site = Self::installed();
        site.add("ana", "operate");
        site.add("eva", "view");
        site.ponte.start().await;
        site
    }

    fn add(&self, name: &str, role: &str) {
        self.say(&["user", "add", name, "--role", role], PASSWORD);
    }

    /// Makes a token.
    fn token(&self, name: &str, role: &str) -> String {
        let made = self.say(&["token", "add", name, "--role", role, "--json"], "");
        let made: Value = serde_json::from_str(&made).unwrap();
        made["token"].as_str().unwrap().to_owned()
    }

    /// Runs a command with something on its standard input; gives what it printed.
    #[track_caller]
    fn say(&self, arguments: &[&str], input: &str) -> String {
        let (status, text) = self.try_to_say(arguments, input);
        assert_eq!(status, 0, "{arguments:?}: {text}");
        text
    }

    fn try_to_say(&self, arguments: &[&str], input: &str) -> (i32, String) {
        let mut child = self.spawn(arguments);
        let mut stdin = child.stdin.take().unwrap();
        // Whoever refuses before it reads closes the pipe.
        let _ = writeln!(stdin, "{input}");
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        (output.status.code().unwrap(), text)
    }

    fn spawn(&self, arguments: &[&str]) -> std::process::Child {
        Command::new(env!("CARGO_BIN_EXE_ponte"))
            .args(arguments)
            .current_dir(self.ponte.folder())
            .env("WEBHOOK_SECRET", SECRET)
            .env("USER", "root")
            .env_remove("SUDO_USER")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// What is on record, newest first: who, what, and to what.
    fn acts(&self) -> Vec<(String, String, String)> {
        let text = self.say(&["audit", "log", "--json"], "");
        let acts: Vec<Value> = serde_json::from_str(&text).unwrap();
        let word = |act: &Value, key: &str| act[key].as_str().unwrap().to_owned();
        acts.iter()
            .map(|act| (word(act, "by"), word(act, "action"), word(act, "detail")))
            .collect()
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    fn browser(&self) -> Browser<'_> {
        Browser {
            site: self,
            cookies: Mutex::default(),
        }
    }

    /// A browser in which somebody is signed in.
    async fn signed_in(&self, user: &str) -> Browser<'_> {
        let browser = self.browser();
        let answer = browser.sign_in(user, PASSWORD).await;
        assert_eq!(answer.place(), Some("/"), "{}", answer.text);
        browser
    }
}

/// A client that believes in one certificate and follows no redirect.
fn client(certificate: &Path) -> Client {
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(certificate).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(config)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

async fn whole(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    Answer {
        status: response.status(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

impl Answer {
    /// Where it leads to.
    fn place(&self) -> Option<&str> {
        self.headers.get("location")?.to_str().ok()
    }

    fn cookies(&self) -> Vec<String> {
        let lines = self.headers.get_all(SET_COOKIE).iter();
        lines
            .map(|line| line.to_str().unwrap().to_owned())
            .collect()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{}", self.text))
    }
}

impl Browser<'_> {
    fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    fn plant(&self, name: &str, value: &str) {
        let mut cookies = self.cookies.lock().unwrap();
        cookies.insert(name.to_owned(), value.to_owned());
    }

    /// What it would send, without a body.
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let cookies = self.cookies.lock().unwrap();
        let line: Vec<String> = cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let request = self.site.request(method, path);
        if line.is_empty() {
            return request;
        }
        request.header("cookie", line.join("; "))
    }

    async fn get(&self, path: &str) -> Answer {
        self.kept(whole(self.request(Method::GET, path)).await)
    }

    /// Sends a form as our own pages do, except for the csrf token.
    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self
            .request(Method::POST, path)
            .header("origin", &self.site.base)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form(fields));
        self.kept(whole(request).await)
    }

    /// Sends a form as our own pages do.
    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf().await;
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend(fields);
        self.send(path, &all).await
    }

    async fn csrf(&self) -> String {
        let me = self.get("/api/session").await.json();
        me["csrf"].as_str().unwrap().to_owned()
    }

    async fn sign_in(&self, user: &str, password: &str) -> Answer {
        self.send("/login", &[("user", user), ("password", password)])
            .await
    }

    /// Takes the cookies over.
    fn kept(&self, answer: Answer) -> Answer {
        let mut cookies = self.cookies.lock().unwrap();
        for line in answer.cookies() {
            let (name, rest) = line.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if line.ends_with("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        drop(cookies);
        answer
    }
}

/// A form's body: everything but letters and digits is escaped.
fn form(fields: &[(&str, &str)]) -> String {
    let escaped = |text: &str| -> String {
        let escape = |byte: u8| match byte {
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        };
        text.bytes().map(escape).collect()
    };
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    pairs.join("&")
}
