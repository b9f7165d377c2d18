//! Reads `[admin.remote]`: where the owner signs in from elsewhere.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use super::finding::{Notes, Problem};
use super::https::blamed;
use super::model::AdminRemote;
use super::sections::{self, Mentions};
use super::table::{Spot, Table};
use super::value::{self, Value, quoted};
use crate::server::{Certificate, CertificateFiles, may_be_plain};

/// Where the owner's side listens for elsewhere when the file doesn't say.
pub(super) const REMOTE_LISTEN_DEFAULT: SocketAddr =
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8444);
const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;
const IDLE_DEFAULT: Duration = Duration::from_secs(12 * 60 * MINUTE);
const IDLE_RANGE: RangeInclusive<Duration> =
    Duration::from_secs(5 * MINUTE)..=Duration::from_secs(30 * DAY);
const MAX_DEFAULT: Duration = Duration::from_secs(7 * DAY);
const MAX_RANGE: RangeInclusive<Duration> =
    Duration::from_secs(5 * MINUTE)..=Duration::from_secs(90 * DAY);
const CERTIFICATE_CURE: &str = "ponte admin certificate --host NAME writes a pair";

/// Where the section stands, and what of it other parts of the file must agree with.
#[derive(Debug)]
pub(super) struct RemoteMention {
    pub(super) at: std::ops::Range<usize>,
    pub(super) listen: Option<Spot<SocketAddr>>,
    certificate: Option<std::ops::Range<usize>>,
    key: Option<std::ops::Range<usize>>,
}

/// Reads the section; `None` where there is none, or where it can't be used.
pub(super) fn remote(
    notes: &mut Notes<'_>,
    mentions: &mut Mentions,
    table: &Table<'_, '_>,
    base: &Path,
) -> Option<AdminRemote> {
    if table.is_absent() {
        return None;
    }
    let listen = table.read(notes, "listen", value::socket_address);
    let names = names(notes, table);
    let certificate = table.read(notes, "certificate", sections::path);
    let key = table.read(notes, "key", sections::path);
    let behind_proxy = table.read(notes, "behind_proxy", value::truth);
    let proxies = table.list(notes, "trusted_proxies", super::senders::proxy);
    let idle = table.read(notes, "session_idle", |value| {
        value::duration(value, IDLE_RANGE)
    });
    let max = table.read(notes, "session_max", |value| {
        value::duration(value, MAX_RANGE)
    });
    mentions.remote = Some(RemoteMention {
        at: table.at.clone(),
        listen: listen.clone(),
        certificate: certificate.as_ref().map(|spot| spot.at.clone()),
        key: key.as_ref().map(|spot| spot.at.clone()),
    });
    let is_behind = behind_proxy.as_ref().is_some_and(|spot| spot.value);
    let safe = is_safe(notes, table, listen.as_ref(), is_behind);
    agree_on_proxies(notes, table, is_behind);
    let session_idle = idle.as_ref().map_or(IDLE_DEFAULT, |spot| spot.value);
    let session_max = max.as_ref().map_or(MAX_DEFAULT, |spot| spot.value);
    if let Some(idle) = idle.filter(|_| session_idle > session_max) {
        let most = super::duration::display(session_max);
        let problem = Problem::new(format!("is longer than session_max, which is {most}"));
        let problem = problem.cured_by("write a shorter one, or a longer session_max");
        notes.error("admin.remote.session_idle", &idle.at, problem);
    }
    let file = |spot: Option<Spot<String>>| spot.map(|spot| base.join(spot.value));
    let tls = match (file(certificate), file(key)) {
        (Some(certificate), Some(key)) => Some(CertificateFiles { certificate, key }),
        (_, _) => None,
    };
    safe.then_some(())?;
    Some(AdminRemote {
        listen: listen.map_or(REMOTE_LISTEN_DEFAULT, |spot| spot.value),
        names: names?,
        tls,
        behind_proxy: is_behind,
        trusted_proxies: proxies
            .into_iter()
            .flat_map(|list| list.value)
            .flat_map(|spot| spot.value)
            .collect(),
        session_idle,
        session_max,
    })
}

fn names(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> Option<Vec<String>> {
    table.demand(notes, "names");
    let names = table.list(notes, "names", name)?;
    if table.is_empty_list("names") {
        let problem = Problem::new("is empty, and Ponte would answer to no name");
        let problem = problem.cured_by("write the name in your browser's address bar");
        notes.error("admin.remote.names", &names.at, problem);
        return None;
    }
    Some(names.value.into_iter().map(|spot| spot.value).collect())
}

/// A host's name or address, as it stands between `https://` and the port.
fn name(value: &Value<'_>) -> Result<String, Problem> {
    let text = value::text(value)?;
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    if let Ok(address) = bare.unwrap_or(&text).parse::<IpAddr>() {
        return Ok(address.to_canonical().to_string());
    }
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.chars().all(is_letter);
    if text.len() <= 253 && text.split('.').all(is_label) {
        return Ok(text.to_ascii_lowercase());
    }
    let problem = Problem::new(format!("{} is not the name of a host", quoted(&text)));
    Err(problem.cured_by("write only the name, without https:// and port: \"ponte.example.com\""))
}

/// Whether passwords cross no network in the clear.
fn is_safe(
    notes: &mut Notes<'_>,
    table: &Table<'_, '_>,
    listen: Option<&Spot<SocketAddr>>,
    is_behind: bool,
) -> bool {
    for (written, missing) in [("certificate", "key"), ("key", "certificate")] {
        if table.has(written) && !table.has(missing) {
            let problem = Problem::new(format!("missing, and {written} is of no use without it"));
            let problem = problem.cured_by(CERTIFICATE_CURE);
            notes.error(&table.section.path_of(missing), &table.at, problem);
            return false;
        }
    }
    if table.has("certificate") {
        return true;
    }
    let address = listen.map_or(REMOTE_LISTEN_DEFAULT, |spot| spot.value);
    let at = listen.map_or(&table.at, |spot| &spot.at);
    if !may_be_plain(address) {
        let problem = Problem::new(format!(
            "{address} is not a loopback address, and without certificate and key passwords would \
             cross the network in the clear"
        ));
        let problem = problem.cured_by(format!(
            "add both: {CERTIFICATE_CURE}; or write \"127.0.0.1:{}\" with behind_proxy = true and put \
             a proxy with TLS in front",
            address.port()
        ));
        notes.error("admin.remote.listen", at, problem);
        return false;
    }
    if !is_behind {
        let problem = Problem::new(
            "missing, and browsers send no password and keep no cookie without TLS".to_owned(),
        );
        let problem = problem.cured_by(format!(
            "add certificate and key: {CERTIFICATE_CURE}; or behind_proxy = true where a proxy on this \
             machine speaks TLS"
        ));
        notes.error("admin.remote.certificate", &table.at, problem);
        return false;
    }
    true
}

fn agree_on_proxies(notes: &mut Notes<'_>, table: &Table<'_, '_>, is_behind: bool) {
    let has_proxies = table.has("trusted_proxies") && !table.is_empty_list("trusted_proxies");
    if is_behind && !has_proxies {
        let problem = Problem::new("missing, and everybody would seem to come from the proxy");
        let problem =
            problem.cured_by("add trusted_proxies = [\"loopback\"], or the proxy's address");
        notes.warning("admin.remote.trusted_proxies", &table.at, problem);
    }
    if let (false, true, Some(value)) = (is_behind, has_proxies, table.value("trusted_proxies")) {
        let problem = Problem::new("has no effect, behind_proxy is false");
        let problem = problem.cured_by("add behind_proxy = true, or take it out");
        notes.warning("admin.remote.trusted_proxies", &value.span(), problem);
    }
}

/// Notes files that can't be used.
pub(super) fn look_at_files(notes: &mut Notes<'_>, mentions: &Mentions, remote: &AdminRemote) {
    let (Some(files), Some(mention)) = (&remote.tls, &mentions.remote) else {
        return;
    };
    let Err(error) = Certificate::read(files.clone()) else {
        return;
    };
    let blamed = blamed(&error, files);
    let at = match blamed {
        "certificate" => &mention.certificate,
        _ => &mention.key,
    };
    let cure = error
        .cure()
        .replace("ponte bridge certificate", "ponte admin certificate");
    let problem = Problem::new(error.to_string()).cured_by(cure);
    let at = at.as_ref().unwrap_or(&mention.at);
    notes.error(&format!("admin.remote.{blamed}"), at, problem);
}
