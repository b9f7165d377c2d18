//! Talking to a running Ponte.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;

use super::context::Context;
use super::failure::Failure;
use crate::admin::{ErrorBody, PONTE_HEADER};
use crate::tls;

/// How long connecting to this machine may take.
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// What asking gave.
pub(super) enum Asked<T> {
    /// Ponte's answer.
    Answer(T),
    /// Nobody listens at the admin address.
    NotRunning,
}

/// The way to a running Ponte's admin address.
pub(super) struct Client {
    runtime: Runtime,
    http: reqwest::Client,
    base: String,
}

/// An HTTP client for addresses of one's own: no proxy, no waiting for ever.
pub(super) fn http() -> Result<(Runtime, reqwest::Client), Failure> {
    http_within(ANSWER_MAX, tls::http_client())
}

/// The same, for a server that is known by its certificate alone, by its SHA-256.
pub(super) fn http_pinning(fingerprint: String) -> Result<(Runtime, reqwest::Client), Failure> {
    http_within(ANSWER_MAX, tls::http_client_pinning(fingerprint))
}

fn http_within(
    patience: Duration,
    client: reqwest::ClientBuilder,
) -> Result<(Runtime, reqwest::Client), Failure> {
    let broken = |error: &dyn std::error::Error| {
        Failure::unreachable(format!("HTTP can't be used: {}", causes(error)))
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| broken(&error))?;
    let client = client
        .connect_timeout(patience.min(CONNECT_MAX))
        .timeout(patience)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("ponte/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| broken(&error))?;
    Ok((runtime, client))
}

/// Where a listening address is reached from this machine.
pub(super) fn reachable(listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        return SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), listen.port());
    }
    listen
}

/// An error with everything behind it.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    text
}

impl Client {
    /// A client of the admin address in the configuration.
    pub(super) fn new(context: &Context) -> Result<Self, Failure> {
        Self::with_patience(context, ANSWER_MAX)
    }

    /// [`Self::new`] that waits for an answer no longer than this.
    pub(super) fn with_patience(context: &Context, patience: Duration) -> Result<Self, Failure> {
        let (runtime, http) = http_within(patience, tls::http_client())?;
        let address = reachable(context.config()?.admin.listen);
        Ok(Self {
            runtime,
            http,
            base: format!("http://{address}"),
        })
    }

    /// Asks for something.
    pub(super) fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, String)],
    ) -> Result<Asked<T>, Failure> {
        let url = self.url(path, parameters)?;
        self.ask(self.http.request(Method::GET, url))
    }

    /// Asks for something to be done.
    pub(super) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Asked<T>, Failure> {
        let url = self.url(path, &[])?;
        self.ask(self.http.request(Method::POST, url).json(body))
    }

    /// Hands over bytes to be explained.
    pub(super) fn post_bytes<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, String)],
        body: Vec<u8>,
    ) -> Result<Asked<T>, Failure> {
        let url = self.url(path, parameters)?;
        let request = self
            .http
            .request(Method::POST, url)
            .header(PONTE_HEADER, "1");
        self.ask(request.body(body))
    }

    fn url(&self, path: &str, parameters: &[(&str, String)]) -> Result<reqwest::Url, Failure> {
        let parse = |text: &str| {
            reqwest::Url::parse(text)
                .map_err(|error| Failure::usage(format!("{text} is not an address: {error}")))
        };
        let mut url = parse(&self.base)?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().extend(path.split('/'));
        }
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        Ok(url)
    }

    fn ask<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<Asked<T>, Failure> {
        self.runtime.block_on(async {
            let Asked::Answer(response) = self.send(request).await? else {
                return Ok(Asked::NotRunning);
            };
            if !response.status().is_success() {
                return Err(refusal(response).await);
            }
            self.read(response).await.map(Asked::Answer)
        })
    }

    /// Asks how Ponte is: the status that it answers with, and what it says.
    pub(super) fn look<T: DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<Asked<(StatusCode, T)>, Failure> {
        let url = self.url(path, &[])?;
        self.runtime.block_on(async {
            let asked = self.send(self.http.request(Method::GET, url)).await?;
            let Asked::Answer(response) = asked else {
                return Ok(Asked::NotRunning);
            };
            let status = response.status();
            Ok(Asked::Answer((status, self.read(response).await?)))
        })
    }

    /// Ponte's answer, whatever it says.
    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Asked<Response>, Failure> {
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() => return Ok(Asked::NotRunning),
            Err(error) => return Err(self.no_answer(error)),
        };
        if response.headers().contains_key(PONTE_HEADER) {
            return Ok(Asked::Answer(response));
        }
        // The end is told before anything knows who is asked.
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            return Err(Failure::unreachable(format!(
                "what answers at {} is stopping",
                self.base
            )));
        }
        Err(Failure::unreachable(format!(
            "something that is not Ponte answers at {}",
            self.base
        ))
        .cured_by("another admin.listen in the configuration"))
    }

    async fn read<T: DeserializeOwned>(&self, response: Response) -> Result<T, Failure> {
        let bytes = response.bytes().await;
        let bytes = bytes.map_err(|error| self.no_answer(error))?;
        serde_json::from_slice(&bytes).map_err(|error| {
            Failure::unreachable(format!(
                "the Ponte at {} answers in words of another version: {error}",
                self.base
            ))
            .cured_by("use the ponte that is running")
        })
    }

    fn no_answer(&self, error: reqwest::Error) -> Failure {
        Failure::unreachable(format!(
            "Ponte listens at {} and does not answer: {}",
            self.base,
            causes(&error.without_url())
        ))
        .cured_by("ponte's own log says more")
    }
}

async fn refusal(response: Response) -> Failure {
    let status = response.status();
    let body = response.bytes().await.unwrap_or_default();
    let message = serde_json::from_slice::<ErrorBody>(&body).map_or_else(
        |_| format!("Ponte answered {status}"),
        |body| body.error.message,
    );
    if status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT {
        Failure::refused(message)
    } else {
        Failure::unreachable(format!("Ponte runs and could not do it: {message}"))
    }
}
