//! Each check can fail: a bad sample for every one of them, and samples that only look bad.

use super::tree::Tree;
use super::{check, check_tree};

/// Holds what tidy says about some files against what it should say, without the cures.
fn says(files: &[(&str, &str)], expected: &[&str]) {
    let found: Vec<String> = check_tree(&Tree::of(files))
        .iter()
        .map(|finding| format!("{}:{}: {}", finding.path, finding.line, finding.what))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn the_repository_is_tidy() {
    let findings = check(&crate::root().unwrap()).unwrap();
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}

#[test]
fn a_finding_names_the_place_and_the_cure() {
    let tree = Tree::of(&[("crates/ponte/src/admin.rs", "use crate::brokers::Broker;")]);
    let line = check_tree(&tree)[0].to_string();
    assert!(line.starts_with(
        "crates/ponte/src/admin.rs:1: mentions crate::brokers::Broker, make it an input"
    ));
}

#[test]
fn the_core_reaches_nothing_outside() {
    let source = "use std::{collections::BTreeMap, fs, net::{IpAddr, TcpStream as Socket}};\n\
        fn now() -> u64 { std::env::var(\"NOW\") }\n\
        async fn later() { tokio::time::sleep(1).await }\n\
        fn clock(now: Instant) { println!(\"now\") }\n";
    says(
        &[("crates/core/src/time.rs", source)],
        &[
            "crates/core/src/time.rs:1: mentions std::fs",
            "crates/core/src/time.rs:1: mentions std::net::IpAddr",
            "crates/core/src/time.rs:1: mentions std::net::TcpStream",
            "crates/core/src/time.rs:2: mentions std::env::var",
            "crates/core/src/time.rs:3: mentions tokio::time::sleep",
            "crates/core/src/time.rs:4: mentions Instant",
            "crates/core/src/time.rs:4: mentions println",
        ],
    );
}

#[test]
fn words_in_comments_and_literals_are_no_imports() {
    let source = "//! Not std::fs, /* nor */ tokio::spawn.\n\
        /* std::env::var /* nested */ SystemTime */\n\
        const A: &str = \"std::net::TcpStream \\\" Instant\";\n\
        const B: &str = r#\"use std::fs; \" SystemTime\"#;\n\
        fn f<'a>(c: &'a [u8], d: char) -> bool { d == '\\'' || d == '\"' || c == b\"tokio::x\" }\n";
    says(&[("crates/core/src/time.rs", source)], &[]);
}

#[test]
fn the_venue_matches_without_the_world_and_without_ponte() {
    let matching = "use ponte_core::number::Price;\nuse std::time::SystemTime;\nuse tokio::net;\n";
    says(
        &[
            ("crates/venue/src/book.rs", matching),
            ("crates/venue/src/faces/binance.rs", "use axum::Router;"),
        ],
        &[
            "crates/venue/src/book.rs:1: mentions ponte_core::number::Price",
            "crates/venue/src/book.rs:2: mentions SystemTime",
            "crates/venue/src/book.rs:3: mentions tokio::net",
        ],
    );
}

#[test]
fn parts_of_the_program_keep_to_their_side() {
    says(
        &[
            (
                "crates/ponte/src/app.rs",
                "use crate::{admin, brokers, execution, intake, journal};",
            ),
            (
                "crates/ponte/src/intake/mod.rs",
                "use super::{execution::Lane, journal};",
            ),
            (
                "crates/ponte/src/intake/webhook.rs",
                "mod inner { use super::super::super::brokers as b; }",
            ),
            (
                "crates/ponte/src/admin/mod.rs",
                "fn flatten() { crate::execution::run() }",
            ),
            (
                "crates/ponte/src/brokers/mod.rs",
                "use crate::journal::Writer;",
            ),
            (
                "crates/ponte/src/execution.rs",
                "use crate::{brokers::Broker, journal, intake};",
            ),
            (
                "crates/ponte/src/journal/sqlite.rs",
                "use crate::brokers::Ack;\nuse crate::app::App;",
            ),
            ("crates/ponte/src/clock.rs", "use crate::config::Config;"),
            (
                "crates/ponte/src/brokers/paper/embedded.rs",
                "use crate::prices::{PriceFeed, binance::BinancePrices};",
            ),
            (
                "crates/ponte/src/engine/mod.rs",
                "use crate::prices::PriceFeed;",
            ),
            (
                "crates/ponte/src/prices/binance/mod.rs",
                "use crate::prices::Tick;\nuse crate::config::Config;",
            ),
        ],
        &[
            "crates/ponte/src/admin/mod.rs:1: mentions crate::execution::run",
            "crates/ponte/src/brokers/mod.rs:1: mentions crate::journal::Writer",
            "crates/ponte/src/brokers/paper/embedded.rs:1: mentions crate::prices::binance::BinancePrices",
            "crates/ponte/src/clock.rs:1: mentions crate::config::Config",
            "crates/ponte/src/engine/mod.rs:1: mentions crate::prices::PriceFeed",
            "crates/ponte/src/execution.rs:1: mentions crate::intake",
            "crates/ponte/src/intake/mod.rs:1: mentions crate::execution::Lane",
            "crates/ponte/src/intake/webhook.rs:1: mentions crate::brokers",
            "crates/ponte/src/journal/sqlite.rs:1: mentions crate::brokers::Ack",
            "crates/ponte/src/journal/sqlite.rs:2: mentions crate::app::App",
            "crates/ponte/src/prices/binance/mod.rs:2: mentions crate::config::Config",
        ],
    );
}

#[test]
fn adapters_do_not_know_each_other() {
    says(
        &[
            (
                "crates/ponte/src/brokers/mod.rs",
                "mod paper; mod binance; use binance::Binance;",
            ),
            (
                "crates/ponte/src/brokers/paper/mod.rs",
                "use super::binance::sign;\nuse super::wire;",
            ),
            ("crates/ponte/src/brokers/binance/mod.rs", "pub mod client;"),
            ("crates/ponte/src/brokers/wire.rs", "pub fn post() {}"),
        ],
        &[
            "crates/ponte/src/brokers/paper/mod.rs:1: the paper adapter mentions the binance adapter",
        ],
    );
}

#[test]
fn only_one_module_reads_the_clock() {
    let source =
        "use std::time::{Duration, Instant};\nfn f() { Instant::now(); jiff::Timestamp::now(); }";
    says(
        &[
            ("crates/ponte/src/clock.rs", source),
            ("crates/ponte/src/intake/mod.rs", source),
            ("crates/ponte/src/metrics.rs", "use std::time::SystemTime;"),
        ],
        &[
            "crates/ponte/src/intake/mod.rs:2: reads a clock through Instant::now",
            "crates/ponte/src/intake/mod.rs:2: reads a clock through jiff::Timestamp::now",
            "crates/ponte/src/metrics.rs:1: reads a clock through std::time::SystemTime",
        ],
    );
}

#[test]
fn the_pure_crates_depend_on_little() {
    let core = "[package]\nname = \"ponte-core\"\n[dependencies]\nserde.workspace = true\nrand = \"1\"\n\
        ponte-venue = { path = \"x\" }\n[dependencies.tokio]\nversion = \"1\"\n\
        [dev-dependencies]\nproptest = \"1\"\nponte-venue.workspace = true\n[lints]\nworkspace = true\n";
    let venue = "[dependencies]\nponte-core.workspace = true\n";
    says(
        &[
            ("crates/core/Cargo.toml", core),
            ("crates/venue/Cargo.toml", venue),
        ],
        &[
            "crates/core/Cargo.toml:5: the core depends on rand",
            "crates/core/Cargo.toml:6: the core depends on ponte-venue",
            "crates/core/Cargo.toml:8: the core depends on tokio",
            "crates/venue/Cargo.toml:2: the venue depends on ponte-core",
        ],
    );
}

#[test]
fn every_crate_takes_the_lints() {
    let without = "[package]\nname = \"a\"\nkeywords = [\n  \"workspace = true\",\n]\n[lints.rust]\nx = \"allow\"\n";
    says(
        &[("Cargo.toml", "[workspace]\n"), ("a/Cargo.toml", without)],
        &["a/Cargo.toml:1: does not take the workspace's lints"],
    );
}

#[test]
fn files_and_lines_have_limits() {
    let long = "\n".repeat(601);
    let wide = format!("{}\n{}\n", "ç".repeat(120), "ç".repeat(121));
    says(
        &[("a.py", &long), ("b.rs", &wide), ("c.md", &long)],
        &[
            "a.py:601: has 601 lines, more than 600",
            "b.rs:2: has 121 columns, more than 120",
        ],
    );
}

#[test]
fn nothing_is_switched_off_or_left_unfinished() {
    let source = "#[test]\n#[ignore = \"slow\"]\nfn a() { todo!() }\n\
        #[cfg_attr(windows, ignore)]\nfn b() { dbg!(1); unimplemented!() }\n\
        fn c(ignore: bool) { let todo = [ignore]; unsafe { } }\n";
    says(
        &[("tests/a.rs", source)],
        &[
            "tests/a.rs:2: switches a test off",
            "tests/a.rs:3: leaves todo! behind",
            "tests/a.rs:4: switches a test off",
            "tests/a.rs:5: leaves dbg! behind",
            "tests/a.rs:5: leaves unimplemented! behind",
            "tests/a.rs:6: is unsafe",
        ],
    );
}

#[test]
fn no_note_to_self_stays() {
    let (one, two) = (["TO", "DO"].concat(), ["FIX", "ME"].concat());
    let rust = format!("const VERB: &str = \"CERRAR {one}\"; // {one}: the rest\n");
    let python = format!("x = 1  # {two}\n");
    let page = format!("CERRAR {one}\n");
    says(
        &[("a.rs", &rust), ("b.py", &python), ("c.md", &page)],
        &[
            &format!("a.rs:1: says {one}"),
            &format!("b.py:1: says {two}"),
        ],
    );
}

#[test]
fn no_workplace_is_named() {
    let place = ["", "root", "x"].join("/");
    let text = format!("cd {place}\nsee ../shared{place} and https://example.com{place}\n");
    says(
        &[("a.sh", &text)],
        &[&format!(
            "a.sh:1: names the folder {}",
            place.trim_end_matches('x')
        )],
    );
}

#[test]
fn no_registry_is_named() {
    let host = ["pypi", ".org"].concat();
    let text = format!("pip install --index-url https://{host}/simple x\n");
    says(
        &[("a.sh", &text), ("web/package-lock.json", &text)],
        &[&format!("a.sh:1: names the registry {host}")],
    );
}

#[test]
fn migrations_are_numbered_and_paired() {
    says(
        &[
            ("migrations/sqlite/0001_first.sql", ""),
            ("migrations/sqlite/0003_third.sql", ""),
            ("migrations/postgres/0001_first.sql", ""),
        ],
        &[
            "migrations/sqlite/0003_third.sql:1: migration 2 of migrations/sqlite has this name",
            "migrations/sqlite/0003_third.sql:1: the sqlite migration has no partner in migrations/postgres",
        ],
    );
    says(
        &[("migrations/sqlite/0001_First.sql", "")],
        &["migrations/sqlite/0001_First.sql:1: migration 1 of migrations/sqlite has this name"],
    );
}

#[test]
fn both_languages_say_the_same() {
    says(
        &[("README.md", "# Ponte\n")],
        &["README.md:1: has no Portuguese partner"],
    );
    says(
        &[("docs/a.pt-BR.md", "# A\n")],
        &["docs/a.pt-BR.md:1: translates docs/a.md, which is missing"],
    );
    let english = "# Ponte\n\n```sh\n# build\ncargo run # now\n```\n";
    let same = "# Ponte\n\n```sh\n# compile\ncargo run # agora\n```\n";
    let other = "# Ponte\n## Mais\n```sh\n# compile\ncargo build\n```\n";
    says(&[("README.md", english), ("README.pt-BR.md", same)], &[]);
    says(
        &[("README.md", english), ("README.pt-BR.md", other)],
        &[
            "README.pt-BR.md:1: has 2 headings, README.md has 1",
            "README.pt-BR.md:3: this code block differs from the one in README.md",
        ],
    );
    says(
        &[("README.md", english), ("README.pt-BR.md", "# Ponte\n")],
        &["README.pt-BR.md:1: has 0 code blocks, README.md has 1"],
    );
}

#[test]
fn both_languages_name_the_same_pages() {
    let pages = [
        ("docs/a.md", ""),
        ("docs/a.pt-BR.md", ""),
        ("docs/b.md", ""),
    ];
    let english = ("README.md", "[a](docs/a.md) [b](docs/b.md)");
    let portuguese = ("README.pt-BR.md", "[a](docs/a.pt-BR.md) [b](docs/b.md)");
    says(&[&pages[..], &[english, portuguese]].concat(), &[]);
    let portuguese = ("README.pt-BR.md", "[a](docs/a.md)");
    says(
        &[&pages[..], &[english, portuguese]].concat(),
        &[
            "README.md:1: names docs/a.md, README.pt-BR.md does not name docs/a.pt-BR.md",
            "README.md:1: names docs/b.md, README.pt-BR.md does not name docs/b.md",
        ],
    );
}

#[test]
fn no_link_is_dead() {
    let page = "[b](b.md#one-two) [up](../x.txt) [out](https://example.com/a) `[code](none.md)`\n\
        ```\n[code](none.md)\n```\n\
        [gone](gone.md) <a href=\"none.html\">x</a> [b](b.md#three) [away](../../x)\n\
        [label]: lost.md\n";
    says(
        &[
            ("docs/a.md", page),
            ("docs/b.md", "# One, two!\n"),
            ("x.txt", ""),
        ],
        &[
            "docs/a.md:5: links to ../../x, which is not there",
            "docs/a.md:5: links to b.md#three, but docs/b.md has no such heading",
            "docs/a.md:5: links to gone.md, which is not there",
            "docs/a.md:5: links to none.html, which is not there",
            "docs/a.md:6: links to lost.md, which is not there",
        ],
    );
}
