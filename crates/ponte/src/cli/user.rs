//! `ponte user`: who may sign in from elsewhere.

use clap::{Args, Subcommand, ValueEnum};
use ponte_core::time::Timestamp;
use serde::Serialize;
use zeroize::Zeroizing;

use super::context::Context;
use super::failure::Failure;
use super::record;
use super::screen::{self, BOLD, DIM, GOOD, ago, short_time, styled};
use super::table::{Cell, left, table};
use super::user_totp::Totp;
use crate::admin::auth::Role as Granted;
use crate::admin::auth::password::{self, WeakPassword};
use crate::admin::auth::users::{self, USERS_MAX, User as Known, Users, UsersError, UsersFile};

/// Say who may sign in from elsewhere, and what they may do
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte user add ana --role operate\n  \
    ponte user totp ana\n  \
    ponte user list\n  \
    ponte user remove ana\n\n\
    Users sign in at [admin.remote]. A running Ponte takes every change over at once. Passwords are \
    kept as argon2id hashes.")]
pub(super) struct User {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Add(Add),
    List(List),
    Remove(Remove),
    Password(Password),
    Role(Role),
    Totp(Totp),
    Unlock(Unlock),
}

/// What a user or a token may do.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum RoleName {
    /// Read everything
    View,
    /// And halt, resume, flatten, explain, switch sources
    Operate,
}

impl From<RoleName> for Granted {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::View => Self::View,
            RoleName::Operate => Self::Operate,
        }
    }
}

/// Add a user
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte user add ana --role operate\n  \
    ponte user add eva --role view --generate\n  \
    pass show ponte | ponte user add ana --role operate\n\n\
    The password is asked for twice and not shown; from a pipe it is the first line. It has 12 \
    characters or more.")]
struct Add {
    /// The name: letters, digits or . _ - @
    name: String,
    /// What the user may do
    #[arg(long, value_name = "ROLE")]
    role: RoleName,
    /// Make a password and print it once
    #[arg(long)]
    generate: bool,
}

/// List the users
#[derive(Args)]
struct List {}

/// Remove a user and end their sessions
#[derive(Args)]
struct Remove {
    /// The user's name
    name: String,
}

/// Give a user a new password and end their sessions
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte user password ana\n  \
    ponte user password ana --generate")]
struct Password {
    /// The user's name
    name: String,
    /// Make a password and print it once
    #[arg(long)]
    generate: bool,
}

/// Let a user do more, or less, and end their sessions
#[derive(Args)]
#[command(after_help = "Examples:\n  ponte user role eva operate")]
struct Role {
    /// The user's name
    name: String,
    /// What the user may do
    role: RoleName,
}

/// Let a user try again now, after too many failures
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte user unlock ana\n\n\
    Every wait after failures ends by itself: after 15 minutes at the latest. Sessions that are under \
    way, and browsers that were signed in before, never wait because of others.")]
struct Unlock {
    /// The user's name
    name: String,
}

#[derive(Serialize)]
struct Listed {
    name: String,
    role: Granted,
    totp: bool,
    /// Recovery codes that are left.
    recovery_codes: usize,
    made_at: Timestamp,
    last_sign_in: Option<users::Seen>,
}

#[derive(Serialize)]
struct Changed<'c> {
    user: &'c str,
    action: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'c str>,
}

impl User {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        match &self.what {
            What::Add(add) => add.run(context),
            What::List(_) => list(context),
            What::Remove(remove) => remove.run(context),
            What::Password(password) => password.run(context),
            What::Role(role) => role.run(context),
            What::Totp(totp) => totp.run(context),
            What::Unlock(unlock) => unlock.run(context),
        }
    }
}

impl Add {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let file = file(context)?;
        let name = users::name(&self.name)?;
        let role = Granted::from(self.role);
        // Before anybody thinks of a password.
        free(&file.read()?, &name)?;
        let password = chosen(&name, self.generate)?;
        let hash = hashed(&password)?;
        file.change(|users| {
            free(users, &name)?;
            users.users.push(Known::new(&name, role, hash, context.now));
            Ok::<(), UsersError>(())
        })?;
        record::put(context, "user_added", &format!("user {name}, role {role}"));
        let shown = format!("{} {name}, role {role}\n", styled(GOOD, "added"));
        let next = if context.config()?.admin.remote.is_some() {
            format!("{DIM}A second factor: ponte user totp {name}{DIM:#}\n")
        } else {
            format!(
                "{DIM}The configuration has no [admin.remote] yet: ponte admin certificate \
                 --host NAME{DIM:#}\n"
            )
        };
        let made = self.generate.then_some(password);
        say(
            context,
            &name,
            "user_added",
            made.as_ref(),
            &(shown + &next),
        )
    }
}

fn free(users: &Users, name: &str) -> Result<(), UsersError> {
    let what = "user";
    if users.user(name).is_some() {
        let name = name.to_owned();
        return Err(UsersError::Exists { what, name });
    }
    if users.users.len() >= USERS_MAX {
        let most = USERS_MAX;
        return Err(UsersError::TooMany { what, most });
    }
    Ok(())
}

fn list(context: &Context) -> Result<(), Failure> {
    let users = file(context)?.read()?;
    let listed = users.users.iter().map(|user| Listed {
        name: user.name.clone(),
        role: user.role,
        totp: user.totp.is_some(),
        recovery_codes: user.totp.as_ref().map_or(0, |totp| totp.recovery.len()),
        made_at: user.made_at,
        last_sign_in: user.last_sign_in.clone(),
    });
    let listed: Vec<Listed> = listed.collect();
    if context.json {
        return screen::print_json(&listed);
    }
    if listed.is_empty() {
        return screen::print("no users yet: ponte user add NAME --role operate\n");
    }
    let columns = [
        "user",
        "role",
        "second factor",
        "added",
        "last sign-in",
        "from",
    ]
    .map(left);
    let row = |user: &Listed| {
        let factor = match user.recovery_codes {
            _ if !user.totp => Cell::dim("none"),
            left => Cell::plain(screen::count(left, "recovery code", "recovery codes")),
        };
        let seen = user.last_sign_in.as_ref();
        let at = seen.map_or_else(|| "never".to_owned(), |seen| ago(seen.at, context.now));
        let from = seen.map_or("", |seen| seen.from.as_str());
        vec![
            Cell::plain(&user.name),
            Cell::plain(user.role.as_str()),
            factor,
            Cell::dim(short_time(user.made_at, context.now)),
            Cell::plain(at),
            Cell::plain(from),
        ]
    };
    let rows: Vec<_> = listed.iter().map(row).collect();
    screen::print(&table(&columns, &rows))
}

impl Remove {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let name = changed(context, &self.name, |users, name| {
            users.users.retain(|user| user.name != name);
        })?;
        record::put(context, "user_removed", &format!("user {name}"));
        let word = styled(GOOD, "removed");
        say(
            context,
            &name,
            "user_removed",
            None,
            &format!("{word} {name}; their sessions are over\n"),
        )
    }
}

impl Password {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let name = users::name(&self.name)?;
        known(&file(context)?.read()?, &name)?;
        let password = chosen(&name, self.generate)?;
        let hash = hashed(&password)?;
        changed(context, &name, |users, name| {
            if let Some(user) = users.user_mut(name) {
                user.password = hash;
                user.devices.clear();
                user.end_sessions();
            }
        })?;
        record::put(context, "password_changed", &format!("user {name}"));
        let shown = format!(
            "{} the password of {name}; their sessions are over\n",
            styled(GOOD, "changed")
        );
        let made = self.generate.then_some(password);
        say(context, &name, "password_changed", made.as_ref(), &shown)
    }
}

impl Role {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let role = Granted::from(self.role);
        let name = changed(context, &self.name, |users, name| {
            if let Some(user) = users.user_mut(name) {
                user.role = role;
                user.end_sessions();
            }
        })?;
        let detail = format!("user {name}, role {role}");
        record::put(context, "user_role_changed", &detail);
        let shown =
            format!("{name} has the role {BOLD}{role}{BOLD:#} now; their sessions are over\n");
        say(context, &name, "user_role_changed", None, &shown)
    }
}

impl Unlock {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let now = context.now;
        let name = changed(context, &self.name, |users, name| {
            if let Some(user) = users.user_mut(name) {
                user.unlocked_at = Some(now);
            }
        })?;
        record::put(context, "user_unlocked", &format!("user {name}"));
        let word = styled(GOOD, "unlocked");
        say(
            context,
            &name,
            "user_unlocked",
            None,
            &format!("{word} {name}\n"),
        )
    }
}

/// Where the users of the configuration are.
pub(super) fn file(context: &Context) -> Result<UsersFile, Failure> {
    Ok(UsersFile::in_data_dir(&context.config()?.data_dir))
}

/// The user of this name.
pub(super) fn known<'u>(users: &'u Users, name: &str) -> Result<&'u Known, UsersError> {
    users.user(name).ok_or_else(|| {
        let names: Vec<&str> = users.users.iter().map(|user| user.name.as_str()).collect();
        UsersError::Absent {
            what: "user",
            name: name.to_owned(),
            known: match names.as_slice() {
                [] => ", and no other".to_owned(),
                names => format!("; there is {}", names.join(", ")),
            },
        }
    })
}

/// Changes a user who is there; gives the name as it is written.
pub(super) fn changed(
    context: &Context,
    name: &str,
    change: impl FnOnce(&mut Users, &str),
) -> Result<String, Failure> {
    let name = users::name(name)?;
    file(context)?.change(|users| {
        known(users, &name)?;
        change(users, &name);
        Ok::<(), UsersError>(())
    })?;
    Ok(name)
}

/// Says what was done; a password that was made is shown this once.
fn say(
    context: &Context,
    user: &str,
    action: &str,
    made: Option<&Zeroizing<String>>,
    shown: &str,
) -> Result<(), Failure> {
    if context.json {
        let password = made.map(|password| password.as_str());
        return screen::print_json(&Changed {
            user,
            action,
            password,
        });
    }
    screen::print(shown)?;
    let Some(password) = made else {
        return Ok(());
    };
    screen::print(&format!(
        "password  {BOLD}{}{BOLD:#}   {DIM}shown this once{DIM:#}\n",
        password.as_str()
    ))
}

/// A password that was thought of, or made.
fn chosen(user: &str, generate: bool) -> Result<Zeroizing<String>, Failure> {
    use std::io::IsTerminal as _;
    if generate {
        return Ok(password::generate());
    }
    let first = record::ask_secret(&format!("New password for {user}"))?;
    password::check(&first, user).map_err(|weak| too_weak(&weak))?;
    if std::io::stdin().is_terminal() && *record::ask_secret("The same again")? != *first {
        return Err(Failure::refused(
            "the two are not the same; nothing was done",
        ));
    }
    Ok(first)
}

fn too_weak(weak: &WeakPassword) -> Failure {
    Failure::refused(weak.to_string()).cured_by("a sentence of several words, or --generate")
}

fn hashed(password: &str) -> Result<String, Failure> {
    password::hash(password).map_err(|error| Failure::unreachable(error.to_string()))
}

impl From<UsersError> for Failure {
    fn from(error: UsersError) -> Self {
        let text = error.to_string();
        match error {
            UsersError::File { .. } => {
                Self::unreachable(text).cured_by("run it as the user who runs ponte, or as root")
            }
            UsersError::Unreadable { .. } => Self::unreachable(text)
                .cured_by("restore the file, or move it away and add the users again"),
            UsersError::Name(_) => Self::usage(text),
            UsersError::Absent { .. } | UsersError::Exists { .. } | UsersError::TooMany { .. } => {
                Self::refused(text)
            }
        }
    }
}
