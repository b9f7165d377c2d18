//! Reads `[bridge]`: where the bridges beside terminals call, and what proves to them who answers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use super::finding::{Notes, Problem};
use super::https::blamed;
use super::model::Bridge;
use super::sections::{self, BridgeMention, Mentions};
use super::table::{Spot, Table};
use super::value;
use crate::server::{Certificate, CertificateFiles, may_be_plain};

/// Where bridges call when the file doesn't say.
pub(super) const BRIDGE_LISTEN_DEFAULT: SocketAddr =
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8443);

/// Reads the section; `None` where there is none, or where it can't be used.
pub(super) fn bridge(
    notes: &mut Notes<'_>,
    mentions: &mut Mentions,
    table: &Table<'_, '_>,
    base: &Path,
) -> Option<Bridge> {
    if table.is_absent() {
        return None;
    }
    let listen = table.read(notes, "listen", value::socket_address);
    let certificate = table.read(notes, "certificate", sections::path);
    let key = table.read(notes, "key", sections::path);
    mentions.bridge = Some(BridgeMention {
        at: table.at.clone(),
        listen: listen.clone(),
        files: [("certificate", &certificate), ("key", &key)]
            .into_iter()
            .filter_map(|(name, spot)| Some((name, spot.as_ref()?.at.clone())))
            .collect(),
    });
    for (written, missing) in [("certificate", "key"), ("key", "certificate")] {
        if table.has(written) && !table.has(missing) {
            let problem = Problem::new(format!("missing, and {written} is of no use without it"));
            let problem = problem.cured_by("ponte bridge certificate writes a pair");
            notes.error(&table.section.path_of(missing), &table.at, problem);
        }
    }
    let address = listen
        .as_ref()
        .map_or(BRIDGE_LISTEN_DEFAULT, |spot| spot.value);
    if !may_be_plain(address) && !table.has("certificate") && !table.has("key") {
        let at = listen.map_or(table.at.clone(), |spot| spot.at);
        let problem = Problem::new(format!(
            "{address} is not a loopback address, and without certificate and key the terminals' \
             tokens would cross the network in the clear"
        ));
        let problem = problem.cured_by(
            "add both: ponte bridge certificate --host NAME writes a pair; or write \
             \"127.0.0.1:8443\" and put a proxy with TLS in front",
        );
        notes.error("bridge.listen", &at, problem);
        return None;
    }
    let file = |spot: Option<Spot<String>>| spot.map(|spot| base.join(spot.value));
    let tls = match (file(certificate), file(key)) {
        (Some(certificate), Some(key)) => Some(CertificateFiles { certificate, key }),
        (_, _) => None,
    };
    Some(Bridge {
        listen: address,
        tls,
    })
}

/// Notes files that can't be used.
pub(super) fn look_at_files(notes: &mut Notes<'_>, mentions: &Mentions, bridge: &Bridge) {
    let (Some(files), Some(mention)) = (&bridge.tls, &mentions.bridge) else {
        return;
    };
    let Err(error) = Certificate::read(files.clone()) else {
        return;
    };
    let blamed = blamed(&error, files);
    let at = mention.files.iter().find(|(name, _)| *name == blamed);
    let at = at.map_or(&mention.at, |(_, at)| at);
    let problem = Problem::new(error.to_string()).cured_by(error.cure());
    notes.error(&format!("bridge.{blamed}"), at, problem);
}
