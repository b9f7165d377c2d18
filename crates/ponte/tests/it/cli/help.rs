//! The help that teaches, as it is shown.

use expect_test::expect_file;

use super::Home;

/// Every command that has a page, the program's own first.
const PAGES: &[&[&str]] = &[
    &[],
    &["demo"],
    &["init"],
    &["run"],
    &["check"],
    &["send"],
    &["explain"],
    &["status"],
    &["doctor"],
    &["health"],
    &["upgrade-check"],
    &["alerts"],
    &["orders"],
    &["positions"],
    &["why"],
    &["halt"],
    &["resume"],
    &["flatten"],
    &["source"],
    &["source", "list"],
    &["source", "off"],
    &["source", "on"],
    &["source", "seen"],
    &["secret"],
    &["secret", "list"],
    &["secret", "rotate"],
    &["secret", "end"],
    &["secret", "tripwire"],
    &["export"],
    &["audit"],
    &["audit", "verify"],
    &["audit", "log"],
    &["backup"],
    &["restore"],
    &["vault"],
    &["vault", "init"],
    &["vault", "set"],
    &["vault", "list"],
    &["vault", "remove"],
    &["vault", "import"],
    &["vault", "rekey"],
    &["user"],
    &["user", "add"],
    &["user", "list"],
    &["user", "remove"],
    &["user", "password"],
    &["user", "role"],
    &["user", "totp"],
    &["user", "unlock"],
    &["token"],
    &["token", "add"],
    &["token", "list"],
    &["token", "revoke"],
    &["admin"],
    &["admin", "certificate"],
    &["bridge"],
    &["bridge", "token"],
    &["bridge", "certificate"],
    &["bridge", "fingerprint"],
    &["certificate"],
    &["b3"],
    &["b3", "contract"],
    &["b3", "calendar"],
    &["venue"],
    &["venue", "paper"],
    &["venue", "binance"],
    &["venue", "mt5"],
    &["completions"],
];

#[test]
fn every_command_has_its_page() {
    let home = Home::new();
    let mut pages = String::new();
    for page in PAGES {
        let mut arguments = page.to_vec();
        arguments.push("--help");
        let text = home.run(&arguments).ok();
        pages.push_str(&format!("$ ponte {}\n\n{text}\n\n", arguments.join(" ")));
    }
    expect_file!["help.txt"].assert_eq(&pages);
}

#[test]
fn no_command_is_without_a_page() {
    let home = Home::new();
    let help = home.run(&["--help"]).ok();
    let listed = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next());
    for command in listed {
        assert!(
            PAGES.iter().any(|page| page.first() == Some(&command)),
            "{command}"
        );
    }
}

#[test]
fn every_page_has_examples() {
    let home = Home::new();
    for page in PAGES.iter().filter(|page| page.len() == 1) {
        let text = home.run(&[page[0], "--help"]).ok();
        let groups = ["venue"];
        assert!(
            groups.contains(&page[0]) || text.contains("Examples:"),
            "{}",
            page[0]
        );
    }
}

#[test]
fn completions_know_the_commands() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = home.run(&["completions", shell]).ok();
        assert!(script.contains("flatten"), "{shell}");
    }
}
