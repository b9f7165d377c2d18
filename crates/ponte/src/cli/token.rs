//! `ponte token`: what programs show to reach the owner's side from elsewhere.

use std::time::Duration;

use clap::{Args, Subcommand};
use ponte_core::time::Timestamp;
use serde::Serialize;

use super::context::Context;
use super::failure::Failure;
use super::record;
use super::screen::{self, BOLD, DIM, GOOD, ago, short_time, styled};
use super::table::{Cell, left, table};
use super::user::{RoleName, file};
use crate::admin::auth::Role;
use crate::admin::auth::users::{self, Seen, TOKENS_MAX, Token as Known, Users, UsersError};

/// Longest life of a token, in days.
const DAYS_MAX: u64 = 3650;

/// Make and revoke tokens for programs that reach the owner's side from elsewhere
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte token add grafana --role view\n  \
    ponte token list\n  \
    ponte token revoke grafana\n\n\
    A program sends it as: Authorization: Bearer ponte_…")]
pub(super) struct Token {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Add(Add),
    List(List),
    Revoke(Revoke),
}

/// Make a token and print it once
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte token add grafana --role view\n  \
    ponte token add panic-button --role operate --expires 90d\n\n\
    Its hash alone is kept: whoever loses it makes another one.")]
struct Add {
    /// The name, under which everything that is done with it is on record
    name: String,
    /// What it may do
    #[arg(long, value_name = "ROLE")]
    role: RoleName,
    /// After how long it opens nothing any more: 12h, 90d [default: never]
    #[arg(long, value_name = "SPAN", value_parser = span)]
    expires: Option<Duration>,
}

/// List the tokens: when each was used last, and from where
#[derive(Args)]
struct List {}

/// Revoke a token, at once
#[derive(Args)]
struct Revoke {
    /// The token's name
    name: String,
}

#[derive(Serialize)]
struct Made<'m> {
    name: &'m str,
    role: Role,
    token: &'m str,
    expires_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct Listed<'l> {
    name: &'l str,
    role: Role,
    made_at: Timestamp,
    expires_at: Option<Timestamp>,
    expired: bool,
    last_used: Option<&'l Seen>,
}

#[derive(Serialize)]
struct Revoked<'r> {
    name: &'r str,
    action: &'r str,
}

impl Token {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        match &self.what {
            What::Add(add) => add.run(context),
            What::List(_) => list(context),
            What::Revoke(revoke) => revoke.run(context),
        }
    }
}

impl Add {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let name = users::name(&self.name)?;
        let role = Role::from(self.role);
        let (text, hash) = users::new_token();
        let expires_at = self.expires.map(|span| context.now.after(span));
        file(context)?.change(|users| {
            free(users, &name)?;
            users.tokens.push(Known {
                name: name.clone(),
                role,
                hash,
                made_at: context.now,
                expires_at,
                last_used: None,
            });
            Ok::<(), UsersError>(())
        })?;
        let until = expires_at.map_or_else(
            || "never expires".to_owned(),
            |end| format!("expires {end}"),
        );
        let detail = format!("token {name}, role {role}, {until}");
        record::put(context, "token_made", &detail);
        if context.json {
            return screen::print_json(&Made {
                name: &name,
                role,
                token: &text,
                expires_at,
            });
        }
        screen::print(&format!(
            "{} token {name}, role {role}, {until}\n\n  {BOLD}{}{BOLD:#}\n\n\
             {DIM}It is shown this once.{DIM:#}\n",
            styled(GOOD, "made"),
            text.as_str()
        ))
    }
}

fn free(users: &Users, name: &str) -> Result<(), UsersError> {
    let what = "token";
    if users.tokens.iter().any(|token| token.name == name) {
        let name = name.to_owned();
        return Err(UsersError::Exists { what, name });
    }
    if users.tokens.len() >= TOKENS_MAX {
        let most = TOKENS_MAX;
        return Err(UsersError::TooMany { what, most });
    }
    Ok(())
}

fn list(context: &Context) -> Result<(), Failure> {
    let users = file(context)?.read()?;
    let now = context.now;
    let listed = users.tokens.iter().map(|token| Listed {
        name: &token.name,
        role: token.role,
        made_at: token.made_at,
        expires_at: token.expires_at,
        expired: token.expires_at.is_some_and(|end| end <= now),
        last_used: token.last_used.as_ref(),
    });
    let listed: Vec<Listed<'_>> = listed.collect();
    if context.json {
        return screen::print_json(&listed);
    }
    if listed.is_empty() {
        return screen::print("no tokens yet: ponte token add NAME --role view\n");
    }
    let columns = ["token", "role", "made", "expires", "last used", "from"].map(left);
    let row = |token: &Listed<'_>| {
        let expires = match token.expires_at {
            None => Cell::dim("never"),
            Some(_) if token.expired => Cell::new(screen::BAD, "expired"),
            Some(end) => Cell::plain(short_time(end, now)),
        };
        let used = token
            .last_used
            .map_or_else(|| "never".to_owned(), |seen| ago(seen.at, now));
        vec![
            Cell::plain(token.name),
            Cell::plain(token.role.as_str()),
            Cell::dim(short_time(token.made_at, now)),
            expires,
            Cell::plain(used),
            Cell::plain(token.last_used.map_or("", |seen| seen.from.as_str())),
        ]
    };
    let rows: Vec<_> = listed.iter().map(row).collect();
    screen::print(&table(&columns, &rows))
}

impl Revoke {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let name = users::name(&self.name)?;
        file(context)?.change(|users| {
            let before = users.tokens.len();
            users.tokens.retain(|token| token.name != name);
            if users.tokens.len() < before {
                return Ok(());
            }
            let names: Vec<&str> = users
                .tokens
                .iter()
                .map(|token| token.name.as_str())
                .collect();
            Err(UsersError::Absent {
                what: "token",
                name: name.clone(),
                known: match names.as_slice() {
                    [] => ", and no other".to_owned(),
                    names => format!("; there is {}", names.join(", ")),
                },
            })
        })?;
        let action = "token_revoked";
        record::put(context, action, &format!("token {name}"));
        if context.json {
            return screen::print_json(&Revoked {
                name: &name,
                action,
            });
        }
        screen::print(&format!("{} token {name}\n", styled(GOOD, "revoked")))
    }
}

/// A span of whole hours or days.
fn span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("write hours or days up to {DAYS_MAX}d: 12h, 90d");
    let (number, seconds) = match (text.strip_suffix('h'), text.strip_suffix('d')) {
        (Some(number), _) => (number, 3600),
        (None, Some(number)) => (number, 86_400),
        (None, None) => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let span = number.saturating_mul(seconds);
    if span == 0 || span > DAYS_MAX * 86_400 {
        return Err(wrong());
    }
    Ok(Duration::from_secs(span))
}
