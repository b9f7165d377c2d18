//! `ponte user totp`: a second factor, with a QR code for the phone.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use anstyle::{AnsiColor, Style};
use clap::Args;
use qrcode::{Color, EcLevel, QrCode};
use serde::Serialize;
use zeroize::Zeroizing;

use super::context::Context;
use super::failure::Failure;
use super::record;
use super::screen::{self, BOLD, DIM, GOOD, styled};
use super::user::{changed, file, known};
use crate::admin::auth::totp;
use crate::admin::auth::users::{self, SecondFactor};
use crate::clock;

/// How often a code may be typed wrongly.
const ATTEMPTS: usize = 3;
/// Empty modules around a QR code (ISO/IEC 18004, 6.3.8 asks for four; two are read by every phone).
const QUIET: usize = 2;

/// Give a user a second factor: codes of an authenticator app
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte user totp ana\n  \
    ponte user totp ana --remove\n\n\
    Scan the QR code with any authenticator app, then type the code that it shows: only then it counts. \
    Ten recovery codes are printed once; each opens once when the phone is lost. Their hashes are kept.")]
pub(super) struct Totp {
    /// The user's name
    name: String,
    /// Take the second factor away instead
    #[arg(long)]
    remove: bool,
}

#[derive(Serialize)]
struct Set<'s> {
    user: &'s str,
    recovery_codes: Vec<&'s str>,
}

#[derive(Serialize)]
struct Removed<'r> {
    user: &'r str,
    action: &'r str,
}

impl Totp {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let name = users::name(&self.name)?;
        known(&file(context)?.read()?, &name)?;
        if self.remove {
            return remove(context, &name);
        }
        let secret = totp::new_secret();
        let remote = context.config()?.admin.remote.as_ref();
        let host = remote.and_then(|remote| remote.names.first());
        let uri = totp::uri(&secret, &name, host.map_or("ponte", String::as_str));
        screen::say(&shown(&uri, &secret));
        let used_step = confirmed(&secret)?;
        let codes = totp::new_recovery_codes();
        let factor = SecondFactor {
            secret: secret.to_string(),
            used_step,
            recovery: codes.iter().map(|code| totp::recovery_hash(code)).collect(),
        };
        changed(context, &name, |users, name| {
            if let Some(user) = users.user_mut(name) {
                user.totp = Some(factor);
                user.end_sessions();
            }
        })?;
        record::put(context, "second_factor_set", &format!("user {name}"));
        if context.json {
            let recovery_codes = codes.iter().map(|code| code.as_str()).collect();
            return screen::print_json(&Set {
                user: &name,
                recovery_codes,
            });
        }
        screen::print(&kept(&name, &codes))
    }
}

fn remove(context: &Context, name: &str) -> Result<(), Failure> {
    changed(context, name, |users, name| {
        if let Some(user) = users.user_mut(name) {
            user.totp = None;
            user.end_sessions();
        }
    })?;
    let action = "second_factor_removed";
    record::put(context, action, &format!("user {name}"));
    if context.json {
        return screen::print_json(&Removed { user: name, action });
    }
    let word = styled(GOOD, "removed");
    screen::print(&format!(
        "{word} the second factor of {name}; their sessions are over\n"
    ))
}

/// Asks for one code, so that nobody locks themselves out with an app that has another secret.
fn confirmed(secret: &str) -> Result<u64, Failure> {
    let attempts = if std::io::stdin().is_terminal() {
        ATTEMPTS
    } else {
        1
    };
    for _ in 0..attempts {
        let code = record::ask("The code that the app shows now")?;
        if let Some(step) = totp::matching_step(secret, &code, clock::now(), 0) {
            return Ok(step);
        }
        screen::note("that is not the code of this moment");
    }
    Err(
        Failure::refused("the code was wrong, and nothing was changed")
            .cured_by("set the clocks of the phone and of this machine, then try again"),
    )
}

fn shown(uri: &str, secret: &str) -> Zeroizing<String> {
    let groups: Vec<&str> = secret
        .as_bytes()
        .chunks(4)
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    let code = if std::io::stderr().is_terminal() {
        qr(uri).unwrap_or_default()
    } else {
        String::new()
    };
    Zeroizing::new(format!(
        "{code}\n{DIM}or type it into the app:{DIM:#}  {BOLD}{}{BOLD:#}\n{DIM}{uri}{DIM:#}\n\n",
        groups.join(" ")
    ))
}

/// A QR code of half blocks, black on white whatever the terminal's colours are.
fn qr(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let width = code.width();
    let modules = code.to_colors();
    let is_dark = |row: usize, column: usize| {
        let (Some(row), Some(column)) = (row.checked_sub(QUIET), column.checked_sub(QUIET)) else {
            return false;
        };
        row < width && column < width && modules.get(row * width + column) == Some(&Color::Dark)
    };
    let style = Style::new()
        .fg_color(Some(AnsiColor::Black.into()))
        .bg_color(Some(AnsiColor::BrightWhite.into()));
    let side = width + 2 * QUIET;
    let mut picture = String::new();
    for row in (0..side).step_by(2) {
        let line: String = (0..side)
            .map(
                |column| match (is_dark(row, column), is_dark(row + 1, column)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                },
            )
            .collect();
        let _ = writeln!(picture, "  {style}{line}{style:#}");
    }
    Some(picture)
}

fn kept(name: &str, codes: &[Zeroizing<String>]) -> String {
    let mut text = format!(
        "{} {name} signs in with a code from now on; their sessions are over\n\n\
         Recovery codes, each for one sign-in without the phone. Keep them on paper; they are shown \
         this once:\n\n",
        styled(GOOD, "set:")
    );
    for pair in codes.chunks(2) {
        let pair: Vec<&str> = pair.iter().map(|code| code.as_str()).collect();
        let _ = writeln!(text, "    {BOLD}{}{BOLD:#}", pair.join("    "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::qr;

    #[test]
    fn a_qr_code_is_square_and_fits_a_terminal() {
        let uri = crate::admin::auth::totp::uri(
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
            "ana@example.com",
            "ponte.example.com",
        );
        let picture = qr(&uri).unwrap();
        let plain = anstream::adapter::strip_str(&picture).to_string();
        let lines: Vec<usize> = plain.lines().map(|line| line.chars().count() - 2).collect();
        assert!(
            lines.iter().all(|width| *width == lines[0] && *width <= 76),
            "{lines:?}"
        );
        assert_eq!(lines.len(), lines[0].div_ceil(2));
    }
}
