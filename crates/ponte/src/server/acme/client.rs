//! HTTP to the directory: bounded in time and bytes, no redirects, https only.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{RETRY_AFTER, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, Request};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};

/// How long one request may take.
const REQUEST_MAX: Duration = Duration::from_secs(30);
/// Largest answer or request, in bytes: a chain of several certificates has some 10 000.
const BYTES_MAX: usize = 256 * 1024;
/// Who asks, as RFC 8555 (6.1) wants it.
const NAME: HeaderValue = HeaderValue::from_static(concat!("ponte/", env!("CARGO_PKG_VERSION")));

/// A client of one directory.
#[derive(Debug, Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    /// What the last refusal said about when to come back.
    retry_after: Arc<Mutex<Option<Duration>>>,
}

impl Client {
    /// Takes what decides whom to trust.
    ///
    /// # Errors
    /// When the TLS library refuses it.
    pub(super) fn new(http: reqwest::ClientBuilder) -> Result<Self, reqwest::Error> {
        let http = http
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(REQUEST_MAX)
            .build()?;
        Ok(Self {
            http,
            retry_after: Arc::default(),
        })
    }

    /// What the last refusal said about when to come back; once.
    pub(super) fn take_retry_after(&self) -> Option<Duration> {
        self.remembered().take()
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, Option<Duration>> {
        self.retry_after
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(self, request: Request<BodyWrapper<Bytes>>) -> Result<BytesResponse, Error> {
        let (mut head, body) = request.into_parts();
        let body = axum::body::to_bytes(Body::new(body), BYTES_MAX).await;
        let body = body.map_err(|error| Error::Other(Box::new(error)))?;
        head.headers.insert(USER_AGENT, NAME);
        let mut answer = self
            .http
            .request(head.method, head.uri.to_string())
            .headers(head.headers)
            .body(body)
            .send()
            .await
            .map_err(other)?;
        let status = answer.status();
        if status.is_client_error() || status.is_server_error() {
            *self.remembered() = retry_after(answer.headers());
        }
        let mut response = axum::http::Response::new(());
        *response.status_mut() = status;
        *response.headers_mut() = answer.headers().clone();
        let mut whole = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(other)? {
            if whole.len().saturating_add(piece.len()) > BYTES_MAX {
                let text = format!("the directory's answer has more than {BYTES_MAX} bytes");
                return Err(Error::Other(text.into()));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(BytesResponse {
            parts: response.into_parts().0,
            body: Box::new(Bytes::from(whole)),
        })
    }
}

impl HttpClient for Client {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        Box::pin(self.clone().ask(request))
    }
}

fn other(error: reqwest::Error) -> Error {
    Error::Other(Box::new(error))
}

/// The pause that a refusal asks for, in seconds; the other form, a date, no authority is known to use.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_a_number_of_seconds() {
        for (text, expected) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
            assert_eq!(
                retry_after(&headers),
                expected.map(Duration::from_secs),
                "{text}"
            );
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
