//! `ponte doctor`, with a Ponte that runs and without one.

use std::os::unix::fs::PermissionsExt as _;

use expect_test::expect;

use super::Home;

/// The report with its numbers taken out: spans, sizes and strengths.
fn steady(text: &str) -> String {
    let mut steady = String::new();
    for line in text.lines() {
        let (start, said) = line.split_at_checked(20).unwrap_or((line, ""));
        let mut said = said.to_owned();
        let measured = [
            "arrives",
            "durable",
            "trades",
            "size",
            "source main",
            "chain",
        ];
        if measured.iter().any(|subject| start.contains(subject)) {
            said = masked(&said);
        }
        steady.push_str(&format!("{start}{said}\n"));
    }
    steady
}

/// A sentence with `#` for each number and its unit.
fn masked(text: &str) -> String {
    let units = ["ms", "s", "µs", "KiB", "MiB", "B"];
    let words = text.split(' ').filter_map(|word| {
        let bare = word.trim_end_matches(',');
        let is_number = bare.starts_with(|letter: char| letter.is_ascii_digit());
        if units.contains(&bare) {
            return None;
        }
        Some(if is_number { "#" } else { word })
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn it_looks_at_what_runs() {
    let mut home = Home::installed();
    home.start();
    let text = home.run(&["doctor"]).ok();
    // What the machine is like, and the count of it all, is different on each.
    assert!(text.starts_with("the machine\n  ✓ clock"), "{text}");
    let (_, text) = text.split_once("\n\n").unwrap();
    let (text, summary) = text.rsplit_once("\n\n").unwrap();
    assert!(summary.contains("fine"), "{summary}");
    expect![[r#"
        the public side
          ! public url     webhook.public_url is not set, so that the way from TradingView was not looked at
                           → write it into [webhook]: public_url = "https://hook.example.com"

        a test alert
          ✓ arrives        this ponte took a test at # in # which says nothing of the way from TradingView
          ✓ durable        A1 was on disk after #
          ✓ trades         in paper: bought after # its stop rested after # closed again after #

        secrets
          ✓ source main    file:secrets/main has about # bits

        senders
          ! tradingview    no alert has come from TradingView's addresses yet
                           → fire one: an alert that triggers once, on a symbol that trades now
          ! source main    no alert has come from it yet
                           → ponte send fires one from this machine, TradingView's alert the real one
          ✓ refused        nothing was refused in the last day

        journal
          ✓ chain          it holds over all of its # events
          ✓ size           # on disk, in the last day # events with # were added
          ✓ retention      events are kept for ever, the content of refused requests for 90 days

        account paper  paper, paper
          ✓ route          1 route leads to the account
          ✓ halts          nothing is halted
          ✓ credentials    orders may be placed
          ✓ position mode  one position for each symbol
          ✓ balance        the equity is 10000 USDT
          ✓ instruments    every symbol is taken
          ✓ positions      Ponte holds nothing
          ✓ orders         0 rest at the broker, Ponte knows them
    "#]].assert_eq(&steady(text));
    home.run(&["halt", "--yes"]);
    let found = home.run(&["doctor", "--account", "paper", "--json"]).json();
    let findings = found[0]["findings"].as_array().unwrap();
    let halted = findings
        .iter()
        .find(|finding| finding["subject"] == "halts")
        .unwrap();
    assert_eq!(halted["health"], "look", "{halted}");
    let complaint = home.run(&["doctor", "--account", "b3"]).complaint(1);
    assert!(
        complaint.contains("there is no account \"b3\""),
        "{complaint}"
    );
    home.stop();
}

#[test]
fn without_a_ponte_that_runs_nobody_can_be_asked() {
    let home = Home::installed();
    // A secret that can't be read is one sentence with its cure, not a piece of the file.
    let rights = |mode: u32| {
        let rights = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(home.path("secrets/main"), rights).unwrap();
    };
    rights(0o644);
    let text = home.run(&["doctor"]).stdout;
    let cure = "\n                   → run: chmod 600 secrets/main\n";
    assert!(text.contains(cure), "{text}");
    rights(0o600);
    let done = home.run(&["doctor"]);
    assert!(done.stdout.starts_with("the machine"), "{}", done.stdout);
    assert!(!done.stdout.contains("a test alert"), "{}", done.stdout);
    let complaint = done.complaint(3);
    assert!(complaint.contains("Ponte is not running"), "{complaint}");
    assert!(complaint.contains("ponte run"), "{complaint}");
}
