//! What the command line says of contracts and trading days.

use super::Home;

#[test]
fn it_says_which_contract_is_meant() {
    let home = Home::new();
    let text = home
        .run(&["b3", "contract", "win1!", "--date", "2026-12-15"])
        .ok();
    for part in [
        "Tue 15 Dec 2026",
        "WIN1!",
        "WINZ26",
        "2026-12-16",
        "WING27",
        "09:00 to 18:25",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let all = home
        .run(&["b3", "contract", "--date", "2026-11-23", "--json"])
        .json();
    let contracts: Vec<_> = (0..5)
        .map(|index| all[index]["contract"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        contracts,
        ["WINZ26", "WDOZ26", "INDZ26", "DOLZ26", "BITX26"]
    );
    assert_eq!(all[0]["last_session"], "2026-12-16");
    assert_eq!(all[1]["point_value"], "10");

    let expired = home.run(&["b3", "contract", "WDOX26", "--date", "2026-11-23"]);
    assert_eq!(expired.status, 1);
    assert!(
        expired.stdout.contains("the current contract is WDOZ26"),
        "{}",
        expired.stdout
    );
    let complaint = home
        .run(&["b3", "contract", "--date", "16/12/2026"])
        .complaint(2);
    assert!(complaint.contains("2026-12-16"), "{complaint}");
}

#[test]
fn it_lists_the_days_without_a_session() {
    let home = Home::new();
    let text = home.run(&["b3", "calendar", "--year", "2026"]).ok();
    for part in [
        "2026-11-20",
        "Black Awareness Day",
        "2026-02-18",
        "from 13:00",
        "compared with",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let year = home
        .run(&["b3", "calendar", "--year", "2028", "--json"])
        .json();
    assert_eq!(year["days"].as_array().unwrap().len(), 14);
    assert!(
        year["warning"]
            .as_str()
            .unwrap()
            .starts_with("year 2028 is computed only")
    );
    home.run(&["b3", "calendar", "--year", "1999"]).complaint(2);
}

#[test]
fn an_account_has_its_own_roll_and_closed_days() {
    let home = Home::new();
    let text = "[[sources]]\nname = \"main\"\nsecret = \"env:S\"\n\
         [[accounts]]\nname = \"b3\"\nbroker = \"paper\"\nmode = \"paper\"\ncurrency = \"BRL\"\n\
         [accounts.b3]\nroll_days_before = 3\nclosed_days = [\"2026-07-09\"]\n\
         [[accounts]]\nname = \"other\"\nbroker = \"paper\"\nmode = \"paper\"\ncurrency = \"BRL\"\n\
         [[routes]]\nstrategies = [\"*\"]\naccounts = [\"b3\"]\n";
    std::fs::write(home.path("ponte.toml"), text).unwrap();
    let date = ["--date", "2026-12-11", "--json"];
    let contract = |account: &[&str]| {
        let arguments = [&["b3", "contract", "WIN1!"], account, &date[..]].concat();
        home.run(&arguments).json()[0]["contract"].clone()
    };
    assert_eq!(contract(&[]), "WINZ26");
    assert_eq!(contract(&["--account", "b3"]), "WING27");
    let text = home
        .run(&["b3", "calendar", "--year", "2026", "--account", "b3"])
        .ok();
    assert!(text.contains("closed by the configuration"), "{text}");
    home.run(&["b3", "calendar", "--account", "other"])
        .complaint(1);
    home.run(&["b3", "calendar", "--account", "nobody"])
        .complaint(2);
}
