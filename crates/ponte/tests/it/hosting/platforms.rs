//! `ponte init --platform` for each place, with the headers that its edge sends.

use std::net::Ipv4Addr;

use super::{
    EDGE, Guarded, PATIENCE_STEPS, Place, SECRET, STEP, STRANGER, TRADINGVIEW, client, post,
};

/// Addresses as an edge's headers say them.
const SENDER: &str = "127.0.0.2";
const FORGED: &str = "203.0.113.66";

/// A platform whose edge stands in front, with requests as that edge passes them on.
struct Edge {
    platform: &'static str,
    /// An alert from TradingView.
    honest: &'static [(&'static str, &'static str)],
    /// A stranger's alert, who claims to be TradingView.
    forged: &'static [(&'static str, &'static str)],
}

const EDGES: &[Edge] = &[
    Edge {
        platform: "fly",
        honest: &[
            ("fly-client-ip", SENDER),
            ("x-forwarded-for", "127.0.0.2, 66.241.125.1"),
            ("x-forwarded-proto", "https"),
        ],
        forged: &[
            ("fly-client-ip", FORGED),
            ("x-forwarded-for", "127.0.0.2, 203.0.113.66, 66.241.125.1"),
            ("x-real-ip", SENDER),
        ],
    },
    Edge {
        // The last address is Cloudflare's, which stands in front of Render.
        platform: "render",
        honest: &[
            ("x-forwarded-for", "127.0.0.2, 172.68.1.1"),
            ("cf-connecting-ip", SENDER),
        ],
        forged: &[
            ("x-forwarded-for", "127.0.0.2, 203.0.113.66, 172.68.1.1"),
            ("x-real-ip", SENDER),
        ],
    },
    Edge {
        platform: "railway",
        honest: &[("x-real-ip", SENDER), ("x-forwarded-for", SENDER)],
        forged: &[("x-real-ip", FORGED), ("x-forwarded-for", SENDER)],
    },
    Edge {
        platform: "cloudflare-tunnel",
        honest: &[("cf-connecting-ip", SENDER), ("x-forwarded-for", SENDER)],
        forged: &[
            ("cf-connecting-ip", FORGED),
            ("x-forwarded-for", "127.0.0.2, 203.0.113.66"),
            ("x-real-ip", SENDER),
        ],
    },
    Edge {
        platform: "ngrok",
        honest: &[("x-forwarded-for", SENDER)],
        forged: &[("x-forwarded-for", "127.0.0.2, 203.0.113.66")],
    },
];

fn at_edge(edge: &Edge) -> Place {
    let place = Place::of(edge.platform, &[]);
    // The edge calls from an address of this machine; what else the preset says stays.
    let preset = format!("proxy = \"{}\"", edge.platform);
    place.edit(
        &preset,
        &format!("{preset}\ntrusted_proxies = [\"{EDGE}\"]"),
    );
    place
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_pass_each_platform_and_strangers_do_not() {
    for edge in EDGES {
        let name = edge.platform;
        let mut place = at_edge(edge);
        place.start().await;
        let (url, proxy) = (place.webhook(), client(EDGE, None));
        let alert = |id: &str| place.alert(id);
        assert_eq!(
            post(&proxy, &url, alert("1"), edge.honest).await,
            200,
            "{name}"
        );
        assert_eq!(
            post(&proxy, &url, alert("2"), edge.forged).await,
            403,
            "{name}"
        );
        // Without the header nobody knows who it is.
        assert_eq!(post(&proxy, &url, alert("3"), &[]).await, 403, "{name}");
        // Whoever finds a way past the edge is who he is.
        let stranger = client(STRANGER, None);
        assert_eq!(
            post(&stranger, &url, alert("4"), edge.honest).await,
            403,
            "{name}"
        );
        assert_eq!(place.alerts(), 1, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_is_told_that_ponte_is_there_and_nothing_else() {
    for platform in ["fly", "render", "railway"] {
        let mut place = Place::of(platform, &[]);
        place.start().await;
        let base = format!("http://127.0.0.1:{}", place.port);
        // From an address that may not send alerts.
        let check = client(STRANGER, None);
        let answer = check.get(format!("{base}/healthz")).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{platform}");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(answer.text().await.unwrap(), "ok\n");
        let head = check.head(format!("{base}/healthz")).send().await.unwrap();
        assert_eq!(head.status(), 200, "{platform}");
        for other in ["/", "/readyz", "/metrics", "/api/status", "/healthz/x"] {
            let answer = check.get(format!("{base}{other}")).send().await.unwrap();
            assert_eq!(answer.status(), 404, "{platform} {other}");
        }
        let status = post(&check, &format!("{base}/healthz"), place.alert("1"), &[]).await;
        assert_eq!(status, 405, "{platform}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_health_path_nothing_answers() {
    let mut place = Place::of("nginx", &[]);
    place.start().await;
    let url = format!("http://127.0.0.1:{}/healthz", place.port);
    let answer = client(TRADINGVIEW, None).get(url).send().await.unwrap();
    assert_eq!(answer.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_containers_first_start_writes_the_configuration_and_the_next_one_keeps_it() {
    let mut place = Place::of("vps", &[]);
    let path = place.path("volume/ponte.toml");
    let file = path.to_str().unwrap().to_owned();
    let arguments = ["run", "--config", &file, "--init-with", "railway"];
    // Without a secret, or without a port, it says so and writes nothing.
    for (variable, value) in [("PONTE_SECRET", ""), ("PORT", "0")] {
        let mut command = place.program(&arguments);
        let output = command.env(variable, value).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{variable}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(variable), "{said}");
        assert!(!path.exists(), "{variable}");
    }
    let mut command = place.program(&arguments);
    let domain = "ponte-production.up.railway.app";
    command.env("RAILWAY_PUBLIC_DOMAIN", domain);
    let first = Guarded(command.spawn().unwrap());
    for _ in 0..PATIENCE_STEPS {
        if path.exists() {
            break;
        }
        tokio::time::sleep(STEP).await;
    }
    drop(first);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.contains(&format!("public_url = \"https://{domain}\"")),
        "{text}"
    );
    assert!(text.contains("listen = \"env:PORT\""), "{text}");
    assert!(!text.contains(SECRET), "{text}");
    let mine = text.replace("127.0.0.1:8081", &format!("127.0.0.1:{}", place.admin));
    std::fs::write(&path, &mine).unwrap();
    place.start_with(&arguments).await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), mine);
    assert!(
        place.path("volume/ponte").is_dir(),
        "the journal is on the volume"
    );
    let log = std::fs::read_to_string(place.path("log")).unwrap();
    assert!(!log.contains(SECRET), "{log}");
    // A container's own shell may try it.
    let alert = place.alert("1").replace(&place.secret(), SECRET);
    let itself = client(Ipv4Addr::LOCALHOST, None);
    assert_eq!(post(&itself, &place.webhook(), alert, &[]).await, 200);
}

#[test]
fn what_init_writes_for_a_place_is_free_of_warnings() {
    let certificate: &[&str] = &["--domain", "hook.example.com", "--accept-terms"];
    let named: &[&str] = &["--domain", "hook.example.com"];
    for (platform, flags) in [
        ("vps", &[][..]),
        ("vps", certificate),
        ("docker", certificate),
        ("fly", named),
        ("render", &[]),
        ("railway", &[]),
        ("cloudflare-tunnel", named),
        ("ngrok", named),
        ("nginx", named),
        ("caddy", &[]),
    ] {
        let place = Place::of(platform, flags);
        let (status, said) = place.command(&["check", "--json"]);
        assert_eq!(status, 0, "{platform} {flags:?}: {said}");
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!(
            said["warnings"],
            serde_json::json!([]),
            "{platform} {flags:?}"
        );
        let text = place.text();
        let is_named = text.contains("\npublic_url = \"https://hook.example.com\"\n");
        assert_eq!(is_named, !flags.is_empty(), "{platform}: {text}");
        let orders = text.contains("\n[webhook.acme]\naccept_terms = true\n");
        assert_eq!(orders, flags == certificate, "{platform}: {text}");
    }
}

#[test]
fn a_certificate_needs_a_place_for_it_and_the_terms_accepted() {
    let place = Place::of("vps", &[]);
    for (flags, expected) in [
        (
            &["--platform", "vps", "--domain", "hook.example.com"][..],
            "--accept-terms",
        ),
        (
            &[
                "--platform",
                "fly",
                "--domain",
                "a.fly.dev",
                "--accept-terms",
            ],
            "on a vps or in docker",
        ),
        (&["--domain", "hook.example.com"], "--platform"),
        (&["--platform", "heroku"], "possible values"),
        (
            &["--platform", "vps", "--domain", "no host", "--accept-terms"],
            "no host",
        ),
    ] {
        let arguments = [&["init", "--config", "other/ponte.toml"][..], flags].concat();
        let (status, said) = place.command(&arguments);
        assert_eq!(status, 2, "{flags:?}: {said}");
        assert!(said.contains(expected), "{flags:?}: {said}");
        assert!(!place.path("other").exists(), "{flags:?}");
    }
}
