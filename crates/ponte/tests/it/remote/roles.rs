//! A table of every route: who may call it.

use std::fmt::Write as _;

use expect_test::expect;
use ponte::admin::auth::{Access, Role, RouteAccess};
use reqwest::{Method, StatusCode};

use super::{Answer, Browser, Site, whole};

/// Everybody who could call.
const CALLERS: [&str; 5] = ["nobody", "eva", "ana", "view token", "operate token"];

#[test]
fn every_route_says_who_may_call_it() {
    let mut table = String::new();
    for RouteAccess {
        method,
        path,
        access,
    } in ponte::admin::routes()
    {
        writeln!(table, "{method:4} {path:18} {access:?}").unwrap();
    }
    expect![[r#"
        GET  /healthz           Open
        GET  /readyz            Api(View)
        GET  /metrics           Api(View)
        GET  /api/session       Api(View)
        GET  /api/status        Api(View)
        GET  /api/version       Api(View)
        GET  /api/alerts        Api(View)
        GET  /api/orders        Api(View)
        GET  /api/positions     Api(View)
        GET  /api/doctor        Api(View)
        GET  /api/doctor/here   Api(View)
        POST /api/selftest      Local
        GET  /api/selftest/{number} Local
        POST /api/try-stop      Local
        GET  /api/why/{id}      Api(View)
        GET  /api/sources       Api(View)
        GET  /api/sources/seen  Api(View)
        GET  /api/secrets       Api(Operate)
        POST /api/source        Api(Operate)
        POST /api/secrets/reload Local
        POST /api/halt          Api(Operate)
        POST /api/resume        Api(Operate)
        POST /api/flatten       Api(Operate)
        POST /api/explain       Api(Operate)
        POST /api/record        Local
        GET  /style.css         Open
        GET  /language/{code}   Open
        GET  /login             Open
        POST /login             Open
        GET  /login/code        Open
        POST /login/code        Open
        POST /sign-out          Page(View)
        GET  /                  Page(View)
        POST /halt              Page(Operate)
        GET  /resume            Page(Operate)
        POST /resume            Page(Operate)
        GET  /sessions          Page(View)
        POST /sessions/end      Page(View)
    "#]]
    .assert_eq(&table);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_asks_for_its_role() {
    let site = Site::running().await;
    let tokens = [site.token("v", "view"), site.token("o", "operate")];
    let mut tried = 0;
    for route in ponte::admin::routes() {
        for caller in CALLERS {
            // A new session each time: one of the routes ends it.
            let answer = match caller {
                "nobody" => call(&site.browser(), &route).await,
                "eva" | "ana" => call(&site.signed_in(caller).await, &route).await,
                _ => {
                    let token = &tokens[usize::from(caller == "operate token")];
                    let method = Method::from_bytes(route.method.as_bytes()).unwrap();
                    let request = site.request(method, &path_of(&route));
                    whole(request.bearer_auth(token)).await
                }
            };
            check(&route, caller, &answer);
            tried += 1;
        }
    }
    assert!(tried > 100, "{tried}");
    for (method, path) in [
        (Method::DELETE, "/api/status"),
        (Method::GET, "/api/nothing"),
    ] {
        let answer = whole(site.request(method.clone(), path)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        let answer = whole(site.request(method.clone(), path).bearer_auth(&tokens[1])).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}");
    }
}

fn path_of(route: &RouteAccess) -> String {
    route.path.replace("{id}", "A1").replace("{code}", "pt")
}

/// Calls a route as a page would, with nothing to do for it.
async fn call(browser: &Browser<'_>, route: &RouteAccess) -> Answer {
    let path = path_of(route);
    if route.method == "GET" {
        return browser.get(&path).await;
    }
    let is_known = browser.cookie(super::SESSION).is_some();
    let csrf = if is_known {
        browser.csrf().await
    } else {
        String::new()
    };
    browser.send(&path, &[("csrf", &csrf)]).await
}

fn check(route: &RouteAccess, caller: &str, answer: &Answer) {
    let held = match caller {
        "nobody" => None,
        "eva" | "view token" => Some(Role::View),
        _ => Some(Role::Operate),
    };
    let place = format!(
        "{} {} by {caller}: {}",
        route.method, route.path, answer.text
    );
    let status = answer.status;
    let is_in = status != StatusCode::UNAUTHORIZED && status != StatusCode::FORBIDDEN;
    match route.access {
        Access::Open => assert!(is_in, "{place}"),
        Access::Local => {
            let expected = held.map_or(StatusCode::UNAUTHORIZED, |_| StatusCode::NOT_FOUND);
            assert_eq!(status, expected, "{place}");
        }
        Access::Page(_) if held.is_none() || caller.ends_with("token") => {
            assert_eq!(answer.place(), Some("/login"), "{place}");
        }
        Access::Api(role) | Access::Page(role) => match held {
            None => assert_eq!(status, StatusCode::UNAUTHORIZED, "{place}"),
            Some(held) if held < role => assert_eq!(status, StatusCode::FORBIDDEN, "{place}"),
            Some(_) => assert!(
                is_in && status != StatusCode::NOT_FOUND || route.path.contains("{id}"),
                "{place}"
            ),
        },
    }
}
