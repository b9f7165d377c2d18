//! Reads the secrets that the file names, and holds them apart: none may serve two purposes.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::Path;

use ponte_core::id::{AccountName, SourceName};

use super::finding::{Notes, Place, Problem, Severity};
use super::sections::{BinanceMention, Mentions, Mt5Mention, SpareMention};
use super::table::{Spot, Table};
use crate::secret::{
    BinanceSecrets, Entry, Places, Role, SECRET_BYTES_GOOD, Secret, SecretError, SecretRef,
    SecretRefError, SourceSecrets,
};

/// Shortest token of a terminal, in bytes: nobody has to type it, and whoever guesses it trades.
const TOKEN_BYTES_MIN: usize = 32;

/// Reads a key that says where a secret is kept. What stands there instead may be the secret, and isn't shown.
pub(super) fn secret_reference(
    notes: &mut Notes<'_>,
    table: &Table<'_, '_>,
    key: &str,
    base: &Path,
) -> Option<Spot<SecretRef>> {
    table.demand(notes, key);
    let value = table.value(key)?;
    let read = match value.get_ref().as_str() {
        Some(text) => SecretRef::parse(text, base),
        None => Err(SecretRefError::NotAReference),
    };
    match read {
        Ok(read) => Some(Spot {
            value: read,
            at: value.span(),
        }),
        Err(error) => {
            let (variable, file) = match key {
                "secret" => ("WEBHOOK_SECRET", "secrets/main"),
                "previous_secret" => ("WEBHOOK_SECRET_BEFORE", "secrets/main-before"),
                "tripwire" => ("WEBHOOK_TRIPWIRE", "secrets/main-tripwire"),
                "token" => ("MT5_TOKEN", "secrets/mt5-bridge-token"),
                "api_key" => ("BINANCE_API_KEY", "secrets/binance-api-key"),
                "key" => ("VAULT_KEY", "/etc/ponte/vault-key"),
                "passphrase" => ("VAULT_PASSPHRASE", "/etc/ponte/vault-passphrase"),
                _ => ("BINANCE_SIGNING_KEY", "secrets/binance-signing-key.pem"),
            };
            let problem = Problem::new(error.to_string()).cured_by(format!(
                "write \"env:{variable}\" or \"file:{file}\" and keep the secret itself there"
            ));
            let path = table.section.path_of(key);
            notes.about_secret(Severity::Error, &path, &value.span(), problem);
            None
        }
    }
}

/// What a secret is for.
#[derive(Clone, Copy)]
enum Purpose<'m> {
    Webhook(&'m SourceName),
    Previous(&'m SpareMention),
    Tripwire(&'m SpareMention),
    ApiKey(&'m BinanceMention),
    SigningKey(&'m BinanceMention),
    Token(&'m Mt5Mention),
}

impl fmt::Display for Purpose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Webhook(source) => write!(f, "the secret of source \"{source}\""),
            Self::Previous(mention) => {
                write!(f, "the previous_secret of source \"{}\"", mention.source)
            }
            Self::Tripwire(mention) => {
                write!(f, "the tripwire of source \"{}\"", mention.source)
            }
            Self::ApiKey(mention) => write!(f, "the api_key of account \"{}\"", mention.account),
            Self::SigningKey(mention) => {
                write!(f, "the signing_key of account \"{}\"", mention.account)
            }
            Self::Token(mention) => write!(f, "the token of account \"{}\"", mention.account),
        }
    }
}

/// A secret that the file names.
struct Named<'m> {
    purpose: Purpose<'m>,
    reference: &'m Spot<SecretRef>,
}

impl Named<'_> {
    const fn key(&self) -> &'static str {
        match self.purpose {
            Purpose::Webhook(_) => "sources.secret",
            Purpose::Previous(_) => "sources.previous_secret",
            Purpose::Tripwire(_) => "sources.tripwire",
            Purpose::ApiKey(_) => "accounts.binance.api_key",
            Purpose::SigningKey(_) => "accounts.binance.signing_key",
            Purpose::Token(_) => "accounts.mt5.token",
        }
    }

    fn note(&self, notes: &mut Notes<'_>, severity: Severity, problem: Problem) {
        notes.about_secret(severity, self.key(), &self.reference.at, problem);
    }

    fn resolve(&self, places: &Places<'_>) -> Result<Secret, SecretError> {
        match self.purpose {
            Purpose::Webhook(_)
            | Purpose::Previous(_)
            | Purpose::Tripwire(_)
            | Purpose::ApiKey(_)
            | Purpose::Token(_) => places.text(&self.reference.value),
            Purpose::SigningKey(_) => places.signing_key(&self.reference.value),
        }
    }

    /// What is wrong when an earlier secret is the same as this one.
    fn clash(&self, earlier: &Self) -> Option<Problem> {
        let (earlier, this) = (earlier.purpose, self.purpose);
        let problem = || Problem::new(format!("{this} is the same as {earlier}"));
        match (earlier, this) {
            (Purpose::Webhook(earlier), Purpose::Webhook(this)) => {
                let problem = format!("source \"{this}\" has the same secret as \"{earlier}\"");
                Some(Problem::new(problem).cured_by("give each source its own"))
            }
            (Purpose::Tripwire(_), _) | (_, Purpose::Tripwire(_)) => Some(problem().cured_by(
                "make one that nobody uses: ponte secret tripwire; whoever shows it switches its \
                 source off",
            )),
            (Purpose::Webhook(source), Purpose::Previous(mention)) if *source == mention.source => {
                None
            }
            (
                Purpose::Webhook(_) | Purpose::Previous(_),
                Purpose::Webhook(_) | Purpose::Previous(_),
            ) => Some(problem().cured_by("give each source its own")),
            // One key for both markets of one account at the exchange is usual.
            (Purpose::ApiKey(a), Purpose::ApiKey(b)) if a.market != b.market => None,
            (Purpose::ApiKey(_), Purpose::ApiKey(_)) => Some(problem().cured_by(
                "write one account and lead both routes to it: Ponte would count what is one \
                 position at the exchange twice",
            )),
            // They belong to API keys, which are held apart.
            (Purpose::SigningKey(_), Purpose::SigningKey(_)) => None,
            (Purpose::Token(_), Purpose::Token(_)) => Some(problem().cured_by(
                "give each terminal its own: ponte bridge token; by the token Ponte knows which \
                 account is speaking",
            )),
            (Purpose::Token(_), _) | (_, Purpose::Token(_)) => Some(problem().cured_by(
                "give the terminal its own: ponte bridge token; it lies on another machine",
            )),
            (
                Purpose::Webhook(_) | Purpose::Previous(_),
                Purpose::ApiKey(_) | Purpose::SigningKey(_),
            ) => {
                Some(problem().cured_by(
                    "give the source its own: whoever reads an alert would hold a broker's key",
                ))
            }
            (
                Purpose::ApiKey(_) | Purpose::SigningKey(_),
                Purpose::Webhook(_)
                | Purpose::Previous(_)
                | Purpose::ApiKey(_)
                | Purpose::SigningKey(_),
            ) => Some(problem().cured_by(
                "the api_key is what the exchange shows, the signing_key is what it shows only once \
                 or the private key of your own",
            )),
        }
    }
}

fn all(mentions: &Mentions) -> Vec<Named<'_>> {
    let sources = mentions.secrets.iter().map(|(source, reference)| Named {
        purpose: Purpose::Webhook(source),
        reference,
    });
    let spare = mentions.spare_secrets.iter().map(|mention| Named {
        purpose: match mention.role {
            Role::Current | Role::Previous => Purpose::Previous(mention),
            Role::Tripwire => Purpose::Tripwire(mention),
        },
        reference: &mention.reference,
    });
    let brokers = mentions.binance.iter().flat_map(|mention| {
        let api_key = mention.api_key.as_ref().map(|reference| Named {
            purpose: Purpose::ApiKey(mention),
            reference,
        });
        let signing_key = mention.signing_key.as_ref().map(|reference| Named {
            purpose: Purpose::SigningKey(mention),
            reference,
        });
        api_key.into_iter().chain(signing_key)
    });
    let tokens = mentions.mt5.iter().filter_map(|mention| {
        let reference = mention.token.as_ref()?;
        let purpose = Purpose::Token(mention);
        Some(Named { purpose, reference })
    });
    sources.chain(spare).chain(brokers).chain(tokens).collect()
}

/// The keys whose secrets are in the vault, and where their values stand.
pub(super) fn in_the_vault(
    mentions: &Mentions,
) -> impl Iterator<Item = (&'static str, &Range<usize>)> {
    let all = all(mentions).into_iter();
    all.filter(|named| named.reference.value.is_in_vault())
        .map(|named| (named.key(), &named.reference.at))
}

/// A place in the file that says where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretUse {
    /// The key with its sections (`sources.secret`).
    pub key: &'static str,
    /// What the secret is for, in words.
    pub purpose: String,
    /// Where it is kept.
    pub kept: SecretRef,
    /// Where that is written.
    pub place: Place,
}

/// Everything that says where a secret is kept, in the order of sources and accounts.
pub(super) fn uses(mentions: &Mentions, text: &str) -> Vec<SecretUse> {
    let all = all(mentions).into_iter();
    all.map(|named| SecretUse {
        key: named.key(),
        purpose: named.purpose.to_string(),
        kept: named.reference.value.clone(),
        place: Place::of(text, named.reference.at.start),
    })
    .collect()
}

/// Notes secrets that are kept in one place for two purposes.
pub(super) fn same_references(notes: &mut Notes<'_>, mentions: &Mentions) {
    let all = all(mentions);
    for (index, named) in all.iter().enumerate() {
        let earlier = all[..index].iter();
        let mut same = earlier.filter(|other| other.reference.value == named.reference.value);
        if let Some(problem) = same.find_map(|other| named.clash(other)) {
            named.note(notes, Severity::Error, problem);
        }
    }
}

/// The secrets, each with whom it belongs to.
#[derive(Default)]
pub(super) struct Resolved {
    pub(super) sources: SourceSecrets,
    pub(super) spare: Vec<Entry>,
    pub(super) binance: BTreeMap<AccountName, BinanceSecrets>,
    pub(super) tokens: BTreeMap<AccountName, Secret>,
}

/// Reads every secret and notes what is wrong with it.
pub(super) fn resolved(
    notes: &mut Notes<'_>,
    mentions: &Mentions,
    places: &Places<'_>,
) -> Resolved {
    let all = all(mentions);
    let mut read: Vec<(&Named<'_>, Secret)> = Vec::with_capacity(all.len());
    for named in &all {
        match named.resolve(places) {
            Ok(secret) => {
                same_value(notes, named, &secret, &read);
                guessable(notes, named, &secret);
                read.push((named, secret));
            }
            // What is wrong with the vault has been noted.
            Err(SecretError::VaultClosed) => {}
            Err(error) => {
                let problem = Problem::new(error.to_string()).cured_by(cure(&error, named));
                named.note(notes, Severity::Error, problem);
            }
        }
    }
    sorted(read)
}

fn same_value(
    notes: &mut Notes<'_>,
    named: &Named<'_>,
    secret: &Secret,
    earlier: &[(&Named<'_>, Secret)],
) {
    let mut same = earlier.iter().filter(|(_, other)| other.is_same(secret));
    let clash = same.find_map(|(other, _)| Some((other, named.clash(other)?)));
    // The same reference twice has been noted without opening it.
    if let Some((other, problem)) = clash
        && other.reference.value != named.reference.value
    {
        named.note(notes, Severity::Error, problem);
    }
}

fn guessable(notes: &mut Notes<'_>, named: &Named<'_>, secret: &Secret) {
    let bytes = secret.bytes();
    match named.purpose {
        Purpose::Webhook(_) | Purpose::Previous(_) | Purpose::Tripwire(_)
            if bytes < SECRET_BYTES_GOOD =>
        {
            let problem = format!(
                "the secret in {} has {bytes} bytes, at least {SECRET_BYTES_GOOD} are safe",
                named.reference.value
            );
            let problem = Problem::new(problem).cured_by("replace it by a long random one");
            named.note(notes, Severity::Warning, problem);
        }
        Purpose::Token(_) if bytes < TOKEN_BYTES_MIN => {
            let problem = format!(
                "the token in {} has {bytes} bytes, the minimum is {TOKEN_BYTES_MIN}",
                named.reference.value
            );
            let problem = Problem::new(problem).cured_by("make a random one: ponte bridge token");
            named.note(notes, Severity::Error, problem);
        }
        Purpose::Webhook(_)
        | Purpose::Previous(_)
        | Purpose::Tripwire(_)
        | Purpose::ApiKey(_)
        | Purpose::SigningKey(_)
        | Purpose::Token(_) => {}
    }
}

/// What helps with a broker's key is not what helps with a secret that its owner may choose.
fn cure(error: &SecretError, named: &Named<'_>) -> String {
    let is_chosen = match named.purpose {
        Purpose::Webhook(_) | Purpose::Previous(_) | Purpose::Tripwire(_) | Purpose::Token(_) => {
            true
        }
        Purpose::ApiKey(_) | Purpose::SigningKey(_) => false,
    };
    let is_token = match named.purpose {
        Purpose::Token(_) => true,
        Purpose::Webhook(_)
        | Purpose::Previous(_)
        | Purpose::Tripwire(_)
        | Purpose::ApiKey(_)
        | Purpose::SigningKey(_) => false,
    };
    let is_tripwire = matches!(named.purpose, Purpose::Tripwire(_));
    match error {
        SecretError::NotSet { .. } | SecretError::Unreadable { .. } if is_tripwire => {
            "make one that nobody uses: ponte secret tripwire".to_owned()
        }
        SecretError::NotSet { .. }
        | SecretError::TooShort { .. }
        | SecretError::Unreadable { .. }
            if is_token =>
        {
            format!("{}; ponte bridge token makes a random one", error.cure())
        }
        SecretError::NotText
        | SecretError::BadCharacter
        | SecretError::TooShort { .. }
        | SecretError::TooLong { .. }
            if !is_chosen =>
        {
            "paste it as the exchange shows it, or give the file that openssl wrote".to_owned()
        }
        SecretError::NotSet { .. }
        | SecretError::Unreadable { .. }
        | SecretError::OpenToOthers { .. }
        | SecretError::NoCredentials
        | SecretError::NoCredential { .. }
        | SecretError::NotSystemds { .. }
        | SecretError::NotInVault { .. }
        | SecretError::VaultClosed
        | SecretError::NotText
        | SecretError::BadCharacter
        | SecretError::TooShort { .. }
        | SecretError::PassphraseTooShort { .. }
        | SecretError::TooLong { .. }
        | SecretError::NotPrivate
        | SecretError::Encrypted
        | SecretError::OtherForm
        | SecretError::CutOff => error.cure(),
    }
}

/// Gives every secret to whom it belongs. Of two with one name, which is an error, the first stays.
fn sorted(read: Vec<(&Named<'_>, Secret)>) -> Resolved {
    let mut resolved = Resolved::default();
    let mut api_keys = BTreeMap::new();
    for (named, secret) in read {
        match named.purpose {
            Purpose::Webhook(source) => {
                if resolved.sources.get(source).is_none() {
                    resolved.sources.insert(source.clone(), secret);
                }
            }
            Purpose::Previous(mention) | Purpose::Tripwire(mention) => {
                let source = mention.source.clone();
                let entry = Entry::new(source, mention.role, mention.until, secret);
                resolved.spare.push(entry);
            }
            Purpose::ApiKey(mention) => {
                api_keys.insert(&mention.account, secret);
            }
            Purpose::SigningKey(mention) => {
                if let Some(api_key) = api_keys.remove(&mention.account) {
                    resolved
                        .binance
                        .entry(mention.account.clone())
                        .or_insert(BinanceSecrets {
                            api_key,
                            signing_key: secret,
                        });
                }
            }
            Purpose::Token(mention) => {
                let account = mention.account.clone();
                resolved.tokens.entry(account).or_insert(secret);
            }
        }
    }
    resolved
}
