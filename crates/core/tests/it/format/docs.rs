//! The guides: every message in them means what they say, and no code or name is left out.

use ponte_core::format::code;

use super::read;

const GUIDES: [(&str, &str); 2] = [
    (
        "messages.md",
        include_str!("../../../../../docs/messages.md"),
    ),
    (
        "messages.pt-BR.md",
        include_str!("../../../../../docs/messages.pt-BR.md"),
    ),
];

/// What TradingView puts in place of a placeholder.
const RENDERED: &[(&str, &str)] = &[
    ("{{exchange}}", "BINANCE"),
    ("{{ticker}}", "BTCUSDT"),
    ("{{close}}", "64000.5"),
    ("{{interval}}", "60"),
    ("{{time}}", "2026-11-23T12:00:00Z"),
    ("{{timenow}}", "2026-11-23T13:00:01Z"),
    ("{{strategy.order.action}}", "sell"),
    ("{{strategy.order.contracts}}", "2"),
    ("{{strategy.order.price}}", "64000.5"),
    ("{{strategy.order.id}}", "S"),
    ("{{strategy.market_position}}", "short"),
    ("{{strategy.market_position_size}}", "1"),
    ("{{strategy.prev_market_position}}", "long"),
    ("{{strategy.prev_market_position_size}}", "1"),
];

/// The fenced blocks of JSON with what stands behind the fence's `json`.
fn blocks(guide: &str) -> Vec<(&str, &str)> {
    guide
        .split("\n```json")
        .skip(1)
        .map(|rest| {
            let (info, body) = rest.split_once('\n').unwrap();
            (info.trim(), body.split_once("\n```").unwrap().0)
        })
        .collect()
}

#[test]
fn every_message_in_a_guide_is_what_it_is_said_to_be() {
    for (name, guide) in GUIDES {
        let blocks = blocks(guide);
        assert!(blocks.len() >= 15, "{name} has {} messages", blocks.len());
        for (info, body) in blocks {
            let body = if info == "template" {
                let rendered = RENDERED
                    .iter()
                    .fold(body.to_owned(), |body, (from, to)| body.replace(from, to));
                assert!(!rendered.contains("{{"), "{name}: {rendered}");
                rendered
            } else {
                body.to_owned()
            };
            match (info.strip_prefix("refused:"), read(&body)) {
                (None, Ok(parsed)) => assert!(parsed.secret.is_some(), "{name}: {body}"),
                (None, Err(error)) => panic!("{name}: {body}\n{error}"),
                (Some(code), Ok(_)) => panic!("{name}: {body}\nis not refused with {code}"),
                (Some(code), Err(error)) => assert_eq!(error.code, code, "{name}: {body}"),
            }
        }
    }
}

#[test]
fn every_code_is_in_every_guide_and_no_other() {
    for (name, guide) in GUIDES {
        for code in code::ALL {
            assert!(
                guide.contains(&format!("| `{code}` |")),
                "{name} lacks {code}"
            );
        }
        for word in guide.split('`').filter(|word| word.starts_with("E_")) {
            assert!(code::ALL.contains(&word), "{name} knows {word}");
        }
    }
}

/// The quoted words in the second column of the table below a heading.
fn words<'a>(guide: &'a str, headings: &[&str]) -> Vec<&'a str> {
    let section = headings
        .iter()
        .find_map(|heading| guide.split_once(&format!("\n## {heading}\n")))
        .unwrap()
        .1;
    section
        .lines()
        .take_while(|line| !line.starts_with("## "))
        .filter(|line| line.starts_with("| "))
        .filter_map(|line| line.split('|').nth(2))
        .flat_map(|column| column.split('`').skip(1).step_by(2))
        .collect()
}

#[test]
fn the_words_of_the_tables_are_known() {
    for (name, guide) in GUIDES {
        let fields = words(guide, &["Fields", "Campos"]);
        assert!(fields.len() > 100, "{name}");
        for field in fields {
            let error = read(format!(r#"{{"{field}":null}}"#)).unwrap_err();
            assert_ne!(error.code, code::UNKNOWN_KEY, "{name}: {field}");
        }
        let actions = words(guide, &["Actions", "Ações"]);
        assert!(actions.len() > 80, "{name}");
        for action in actions {
            let body = format!(r#"{{"action":"{action}","symbol":"X"}}"#);
            assert!(read(&body).is_ok(), "{name}: {action}");
        }
    }
}
