//! Who asks on the address beyond loopback, and what they may do: users, sessions, tokens.
//!
//! Every request passes the gate (`gate.rs`): the name it came by, who sent it, what its route asks for,
//! how often, and whether a page of another site could have made it. What reaches a handler has an
//! [`Actor`]. A route has its [`Access`] from the moment it is added; what has none can't be called.

mod access;
mod actor;
pub(super) mod cookies;
mod gate;
mod live;
mod lockout;
pub mod password;
mod rate;
mod remote;
mod sessions;
mod sign_in;
pub mod totp;
pub mod users;

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

pub use access::{Access, RouteAccess};
pub use actor::Role;
pub use remote::{Remote, RemoteError};

pub(super) use access::Routes;
pub(super) use actor::{Actor, SignedIn};
pub(super) use gate::{Gate, check};
pub(super) use remote::Visit;
pub(super) use sign_in::Outcome;

/// The SHA-256 of a random text, as hex digits: what is kept of it.
fn digest(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// What follows a scheme in a header: `Bearer TOKEN`.
fn pair_of<'t>(text: &'t str, scheme: &str) -> Option<&'t str> {
    let (found, rest) = text.trim().split_once(' ')?;
    found.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}
