//! `ponte send`.

use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::body::{self, Body};
use super::client::{causes, http, reachable};
use super::context::Context;
use super::examples;
use super::failure::{Failure, REFUSED, UNREACHABLE};
use super::screen::{self, BAD, BOLD, DIM, SO_SO, span, style_of, styled};
use crate::{admin, clock};

/// Fire an alert at the running Ponte's webhook, as TradingView would
#[derive(Args)]
#[command(after_help = after_help())]
pub(super) struct Send {
    #[command(flatten)]
    body: Body,
    /// The source whose secret is filled in; the first of the configuration when not named
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Another webhook than the configuration's; http only
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Send it so many times, one after the other
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    times: u32,
}

fn after_help() -> String {
    format!(
        "Examples:\n  \
         ponte send --example buy\n  \
         ponte send --example pt --times 3     one order, two duplicates\n  \
         ponte send alert.json\n  \
         ponte send '{{\"secret\":\"{{{{secret}}}}\",\"action\":\"sell\",\"symbol\":\"ETHUSDT\",\"quantity\":0.1}}'\n\n\
         {{{{secret}}}} in an alert stands for the source's secret, which is never printed.\n\n\
         Ready examples:\n{}\n\
         Exit status: 0 for an answer 2xx, 1 for 4xx, 3 for 5xx or none.",
        examples::list()
    )
}

/// One answer of the webhook.
#[derive(Serialize)]
struct Shot {
    http_status: u16,
    round_trip_microseconds: u64,
    /// The answer's JSON, or its text when it is none.
    answer: Value,
}

impl Send {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let body = self.body.bytes()?;
        let body = if body::has_blank(&body) {
            self.with_secret(context, &body)?
        } else {
            body
        };
        let url = self.webhook(context)?;
        let (runtime, client) = http()?;
        let mut shots = Vec::new();
        let mut worst = 0;
        for number in 1..=self.times {
            let shot = runtime.block_on(fire(&client, &url, body.clone()))?;
            worst = worst.max(shot.http_status);
            if context.json {
                shots.push(shot);
            } else {
                if self.times > 1 {
                    screen::print(&styled(DIM, &format!("{number}/{}  ", self.times)))?;
                }
                screen::print(&shown(&shot))?;
            }
        }
        if context.json {
            screen::print_json(&shots)?;
        }
        match worst {
            0..=299 => Ok(()),
            300..=499 => Err(Failure::silent(REFUSED)),
            500.. => Err(Failure::silent(UNREACHABLE)),
        }
    }

    /// The body with the secret of the source in its place.
    fn with_secret(&self, context: &Context, body: &[u8]) -> Result<Vec<u8>, Failure> {
        let loaded = context.loaded()?;
        let source = admin::source(&loaded.config, self.source.as_deref());
        let source = source.map_err(Failure::usage)?;
        let Some(secret) = loaded.secrets.get(&source.name) else {
            let name = &source.name;
            return Err(Failure::refused(format!(
                "the secret of {name} is not known"
            )));
        };
        let text = String::from_utf8_lossy(body);
        Ok(body::fill(&text, secret.expose()).into_bytes())
    }

    fn webhook(&self, context: &Context) -> Result<String, Failure> {
        let Some(url) = &self.url else {
            let webhook = &context.config()?.webhook;
            let address = reachable(webhook.listen);
            if webhook.tls.is_some() {
                let problem =
                    format!("ponte speaks https at {address}, and this sends over http only");
                return Err(Failure::refused(problem)
                    .cured_by("ponte doctor, whose test alert goes through the public address"));
            }
            return Ok(format!("http://{address}/webhook"));
        };
        if url.starts_with("https://") {
            return Err(Failure::usage(
                "this version sends over http only; https is for TradingView and its proxy",
            )
            .cured_by("the address behind the proxy, such as http://127.0.0.1:8080/webhook"));
        }
        if !url.starts_with("http://") {
            return Err(Failure::usage(format!("{url} is not an address"))
                .cured_by("http://127.0.0.1:8080/webhook"));
        }
        Ok(url.clone())
    }
}

async fn fire(client: &reqwest::Client, url: &str, body: Vec<u8>) -> Result<Shot, Failure> {
    let started = clock::instant();
    let request = client
        .post(url)
        .header("content-type", "application/json; charset=utf-8")
        .body(body);
    let response = request.send().await.map_err(|error| {
        if error.is_connect() {
            Failure::unreachable(format!("nothing listens at {url}")).cured_by("ponte run")
        } else {
            let why = causes(&error.without_url());
            Failure::unreachable(format!("no answer from {url}: {why}"))
        }
    })?;
    let http_status = response.status().as_u16();
    let bytes = response.bytes().await.map_err(|error| {
        let why = causes(&error.without_url());
        Failure::unreachable(format!("the answer of {url} broke off: {why}"))
    })?;
    let taken: Duration = started.elapsed();
    let answer = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&bytes).into_owned()));
    Ok(Shot {
        http_status,
        round_trip_microseconds: u64::try_from(taken.as_micros()).unwrap_or(u64::MAX),
        answer,
    })
}

fn shown(shot: &Shot) -> String {
    let taken = span(Duration::from_micros(shot.round_trip_microseconds));
    let time = styled(DIM, &format!("in {taken}"));
    let text = |value: &Value, key: &str| {
        let found = value.get(key).and_then(Value::as_str);
        found.map(screen::printable).unwrap_or_default()
    };
    let mut lines = String::new();
    if let Some(error) = shot.answer.get("error") {
        let code = text(error, "code");
        let head = format!("{} {code}", shot.http_status);
        let _ = writeln!(
            lines,
            "{} {time}\n  {}",
            styled(BAD, &head),
            text(error, "message")
        );
        return lines;
    }
    let status = text(&shot.answer, "status");
    if status.is_empty() {
        let head = shot.http_status.to_string();
        let style = if shot.http_status < 300 { BOLD } else { BAD };
        let _ = writeln!(lines, "{} {time}", styled(style, &head));
        if shot.http_status == 403 {
            let _ = writeln!(
                lines,
                "  {}",
                styled(
                    SO_SO,
                    "the secret is wrong, or webhook.allow_from does not have this machine \
                     (\"loopback\")"
                )
            );
        }
        return lines;
    }
    let word = styled(style_of(&status), &status);
    let delivery = match text(&shot.answer, "delivery") {
        number if number.is_empty() => number,
        number => styled(DIM, &format!("(this one is {number}) ")),
    };
    let id = styled(BOLD, &text(&shot.answer, "id"));
    let _ = writeln!(lines, "{id} {word} {delivery}{time}");
    let reason = text(&shot.answer, "reason");
    if !reason.is_empty() {
        let _ = writeln!(lines, "  {reason}");
    }
    let legs = shot.answer.get("legs").and_then(Value::as_array);
    for leg in legs.into_iter().flatten() {
        let order: Vec<String> = ["side", "quantity", "symbol"]
            .iter()
            .map(|key| leg.get(*key).map_or_else(String::new, plain))
            .filter(|word| !word.is_empty())
            .collect();
        let decision = text(leg, "decision");
        let order = match order.len() {
            3 => format!("{}: ", order.join(" ")),
            _ => String::new(),
        };
        let _ = writeln!(
            lines,
            "  {} {} {order}{}",
            text(leg, "account"),
            styled(style_of(&decision), &decision),
            text(leg, "reason")
        );
    }
    lines
}

/// A JSON value without the quotes of a text.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => screen::printable(text),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
    }
}
