//! Who sent this? Every secret that a request presents must be the same source's.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use ponte_core::format::{self, Format, FormatError};
use ponte_core::id::SourceName;
use ponte_core::signal::Signal;

use crate::secret::SourceSecrets;

/// The header for senders that can set one; TradingView can't.
const SECRET_HEADER: &str = "x-ponte-secret";
/// What stands before the secret in an `Authorization` header.
const BEARER: &[u8] = b"bearer ";

/// The sources, their secrets and their formats.
pub(super) struct Door {
    secrets: SourceSecrets,
    formats: BTreeMap<SourceName, Format>,
    /// The format of all sources, where they have but one.
    common_format: Option<Format>,
}

/// A message whose sender is known.
pub(super) struct Admitted<'a> {
    /// The sender.
    pub(super) source: &'a SourceName,
    /// What the message says, or why nothing.
    pub(super) signal: Result<Signal, FormatError>,
}

/// Why nobody was let in. For the record; the sender isn't told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stranger {
    /// No secret was presented.
    NoSecret,
    /// One is no source's, or two are different sources'.
    WrongSecret,
}

impl Door {
    pub(super) fn new(secrets: SourceSecrets, formats: BTreeMap<SourceName, Format>) -> Self {
        for (source, _) in secrets.iter() {
            assert!(
                formats.contains_key(source),
                "source {source} has no format"
            );
        }
        let mut all = formats.values().copied();
        let first = all.next();
        let common_format = first.filter(|first| all.all(|other| other == *first));
        Self {
            secrets,
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
    ) -> Result<Admitted<'_>, Stranger> {
        let mut presented = Presented::new(&self.secrets);
        if let Some(token) = token {
            presented.add(token.as_bytes());
        }
        for value in headers.get_all(SECRET_HEADER) {
            presented.add(value.as_bytes());
        }
        for value in headers.get_all(AUTHORIZATION) {
            if let Some(secret) = bearer(value.as_bytes()) {
                presented.add(secret);
            }
        }
        let Some(format) = self.format(&presented, body) else {
            presented.add_found_in(body);
            return Err(presented.source().err().unwrap_or(Stranger::WrongSecret));
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
        let source = presented.source()?;
        Ok(Admitted { source, signal })
    }

    /// How the body is written: as the source writes that has presented itself outside of it, as
    /// all write, or as the source whose secret seems to be in it.
    fn format(&self, presented: &Presented<'_>, body: &[u8]) -> Option<Format> {
        let of = |source: Option<&SourceName>| self.formats.get(source?).copied();
        of(presented.source).or(self.common_format).or_else(|| {
            let secret = format::secret_in(body)?;
            of(self.secrets.matching(secret.expose().as_bytes()))
        })
    }

    /// A text of ours without the source's secret, should it still stand somewhere in it.
    pub(super) fn scrubbed(&self, source: &SourceName, text: String) -> String {
        match self.secrets.get(source) {
            Some(secret) if text.contains(secret.expose()) => {
                text.replace(secret.expose(), crate::secret::REDACTED)
            }
            Some(_) | None => text,
        }
    }
}

/// What the secrets of a request come to.
struct Presented<'a> {
    secrets: &'a SourceSecrets,
    any: bool,
    wrong: bool,
    source: Option<&'a SourceName>,
}

impl<'a> Presented<'a> {
    fn new(secrets: &'a SourceSecrets) -> Self {
        Self {
            secrets,
            any: false,
            wrong: false,
            source: None,
        }
    }

    fn add(&mut self, secret: &[u8]) {
        let matching = self.secrets.matching(secret);
        self.any = true;
        self.wrong |= matching.is_none();
        self.wrong |= self.source.is_some() && self.source != matching;
        self.source = matching.or(self.source);
    }

    fn add_found_in(&mut self, body: &[u8]) {
        if let Some(secret) = format::secret_in(body) {
            self.add(secret.expose().as_bytes());
        }
    }

    fn source(&self) -> Result<&'a SourceName, Stranger> {
        match self.source {
            Some(source) if !self.wrong => Ok(source),
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
