//! `ponte doctor`, with a Ponte that runs and without one.

use expect_test::expect;

use super::Home;

#[test]
fn it_looks_at_what_runs() {
    let mut home = Home::installed();
    home.start();
    let text = home.run(&["doctor"]).ok();
    expect![[r#"
        paper  paper, paper
          ✓ route        1 route leads to the account
          ✓ halts        nothing is halted
          ✓ credentials  orders may be placed
          ✓ balance      the equity is 10000 USDT
          ✓ instruments  every symbol is taken
          ✓ positions    Ponte holds nothing
          ✓ orders       0 rest at the broker, Ponte knows them
    "#]]
    .assert_eq(&text);
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
    let complaint = home.run(&["doctor"]).complaint(3);
    assert!(complaint.contains("Ponte is not running"), "{complaint}");
    assert!(complaint.contains("ponte run"), "{complaint}");
}
