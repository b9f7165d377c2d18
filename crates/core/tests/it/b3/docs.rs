//! The guides' tables of contracts, hours and values, in both languages, are what the code says.

use ponte_core::b3::contracts::{Name, parse};
use ponte_core::b3::sessions::{clock, published};
use ponte_core::b3::{Product, Root, Rules};
use ponte_core::format::{self, Format};

use super::{day, symbol};

const GUIDES: [&str; 2] = [
    include_str!("../../../../../docs/b3.md"),
    include_str!("../../../../../docs/b3.pt-BR.md"),
];

/// The rows with so many cells whose cell at `place` is a day.
fn rows(guide: &str, cells: usize, place: usize) -> Vec<Vec<&str>> {
    let rows = guide.lines().filter_map(|line| line.strip_prefix("| "));
    let rows = rows.map(|row| {
        let row = row.trim_end_matches(" |").split(" | ");
        row.map(|cell| cell.trim_matches('`')).collect::<Vec<_>>()
    });
    rows.filter(|row| {
        row.len() == cells && ponte_core::b3::calendar::parse_day(row[place]).is_some()
    })
    .collect()
}

#[test]
fn the_contracts_of_the_guides_are_right() {
    let rules = Rules::default();
    for guide in GUIDES {
        let last = rows(guide, 2, 1);
        assert!(last.len() >= 6, "{last:?}");
        for row in last {
            let Name::Contract(contract) = parse(&symbol(row[0])) else {
                panic!("{row:?}");
            };
            assert_eq!(
                contract.last_session(&rules.calendar),
                day(row[1]),
                "{row:?}"
            );
        }
        let meant = rows(guide, 3, 1);
        assert!(meant.len() >= 7, "{meant:?}");
        for row in meant {
            let found = rules.meant(&symbol(row[0]), day(row[1]), &[], true);
            assert_eq!(found.symbol, symbol(row[2]), "{row:?}");
        }
    }
}

#[test]
fn the_hours_of_the_guides_are_right() {
    let on = |product, date: &str| {
        let hours = published(product, day(date));
        (clock(hours.opens), clock(hours.closes))
    };
    for guide in GUIDES {
        let mut seen = 0;
        for line in guide.lines().filter_map(|line| line.strip_prefix("| ")) {
            let cells: Vec<_> = line.trim_end_matches(" |").split(" | ").collect();
            let [products, opens, closes, _since] = cells.as_slice() else {
                continue;
            };
            let said = ((*opens).to_owned(), (*closes).to_owned());
            for name in products.split(", ") {
                let product = Product::ALL.iter().find(|(known, _)| *known == name);
                let Some((_, product)) = product else {
                    continue;
                };
                let both = [on(*product, "2026-07-15"), on(*product, "2026-11-23")];
                assert!(both.contains(&said), "{line}");
                seen += 1;
            }
        }
        assert_eq!(seen, 7);
    }
}

#[test]
fn the_values_of_the_guides_are_right() {
    for guide in GUIDES {
        for root in Root::ALL {
            let nominal = root.nominal();
            let value = format!("{:.2}", nominal.point_value);
            let rows = ['.', ','].map(|point| {
                let value = value.replace('.', &point.to_string());
                format!("| {root} | {} | R$ {value} |", nominal.tick)
            });
            assert!(rows.iter().any(|row| guide.contains(row)), "{rows:?}");
        }
    }
}

#[test]
fn the_message_of_the_guides_is_understood() {
    for guide in GUIDES {
        let message = guide
            .split_once("```json\n")
            .and_then(|(_, rest)| rest.split_once("\n```"));
        let (message, _) = message.unwrap();
        let signal = format::parse(Format::Ponte, message.as_bytes())
            .unwrap()
            .signal;
        assert_eq!(signal.symbol, Some(symbol("WIN1!")));
    }
}
