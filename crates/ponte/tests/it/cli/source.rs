//! Sources that are switched off and on, while Ponte runs and while it does not.

use expect_test::expect;
use serde_json::json;

use super::Home;

#[test]
fn a_source_that_is_off_is_refused_until_it_is_on() {
    let mut home = Home::installed();
    home.start();
    home.run(&["send", "--example", "buy"]).ok();
    home.settle();
    let text = home.run(&["source", "off", "main", "--reason", "lost the phone"]);
    expect![[r#"
        off: source main, by ana (cli) (lost the phone)
        its alerts are refused; positions stay, with their stops: ponte flatten closes them
    "#]]
    .assert_eq(&text.ok());
    let again = home.run(&["source", "off", "main"]).ok();
    assert_eq!(again, "nothing to change\n");
    let sent = home.run(&["send", "--example", "sell", "--json"]).json();
    assert_eq!(sent[0]["http_status"], 200, "{sent}");
    assert_eq!(sent[0]["answer"]["status"], "refused", "{sent}");
    let story = home.run(&["why", "A2"]).ok();
    assert!(story.contains("switched off by ana (cli) at"), "{story}");
    assert!(story.contains("lost the phone"), "{story}");
    assert!(story.contains("source_on: refuse"), "{story}");
    let status = home.run(&["status"]).ok();
    assert!(status.contains("main: its alerts are refused"), "{status}");
    // It lasts over a restart, and is switched on while nobody runs.
    home.stop();
    let listed = home.run(&["source", "list", "--json"]).json();
    assert_eq!(listed[0]["on"], json!(false));
    assert_eq!(listed[0]["off"]["by"], "ana (cli)");
    let on = home.run(&["source", "on", "main"]).ok();
    assert!(on.starts_with("on: source main, by ana (cli)\n"), "{on}");
    assert!(on.contains("in force at the next start"), "{on}");
    home.start();
    let sent = home.run(&["send", "--example", "bracket", "--json"]).json();
    assert_eq!(sent[0]["answer"]["status"], "accepted", "{sent}");
    home.stop();
}

#[test]
fn a_source_that_is_not_there_is_named() {
    let home = Home::installed();
    for word in ["on", "off"] {
        let complaint = home.run(&["source", word, "mian"]).complaint(2);
        assert!(
            complaint.contains("no source mian; there is main"),
            "{complaint}"
        );
    }
}
