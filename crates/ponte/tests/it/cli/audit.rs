//! `ponte audit log`: who did what.

use expect_test::expect;

use super::{Home, steady};

#[test]
fn it_tells_who_did_what_newest_first() {
    let home = Home::installed();
    let complaint = home.run(&["audit", "log"]).complaint(3);
    assert!(complaint.contains("there is no journal"), "{complaint}");
    home.run(&["user", "add", "eva", "--role", "view", "--generate"])
        .ok();
    home.run(&[
        "source",
        "off",
        "main",
        "--reason",
        "lost \u{1b}[31mthe phone",
    ])
    .ok();
    home.run(&["halt", "--level", "reduce-only"]).ok();
    home.run(&["resume"]).ok();
    let log = home.run(&["audit", "log"]).ok();
    expect![[r#"
        time by action detail
        <day> <time> ana (cli) halt_lifted everything
        <day> <time> ana (cli) halt_set everything, reduce-only
        <day> <time> ana (cli) source_switched main, off, lost �[31mthe phone
        <day> <time> ana (cli) user_added user eva, role view
    "#]]
    .assert_eq(&steady(&log));
    let of_ana = home.run(&[
        "audit",
        "log",
        "--by",
        "ana (cli)",
        "--limit",
        "1",
        "--json",
    ]);
    let of_ana = of_ana.json();
    assert_eq!(of_ana[0]["action"], "halt_lifted", "{of_ana}");
    assert_eq!(of_ana.as_array().unwrap().len(), 1);
    let nobody = home.run(&["audit", "log", "--by", "nobody"]).ok();
    assert_eq!(nobody, "nothing of that is on record\n");
    let later = home.run(&["audit", "log", "--since", "tomorrow"]);
    assert!(later.complaint(2).contains("is not a moment"));
}
