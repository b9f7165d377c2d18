//! Certificates and their ends: what each listener shows, how long it still holds, and when that is
//! too little.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ponte_core::time::Timestamp;
use serde::Serialize;

use super::acme::{AcmeSettings, RenewalFailure};
use super::certificate::{CertificateFiles, facts_of};
use super::x509::Facts;

const DAY: Duration = Duration::from_secs(86_400);
/// A certificate of which less is left is soon over; one that lives shorter, when three tenths of its
/// life are left: a renewal at two thirds of it has failed by then.
const SOON: Duration = DAY.saturating_mul(28);
/// The same for a certificate that must be looked at today: a tenth of its life.
const URGENT: Duration = DAY.saturating_mul(7);

/// What a listener's certificate is, as it lies on the disk.
#[derive(Debug, Clone)]
pub struct CertificateReport {
    /// `webhook`, `bridge` or `admin`.
    pub listener: &'static str,
    /// Where it comes from.
    pub source: CertificateSource,
    /// What it says of itself, or why there is none.
    pub facts: Result<Facts, NoCertificate>,
    /// When Ponte renews it by itself; never for files.
    pub next_renewal: Option<Timestamp>,
    /// What went wrong since the last success.
    pub last_failure: Option<RenewalFailure>,
}

/// Where a certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateSource {
    /// The owner's files, which somebody else renews.
    Files {
        /// The certificate's file.
        certificate: PathBuf,
    },
    /// An authority, asked by Ponte itself.
    Acme {
        /// Its name or its URL.
        directory: String,
        /// Whether nobody trusts what it gives.
        staging: bool,
        /// What is wanted; [`Facts::names`] is what there is.
        names: Vec<String>,
        /// When the way was walked to its end at the authority's staging.
        rehearsed_at: Option<Timestamp>,
    },
}

/// Why there is no certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoCertificate {
    /// For people.
    pub why: String,
    /// What to do about it.
    pub cure: String,
}

/// How long a certificate still holds, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Long enough.
    Good,
    /// Less than 28 days, or three tenths of its life where that is shorter: it should be another by now.
    Soon,
    /// Less than 7 days, or a tenth of its life where that is shorter.
    Urgent,
    /// It has ended, has not begun, or there is none.
    Void,
}

impl Standing {
    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Soon => "soon",
            Self::Urgent => "urgent",
            Self::Void => "void",
        }
    }
}

impl CertificateReport {
    /// The report of a listener with the owner's files.
    #[must_use]
    pub fn of_files(listener: &'static str, files: &CertificateFiles) -> Self {
        Self {
            listener,
            source: CertificateSource::Files {
                certificate: files.certificate.clone(),
            },
            facts: facts_of(&files.certificate).map_err(|error| NoCertificate {
                why: error.to_string(),
                cure: error.cure(),
            }),
            next_renewal: None,
            last_failure: None,
        }
    }

    /// The report of a listener whose certificate comes by ACME, from what the data directory holds.
    #[must_use]
    pub fn of_acme(listener: &'static str, settings: &AcmeSettings, data_dir: &Path) -> Self {
        super::acme::report(listener, settings, data_dir)
    }

    /// How long it still holds.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Standing {
        self.facts
            .as_ref()
            .map_or(Standing::Void, |facts| standing(facts, now))
    }
}

/// How long a certificate still holds.
#[must_use]
pub fn standing(facts: &Facts, now: Timestamp) -> Standing {
    let life = facts.not_after.since(facts.not_before);
    let left = facts.not_after.since(now);
    if left.is_zero() || now < facts.not_before {
        Standing::Void
    } else if left < URGENT.min(life / 10) {
        Standing::Urgent
    } else if left < SOON.min(life / 10 * 3) {
        Standing::Soon
    } else {
        Standing::Good
    }
}

/// Whether it must be looked at today.
pub(super) fn is_urgent(facts: &Facts, now: Timestamp) -> bool {
    standing(facts, now) >= Standing::Urgent
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_795_996_800_000_000);

    fn facts(lasts: Duration) -> Facts {
        Facts {
            subject: String::new(),
            issuer: String::new(),
            names: Vec::new(),
            emails: Vec::new(),
            not_before: START,
            not_after: START.after(lasts),
            fingerprint: String::new(),
            key: String::new(),
        }
    }

    #[test]
    fn what_is_soon_depends_on_the_lifetime() {
        // Lifetime and left, in hours.
        for (lasts, left, expected) in [
            (90 * 24, 30 * 24, Standing::Good),
            (90 * 24, 26 * 24, Standing::Soon),
            (90 * 24, 6 * 24, Standing::Urgent),
            (90 * 24, 0, Standing::Void),
            (45 * 24, 15 * 24, Standing::Good),
            (45 * 24, 13 * 24, Standing::Soon),
            (160, 54, Standing::Good),
            (160, 40, Standing::Soon),
            (160, 15, Standing::Urgent),
            (3650 * 24, 29 * 24, Standing::Good),
            (3650 * 24, 27 * 24, Standing::Soon),
        ] {
            let hour = Duration::from_secs(3600);
            let facts = facts(hour * lasts);
            let now = facts.not_after.before(hour * left);
            assert_eq!(standing(&facts, now), expected, "{left} h of {lasts} h");
        }
        assert_eq!(standing(&facts(DAY), START.before(DAY)), Standing::Void);
    }
}
