//! The story as people read it.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use super::story::Told;
use super::{SECRET, webhook_url};
use crate::cli::screen::{BAD, BOLD, DIM, GOOD, SO_SO, printable};

/// Where the answers stand, counted in characters.
const ANSWER_COLUMN: usize = 60;
/// Longest line of what was sent.
const SENT_MAX: usize = 108;

pub(super) fn opening(folder: &Path) -> String {
    format!(
        "\n{BOLD}ponte demo{BOLD:#}  from a TradingView alert to a paper order\n\
         {DIM}a paper account with 10000 USDT, seeded prices, everything in {}{DIM:#}\n\n",
        folder.display()
    )
}

pub(super) fn step(told: &Told) -> String {
    let (mark, style) = match (&told.problem, told.answer.get(..3)) {
        (Some(_), _) => ("✗", BAD),
        (None, Some("200"))
            if !told.answer.contains("refused") && !told.answer.contains("halted") =>
        {
            ("●", GOOD)
        }
        (None, _) => ("●", SO_SO),
    };
    let gap = ANSWER_COLUMN
        .saturating_sub(told.title.chars().count())
        .max(1);
    let mut text = format!(
        "{style}{mark}{style:#} {BOLD}{}{BOLD:#}{}{style}{:<20}{style:#}{DIM}{:>8.2} ms{DIM:#}\n",
        told.title,
        " ".repeat(gap),
        told.answer,
        told.milliseconds
    );
    let whole = printable(&told.sent);
    let mut sent: String = whole.chars().take(SENT_MAX).collect();
    if sent.len() < whole.len() {
        sent.push('…');
    }
    // Writing to a string can't fail.
    let _ = writeln!(text, "{DIM}│ {sent}{DIM:#}");
    for line in &told.lines {
        let _ = writeln!(text, "{DIM}│{DIM:#} → {}", printable(line));
    }
    if let Some(problem) = &told.problem {
        let _ = writeln!(text, "{DIM}│{DIM:#} {BAD}{}{BAD:#}", printable(problem));
    }
    text.push('\n');
    text
}

pub(super) fn ending(told: &[Told]) -> String {
    let well = told.iter().filter(|step| step.problem.is_none()).count();
    let style = if well == told.len() { GOOD } else { BAD };
    format!(
        "{style}{well} of {} steps went as told{style:#}\n",
        told.len()
    )
}

pub(super) fn invitation(webhook: SocketAddr, admin: SocketAddr) -> String {
    let url = webhook_url(webhook);
    format!(
        "\nPonte stays up until you press ^C. Try it:\n\n  \
         curl {url} -d '{{\"segredo\":\"{SECRET}\",\"acao\":\"VENDA\",\"ativo\":\"BTCUSDT\",\"qtd\":0.01}}'\n  \
         curl http://{admin}/api/positions\n\n\
         {DIM}webhook {url}   admin http://{admin}   metrics http://{admin}/metrics{DIM:#}\n"
    )
}
