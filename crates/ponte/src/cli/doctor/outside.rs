//! The way from the world to the webhook, and the test alert that is posted on it.

use std::net::SocketAddr;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use ponte_core::time::Timestamp;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::admin::wire::{Finding, Group, SelfTest, SelfTestCourse};
use crate::app;
use crate::cli::client::{Asked, Client, reachable};
use crate::cli::failure::Failure;
use crate::clock;
use crate::config::Config;
use crate::doctor::public_side::{self, Place};
use crate::doctor::say;
use crate::doctor::say::selftest::Posted;

/// How long the trade of a test may take.
const COURSE_MAX: Duration = Duration::from_secs(8);
const COURSE_LOOK: Duration = Duration::from_millis(50);

/// Looks at the public side, and posts a test there, or at the address that ponte listens on, once
/// nobody holds the other end of `wait` any more.
pub(super) fn look(config: &Config, client: Option<Client>, wait: &Receiver<()>) -> Vec<Group> {
    let Ok(runtime) = runtime() else {
        let finding = Finding::wrong("network", "this process can't use the network");
        return vec![Group::new("public", vec![finding])];
    };
    let mut groups = Vec::new();
    let mut public = None;
    match &config.webhook.public_url {
        None => groups.push(Group::new("public", say::public_side::unknown())),
        Some(url) => {
            let seen = runtime.block_on(public_side::look(url));
            let at: Timestamp = clock::now();
            let mut findings = say::public_side::all(config, url, &seen, at);
            let kept = app::certificates(config);
            findings.extend(
                kept.iter()
                    .flat_map(|report| say::public_side::kept(report, at)),
            );
            groups.push(Group::new("public", findings));
            let is_up = |met: &public_side::Met| matches!(met.answer, Some(Ok(_)));
            public = seen
                .met
                .filter(|(_, met)| is_up(met))
                .map(|(place, _)| (url, place));
        }
    }
    if let Some(client) = client {
        // It ends in any case by the sender's going away.
        let _ = wait.recv();
        let (to, place, is_public) = match public {
            Some((url, place)) => (url.to_string(), place, true),
            None if config.webhook.proxy_protocol => {
                let finding = say::selftest::behind_a_proxy(config);
                groups.push(Group::new("selftest", vec![finding]));
                return groups;
            }
            None => {
                let listen = reachable(config.webhook.listen);
                (listen.to_string(), here(config, listen), false)
            }
        };
        let mut findings = self_test(&runtime, &client, &to, &place, is_public)
            .unwrap_or_else(|failure| vec![Finding::look("arrives", failure.message())]);
        if !findings.is_empty() {
            findings.extend(say::selftest::without_certificate(config));
        }
        groups.push(Group::new("selftest", findings));
    }
    groups
}

fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

/// Where ponte listens itself.
fn here(config: &Config, listen: SocketAddr) -> Place {
    let webhook = &config.webhook;
    let name = webhook.public_url.as_ref().map(|url| url.host().to_owned());
    Place {
        address: listen,
        host: name.unwrap_or_else(|| listen.ip().to_string()),
        secure: webhook.tls.is_some(),
        authority: listen.to_string(),
    }
}

fn self_test(
    runtime: &Runtime,
    client: &Client,
    to: &str,
    place: &Place,
    is_public: bool,
) -> Result<Vec<Finding>, Failure> {
    let Asked::Answer(test) = client.post::<SelfTest>("api/selftest", &json!({}))? else {
        return Ok(Vec::new());
    };
    let headers = [(test.header.as_str(), test.value.as_str())];
    let posting = public_side::ask(place, "POST", &test.path, &headers, test.body.as_bytes());
    let met = runtime.block_on(posting);
    let course = course(client, &test.number)?;
    Ok(say::selftest::all(&Posted {
        to: to.to_owned(),
        is_public,
        met,
        course,
        account: test.account.map(String::from),
    }))
}

/// How far a test has come, once it has ended, has not arrived, or has had its time.
fn course(client: &Client, number: &str) -> Result<Option<SelfTestCourse>, Failure> {
    let began = clock::instant();
    loop {
        let path = format!("api/selftest/{number}");
        let Asked::Answer(course) = client.get::<SelfTestCourse>(&path, &[])? else {
            return Ok(None);
        };
        let is_late = clock::instant().saturating_duration_since(began) >= COURSE_MAX;
        if course.ended || course.arrival.is_none() || is_late {
            return Ok(Some(course));
        }
        std::thread::sleep(COURSE_LOOK);
    }
}
