//! Doors for fuzzers into what only the listener reads.

use super::{pem, proxy_protocol};

/// A header of the PROXY protocol, of either version; whether it was understood.
#[must_use]
pub fn proxy_header(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"PROXY ") {
        return proxy_protocol::version_1(bytes).is_ok();
    }
    // As much as the listener reads: the fixed bytes, and what they announce.
    let Some(rest) = bytes.get(14..16) else {
        return false;
    };
    let announced = 16 + usize::from(rest[0]) * 256 + usize::from(rest[1]);
    bytes
        .get(..announced)
        .is_some_and(|header| proxy_protocol::version_2(header).is_ok())
}

/// A PEM file; how many sections it has.
#[must_use]
pub fn pem_sections(text: &str) -> Option<usize> {
    pem::sections(text).ok().map(|labels| labels.len())
}
