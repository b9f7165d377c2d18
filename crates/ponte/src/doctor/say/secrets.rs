//! What is said about the secrets, without a word of theirs.

use super::machine::{Reading, whose};
use crate::admin::wire::{Finding, Health};
use crate::doctor::secrets::SecretFacts;
use crate::doctor::strength::Strength;

/// From here on nobody guesses it, whatever machine he has.
const BITS_GOOD: u32 = 100;
/// Below it a patient stranger may.
const BITS_MIN: u32 = 60;

/// Everything that is said about the secrets.
pub(crate) fn all(secrets: &[SecretFacts]) -> Vec<Finding> {
    secrets.iter().flat_map(one).collect()
}

fn one(secret: &SecretFacts) -> Vec<Finding> {
    let subject = secret.purpose.as_str();
    let kept = &secret.kept;
    let mut said = vec![match secret.strength {
        Some(Strength::Known) => Finding::wrong(
            subject,
            format!("the secret in {kept} is an example that stands in guides: everybody knows it"),
        )
        .cured_by("write a random one there, and into the alert: openssl rand -hex 32"),
        Some(Strength::Bits(bits)) if bits < BITS_MIN => Finding::wrong(
            subject,
            format!("the secret in {kept} has at most {bits} bits: it can be guessed"),
        )
        .cured_by("write a random one there, and into the alert: openssl rand -hex 32"),
        Some(Strength::Bits(bits)) if bits < BITS_GOOD => Finding::look(
            subject,
            format!("the secret in {kept} has at most {bits} bits, {BITS_GOOD} are safe"),
        )
        .cured_by("write a random one there, and into the alert: openssl rand -hex 32"),
        Some(Strength::Bits(bits)) => {
            Finding::fine(subject, format!("{kept} has about {bits} bits"))
        }
        None => Finding::fine(subject, format!("it is read from {kept}")),
    }];
    if let (Some(rights), Some(path)) = (secret.rights(), &secret.file) {
        let whose = whose(subject, path, rights, Reading::Private);
        said.extend((whose.health != Health::Fine).then_some(whose));
    }
    said
}
