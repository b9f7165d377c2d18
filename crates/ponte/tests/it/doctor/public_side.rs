//! The way from outside, with everything that can be wrong on it.

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::any;
use ponte::server::CertificateFiles;
use rcgen::{CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use std::os::unix::fs::PermissionsExt as _;
use tempfile::TempDir;

use super::{Server, ask, set_webhook};
use crate::program::{Ponte, free_port};

/// Answers a question as Ponte does.
fn like_ponte() -> Router {
    Router::new().fallback(any(|| async { StatusCode::METHOD_NOT_ALLOWED }))
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2024, 1, 1);
    params.not_after = date_time_ymd(2124, 1, 1);
    params
}

/// A certificate in files, made by itself, or by an authority of this name.
fn files(params: &CertificateParams, authority: Option<&str>) -> (TempDir, CertificateFiles) {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let made = match authority {
        None => params.self_signed(&key).unwrap(),
        Some(name) => {
            let mut of_authority = CertificateParams::new(Vec::new()).unwrap();
            of_authority.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            of_authority
                .distinguished_name
                .push(DnType::CommonName, name);
            let issuer = Issuer::new(of_authority, KeyPair::generate().unwrap());
            params.signed_by(&key, &issuer).unwrap()
        }
    };
    let files = CertificateFiles {
        certificate: folder.path().join("certificate.pem"),
        key: folder.path().join("key.pem"),
    };
    std::fs::write(&files.certificate, made.pem()).unwrap();
    std::fs::write(&files.key, key.serialize_pem()).unwrap();
    std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(0o600)).unwrap();
    (folder, files)
}

/// A Ponte that does not run, reached by this scheme at this port.
fn reached_at(scheme: &str, port: u16) -> Ponte {
    let ponte = Ponte::install("");
    set_webhook(
        &ponte,
        &format!("public_url = \"{scheme}://localhost:{port}\""),
    );
    ponte
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_certificate_is_said() {
    let mut expired = params("localhost");
    expired.not_after = date_time_ymd(2025, 1, 1);
    for (params, authority, health, said) in [
        (expired, None, "wrong", "the certificate expired"),
        (
            params("other.example"),
            None,
            "wrong",
            "for other.example, not for localhost",
        ),
        (
            params("localhost"),
            None,
            "wrong",
            "the certificate vouches for itself",
        ),
        (
            params("localhost"),
            Some("Pebble Intermediate CA 1"),
            "wrong",
            "for trying only, made by CN=Pebble",
        ),
        (
            params("localhost"),
            Some("(STAGING) Counterfeit"),
            "wrong",
            "for trying only",
        ),
        (
            params("localhost"),
            Some("Nobody in Particular"),
            "wrong",
            "no public authority vouches for",
        ),
    ] {
        let (_folder, files) = files(&params, authority);
        let server = Server::with_tls(like_ponte(), files).await;
        let ponte = reached_at("https", server.address.port());
        let report = ask(&ponte, &[]).await;
        assert_eq!(report.status, 3, "nobody could be asked about accounts");
        report.says("public", "certificate", health, said);
        report.says("public", "reachable", "fine", "takes connections");
        report.says("public", "answers", "fine", "as ponte does");
        report.says(
            "public",
            "dns",
            "wrong",
            "refuses addresses of internal networks",
        );
        report.says(
            "public",
            "public_url",
            "wrong",
            "TradingView calls 80 and 443 only",
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_answers_in_the_place_of_ponte_is_told_by_its_answer() {
    let redirects = || async {
        let to = (header::LOCATION, "https://elsewhere.example/webhook");
        (StatusCode::MOVED_PERMANENTLY, [to]).into_response()
    };
    let plainly = |status: StatusCode| {
        Router::new().fallback(any(
            move || async move { (status, [(header::SERVER, "nginx")]) },
        ))
    };
    for (router, health, said) in [
        (
            Router::new().fallback(any(redirects)),
            "wrong",
            "it redirects to https://elsewhere.example/webhook: TradingView does not follow",
        ),
        (
            plainly(StatusCode::BAD_GATEWAY),
            "wrong",
            "the proxy (nginx) answers 502: it does not reach ponte",
        ),
        (
            plainly(StatusCode::FORBIDDEN),
            "wrong",
            "something in front (nginx) answers 403, not ponte",
        ),
        (
            plainly(StatusCode::NOT_FOUND),
            "wrong",
            "something (nginx) answers 404 to /webhook",
        ),
        (
            plainly(StatusCode::OK),
            "look",
            "something (nginx) answers 200 where ponte would say 405",
        ),
    ] {
        let server = Server::plain(router).await;
        let ponte = reached_at("http", server.address.port());
        ask(&ponte, &[])
            .await
            .says("public", "answers", health, said);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_that_ends_early_says_where() {
    let ponte = reached_at("http", free_port());
    let report = ask(&ponte, &[]).await;
    report.says("public", "reachable", "wrong", "can't be connected to");
    assert!(report.all("public", "answers").is_empty());
    // A port that speaks HTTP where TLS is expected.
    let server = Server::plain(like_ponte()).await;
    let ponte = reached_at("https", server.address.port());
    ask(&ponte, &[])
        .await
        .says("public", "tls", "wrong", "the TLS handshake failed");
    let ponte = Ponte::install("");
    set_webhook(&ponte, "public_url = \"https://nowhere.invalid\"");
    ask(&ponte, &[]).await.says(
        "public",
        "dns",
        "wrong",
        "nowhere.invalid can't be resolved",
    );
    let ponte = Ponte::install("");
    ask(&ponte, &[])
        .await
        .says("public", "public_url", "look", "is not set");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_this_ponte_is_found_out_by_the_test() {
    let server = Server::plain(like_ponte()).await;
    let mut ponte = reached_at("http", server.address.port());
    ponte.start().await;
    let report = ask(&ponte, &[]).await;
    report.says(
        "selftest",
        "arrives",
        "wrong",
        "is not this ponte: it said 405 to a test",
    );
    assert_eq!(report.status, 1);
    // Another Ponte knows no test of this one's.
    let mut other = Ponte::install("");
    other.start().await;
    let port = other
        .webhook()
        .rsplit(':')
        .next()
        .unwrap()
        .replace("/webhook", "");
    ponte.stop().await;
    let path = ponte.folder().join("ponte.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let here = server.address.port().to_string();
    std::fs::write(
        &path,
        text.replacen(
            &format!("localhost:{here}"),
            &format!("localhost:{port}"),
            1,
        ),
    )
    .unwrap();
    ponte.start().await;
    let report = ask(&ponte, &[]).await;
    report.says("public", "answers", "fine", "as ponte does");
    report.says(
        "selftest",
        "arrives",
        "wrong",
        "is not this ponte: it said 403 to a test",
    );
    assert!(other.ask("alerts").await.as_array().unwrap().is_empty());
    ponte.stop().await;
    other.stop().await;
}
