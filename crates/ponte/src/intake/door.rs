//! Who sent this? Every secret that a request presents must be the same source's.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use ponte_core::format::{self, Format, FormatError};
use ponte_core::id::SourceName;
use ponte_core::signal::Signal;
use ponte_core::time::Timestamp;

use super::stray;
use crate::clock;
use crate::secret::{Entry, Keyring, Ring, Role};

/// The header for senders that can set one; TradingView can't.
const SECRET_HEADER: &str = "x-ponte-secret";
/// What stands before the secret in an `Authorization` header.
const BEARER: &[u8] = b"bearer ";

/// The sources, their secrets and their formats.
pub(super) struct Door {
    keyring: Arc<Keyring>,
    formats: BTreeMap<SourceName, Format>,
    /// The format of all sources, where they have but one.
    common_format: Option<Format>,
}

/// A message whose sender is known.
pub(super) struct Admitted {
    /// The sender.
    pub(super) source: SourceName,
    /// Whether it came with the secret before the current one.
    pub(super) previous_secret: bool,
    /// What the message says, or why nothing.
    pub(super) signal: Result<Signal, FormatError>,
}

/// Why nobody was let in. For the record; the sender isn't told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stranger {
    /// No secret was presented.
    NoSecret,
    /// One is no source's, or two are different sources'.
    WrongSecret,
    /// It was this source's, and has ended.
    Expired(SourceName),
    /// It is this source's tripwire.
    Tripwire(SourceName),
}

impl Door {
    pub(super) fn new(keyring: Arc<Keyring>, formats: BTreeMap<SourceName, Format>) -> Self {
        let mut all = formats.values().copied();
        let first = all.next();
        let common_format = first.filter(|first| all.all(|other| other == *first));
        Self {
            keyring,
            formats,
            common_format,
        }
    }

    /// Finds out who sent a body, and what it says.
    ///
    /// The work is the same whichever secret is right or wrong: each one that is presented is
    /// compared with all, and the body is read in any case.
    ///
    /// # Errors
    /// When nobody is let in.
    pub(super) fn admit(
        &self,
        token: Option<&str>,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Admitted, Stranger> {
        let ring = self.keyring.ring();
        let mut presented = Presented::new(&ring);
        presented.add_all_outside(token, headers);
        let Some(format) = self.format(&presented, body) else {
            presented.add_found_in(body);
            return Err(presented.entry(now).err().unwrap_or(Stranger::WrongSecret));
        };
        let signal = match format::parse(format, body) {
            Ok(parsed) => {
                if let Some(secret) = &parsed.secret {
                    presented.add(secret.expose().as_bytes());
                }
                Ok(parsed.signal)
            }
            Err(error) => {
                presented.add_found_in(body);
                Err(error)
            }
        };
        let entry = presented.entry(now)?;
        entry.used(now);
        Ok(Admitted {
            source: entry.source.clone(),
            previous_secret: entry.role == Role::Previous,
            signal,
        })
    }

    /// Whether anything is to be looked for in requests that are turned away for another reason.
    pub(super) fn has_tripwires(&self) -> bool {
        self.keyring.ring().has_tripwires()
    }

    /// The source whose tripwire is in a request that is turned away for another reason.
    pub(super) fn tripwire_in(
        &self,
        token: Option<&str>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Option<SourceName> {
        let ring = self.keyring.ring();
        if !ring.has_tripwires() {
            return None;
        }
        let mut presented = Presented::new(&ring);
        presented.add_all_outside(token, headers);
        presented.add_found_in(body);
        let entry = presented.tripwire?;
        entry.used(clock::now());
        Some(entry.source.clone())
    }

    /// How the body is written: as the source writes that has presented itself outside of it, as
    /// all write, or as the source whose secret seems to be in it.
    fn format(&self, presented: &Presented<'_>, body: &[u8]) -> Option<Format> {
        let of = |entry: Option<&Entry>| self.formats.get(&entry?.source).copied();
        of(presented.entry).or(self.common_format).or_else(|| {
            let secret = format::secret_in(body)?;
            of(presented.ring.find(secret.expose().as_bytes()))
        })
    }

    /// A signal that may be recorded: none of its texts holds a source's secret.
    ///
    /// # Errors
    /// When one that says what to do holds one.
    pub(super) fn cleared(&self, signal: Signal) -> Result<Signal, FormatError> {
        stray::cleared(signal, &self.keyring.ring())
    }

    /// A text of ours without any source's secret, should one still stand somewhere in it.
    pub(super) fn scrubbed(&self, text: String) -> String {
        self.keyring.ring().scrubbed(text)
    }
}

/// What the secrets of a request come to.
struct Presented<'a> {
    ring: &'a Ring,
    any: bool,
    wrong: bool,
    entry: Option<&'a Entry>,
    tripwire: Option<&'a Entry>,
}

impl<'a> Presented<'a> {
    fn new(ring: &'a Ring) -> Self {
        Self {
            ring,
            any: false,
            wrong: false,
            entry: None,
            tripwire: None,
        }
    }

    fn add_all_outside(&mut self, token: Option<&str>, headers: &HeaderMap) {
        if let Some(token) = token {
            self.add(token.as_bytes());
        }
        for value in headers.get_all(SECRET_HEADER) {
            self.add(value.as_bytes());
        }
        for value in headers.get_all(AUTHORIZATION) {
            if let Some(secret) = bearer(value.as_bytes()) {
                self.add(secret);
            }
        }
    }

    fn add(&mut self, secret: &[u8]) {
        let found = self.ring.find(secret);
        let is_tripwire = |entry: &&Entry| entry.role == Role::Tripwire;
        self.tripwire = found.filter(is_tripwire).or(self.tripwire);
        let matching = found.filter(|entry| !is_tripwire(entry));
        let source = |entry: Option<&'a Entry>| entry.map(|entry| &entry.source);
        self.any = true;
        self.wrong |= matching.is_none();
        self.wrong |= self.entry.is_some() && source(self.entry) != source(matching);
        self.entry = matching.or(self.entry);
    }

    fn add_found_in(&mut self, body: &[u8]) {
        if let Some(secret) = format::secret_in(body) {
            self.add(secret.expose().as_bytes());
        }
    }

    fn entry(&self, now: Timestamp) -> Result<&'a Entry, Stranger> {
        if let Some(tripwire) = self.tripwire {
            tripwire.used(now);
            return Err(Stranger::Tripwire(tripwire.source.clone()));
        }
        match self.entry {
            Some(entry) if !self.wrong && entry.has_ended(now) => {
                Err(Stranger::Expired(entry.source.clone()))
            }
            Some(entry) if !self.wrong => Ok(entry),
            Some(_) | None if self.any => Err(Stranger::WrongSecret),
            Some(_) | None => Err(Stranger::NoSecret),
        }
    }
}

/// The secret in an `Authorization` header; other schemes are the proxies' business.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, secret) = value.split_at_checked(BEARER.len())?;
    scheme
        .eq_ignore_ascii_case(BEARER)
        .then_some(secret.trim_ascii())
}
