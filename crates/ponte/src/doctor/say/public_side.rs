//! What is said about the public side.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use ponte_core::time::Timestamp;

use super::{some, span};
use crate::admin::wire::Finding;
use crate::config::{Config, NamedSet, Proxy, PublicUrl};
use crate::doctor::public_side::{Answer, Handshake, Met, Place, Seen, http_date};
use crate::server::{CertificateReport, Facts, Standing, standing};

/// TradingView cancels after that (help centre, article 43000529348).
const SENDER_WAITS: Duration = Duration::from_secs(3);
/// From here on little is left for bad days.
const ANSWER_SLOW: Duration = Duration::from_secs(1);
/// The `Date` header tells whole seconds.
const CLOCK_OFF: Duration = Duration::from_secs(3);

/// What is said where no public address is configured.
pub(crate) fn unknown() -> Vec<Finding> {
    let text = "webhook.public_url is not set, so that the way from TradingView was not looked at";
    let cure = "write it into [webhook]: public_url = \"https://hook.example.com\"";
    vec![Finding::look("public_url", text).cured_by(cure)]
}

/// Everything that is said about the way to the public address; `at` is when it was looked at.
pub(crate) fn all(config: &Config, url: &PublicUrl, seen: &Seen, at: Timestamp) -> Vec<Finding> {
    let mut all = vec![scheme(url)];
    all.extend(dns(url.host(), config.webhook.proxy, &seen.addresses));
    all.push(listens(config, url));
    if let Some((place, met)) = &seen.met {
        all.extend(on_the_way(url, place, met, at));
    }
    all
}

fn scheme(url: &PublicUrl) -> Finding {
    const SUBJECT: &str = "public_url";
    if ![80, 443].contains(&url.port()) {
        let text = format!(
            "{url} has port {}, and TradingView calls 80 and 443 only",
            url.port()
        );
        return Finding::wrong(SUBJECT, text).cured_by(
            "let a proxy listen on 443, or ponte itself with [webhook] listen = \"0.0.0.0:443\"",
        );
    }
    if !url.is_secure() {
        let text = format!("{url} is without TLS: everybody on the way reads the secret");
        return Finding::look(SUBJECT, text).cured_by("serve https, and write it into public_url");
    }
    Finding::fine(SUBJECT, format!("TradingView is to call {url}/webhook"))
}

fn is_internal(address: IpAddr) -> bool {
    let sets = [NamedSet::Loopback, NamedSet::Private];
    let mut ranges = sets.into_iter().flat_map(NamedSet::ranges);
    address.is_unspecified()
        || address == IpAddr::V6(Ipv6Addr::LOCALHOST)
        || ranges.any(|range| range.contains(address))
}

fn dns(host: &str, proxy: Proxy, addresses: &Result<Vec<IpAddr>, String>) -> Vec<Finding> {
    const SUBJECT: &str = "dns";
    let addresses = match addresses {
        Ok(addresses) => addresses,
        Err(why) => {
            let finding = Finding::wrong(SUBJECT, format!("{host} can't be resolved: {why}"));
            let cure = if proxy.answers_for_the_name() {
                format!(
                    "is {host} the name that it has there? A domain of your own needs the record that its \
                     page on domains shows"
                )
            } else {
                format!("make an A record of {host} with this machine's IPv4 address")
            };
            return vec![finding.cured_by(cure)];
        }
    };
    let shown = |all: &[&IpAddr]| {
        let names: Vec<String> = all.iter().map(ToString::to_string).collect();
        some(&names)
    };
    let (v4, v6): (Vec<_>, Vec<_>) = addresses.iter().partition(|address| address.is_ipv4());
    if v4.is_empty() {
        let text = format!(
            "{host} has no A record, only {}: TradingView calls IPv4 only",
            shown(&v6)
        );
        let cure = match proxy {
            Proxy::Fly => "fly ips allocate-v4 --shared".to_owned(),
            Proxy::None
            | Proxy::Render
            | Proxy::Railway
            | Proxy::Cloudflare
            | Proxy::CloudflareTunnel
            | Proxy::Nginx
            | Proxy::Caddy
            | Proxy::Ngrok => format!("make an A record of {host} with an IPv4 address"),
        };
        return vec![Finding::wrong(SUBJECT, text).cured_by(cure)];
    }
    let internal: Vec<_> = v4
        .iter()
        .copied()
        .filter(|address| is_internal(**address))
        .collect();
    if !internal.is_empty() {
        let text = format!(
            "{host} is {} here: TradingView refuses addresses of internal networks",
            shown(&internal)
        );
        let cure = "make its A record the public address; where only this machine's /etc/hosts says so, \
                    ask from another one";
        return vec![Finding::wrong(SUBJECT, text).cured_by(cure)];
    }
    // Those of an edge are all doors of the same house.
    if v4.len() > 1 && !proxy.answers_for_the_name() {
        let text = format!("{host} has {} A records: {}", v4.len(), shown(&v4));
        let cure = "each must lead to this ponte: two that answer for themselves would trade twice";
        return vec![Finding::look(SUBJECT, text).cured_by(cure)];
    }
    vec![Finding::fine(SUBJECT, format!("{host} is {}", shown(&v4)))]
}

/// Whether what listens can be what is called.
fn listens(config: &Config, url: &PublicUrl) -> Finding {
    const SUBJECT: &str = "listen";
    let webhook = &config.webhook;
    let listen = webhook.listen;
    let is_alone = listen.ip().to_canonical().is_loopback();
    if webhook.tls.is_some() {
        if is_alone {
            let text =
                format!("ponte speaks TLS itself, at {listen}, which only this machine reaches");
            return Finding::look(SUBJECT, text)
                .cured_by("write listen = \"0.0.0.0:443\", unless a tunnel ends here");
        }
        return Finding::fine(
            SUBJECT,
            format!("ponte listens on {listen} and speaks TLS itself"),
        );
    }
    if url.is_secure() && webhook.trusted_proxies.is_empty() {
        let text = format!(
            "ponte listens on {listen} without TLS, so that a proxy has to end it, and none is in trusted_proxies"
        );
        return Finding::look(SUBJECT, text).cured_by(
            "name it in webhook.proxy or webhook.trusted_proxies: else every alert seems to come from it, \
             and is refused",
        );
    }
    let text = match (is_alone, url.is_secure()) {
        (true, _) => format!("ponte listens on {listen}, for a proxy or a tunnel on this machine"),
        (false, true) => format!("ponte listens on {listen}, for a proxy that ends TLS"),
        (false, false) => format!("ponte listens on {listen}"),
    };
    Finding::fine(SUBJECT, text)
}

/// What is said about a listener's certificate as it lies on the disk, beside what strangers see.
pub(crate) fn kept(report: &CertificateReport, at: Timestamp) -> Vec<Finding> {
    let subject = format!("{} file", report.listener);
    let mut all = vec![match &report.facts {
        Err(missing) => {
            Finding::wrong(&subject, missing.why.clone()).cured_by(missing.cure.clone())
        }
        Ok(facts) => {
            let text = format!(
                "the certificate kept for it ends in {}",
                span(facts.not_after.since(at))
            );
            match report.standing(at) {
                Standing::Good => Finding::fine(&subject, text),
                Standing::Soon => Finding::look(&subject, text).cured_by(RENEW),
                Standing::Urgent => Finding::wrong(&subject, text).cured_by(RENEW),
                Standing::Void => {
                    Finding::wrong(&subject, "the certificate kept for it does not hold now")
                        .cured_by(RENEW)
                }
            }
        }
    }];
    if let Some(failure) = &report.last_failure {
        let text = format!(
            "{} ago it could not be renewed: {}",
            span(at.since(failure.at)),
            failure.why
        );
        all.push(Finding::look(&subject, text).cured_by(failure.cure.clone()));
    }
    all
}

/// What helps where a certificate is not renewed in time.
const RENEW: &str = "have it renewed: ponte certificate says what failed last, the log of certbot or of the proxy \
                     what failed there";

fn on_the_way(url: &PublicUrl, place: &Place, met: &Met, at: Timestamp) -> Vec<Finding> {
    let mut all = Vec::new();
    match &met.connected {
        Ok(took) => {
            let text = format!("{} takes connections ({})", place.address, span(*took));
            all.push(Finding::fine("reachable", text));
        }
        Err(why) => {
            let text = format!("{} can't be connected to: {why}", place.address);
            let cure = format!(
                "open port {} in the firewall and at the hoster, and let the proxy listen there; some \
                 routers don't lead a machine to its own public address",
                place.address.port()
            );
            return vec![Finding::wrong("reachable", text).cured_by(cure)];
        }
    }
    match &met.handshake {
        None => {}
        Some(Err(why)) => {
            let text = format!("the TLS handshake failed: {why}");
            let cure = "look at the proxy's or ponte's log: most often it has no certificate for this name yet";
            all.push(Finding::wrong("tls", text).cured_by(cure));
        }
        Some(Ok(handshake)) => all.extend(certificate(url, handshake, at)),
    }
    match &met.answer {
        None => {}
        Some(Err(why)) => {
            let finding = Finding::wrong(
                "answers",
                format!("it took the request and did not answer: {why}"),
            );
            all.push(finding.cured_by("look whether the proxy reaches ponte's webhook.listen"));
        }
        Some(Ok(answer)) => all.extend(answered(answer, at)),
    }
    all
}

fn certificate(url: &PublicUrl, handshake: &Handshake, at: Timestamp) -> Vec<Finding> {
    const SUBJECT: &str = "certificate";
    let host = url.host();
    let Some(facts) = &handshake.facts else {
        let finding = Finding::wrong(SUBJECT, "what it shows is no certificate that can be read");
        return vec![finding.cured_by("let an authority make one: the guides show how")];
    };
    let mut all = Vec::new();
    if !facts.is_for(host) {
        let shown = match facts.names.as_slice() {
            [] => facts.subject.clone(),
            names => some(names),
        };
        let text = format!("the certificate is for {shown}, not for {host}");
        all.push(Finding::wrong(SUBJECT, text).cured_by(format!("have one made for {host}")));
    }
    all.extend(validity(facts, at));
    all.extend(trust(facts, handshake));
    if all.is_empty() {
        let left = facts.not_after.since(at);
        let text = format!(
            "for {host}, by {}, good for another {}",
            facts.issuer,
            span(left)
        );
        all.push(Finding::fine(SUBJECT, text));
    }
    all.push(Finding::fine(
        "tls",
        format!("the handshake took {}", span(handshake.took)),
    ));
    all
}

fn validity(facts: &Facts, at: Timestamp) -> Option<Finding> {
    const SUBJECT: &str = "certificate";
    let (begins, ends) = (facts.not_before, facts.not_after);
    let left = || format!("the certificate ends in {}", span(ends.since(at)));
    match standing(facts, at) {
        Standing::Good => None,
        Standing::Soon => Some(Finding::look(SUBJECT, left()).cured_by(RENEW)),
        Standing::Urgent => Some(Finding::wrong(SUBJECT, left()).cured_by(RENEW)),
        Standing::Void if at < begins => {
            let text = format!(
                "the certificate begins to hold in {}",
                span(begins.since(at))
            );
            Some(Finding::wrong(SUBJECT, text).cured_by("set this machine's clock, or wait"))
        }
        Standing::Void => {
            let text = format!("the certificate expired {} ago", span(at.since(ends)));
            Some(Finding::wrong(SUBJECT, text).cured_by(RENEW))
        }
    }
}

fn trust(facts: &Facts, handshake: &Handshake) -> Option<Finding> {
    const SUBJECT: &str = "certificate";
    let why = handshake.trust.as_ref().err()?;
    if facts.subject == facts.issuer {
        let text = "the certificate vouches for itself: TradingView does not take that";
        return Some(
            Finding::wrong(SUBJECT, text)
                .cured_by("have one made by an authority: the guides show how"),
        );
    }
    let issuer = facts.issuer.to_ascii_uppercase();
    if ["STAGING", "FAKE LE", "PEBBLE"]
        .iter()
        .any(|word| issuer.contains(word))
    {
        let text = format!(
            "the certificate is for trying only, made by {}",
            facts.issuer
        );
        return Some(
            Finding::wrong(SUBJECT, text)
                .cured_by("have one made by the authority's real directory"),
        );
    }
    // A name or a date that is wrong has been said.
    let is_said = why.contains("expired")
        || why.contains("not valid for name")
        || why.contains("not valid yet");
    (!is_said).then(|| {
        let text = format!("no public authority vouches for the certificate: {why}");
        Finding::wrong(SUBJECT, text).cured_by("serve the whole chain: fullchain.pem, not cert.pem")
    })
}

fn answered(answer: &Answer, at: Timestamp) -> Vec<Finding> {
    const SUBJECT: &str = "answers";
    let took = span(answer.took);
    let status = answer.status;
    let who = answer
        .header("server")
        .map(|name| format!(" ({name})"))
        .unwrap_or_default();
    let mut all = vec![match status {
        405 => Finding::fine(
            SUBJECT,
            format!("it answers a question as ponte does, in {took}"),
        ),
        300..=399 => {
            let to = answer.header("location").unwrap_or("elsewhere");
            Finding::wrong(
                SUBJECT,
                format!("it redirects to {to}{who}: TradingView does not follow"),
            )
            .cured_by("write the address at the end of the way into the alert and into public_url")
        }
        502..=504 => Finding::wrong(
            SUBJECT,
            format!("the proxy{who} answers {status}: it does not reach ponte"),
        )
        .cured_by("look whether ponte runs, and whether the proxy leads to webhook.listen"),
        401 | 403 | 429 => Finding::wrong(
            SUBJECT,
            format!("something in front{who} answers {status}, not ponte"),
        )
        .cured_by(
            "let the path /webhook pass the firewall, the login or the challenge in front of it",
        ),
        404 => Finding::wrong(SUBJECT, format!("something{who} answers 404 to /webhook"))
            .cured_by("let the proxy pass /webhook on to ponte as it is"),
        _ => Finding::look(
            SUBJECT,
            format!("something{who} answers {status} where ponte would say 405"),
        )
        .cured_by("look whether public_url leads to ponte"),
    }];
    all.extend(in_time(answer.took));
    let date = answer.header("date").and_then(http_date);
    all.extend(date.and_then(|date| clock(date, at)));
    all
}

/// How long an answer took, if that is worth a word.
pub(crate) fn in_time(took: Duration) -> Option<Finding> {
    const SUBJECT: &str = "in_time";
    let text = format!(
        "the answer took {}, and TradingView gives up after 3 s",
        span(took)
    );
    if took >= SENDER_WAITS {
        return Some(
            Finding::wrong(SUBJECT, text)
                .cured_by("look at the way: the proxy, the tunnel, a machine that sleeps"),
        );
    }
    (took >= ANSWER_SLOW).then(|| {
        Finding::look(SUBJECT, text)
            .cured_by("look at the way: the proxy, the tunnel, a machine that sleeps")
    })
}

fn clock(date: Timestamp, at: Timestamp) -> Option<Finding> {
    let off = at.since(date).max(date.since(at));
    (off > CLOCK_OFF).then(|| {
        let text = format!(
            "this machine's clock differs by {} from the answer's",
            span(off)
        );
        Finding::look("clock", text).cured_by("set both by a time service")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::wire::Health;

    fn said(proxy: Proxy, addresses: &[&str]) -> Finding {
        let addresses = addresses.iter().map(|text| text.parse().unwrap());
        let mut all = dns("hook.example.com", proxy, &Ok(addresses.collect()));
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    #[test]
    fn several_addresses_are_several_pontes_unless_they_are_an_edges() {
        let two = ["203.0.113.1", "203.0.113.2"];
        assert_eq!(said(Proxy::Nginx, &two).health, Health::Look);
        assert_eq!(said(Proxy::Cloudflare, &two).health, Health::Fine);
    }

    #[test]
    fn the_cure_for_a_missing_address_is_the_places_own() {
        let fly = said(Proxy::Fly, &["2001:db8::1"]);
        assert_eq!(fly.cure.as_deref(), Some("fly ips allocate-v4 --shared"));
        let own = said(Proxy::None, &["2001:db8::1"]);
        assert!(own.cure.unwrap().contains("A record"));
    }
}
