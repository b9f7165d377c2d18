//! The secrets of the sources, compared without telling by time which one was near.

use ponte_core::id::SourceName;
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use super::Secret;
use super::value::digest;

/// The secrets of all sources.
#[derive(Debug, Default)]
pub struct SourceSecrets {
    secrets: Vec<(SourceName, Secret)>,
}

impl SourceSecrets {
    /// Adds a source's secret. Two sources with the same secret are the configuration's error; the last one answers.
    pub fn insert(&mut self, source: SourceName, secret: Secret) {
        assert!(
            self.secrets.len() < usize::from(u16::MAX),
            "more sources than can be told apart"
        );
        self.secrets.push((source, secret));
    }

    /// The source whose secret was presented. Every secret is looked at, whichever matches, and a
    /// wrong guess takes the time of a right one.
    #[must_use]
    pub fn matching(&self, presented: &[u8]) -> Option<&SourceName> {
        let secrets = self.secrets.iter().map(|(_, secret)| secret);
        let place = place_of(secrets, presented)?;
        self.secrets.get(place).map(|(source, _)| source)
    }

    /// The secret of a source, for showing its owner what to paste into TradingView.
    #[must_use]
    pub fn get(&self, source: &SourceName) -> Option<&Secret> {
        self.iter()
            .find_map(|(name, secret)| (name == source).then_some(secret))
    }

    /// The sources and their secrets, to be kept elsewhere.
    pub(super) fn into_pairs(self) -> Vec<(SourceName, Secret)> {
        self.secrets
    }

    /// The sources and their secrets, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = (&SourceName, &Secret)> {
        self.secrets.iter().map(|(name, secret)| (name, secret))
    }
}

/// Which of these secrets was presented; the last one where several are the same. Every one is
/// looked at, whichever matches, and a wrong guess takes the time of a right one.
pub fn place_of<'a>(secrets: impl Iterator<Item = &'a Secret>, presented: &[u8]) -> Option<usize> {
    let presented = digest(presented);
    let mut found = Choice::from(0);
    let mut place = 0_u32;
    for (index, secret) in (0_u32..).zip(secrets) {
        let same = secret.digest.ct_eq(&*presented);
        place.conditional_assign(&index, same);
        found |= same;
    }
    let place = usize::try_from(place).ok()?;
    bool::from(found).then_some(place)
}
