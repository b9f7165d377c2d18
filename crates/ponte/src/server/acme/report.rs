//! What is stored of a certificate, for people and programs: read from the data directory, so that it
//! can be told whether Ponte runs or not.

use std::path::Path;

use super::held::InUse;
use super::settings::AcmeSettings;
use super::store::{SetName, Store};
use crate::server::expiry::{CertificateReport, CertificateSource, NoCertificate};

/// The report of a listener whose certificate comes by ACME.
pub(in crate::server) fn report(
    listener: &'static str,
    settings: &AcmeSettings,
    data_dir: &Path,
) -> CertificateReport {
    let store = Store::in_data_dir(data_dir);
    let set = SetName::new(settings.directory.url(), &settings.sorted_names());
    let record = store.record(&set);
    let file = store.pair_file(&set);
    let found = match store.pair(&set) {
        Ok(text) => InUse::of_text(&text).map_err(|why| NoCertificate {
            why: format!("file {} can't be used: {why}", file.display()),
            cure: "a running Ponte orders a new one".to_owned(),
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(NoCertificate {
            why: format!("none has come yet for {}", settings.names.join(", ")),
            cure: "a running Ponte orders it: ponte run".to_owned(),
        }),
        Err(error) => Err(NoCertificate {
            why: format!("file {} can't be read: {error}", file.display()),
            cure: "ask as the user who runs ponte".to_owned(),
        }),
    };
    let next_renewal = found
        .as_ref()
        .ok()
        .map(|found| super::renew_at(found, &record));
    CertificateReport {
        listener,
        source: CertificateSource::Acme {
            directory: settings.directory.name().to_owned(),
            staging: settings.directory.is_staging(),
            names: settings.names.clone(),
            rehearsed_at: record.rehearsed_at,
        },
        facts: found.map(|found| found.facts),
        next_renewal,
        last_failure: record.last_failure,
    }
}
