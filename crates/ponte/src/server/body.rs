//! Reading a body: bounded in bytes, in time and in how many large ones are held at once.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// A body up to this size is read without asking whether there is room; alerts rarely have more.
const SMALL_BYTES_MAX: usize = 16 * 1024;
/// How much of an unwanted body is read, so that its sender sees the answer and not a broken connection.
pub(super) const SKIPPED_BYTES_MAX: usize = 1024 * 1024;
/// How long that may take.
const SKIPPED_TIME_MAX: Duration = Duration::from_secs(2);

/// Why a body was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// It has more bytes than may be.
    TooLarge,
    /// It took too long.
    Slow,
    /// The sender went away, or its framing is broken.
    Incomplete,
    /// Too many large bodies are being read.
    NoRoom,
}

/// Reads a whole body of at most `bytes_max`; more than a little of it needs a place in `room`.
/// What is not wanted is read to some length in the background.
///
/// # Errors
/// Why it could not be read to its end.
pub(crate) async fn read(
    mut body: Body,
    bytes_max: usize,
    time_max: Duration,
    room: &Semaphore,
) -> Result<Bytes, BodyError> {
    if body.size_hint().lower() > bytes_max as u64 {
        skip_in_background(body);
        return Err(BodyError::TooLarge);
    }
    let whole = timeout(time_max, collect(&mut body, bytes_max, room)).await;
    let whole = whole.unwrap_or(Err(BodyError::Slow));
    if matches!(whole, Err(BodyError::TooLarge | BodyError::NoRoom)) {
        skip_in_background(body);
    }
    whole
}

async fn collect(body: &mut Body, bytes_max: usize, room: &Semaphore) -> Result<Bytes, BodyError> {
    let Some(first) = next(body).await? else {
        return Ok(Bytes::new());
    };
    if body.is_end_stream() {
        // The usual alert: one piece, and no copy of it.
        return bounded(first.len(), bytes_max).map(|()| first);
    }
    let mut permit = None;
    let mut whole = Vec::with_capacity(2 * first.len());
    whole.extend_from_slice(&first);
    while let Some(piece) = next(body).await? {
        let bytes = whole.len().saturating_add(piece.len());
        bounded(bytes, bytes_max)?;
        if bytes > SMALL_BYTES_MAX && permit.is_none() {
            permit = Some(room.try_acquire().map_err(|_| BodyError::NoRoom)?);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.into())
}

fn bounded(bytes: usize, bytes_max: usize) -> Result<(), BodyError> {
    if bytes > bytes_max {
        return Err(BodyError::TooLarge);
    }
    Ok(())
}

/// The next piece of the body; `None` at its end.
async fn next(body: &mut Body) -> Result<Option<Bytes>, BodyError> {
    loop {
        match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            None => return Ok(None),
            Some(Err(_)) => return Err(BodyError::Incomplete),
            Some(Ok(frame)) => {
                // Trailers are of no interest.
                if let Ok(piece) = frame.into_data() {
                    return Ok(Some(piece));
                }
            }
        }
    }
}

/// Reads a body that nobody wants, up to what a wanted one could have.
pub(crate) async fn skip(mut body: Body, bytes_max: usize, time_max: Duration) {
    let _ = timeout(time_max, skipped(&mut body, bytes_max)).await;
}

/// Reads some of a body that nobody wants while the answer is under way.
pub(crate) fn skip_in_background(mut body: Body) {
    tokio::spawn(async move {
        let _ = timeout(SKIPPED_TIME_MAX, skipped(&mut body, SKIPPED_BYTES_MAX)).await;
    });
}

async fn skipped(body: &mut Body, bytes_max: usize) {
    let mut bytes = 0_usize;
    while bytes <= bytes_max {
        let Ok(Some(piece)) = next(body).await else {
            return;
        };
        bytes = bytes.saturating_add(piece.len());
    }
}
