//! The listeners' certificates: who shows which, and who is told before one ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ponte_core::time::Timestamp;

use super::RunError;
use crate::clock;
use crate::config::{Config, WebhookTls};
use crate::metrics::Metrics;
use crate::server::acme::Acme;
use crate::server::{
    Certificate, CertificateFiles, CertificateReport, CertificateSource, Security, Standing, Tls,
};

/// How often the certificates are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// The certificate of each listener that has one, as it lies on the disk: what a running Ponte shows
/// is at most a minute older. Reads files; nothing is asked on the network.
#[must_use]
pub fn certificates(config: &Config) -> Vec<CertificateReport> {
    let webhook = config.webhook.tls.as_ref().map(|tls| match tls {
        WebhookTls::Files(files) => CertificateReport::of_files("webhook", files),
        WebhookTls::Acme(settings) => {
            CertificateReport::of_acme("webhook", settings, &config.data_dir)
        }
    });
    let bridge = config
        .bridge
        .as_ref()
        .and_then(|bridge| bridge.tls.as_ref());
    let bridge = bridge.map(|files| CertificateReport::of_files("bridge", files));
    let remote = config.admin.remote.as_ref();
    let admin = remote.and_then(|remote| remote.tls.as_ref());
    let admin = admin.map(|files| CertificateReport::of_files("admin", files));
    webhook.into_iter().chain(bridge).chain(admin).collect()
}

/// How the webhook speaks, and who keeps its certificate fresh where Ponte does.
pub(super) fn of_webhook(config: &Config) -> Result<(Security, Option<Arc<Acme>>), RunError> {
    let (tls, acme) = match &config.webhook.tls {
        None => (None, None),
        Some(WebhookTls::Files(files)) => (of_files("webhook.tls", Some(files))?, None),
        Some(WebhookTls::Acme(settings)) => {
            let acme = Acme::open(settings.clone(), &config.data_dir)?;
            (Some(Tls::with_acme(acme.clone())), Some(acme))
        }
    };
    let tls = tls.map(Tls::asking_senders);
    Ok((tls.map_or(Security::Plain, Security::Tls), acme))
}

/// TLS with the owner's files, which `section` of the configuration names, if it does.
pub(super) fn of_files(
    section: &'static str,
    files: Option<&CertificateFiles>,
) -> Result<Option<Tls>, RunError> {
    let read = files.cloned().map(Certificate::read).transpose();
    let read = read.map_err(|source| RunError::Certificate { section, source })?;
    Ok(read.map(Tls::with_files))
}

/// Shows the ends of the certificates in the metrics and tells those that come near, for ever.
pub(super) async fn watch(config: Arc<Config>, metrics: Arc<Metrics>) {
    let mut told = BTreeMap::new();
    loop {
        let config = config.clone();
        let looked = tokio::task::spawn_blocking(move || certificates(&config)).await;
        let now = clock::now();
        for report in looked.unwrap_or_default() {
            if let Ok(facts) = &report.facts {
                metrics.certificate_expires(report.listener, facts.not_after);
            }
            remind(&report, now, &mut told);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// How often a standing is told again.
fn pause(standing: Standing) -> Option<Duration> {
    match standing {
        Standing::Good => None,
        Standing::Soon => Some(24 * HOUR),
        Standing::Urgent => Some(6 * HOUR),
        Standing::Void => Some(HOUR),
    }
}

/// Tells a certificate that ends soon; the same again only after a while.
fn remind(
    report: &CertificateReport,
    now: Timestamp,
    told: &mut BTreeMap<&'static str, (Standing, Timestamp)>,
) {
    let listener = report.listener;
    let standing = report.standing(now);
    let Some(pause) = pause(standing) else {
        told.remove(listener);
        return;
    };
    let last = told.get(listener);
    if last.is_some_and(|(last, at)| *last == standing && now.since(*at) < pause) {
        return;
    }
    told.insert(listener, (standing, now));
    let facts = match &report.facts {
        Ok(facts) => facts,
        // Whoever orders it tells that it has not come.
        Err(_) if is_ordered(&report.source) => return,
        Err(missing) => {
            let (why, cure) = (&missing.why, &missing.cure);
            tracing::warn!(listener, why, cure, "there is no certificate");
            return;
        }
    };
    let cure = match &report.last_failure {
        Some(failure) => format!("{}; {}", failure.why, failure.cure),
        None if report.next_renewal.is_some() => {
            "Ponte renews it by itself; look whether it runs with the right clock".to_owned()
        }
        None => "renew the files; Ponte reads them again within a minute".to_owned(),
    };
    let until = facts.not_after;
    let days_left = until.since(now).as_secs() / 86_400;
    match standing {
        Standing::Void => {
            tracing::error!(listener, %until, cure, "the certificate does not hold now: nobody connects");
        }
        Standing::Urgent => {
            tracing::error!(listener, %until, days_left, cure, "the certificate ends very soon");
        }
        Standing::Soon | Standing::Good => {
            tracing::warn!(listener, %until, days_left, cure, "the certificate ends soon");
        }
    }
}

fn is_ordered(source: &CertificateSource) -> bool {
    match source {
        CertificateSource::Acme { .. } => true,
        CertificateSource::Files { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::NoCertificate;

    #[test]
    fn the_same_is_told_again_only_after_a_while() {
        let report = CertificateReport {
            listener: "webhook",
            source: CertificateSource::Files {
                certificate: "c.pem".into(),
            },
            facts: Err(NoCertificate {
                why: "gone".to_owned(),
                cure: "bring it back".to_owned(),
            }),
            next_renewal: None,
            last_failure: None,
        };
        let start = Timestamp(1_795_996_800_000_000);
        let mut told = BTreeMap::new();
        remind(&report, start, &mut told);
        assert_eq!(told.get("webhook"), Some(&(Standing::Void, start)));
        remind(&report, start.after(HOUR / 2), &mut told);
        assert_eq!(told.get("webhook"), Some(&(Standing::Void, start)));
        remind(&report, start.after(HOUR), &mut told);
        assert_eq!(
            told.get("webhook"),
            Some(&(Standing::Void, start.after(HOUR)))
        );
    }
}
