//! What the doctor's findings look like.

use std::fmt::Write as _;

use anstyle::Style;
use ponte_core::policy::Mode;

use super::Part;
use crate::admin::wire::{Finding, Health};
use crate::cli::screen::{self, BAD, BOLD, DIM, GOOD, SO_SO, styled};

/// Widest column of subjects; what is wider pushes its text.
const SUBJECT_MAX: usize = 22;

/// Everything that was found, and how much of it is wrong.
pub(super) fn report(parts: &[Part]) -> String {
    let subjects = parts.iter().flat_map(Part::findings);
    let width = subjects
        .map(|finding| finding.subject.chars().count())
        .max()
        .unwrap_or(0)
        .min(SUBJECT_MAX);
    let mut text = String::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        // Writing to a string can't fail.
        let _ = writeln!(text, "{}", title(part));
        for finding in part.findings() {
            push(&mut text, finding, width);
        }
    }
    text.push('\n');
    text.push_str(&summary(parts));
    text
}

/// One finding alone.
pub(super) fn line(finding: &Finding) -> String {
    let mut text = String::new();
    push(&mut text, finding, 0);
    text
}

fn title(part: &Part) -> String {
    match part {
        Part::Group(group) => {
            let name = match group.group.as_str() {
                "machine" => "the machine",
                "public" => "the public side",
                "selftest" => "a test alert",
                name => name,
            };
            styled(BOLD, &screen::printable(name))
        }
        Part::Account(account) => {
            let mode = match account.mode {
                Mode::Paper => "paper",
                Mode::Demo => "demo",
                Mode::Live => "LIVE",
            };
            let name = format!("account {}", screen::printable(account.account.as_str()));
            format!("{}  {}, {mode}", styled(BOLD, &name), account.broker)
        }
    }
}

const fn sign(health: Health) -> (Style, &'static str) {
    match health {
        Health::Fine => (GOOD, "✓"),
        Health::Look => (SO_SO, "!"),
        Health::Wrong => (BAD, "✗"),
    }
}

/// One line for what was found; what to do about it stands below.
fn push(text: &mut String, finding: &Finding, width: usize) {
    let (style, sign) = sign(finding.health);
    let subject = screen::printable(&finding.subject).replace('_', " ");
    let said = screen::printable(&finding.text).replace('\n', " ");
    let sign = styled(style, sign);
    let _ = writeln!(text, "  {sign} {DIM}{subject:<width$}{DIM:#}  {said}");
    if let Some(cure) = &finding.cure {
        let cure = screen::printable(cure).replace('\n', " ");
        let _ = writeln!(text, "    {:width$}  {DIM}→{DIM:#} {cure}", "");
    }
}

fn summary(parts: &[Part]) -> String {
    let count = |health: Health| {
        let all = parts.iter().flat_map(Part::findings);
        all.filter(|finding| finding.health == health).count()
    };
    let (wrong, look, fine) = (
        count(Health::Wrong),
        count(Health::Look),
        count(Health::Fine),
    );
    let told = |health: Health, text: String| {
        let (style, sign) = sign(health);
        styled(style, &format!("{sign} {text}"))
    };
    let mut told_all = Vec::new();
    if wrong > 0 {
        told_all.push(told(Health::Wrong, format!("{wrong} wrong")));
    }
    if look > 0 {
        told_all.push(told(Health::Look, format!("{look} worth a look")));
    }
    told_all.push(told(Health::Fine, format!("{fine} fine")));
    format!("{}\n", told_all.join("   "))
}

#[cfg(test)]
mod tests {
    use ponte_core::id::AccountName;

    use super::*;
    use crate::admin::wire::{Diagnosis, Group};

    #[test]
    fn each_finding_has_its_sign_and_its_cure_below() {
        let found = [
            Part::Group(Group::new("machine", vec![Finding::fine("disk", "fast")])),
            Part::Account(Diagnosis {
                account: AccountName::new("b3").unwrap(),
                broker: "mt5".to_owned(),
                mode: Mode::Live,
                findings: vec![
                    Finding::wrong(
                        "algo_trading",
                        "algo trading is off; press the button \u{1b}[2J",
                    ),
                    Finding::look("halts", "halted").cured_by("ponte resume"),
                ],
            }),
        ];
        let plain = anstream::adapter::strip_str(&report(&found)).to_string();
        assert_eq!(
            plain,
            "the machine\n  \
             ✓ disk          fast\n\n\
             account b3  mt5, LIVE\n  \
             ✗ algo trading  algo trading is off\n                  \
             → press the button \u{fffd}[2J\n  \
             ! halts         halted\n                  → ponte resume\n\n\
             ✗ 1 wrong   ! 1 worth a look   ✓ 1 fine\n"
        );
    }
}
