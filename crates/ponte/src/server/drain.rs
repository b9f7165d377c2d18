//! The end of a listener: what is under way is answered, and what still comes is asked to come again.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use tokio::sync::watch;
use tokio::time::sleep_until;

use crate::clock;

/// How long before its end a request that is still under way is answered `503`, so that the answer
/// gets out before the connection is cut.
const LAST_WORD_BEFORE: Duration = Duration::from_millis(100);

/// The end of a listener, in the hands of the one who brings it about.
pub(super) struct Drain {
    began: watch::Sender<Option<Instant>>,
    /// How long it may take.
    max: Duration,
}

/// The end of a listener, as each of its connections sees it.
#[derive(Clone)]
pub(super) struct Draining {
    began: watch::Receiver<Option<Instant>>,
    max: Duration,
}

impl Drain {
    pub(super) fn new(max: Duration) -> Self {
        Self {
            began: watch::Sender::new(None),
            max,
        }
    }

    /// What a connection looks at; the drain is finished when all of them have been let go.
    pub(super) fn of_connection(&self) -> Draining {
        Draining {
            began: self.began.subscribe(),
            max: self.max,
        }
    }

    /// From now on requests are answered `503`.
    pub(super) fn begin(&self) {
        self.began.send_replace(Some(clock::instant()));
    }

    /// Waits until no connection is left. Each ends by itself soon after [`Draining::over`].
    pub(super) async fn finished(&self) {
        self.began.closed().await;
    }

    /// Waits until the time for it has passed.
    pub(super) async fn over(&self) {
        // Looked at from a copy, which is no connection.
        let began = *self.began.borrow();
        sleep_until((began.unwrap_or_else(clock::instant) + self.max).into()).await;
    }
}

impl Draining {
    /// Whether the end has begun, so that whoever asks now is told to ask again.
    pub(super) fn has_begun(&self) -> bool {
        self.began.borrow().is_some()
    }

    /// Waits until connections are cut, however far they have come.
    pub(super) async fn over(&self) {
        self.until(self.max).await;
    }

    /// Waits until requests under way must be answered, be it with `503`.
    pub(super) async fn last_word(&self) {
        self.until(self.max.saturating_sub(LAST_WORD_BEFORE)).await;
    }

    /// Waits until so long after the beginning; where whoever could begin it has gone, until now.
    async fn until(&self, after: Duration) {
        let mut began = self.began.clone();
        let began = match began.wait_for(Option::is_some).await {
            Ok(began) => *began,
            Err(_) => None,
        };
        if let Some(began) = began {
            sleep_until((began + after).into()).await;
        }
    }
}

/// `503`: nothing was done, and on this connection nothing will be. TradingView sends again.
pub(super) fn come_again() -> Response {
    let body = r#"{"error":{"code":"unavailable","message":"stopping; send again"}}"#;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // TradingView's own interval.
    headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
    close_after(&mut response);
    response
}

/// Has the connection closed once this answer is out.
pub(super) fn close_after(response: &mut Response) {
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
}
