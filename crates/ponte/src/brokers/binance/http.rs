//! HTTP as an order needs it: no hidden repeats, and an honest word about what left this machine.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Method};
use rustls::ClientConfig;

use crate::brokers::BrokerError;
use crate::secret::Secret;

/// How long a connection may take to come up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// What a request may take beyond the time that the exchange works on it.
const TIMEOUT_SLACK: Duration = Duration::from_secs(2);
/// A connection that was idle for longer is not used again: the exchange may be closing it.
const IDLE_MAX: Duration = Duration::from_secs(45);
/// The most idle connections that are kept.
const IDLE_CONNECTIONS_MAX: usize = 4;
/// The largest answer that is read; exchange info has up to 20 MB.
const BODY_BYTES_MAX: usize = 48 << 20;
/// Holds the API key (Binance Spot API, "Request security").
const KEY_HEADER: &str = "X-MBX-APIKEY";
const FORM: &str = "application/x-www-form-urlencoded";

/// An HTTP client for one host.
pub(super) struct Http {
    client: Client,
    base: String,
}

/// What one exchange of bytes gave.
pub(super) enum Exchange {
    /// Certain that no byte of the request was sent.
    NotSent(String),
    /// Something may have been sent, and there is no whole answer.
    Broken(String),
    /// A whole answer.
    Answered(Answer),
}

/// A whole answer.
pub(super) struct Answer {
    /// The HTTP status.
    pub(super) status: u16,
    /// Its headers.
    pub(super) headers: HeaderMap,
    /// Its body.
    pub(super) body: Vec<u8>,
}

impl Http {
    /// A client for the host at `base`. Nothing is sent yet.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn new(
        base: &str,
        tls: &ClientConfig,
        processing_limit: Duration,
    ) -> Result<Self, BrokerError> {
        // A request that is sent twice can be two orders: whatever repeats by itself is off.
        let client = Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .http1_only()
            .retry(reqwest::retry::never())
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(processing_limit + TIMEOUT_SLACK)
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build()
            .map_err(|problem| BrokerError::Refused(problem.to_string()))?;
        Ok(Self {
            client,
            base: base.to_owned(),
        })
    }

    /// Sends one request and reads its whole answer. `query` is already encoded; a POST carries it
    /// in its body.
    pub(super) async fn exchange(
        &self,
        method: Method,
        path: &str,
        query: String,
        key: Option<&Secret>,
    ) -> Exchange {
        let in_body = method == Method::POST;
        let mut url = format!("{}{path}", self.base);
        if !in_body && !query.is_empty() {
            url.push('?');
            url.push_str(&query);
        }
        let mut request = self.client.request(method, url);
        if let Some(key) = key {
            let Ok(mut value) = HeaderValue::from_str(key.expose()) else {
                return Exchange::NotSent("the api key can't be sent in a header".to_owned());
            };
            value.set_sensitive(true);
            request = request.header(KEY_HEADER, value);
        }
        if in_body && !query.is_empty() {
            request = request.header(CONTENT_TYPE, FORM).body(query);
        }
        match request.send().await {
            Ok(answer) => read(answer).await,
            Err(problem) if problem.is_connect() || problem.is_builder() => {
                Exchange::NotSent(reason(problem))
            }
            Err(problem) => Exchange::Broken(reason(problem)),
        }
    }
}

async fn read(mut answer: reqwest::Response) -> Exchange {
    let status = answer.status().as_u16();
    let headers = std::mem::take(answer.headers_mut());
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= BODY_BYTES_MAX => {
                body.extend_from_slice(&chunk);
            }
            Ok(Some(_)) => {
                let limit = BODY_BYTES_MAX >> 20;
                return Exchange::Broken(format!("the answer is larger than {limit} MB"));
            }
            Ok(None) => {
                return Exchange::Answered(Answer {
                    status,
                    headers,
                    body,
                });
            }
            Err(problem) => return Exchange::Broken(reason(problem)),
        }
    }
}

/// What happened, without the address: it holds the request.
fn reason(problem: reqwest::Error) -> String {
    let problem = problem.without_url();
    let mut text = problem.to_string();
    let mut cause = std::error::Error::source(&problem);
    while let Some(problem) = cause {
        let next = problem.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = problem.source();
    }
    text
}

#[cfg(test)]
mod tests;
