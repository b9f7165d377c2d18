//! Reads `[bridge]`: where the bridges beside terminals call, and what proves to them who answers.

use std::fs::{File, Metadata};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use super::finding::{Notes, Problem};
use super::model::{Bridge, TlsFiles};
use super::sections::{self, BridgeMention, Mentions};
use super::table::{Spot, Table};
use super::value;

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
    let is_public = !address.ip().to_canonical().is_loopback();
    if is_public && !table.has("certificate") && !table.has("key") {
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
        (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
        (_, _) => None,
    };
    Some(Bridge {
        listen: address,
        tls,
    })
}

/// Notes files that can't be used.
pub(super) fn look_at_files(notes: &mut Notes<'_>, mentions: &Mentions, bridge: &Bridge) {
    let (Some(tls), Some(mention)) = (&bridge.tls, &mentions.bridge) else {
        return;
    };
    for (name, at) in &mention.files {
        let (path, is_private) = match *name {
            "key" => (&tls.key, true),
            _ => (&tls.certificate, false),
        };
        if let Err(problem) = looked_at(path, is_private) {
            notes.error(&format!("bridge.{name}"), at, problem);
        }
    }
}

fn looked_at(path: &Path, is_private: bool) -> Result<(), Problem> {
    let shown = path.display();
    let unreadable = |error: io::Error| {
        let problem = Problem::new(format!("file {shown} can't be read: {error}"));
        if error.kind() == io::ErrorKind::NotFound {
            return problem.cured_by("write a pair with: ponte bridge certificate --host NAME");
        }
        problem
    };
    let metadata = File::open(path)
        .and_then(|file| file.metadata())
        .map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Problem::new(format!("{shown} is not a file")));
    }
    if let Some(mode) = open_to_others(&metadata).filter(|_| is_private) {
        let problem = Problem::new(format!(
            "file {shown} has mode {mode:03o}, others than its owner may use it"
        ));
        return Err(problem.cured_by(format!("chmod 600 {shown}")));
    }
    Ok(())
}

#[cfg(unix)]
fn open_to_others(metadata: &Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
const fn open_to_others(_: &Metadata) -> Option<u32> {
    None
}
