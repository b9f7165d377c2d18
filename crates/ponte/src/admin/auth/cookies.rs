//! The cookies: their names, how they are read, and the flags with which they are set.
//!
//! All begin with `__Host-`: a browser takes such a cookie only over TLS, for this one host and for all
//! of its paths, so that no neighbour of the host can plant one.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};

/// What opens a session.
pub(in crate::admin) const SESSION: &str = "__Host-ponte";
/// What a sign-in carries between its password and its code.
pub(in crate::admin) const HALF_WAY: &str = "__Host-ponte-step";
/// By which a browser is known that has signed in before; it opens nothing.
pub(in crate::admin) const DEVICE: &str = "__Host-ponte-device";
/// The language that was chosen.
pub(in crate::admin) const LANGUAGE: &str = "__Host-ponte-language";

/// How long a browser is known.
pub(in crate::admin) const DEVICE_LASTS: Duration = Duration::from_secs(180 * 86_400);
/// Longest value that is read, in bytes.
const VALUE_BYTES_MAX: usize = 128;

/// The value of a cookie.
pub(in crate::admin) fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';'));
    pairs.find_map(|pair| {
        let (found, value) = pair.trim().split_once('=')?;
        let is_it = found == name && !value.is_empty() && value.len() <= VALUE_BYTES_MAX;
        is_it.then(|| value.to_owned())
    })
}

/// Sets a cookie that no script can read and no other site makes a browser send.
pub(in crate::admin) fn set(headers: &mut HeaderMap, name: &str, value: &str, lasts: Duration) {
    let seconds = lasts.as_secs();
    let text =
        format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={seconds}");
    if let Ok(mut line) = HeaderValue::from_str(&text) {
        line.set_sensitive(true);
        headers.append(header::SET_COOKIE, line);
    }
}

/// Takes a cookie away.
pub(in crate::admin) fn remove(headers: &mut HeaderMap, name: &str) {
    set(headers, name, "", Duration::ZERO);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_read_by_their_whole_name() {
        let mut headers = HeaderMap::new();
        let lines = [
            "a=b; __Host-ponte-step=half",
            "x__Host-ponte=no;__Host-ponte=yes",
        ];
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_static(line));
        }
        assert_eq!(read(&headers, SESSION).as_deref(), Some("yes"));
        assert_eq!(read(&headers, HALF_WAY).as_deref(), Some("half"));
        assert_eq!(read(&headers, DEVICE), None);
    }

    #[test]
    fn cookies_are_set_with_all_flags() {
        let mut headers = HeaderMap::new();
        set(&mut headers, SESSION, "value", Duration::from_secs(60));
        remove(&mut headers, HALF_WAY);
        let lines: Vec<_> = headers.get_all(header::SET_COOKIE).iter().collect();
        assert_eq!(
            lines[0],
            "__Host-ponte=value; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=60"
        );
        assert!(lines[1].to_str().unwrap().ends_with("Max-Age=0"));
        assert!(lines[0].is_sensitive());
    }
}
