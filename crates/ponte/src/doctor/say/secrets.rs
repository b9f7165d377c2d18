//! What is said about the secrets, without a word of theirs.

use std::time::Duration;

use ponte_core::time::Timestamp;

use super::machine::{Reading, whose};
use super::span;
use crate::admin::wire::{Finding, Health};
use crate::doctor::secrets::{self, AccountSecret, Secrets};
use crate::secret::{Role, SECRET_BITS_GOOD, SecretFacts};

/// Below it a patient stranger may guess it.
const BITS_MIN: u32 = 50;
/// A secret that ends sooner is worth a word.
const SOON: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Everything that is said about the secrets.
pub(crate) fn all(secrets: &Secrets, at: Timestamp) -> Vec<Finding> {
    let sources = secrets.sources.iter().flat_map(|secret| source(secret, at));
    let accounts = secrets.accounts.iter().flat_map(account);
    sources.chain(accounts).collect()
}

fn source(secret: &SecretFacts, at: Timestamp) -> Vec<Finding> {
    let subject = format!("source {}", secret.source);
    let mut said = match secret.role {
        Role::Current => current(&subject, secret, at),
        Role::Previous => previous(&subject, secret, at),
        Role::Tripwire => tripwire(&subject, secret, at),
    };
    said.extend(rights(&subject, &secret.kept));
    said
}

fn current(subject: &str, secret: &SecretFacts, at: Timestamp) -> Vec<Finding> {
    let renew = format!("ponte secret rotate {}", secret.source);
    let mut said = vec![strength(subject, &secret.kept, secret.bits, &renew)];
    if let Some(until) = secret.until {
        if until <= at {
            let text = format!(
                "it ended {} ago, and its alerts are refused",
                span(at.since(until))
            );
            said.push(
                Finding::wrong(subject, text)
                    .cured_by("set expires of the source anew, if it is still wanted"),
            );
        } else if until.since(at) < SOON {
            let text = format!(
                "it ends in {}, and its alerts are refused then",
                span(until.since(at))
            );
            said.push(
                Finding::look(subject, text)
                    .cured_by("set expires of the source anew, if it is still wanted"),
            );
        }
    }
    said
}

fn strength(subject: &str, kept: &str, bits: u32, cure: &str) -> Finding {
    if bits < BITS_MIN {
        let text = format!("the secret in {kept} has at most {bits} bits: it can be guessed");
        return Finding::wrong(subject, text).cured_by(cure);
    }
    if bits < SECRET_BITS_GOOD {
        let text =
            format!("the secret in {kept} has at most {bits} bits, {SECRET_BITS_GOOD} are safe");
        return Finding::look(subject, text).cured_by(cure);
    }
    Finding::fine(subject, format!("{kept} has about {bits} bits"))
}

/// One before a rotation, while both are taken.
fn previous(subject: &str, secret: &SecretFacts, at: Timestamp) -> Vec<Finding> {
    let until = secret.until.filter(|until| *until > at);
    if secret.until.is_some() && until.is_none() {
        return Vec::new();
    }
    let until = match until {
        Some(until) => format!("for another {}", span(until.since(at))),
        None => "without an end".to_owned(),
    };
    let used = match secret.last_used {
        Some(used) => format!("last used {} ago", span(at.since(used))),
        None => "used by nobody".to_owned(),
    };
    let text = format!("the secret before it is taken {until}, {used}");
    let cure = format!(
        "put the new one into every alert, then: ponte secret end {}",
        secret.source
    );
    vec![Finding::look(subject, text).cured_by(cure)]
}

fn tripwire(subject: &str, secret: &SecretFacts, at: Timestamp) -> Vec<Finding> {
    vec![match secret.last_used {
        Some(used) => Finding::wrong(
            subject,
            format!(
                "somebody showed its tripwire {} ago: a secret was stolen",
                span(at.since(used))
            ),
        )
        .cured_by(format!(
            "find out from where, then: ponte secret rotate {} --overlap 0s",
            secret.source
        )),
        None => Finding::fine(subject, "nobody has touched its tripwire"),
    }]
}

fn account(secret: &AccountSecret) -> Vec<Finding> {
    let AccountSecret {
        purpose,
        kept,
        bits,
    } = secret;
    let mut said = vec![match bits {
        Some(bits) => strength(purpose, kept, *bits, "make a new one: ponte bridge token"),
        None => Finding::fine(purpose, format!("it is read from {kept}")),
    }];
    said.extend(rights(purpose, kept));
    said
}

/// What is wrong with the rights of a secret's file.
fn rights(subject: &str, kept: &str) -> Option<Finding> {
    let (path, rights) = secrets::rights(kept)?;
    let whose = whose(subject, &path, rights, Reading::Private);
    (whose.health != Health::Fine).then_some(whose)
}

#[cfg(test)]
mod tests {
    use ponte_core::id::SourceName;

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);
    const DAY: Duration = Duration::from_secs(86_400);

    fn says(change: impl FnOnce(&mut SecretFacts)) -> Vec<(Health, String)> {
        let mut secret = SecretFacts {
            source: SourceName::new("main").unwrap(),
            role: Role::Current,
            kept: "env:SECRET".to_owned(),
            bytes: 32,
            bits: 180,
            made_at: None,
            until: None,
            uses: 0,
            last_used: None,
        };
        change(&mut secret);
        let said = source(&secret, NOW).into_iter();
        said.map(|finding| (finding.health, finding.text)).collect()
    }

    #[test]
    fn what_a_secret_is_like_is_said_without_it() {
        assert_eq!(
            says(|_| ()),
            [(Health::Fine, "env:SECRET has about 180 bits".to_owned())]
        );
        assert_eq!(says(|secret| secret.bits = 79)[0].0, Health::Look);
        assert_eq!(says(|secret| secret.bits = 49)[0].0, Health::Wrong);
        let ended = says(|secret| secret.until = Some(NOW.before(DAY * 3)));
        assert_eq!(
            ended[1].1,
            "it ended 3 days ago, and its alerts are refused"
        );
        let ends = says(|secret| secret.until = Some(NOW.after(DAY * 3)));
        assert_eq!(
            ends[1],
            (
                Health::Look,
                "it ends in 3 days, and its alerts are refused then".to_owned()
            )
        );
        assert_eq!(
            says(|secret| secret.until = Some(NOW.after(DAY * 30))).len(),
            1
        );
    }

    #[test]
    fn a_rotation_and_a_tripwire_are_told() {
        let rotated = says(|secret| {
            secret.role = Role::Previous;
            secret.until = Some(NOW.after(DAY * 5));
            secret.last_used = Some(NOW.before(DAY * 2));
        });
        let told = "the secret before it is taken for another 5 days, last used 2 days ago";
        assert_eq!(rotated, [(Health::Look, told.to_owned())]);
        let over = says(|secret| {
            secret.role = Role::Previous;
            secret.until = Some(NOW);
        });
        assert!(over.is_empty());
        let quiet = says(|secret| secret.role = Role::Tripwire);
        assert_eq!(quiet[0].0, Health::Fine);
        let touched = says(|secret| {
            secret.role = Role::Tripwire;
            secret.last_used = Some(NOW.before(DAY * 2));
        });
        assert_eq!(touched[0].0, Health::Wrong);
    }
}
