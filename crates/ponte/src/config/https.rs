//! Reads `[webhook.tls]` and `[webhook.acme]`: whose certificate the webhook shows, if it speaks TLS.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::path::{Path, PathBuf};

use ponte_core::time::Timestamp;

use super::finding::{Notes, Problem};
use super::keys::{WEBHOOK_ACME, WEBHOOK_TLS};
use super::model::Webhook;
use super::proxy::Proxy;
use super::public_url::{PublicUrl, is_host};
use super::sections::{self, Mentions};
use super::table::{Spot, Table};
use super::value::{self, Value, quoted};
use crate::server::acme::{self, AcmeSettings, ChallengeKind, Directory};
use crate::server::{
    Certificate, CertificateError, CertificateFiles, CertificateReport, may_be_plain,
};

/// Where HTTP-01 questions are answered when the file doesn't say.
const HTTP_LISTEN_DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 80);
/// Most names in one certificate at Let's Encrypt (its page on rate limits, read in November 2026).
const NAMES_MAX: usize = 100;
const CONTACTS_MAX: usize = 10;
const PROFILE_CHARS_MAX: usize = 64;

/// With whose certificate the webhook speaks TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookTls {
    /// The owner's files.
    Files(CertificateFiles),
    /// One that Ponte orders.
    Acme(AcmeSettings),
}

/// What the rest of the file, or the disk, must agree with.
#[derive(Debug, Default)]
pub(super) struct HttpsMention {
    /// Where each key stands, by its section and name.
    places: Vec<(&'static str, Range<usize>)>,
    /// Where HTTP-01 questions are answered, if they are.
    pub(super) http_listen: Option<Spot<SocketAddr>>,
    /// Where `[webhook.acme]` stands, if the authority asks by handshakes.
    handshakes: Option<Range<usize>>,
    /// Whether either section is there, right or wrong.
    pub(super) any: bool,
}

/// Reads both sections, of which at most one is written.
pub(super) fn webhook_tls(
    notes: &mut Notes<'_>,
    mentions: &mut Mentions,
    webhook: &Table<'_, '_>,
    public_url: Option<&PublicUrl>,
    base: &Path,
) -> Option<WebhookTls> {
    let files = webhook.child(notes, "tls", &WEBHOOK_TLS);
    let acme = webhook.child(notes, "acme", &WEBHOOK_ACME);
    mentions.https.any = webhook.has("tls") || webhook.has("acme");
    if !files.is_absent() && !acme.is_absent() {
        let problem = Problem::new("both [webhook.tls] and [webhook.acme] are written");
        let problem = problem.cured_by(
            "keep [webhook.acme] to let Ponte order its certificate, or [webhook.tls] for files of \
             your own",
        );
        notes.error("webhook.acme", &acme.at, problem);
        return None;
    }
    if !files.is_absent() {
        return own_files(notes, mentions, &files, base).map(WebhookTls::Files);
    }
    if acme.is_absent() {
        return None;
    }
    ordered(notes, mentions, &acme, public_url, base).map(WebhookTls::Acme)
}

fn own_files(
    notes: &mut Notes<'_>,
    mentions: &mut Mentions,
    table: &Table<'_, '_>,
    base: &Path,
) -> Option<CertificateFiles> {
    let certificate = table.required(notes, "certificate", sections::path);
    let key = table.required(notes, "key", sections::path);
    let mut file = |name: &'static str, spot: Option<Spot<String>>| -> Option<PathBuf> {
        let spot = spot?;
        mentions.https.places.push((name, spot.at));
        Some(base.join(spot.value))
    };
    let (certificate, key) = (file("certificate", certificate), file("key", key));
    Some(CertificateFiles {
        certificate: certificate?,
        key: key?,
    })
}

fn ordered(
    notes: &mut Notes<'_>,
    mentions: &mut Mentions,
    table: &Table<'_, '_>,
    public_url: Option<&PublicUrl>,
    base: &Path,
) -> Option<AcmeSettings> {
    let names = names(notes, table, public_url);
    let contact = contact(notes, table);
    let accepted = table.required(notes, "accept_terms", |value| terms(value));
    let directory = table.read(notes, "directory", directory);
    let root = table.read(notes, "root", sections::path);
    let challenge = table.read(notes, "challenge", |value| {
        value::choice(value, &ChallengeKind::ALL)
    });
    let challenge = challenge.map_or(ChallengeKind::TlsAlpn01, |spot| spot.value);
    let http_listen = table.read(notes, "http_listen", value::socket_address);
    let profile = table.read(notes, "profile", profile);
    let chosen = directory.map_or(Directory::LetsEncrypt, |spot| spot.value);
    match (&root, &chosen) {
        (Some(root), Directory::LetsEncrypt | Directory::LetsEncryptStaging) => {
            let problem = Problem::new("is for a directory of your own, Let's Encrypt needs none");
            notes.warning(
                "webhook.acme.root",
                &root.at,
                problem.cured_by("take it out"),
            );
        }
        (Some(_), Directory::Url(_)) | (None, _) => {}
    }
    match (&http_listen, challenge) {
        (Some(spot), ChallengeKind::TlsAlpn01) => {
            let problem = Problem::new("has no effect, challenge is \"tls-alpn-01\"");
            let problem = problem.cured_by("write challenge = \"http-01\", or take it out");
            notes.warning("webhook.acme.http_listen", &spot.at, problem);
        }
        (listen, ChallengeKind::Http01) => {
            mentions.https.http_listen = Some(listen.clone().unwrap_or_else(|| Spot {
                value: HTTP_LISTEN_DEFAULT,
                at: table.at.clone(),
            }));
        }
        (None, ChallengeKind::TlsAlpn01) => {}
    }
    if challenge == ChallengeKind::TlsAlpn01 {
        mentions.https.handshakes = Some(table.at.clone());
    }
    let names = names?;
    addresses_need_a_profile(notes, &names, &chosen, profile.as_ref());
    accepted?;
    let root = root.map(|spot| {
        mentions.https.places.push(("root", spot.at));
        base.join(spot.value)
    });
    Some(AcmeSettings {
        names: names.value,
        contact,
        rehearsal: chosen.rehearsal(),
        directory: chosen,
        root,
        challenge,
        http_listen: http_listen.map_or(HTTP_LISTEN_DEFAULT, |spot| spot.value),
        profile: profile.map(|spot| spot.value),
    })
}

/// The names, or else the one of the public URL.
fn names(
    notes: &mut Notes<'_>,
    table: &Table<'_, '_>,
    public_url: Option<&PublicUrl>,
) -> Option<Spot<Vec<String>>> {
    const KEY: &str = "webhook.acme.domains";
    let Some(list) = table.list(notes, "domains", domain) else {
        if table.has("domains") {
            return None;
        }
        if let Some(url) = public_url {
            return Some(Spot {
                value: vec![url.host().to_owned()],
                at: table.at.clone(),
            });
        }
        let problem = Problem::new("missing, and webhook.public_url, whose host it would be, too");
        let problem = problem.cured_by("add domains = [\"hook.example.com\"]");
        notes.error(KEY, &table.at, problem);
        return None;
    };
    if table.is_empty_list("domains") {
        let problem = Problem::new("names nothing");
        notes.error(
            KEY,
            &list.at,
            problem.cured_by("add domains = [\"hook.example.com\"]"),
        );
        return None;
    }
    if list.value.len() > NAMES_MAX {
        let count = list.value.len();
        let problem = Problem::new(format!("has {count} names, the maximum is {NAMES_MAX}"));
        notes.error(KEY, &list.at, problem);
        return None;
    }
    let mut names: Vec<String> = Vec::new();
    for spot in list.value {
        if names.contains(&spot.value) {
            let problem = Problem::new(format!("\"{}\" is there twice", spot.value));
            notes.warning(KEY, &spot.at, problem.cured_by("take one out"));
        } else {
            names.push(spot.value);
        }
    }
    if let Some(url) = public_url.filter(|url| !names.iter().any(|name| name == url.host())) {
        let problem = Problem::new(format!(
            "{} of webhook.public_url is not among them, so that no alert could be sent there",
            url.host()
        ));
        notes.warning(KEY, &list.at, problem.cured_by("add it"));
    }
    // One that could not be read has been noted.
    (!names.is_empty()).then_some(Spot {
        value: names,
        at: list.at,
    })
}

fn domain(value: &Value<'_>) -> Result<String, Problem> {
    const CURE: &str = "write a name such as \"hook.example.com\"";
    let text = value::text(value)?.to_ascii_lowercase();
    if let Ok(address) = text.parse::<IpAddr>() {
        if is_public(address) {
            return Ok(address.to_string());
        }
        let problem = Problem::new(format!("{address} can't be reached from the internet"));
        return Err(problem.cured_by(CURE));
    }
    if text.starts_with("*.") {
        let problem = Problem::new(format!("{} stands for many names", quoted(&text)));
        return Err(problem.cured_by(
            "list the names: a wildcard is proven in the DNS alone, which Ponte does not write to",
        ));
    }
    let what = quoted(&text);
    if text.contains("://") || text.contains('/') || text.contains(':') {
        return Err(Problem::new(format!("{what} says more than a name")).cured_by(CURE));
    }
    if !is_host(&text) || text.len() > 253 {
        return Err(Problem::new(format!("{what} is not a DNS name")).cured_by(CURE));
    }
    if !text.contains('.') {
        let problem = Problem::new(format!("{what} is a name of this network alone"));
        return Err(problem.cured_by(CURE));
    }
    Ok(text)
}

/// Whether the internet could have a way to it. What is more special an authority refuses itself.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            !(address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified()
                || address.is_multicast())
        }
        IpAddr::V6(address) => {
            !(address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_unique_local()
                || address.is_unicast_link_local())
        }
    }
}

fn addresses_need_a_profile(
    notes: &mut Notes<'_>,
    names: &Spot<Vec<String>>,
    directory: &Directory,
    profile: Option<&Spot<String>>,
) {
    let is_short = profile.is_some_and(|profile| profile.value == "shortlived");
    let addresses = names
        .value
        .iter()
        .any(|name| name.parse::<IpAddr>().is_ok());
    match directory {
        Directory::LetsEncrypt | Directory::LetsEncryptStaging if addresses && !is_short => {
            let problem = Problem::new("Let's Encrypt gives addresses short certificates only");
            let problem = problem.cured_by("add profile = \"shortlived\"");
            notes.error("webhook.acme.domains", &names.at, problem);
        }
        Directory::LetsEncrypt | Directory::LetsEncryptStaging | Directory::Url(_) => {}
    }
}

fn contact(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> Vec<String> {
    let Some(list) = table.list(notes, "contact", email) else {
        return Vec::new();
    };
    if list.value.len() > CONTACTS_MAX {
        let count = list.value.len();
        let problem = format!("has {count} addresses, the maximum is {CONTACTS_MAX}");
        notes.error("webhook.acme.contact", &list.at, Problem::new(problem));
    }
    list.value.into_iter().map(|spot| spot.value).collect()
}

fn email(value: &Value<'_>) -> Result<String, Problem> {
    let text = value::text(value)?;
    let bare = text.strip_prefix("mailto:").unwrap_or(&text);
    let is_fine = bare.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty()
            && bare.len() <= 254
            && bare.chars().all(|letter| letter.is_ascii_graphic())
            && !bare.contains([',', '?', '<', '>', '"'])
            && is_host(host)
            && host.contains('.')
    });
    if is_fine {
        return Ok(bare.to_owned());
    }
    let problem = Problem::new(format!("{} is not an e-mail address", quoted(&text)));
    Err(problem.cured_by("write one such as \"owner@example.com\", or leave contact out"))
}

fn terms(value: &Value<'_>) -> Result<(), Problem> {
    if value::truth(value)? {
        return Ok(());
    }
    let problem = Problem::new("without its terms an authority gives no certificate");
    Err(problem.cured_by(
        "read them (Let's Encrypt's: https://letsencrypt.org/repository/), then write true; or use \
         [webhook.tls] with files of your own",
    ))
}

fn directory(value: &Value<'_>) -> Result<Directory, Problem> {
    const NAMES: [&str; 2] = ["letsencrypt", "letsencrypt-staging"];
    let text = value::text(value)?;
    match text.as_str() {
        "letsencrypt" => return Ok(Directory::LetsEncrypt),
        "letsencrypt-staging" => return Ok(Directory::LetsEncryptStaging),
        _ => {}
    }
    let url = text.strip_prefix("https://");
    let host = url.and_then(|rest| rest.split(['/', ':']).next());
    let is_plain = text.len() <= 500 && text.chars().all(|letter| letter.is_ascii_graphic());
    if is_plain && !text.contains('@') && host.is_some_and(|host| !host.is_empty()) {
        return Ok(Directory::Url(text));
    }
    let problem = Problem::new(format!("{} is not an ACME directory", quoted(&text)));
    Err(match ponte_core::nearest::nearest(&text, NAMES) {
        Some(name) if url.is_none() => problem.cured_by(format!("did you mean \"{name}\"?")),
        Some(_) | None => problem.cured_by(format!(
            "write {}, or the https URL of another directory",
            value::listed(NAMES)
        )),
    })
}

fn profile(value: &Value<'_>) -> Result<String, Problem> {
    let text = value::text(value)?;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    if (1..=PROFILE_CHARS_MAX).contains(&text.len()) && text.chars().all(plain) {
        return Ok(text);
    }
    let problem = Problem::new(format!("{} is not a profile's name", quoted(&text)));
    Err(problem.cured_by(
        "write one that the authority has, such as \"classic\", \"tlsserver\" or \"shortlived\"",
    ))
}

/// Notes what the webhook's neighbours on the network could read.
pub(super) fn look_at_plain(notes: &mut Notes<'_>, mentions: &Mentions) {
    let Some(listen) = &mentions.webhook_listen else {
        return;
    };
    let behind_proxies = match (&mentions.trusted_proxies, &mentions.proxy) {
        (Some(listed), _) => listed.value > 0,
        (None, Some(preset)) => preset.value != Proxy::None,
        (None, None) => false,
    };
    if may_be_plain(listen.value) || behind_proxies || mentions.https.any {
        return;
    }
    let problem = Problem::new(format!(
        "{} is not a loopback address, and without TLS everybody on the way reads the alerts' secrets",
        listen.value
    ));
    let problem = problem.cured_by(
        "add [webhook.acme] to get a certificate, or [webhook.tls] with files of your own; behind a \
         proxy with TLS write proxy, or its address in trusted_proxies",
    );
    notes.warning("webhook.listen", &listen.at, problem);
}

/// Notes an authority's handshakes that would end at a proxy.
pub(super) fn look_at_handshakes(notes: &mut Notes<'_>, mentions: &Mentions) {
    let preset = mentions.proxy.as_ref();
    if !preset.is_some_and(|preset| preset.value.ends_tls()) {
        return;
    }
    if let Some(at) = &mentions.https.handshakes {
        let problem =
            Problem::new("TLS ends at webhook.proxy, so that no authority's handshake gets here");
        let problem = problem.cured_by(
            "take this section out, and let the proxy have the certificate and speak plain HTTP to Ponte",
        );
        notes.warning("webhook.acme", at, problem);
    }
}

/// Notes files that can't be used, and a certificate that is of no use now.
pub(super) fn look_at_files(
    notes: &mut Notes<'_>,
    mentions: &Mentions,
    webhook: &Webhook,
    now: Timestamp,
) {
    let Some(tls) = &webhook.tls else {
        return;
    };
    let (section, blamed, problem) = match tls {
        WebhookTls::Files(files) => {
            let Err(error) = Certificate::read(files.clone()) else {
                return look_at_certificate(notes, mentions, files, webhook, now);
            };
            let blamed = blamed(&error, files);
            let cure = match error {
                CertificateError::Unreadable { .. } => {
                    "name the file that is there, readable by the user who runs ponte; or let Ponte \
                     get its certificate: [webhook.acme]"
                        .to_owned()
                }
                CertificateError::OpenToAll { .. }
                | CertificateError::BrokenLine { .. }
                | CertificateError::Missing { .. }
                | CertificateError::Encrypted { .. }
                | CertificateError::Mismatch { .. }
                | CertificateError::Unusable { .. } => error.cure(),
            };
            (
                "tls",
                blamed,
                Problem::new(error.to_string()).cured_by(cure),
            )
        }
        WebhookTls::Acme(settings) => {
            let Some(Err(error)) = settings.root.as_deref().map(acme::check_root) else {
                return;
            };
            let cure = "name the PEM file with the root of the directory's own HTTPS";
            (
                "acme",
                "root",
                Problem::new(error.to_string()).cured_by(cure),
            )
        }
    };
    let places = &mentions.https.places;
    if let Some((_, at)) = places.iter().find(|(name, _)| *name == blamed) {
        notes.error(&format!("webhook.{section}.{blamed}"), at, problem);
    }
}

/// Notes a certificate with which nobody connects. It is no error: a clock may be wrong, and its owner
/// renews it while Ponte runs.
fn look_at_certificate(
    notes: &mut Notes<'_>,
    mentions: &Mentions,
    files: &CertificateFiles,
    webhook: &Webhook,
    now: Timestamp,
) {
    let Ok(facts) = CertificateReport::of_files("webhook", files).facts else {
        return;
    };
    let host = webhook.public_url.as_ref().map(PublicUrl::host);
    let problem = if facts.not_after <= now {
        Problem::new(format!("the certificate has ended on {}", facts.not_after))
            .cured_by("renew it: TradingView sends nothing to a webhook that shows it")
    } else if now < facts.not_before {
        Problem::new(format!("the certificate begins on {}", facts.not_before))
            .cured_by("look at this machine's clock")
    } else if let Some(host) = host.filter(|host| !facts.is_for(host)) {
        let names = match facts.names.as_slice() {
            [] => facts.subject,
            names => names.join(", "),
        };
        Problem::new(format!(
            "the certificate is for {names}, not for {host} of webhook.public_url"
        ))
        .cured_by("name the files of the certificate for that host, or mend public_url")
    } else {
        return;
    };
    let mut places = mentions.https.places.iter();
    if let Some((_, at)) = places.find(|(name, _)| *name == "certificate") {
        notes.warning("webhook.tls.certificate", at, problem);
    }
}

/// The key whose file an error is about.
pub(super) fn blamed(error: &CertificateError, files: &CertificateFiles) -> &'static str {
    match error {
        CertificateError::Unreadable { path, .. }
        | CertificateError::OpenToAll { path, .. }
        | CertificateError::BrokenLine { path, .. }
        | CertificateError::Missing { path, .. }
        | CertificateError::Encrypted { path }
        | CertificateError::Unusable { path, .. }
            if *path == files.certificate.display().to_string() =>
        {
            "certificate"
        }
        CertificateError::Unreadable { .. }
        | CertificateError::OpenToAll { .. }
        | CertificateError::BrokenLine { .. }
        | CertificateError::Missing { .. }
        | CertificateError::Encrypted { .. }
        | CertificateError::Unusable { .. }
        | CertificateError::Mismatch { .. } => "key",
    }
}
