//! Who may speak to the admin address: programs on this machine, never a page in its browser.
//!
//! A page that the owner visits can make the browser send requests to loopback addresses. Its
//! name may even resolve to one (DNS rebinding), and then it reads the answers too. The first is
//! stopped by what a request must carry to change anything, the second by the name in `Host`.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::auth::Actor;
use super::{ApiError, PONTE_HEADER};

/// Turns away what does not come from a program of this machine; marks every answer as Ponte's.
pub(super) async fn check(mut request: Request, next: Next) -> Response {
    let mut response = match examine(&request) {
        Ok(()) => {
            request.extensions_mut().insert(Actor::Local);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(
        HeaderName::from_static(PONTE_HEADER),
        HeaderValue::from_static(env!("CARGO_PKG_VERSION")),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

fn examine(request: &Request) -> Result<(), ApiError> {
    let headers = request.headers();
    let host = only(headers, &header::HOST)?
        .ok_or_else(|| ApiError::Foreign("the request names no host".to_owned()))?;
    let written = request.uri().authority().map(|name| name.as_str());
    for name in [Some(host), written].into_iter().flatten() {
        if !is_loopback(name) {
            return Err(ApiError::Foreign(format!(
                "the request came by the name {name:?}; the admin address answers to localhost, \
                 127.0.0.1 and [::1]"
            )));
        }
    }
    if let Some(origin) = only(headers, &header::ORIGIN)? {
        let page = origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"));
        if !page.is_some_and(is_loopback) {
            return Err(ApiError::Foreign(
                "the request came from a page of another machine".to_owned(),
            ));
        }
    }
    if request.method() == Method::POST {
        return unforgeable(request.uri().path(), headers);
    }
    Ok(())
}

/// A page of another origin can't send either of these without asking first, and gets no answer.
fn unforgeable(path: &str, headers: &HeaderMap) -> Result<(), ApiError> {
    if path == "/api/explain" {
        if headers.contains_key(PONTE_HEADER) {
            return Ok(());
        }
        return Err(ApiError::NotSure(
            "explain needs the header X-Ponte: 1".to_owned(),
        ));
    }
    let kind = only(headers, &header::CONTENT_TYPE)?.unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(ApiError::NotSure(
        "a POST needs the header Content-Type: application/json".to_owned(),
    ))
}

/// The value of a header that may be there once.
pub(super) fn only<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'h str>, ApiError> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(ApiError::Foreign(format!("two {name} headers")));
    }
    first
        .map(|value| {
            value
                .to_str()
                .map_err(|_| ApiError::Foreign(format!("an unreadable {name} header")))
        })
        .transpose()
}

/// Whether `name`, `name:port`, `address` or `address:port` is this machine.
fn is_loopback(authority: &str) -> bool {
    let is_ours = |address: IpAddr| address.to_canonical().is_loopback();
    if let Ok(address) = authority.parse::<SocketAddr>() {
        return is_ours(address.ip());
    }
    let bare = authority
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(authority);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return is_ours(address);
    }
    let (name, port) = authority.split_once(':').unwrap_or((authority, "0"));
    name.eq_ignore_ascii_case("localhost") && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_this_machine_is_this_machine() {
        for name in [
            "localhost",
            "LOCALHOST:8081",
            "127.0.0.1",
            "127.9.9.9:1",
            "[::1]",
            "[::1]:8081",
            "[::ffff:127.0.0.1]:8081",
        ] {
            assert!(is_loopback(name), "{name}");
        }
        for name in [
            "",
            "localhost.example",
            "localhost:x",
            "evil.example:8081",
            "127.0.0.1.example",
            "10.0.0.1:8081",
            "0.0.0.0:8081",
            "[::2]",
            "localhost@evil.example",
        ] {
            assert!(!is_loopback(name), "{name}");
        }
    }
}
