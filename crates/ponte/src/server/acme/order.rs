//! One order's way: the account, the names, the proofs, the certificate.

use std::time::Duration;

use instant_acme::{
    Account, AuthorizationHandle, AuthorizationStatus, CertificateIdentifier, ChallengeStatus,
    ChallengeType, Identifier, NewAccount, NewOrder, Order, OrderStatus, RetryPolicy,
};
use ponte_core::time::Timestamp;
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use zeroize::Zeroizing;

use super::challenge::{Challenges, Installed};
use super::client::Client;
use super::failure::Trouble;
use super::held::InUse;
use super::settings::{AcmeSettings, ChallengeKind, Directory};
use super::store::{Pair, Store, StoredAccount};

/// How long the authority may take to look at the answers, and to make the certificate.
const PATIENCE: Duration = Duration::from_secs(120);
/// The first pause between questions about the order; each further one is half as long again.
const PAUSE: Duration = Duration::from_millis(500);

/// One way to a certificate.
pub(super) struct Way<'a> {
    pub(super) settings: &'a AcmeSettings,
    pub(super) directory: &'a Directory,
    pub(super) store: &'a Store,
    pub(super) client: &'a Client,
    pub(super) challenges: &'a Challenges,
}

impl Way<'_> {
    /// The account at the directory, made where there is none.
    pub(super) async fn account(&self) -> Result<Account, Trouble> {
        let url = self.directory.url();
        let contact: Vec<String> = self
            .settings
            .contact
            .iter()
            .map(|address| format!("mailto:{address}"))
            .collect();
        let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
        let builder = Account::builder_with_http(Box::new(self.client.clone()));
        if let Some(stored) = self.store.account(url) {
            let known = builder.from_credentials(stored.credentials).await;
            let account = known.map_err(|error| self.trouble(&error))?;
            if stored.contact != self.settings.contact {
                let told = account.update_contacts(&contact).await;
                told.map_err(|error| self.trouble(&error))?;
                // The credentials are read again: the library keeps what it was given.
                if let Some(stored) = self.store.account(url) {
                    self.keep(url, stored)?;
                }
            }
            return Ok(account);
        }
        let wanted = NewAccount {
            contact: &contact,
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let made = builder.create(&wanted, url.to_owned(), None).await;
        let (account, credentials) = made.map_err(|error| self.trouble(&error))?;
        self.keep(
            url,
            StoredAccount {
                contact: Vec::new(),
                credentials,
            },
        )?;
        tracing::info!(
            directory = self.directory.name(),
            "an account at the authority was made"
        );
        Ok(account)
    }

    fn keep(&self, url: &str, account: StoredAccount) -> Result<(), Trouble> {
        let account = StoredAccount {
            contact: self.settings.contact.clone(),
            ..account
        };
        let kept = self.store.keep_account(url, &account);
        kept.map_err(|error| unwritable(self.store, &error))
    }

    /// Gets a certificate for the settings' names with a new key.
    pub(super) async fn walk(
        &self,
        account: &Account,
        replaces: Option<CertificateIdentifier<'static>>,
        now: Timestamp,
    ) -> Result<Pair, Trouble> {
        let names = self.settings.sorted_names();
        let identifiers: Vec<Identifier> = names
            .iter()
            .map(|name| match name.parse() {
                Ok(address) => Identifier::Ip(address),
                Err(_) => Identifier::Dns(name.clone()),
            })
            .collect();
        let mut wanted = NewOrder::new(&identifiers);
        if let Some(profile) = &self.settings.profile {
            self.check_profile(account, profile)?;
            wanted = wanted.profile(profile);
        }
        if let Some(replaces) = replaces {
            wanted = wanted.replaces(replaces);
        }
        let order = account.new_order(&wanted).await;
        let mut order = order.map_err(|error| self.trouble(&error))?;
        self.prove(&mut order).await?;
        let (key, request) = request(&names)?;
        let asked = order.finalize_csr(&request).await;
        asked.map_err(|error| self.trouble(&error))?;
        let chain = order.poll_certificate(&patience()).await;
        let chain = chain.map_err(|error| self.trouble(&error))?;
        let pair = Pair { chain, key };
        // What can't be used must not replace what can.
        InUse::of(&pair)
            .and_then(|new| new.check(&names, now))
            .map_err(|why| {
                Trouble::counted(
                    format!("the authority's certificate can't be used: {why}"),
                    "look at this machine's clock; otherwise tell the authority",
                )
            })?;
        Ok(pair)
    }

    /// Shows that all names are ours.
    async fn prove(&self, order: &mut Order) -> Result<(), Trouble> {
        let installed = self.answer(order).await?;
        let ready = order.poll_ready(&patience()).await;
        drop(installed);
        let said = match ready {
            Ok(OrderStatus::Ready | OrderStatus::Valid | OrderStatus::Processing) => return Ok(()),
            Ok(OrderStatus::Pending | OrderStatus::Invalid) => {
                Trouble::counted("the authority has refused the order", TRY_AGAIN)
            }
            Err(error) => self.trouble(&error),
        };
        // The order only says that it failed; each name says why.
        Err(self.refusal(order).await.unwrap_or(said))
    }

    /// Gets the answers ready and tells the authority so.
    async fn answer(&self, order: &mut Order) -> Result<Vec<Installed<'_>>, Trouble> {
        let mut installed = Vec::new();
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let authorization = authorization.map_err(|error| self.trouble(&error))?;
            match authorization.status {
                AuthorizationStatus::Valid => continue,
                AuthorizationStatus::Pending => {}
                AuthorizationStatus::Invalid
                | AuthorizationStatus::Revoked
                | AuthorizationStatus::Expired
                | AuthorizationStatus::Deactivated => continue,
            }
            installed.push(self.answer_one(authorization).await?);
        }
        Ok(installed)
    }

    async fn answer_one(
        &self,
        mut authorization: AuthorizationHandle<'_>,
    ) -> Result<Installed<'_>, Trouble> {
        let name = authorization.identifier().to_string();
        let offered: Vec<String> = authorization
            .challenges
            .iter()
            .map(|challenge| format!("{:?}", challenge.r#type))
            .collect();
        let (kind, word) = match self.settings.challenge {
            ChallengeKind::TlsAlpn01 => (ChallengeType::TlsAlpn01, "tls-alpn-01"),
            ChallengeKind::Http01 => (ChallengeType::Http01, "http-01"),
        };
        let Some(mut challenge) = authorization.challenge(kind) else {
            return Err(Trouble::counted(
                format!(
                    "the authority offers no {word} for {name}, only {}",
                    offered.join(", ")
                ),
                "take the other webhook.acme.challenge, or another directory",
            ));
        };
        let authorisation = challenge.key_authorization();
        let installed = match self.settings.challenge {
            ChallengeKind::Http01 => self
                .challenges
                .answer_requests(&challenge.token, authorisation.as_str()),
            ChallengeKind::TlsAlpn01 => {
                let digest = authorisation.digest();
                let digest: [u8; 32] = digest.as_ref().try_into().unwrap_or([0; 32]);
                let made = self.challenges.answer_handshakes(&name, &digest);
                made.map_err(|why| {
                    let why = format!("no certificate can be made for {name}: {why}");
                    Trouble::cheap(why, "look at webhook.acme.domains")
                })?
            }
        };
        let told = challenge.set_ready().await;
        // Where the authority is quick, this is its verdict already.
        told.map_err(|error| self.trouble(&error).about(&name))?;
        Ok(installed)
    }

    /// What the authority says of the first name that it did not believe.
    async fn refusal(&self, order: &mut Order) -> Option<Trouble> {
        let mut authorizations = order.authorizations();
        while let Some(Ok(mut authorization)) = authorizations.next().await {
            if authorization.refresh().await.is_err() {
                return None;
            }
            let name = authorization.identifier().to_string();
            let failed = authorization
                .challenges
                .iter()
                .find(|challenge| challenge.status == ChallengeStatus::Invalid);
            if let Some(problem) = failed.and_then(|challenge| challenge.error.as_ref()) {
                return Some(Trouble::told(problem, self.settings).about(&name));
            }
        }
        None
    }

    fn check_profile(&self, account: &Account, profile: &str) -> Result<(), Trouble> {
        let known: Vec<&str> = account.profiles().map(|known| known.name).collect();
        if known.contains(&profile) {
            return Ok(());
        }
        let mut known: Vec<String> = known.iter().map(|name| format!("\"{name}\"")).collect();
        known.sort();
        let cure = match known.as_slice() {
            [] => "take webhook.acme.profile out: this authority has none".to_owned(),
            known => format!("webhook.acme.profile is one of {}", known.join(", ")),
        };
        Err(Trouble::cheap(
            format!("the authority has no profile \"{profile}\""),
            cure,
        ))
    }

    fn trouble(&self, error: &instant_acme::Error) -> Trouble {
        Trouble::of(error, self.settings)
    }
}

const TRY_AGAIN: &str = "nothing to do: it is tried again";

/// Nothing can be kept: the disk or its rights.
pub(super) fn unwritable(store: &Store, error: &std::io::Error) -> Trouble {
    let folder = store.folder().display();
    Trouble::cheap(
        format!("{folder} can't be written: {error}"),
        "let data_dir belong to the user who runs ponte, and look at the space on its disk",
    )
}

fn patience() -> RetryPolicy {
    RetryPolicy::new()
        .initial_delay(PAUSE)
        .backoff(1.5)
        .timeout(PATIENCE)
}

/// A new key and a request for these names, in DER form.
fn request(names: &[String]) -> Result<(Zeroizing<String>, Vec<u8>), Trouble> {
    let made = CertificateParams::new(names.to_vec()).and_then(|mut params| {
        params.distinguished_name = DistinguishedName::new();
        let key = KeyPair::generate()?;
        let request = params.serialize_request(&key)?;
        Ok((Zeroizing::new(key.serialize_pem()), request.der().to_vec()))
    });
    made.map_err(|error| {
        let why = format!("no request for a certificate can be made: {error}");
        Trouble::cheap(why, "look at webhook.acme.domains")
    })
}
