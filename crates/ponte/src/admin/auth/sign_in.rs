//! Signing in: the password, then the code where one is set; and signing out.

use std::time::Duration;

use ponte_core::time::Timestamp;
use zeroize::Zeroizing;

use super::lockout::{Allowed, Attempt, Wait};
use super::password::PASSWORD_BYTES_MAX;
use super::remote::{Remote, Visit};
use super::sessions::Visitor;
use super::totp;
use super::users::{NAME_BYTES_MAX, Seen, User, Users, UsersError};
use crate::{clock, random};

/// Random bytes of the mark by which a browser is known.
const DEVICE_BYTES: usize = 32;
/// Longest code that is looked at, in bytes.
const CODE_BYTES_MAX: usize = 64;

/// What became of a step of a sign-in.
pub(in crate::admin) enum Outcome {
    /// The user is in; the cookies that the browser gets.
    SignedIn {
        session: Zeroizing<String>,
        /// How long the session can last.
        lasts: Duration,
        /// A new mark, unless the browser has one.
        device: Option<Zeroizing<String>>,
    },
    /// The password was right, and a code is asked for; what the browser carries until then.
    CodeNeeded(Zeroizing<String>),
    /// Something was wrong; it is not said what.
    Wrong,
    /// Too many failures: how long to wait.
    Wait(Duration),
    /// Too many are signing in, or the users can't be written.
    Busy,
    /// The time between password and code is over.
    TooLate,
}

/// Why a code is not taken.
enum CodeError {
    Wrong,
    Gone,
    Users(UsersError),
}

impl From<UsersError> for CodeError {
    fn from(error: UsersError) -> Self {
        Self::Users(error)
    }
}

/// What a right code was.
enum RightCode {
    OfTheApp,
    /// And how many are left.
    Recovery(usize),
}

impl Remote {
    /// The first step. A name that nobody has takes the same way and the same work.
    pub(in crate::admin) async fn with_password(
        &self,
        visit: &Visit,
        name: &str,
        password: Zeroizing<String>,
    ) -> Outcome {
        let users = self.users();
        let user = users.user(name);
        let known = user.and_then(|user| known_device(user, visit));
        let attempt = Attempt {
            address: visit.address,
            name: name.get(..NAME_BYTES_MAX).unwrap_or(name),
            exists: user.is_some(),
            device: known,
        };
        let place = self.hashing.queue();
        if place.is_none() && known.is_none() {
            return Outcome::Busy;
        }
        let allowed = match self.lockout.begin(&attempt, clock::instant()) {
            Ok(allowed) => allowed,
            Err(Wait(wait)) => return Outcome::Wait(wait),
        };
        let too_long = password.len() > PASSWORD_BYTES_MAX;
        let kept = user.filter(|_| !too_long).map(|user| user.password.clone());
        let right = self.hashing.is_of(password, kept, known.is_some()).await;
        let Some(user) = user.filter(|_| right) else {
            let who = user.map(|user| user.name.as_str());
            self.wrong_password(visit, who, allowed).await;
            return Outcome::Wrong;
        };
        self.lockout.succeeded(&attempt);
        if user.totp.is_some() {
            let id = self
                .sessions
                .wait_for_code(&user.name, &user.epoch, clock::now());
            return Outcome::CodeNeeded(id);
        }
        self.complete(visit, &user.name, &user.epoch, "with a password")
            .await
    }

    /// Names that nobody has are not put on record: people type passwords into the wrong field.
    async fn wrong_password(&self, visit: &Visit, user: Option<&str>, allowed: Allowed) {
        let who = user.map_or_else(
            || "a name that no user has".to_owned(),
            |user| format!("user {user}"),
        );
        self.record_failure(visit, "sign_in_failed", &format!("{who}, wrong password"))
            .await;
        self.tell_of_lockout(visit, &who, allowed).await;
    }

    async fn tell_of_lockout(&self, visit: &Visit, who: &str, allowed: Allowed) {
        if let Some(wait) = allowed.news {
            let seconds = wait.as_secs();
            let detail = format!("{who}, the next attempt has to wait {seconds} s");
            self.record_failure(visit, "locked_out", &detail).await;
        }
    }

    /// The second step: a code of the app, or one that was kept for the day the phone is lost.
    pub(in crate::admin) async fn with_code(&self, visit: &Visit, code: &str) -> Outcome {
        let now = clock::now();
        let half_way = visit.half_way.as_ref();
        let Some((id, half_way)) =
            half_way.and_then(|id| Some((id, self.sessions.half_done(id, now)?)))
        else {
            return Outcome::TooLate;
        };
        let user = half_way.user.clone();
        let allowed = match self.lockout.begin_second_factor(&user, clock::instant()) {
            Ok(allowed) => allowed,
            Err(Wait(wait)) => return Outcome::Wait(wait),
        };
        let code = Zeroizing::new(code.get(..CODE_BYTES_MAX).unwrap_or(code).to_owned());
        let (name, epoch) = (user.clone(), half_way.epoch.clone());
        let spent = self
            .live
            .change(move |users| spend_code(users, &name, &epoch, &code, now));
        match spent.await {
            Ok(right) => {
                self.sessions.forget_half_done(id);
                self.lockout.second_factor_succeeded(&user);
                let how = match right {
                    RightCode::OfTheApp => "with a password and a code".to_owned(),
                    RightCode::Recovery(left) => {
                        format!("with a password and a recovery code, {left} left")
                    }
                };
                self.complete(visit, &user, &half_way.epoch, &how).await
            }
            Err(CodeError::Wrong) => {
                let who = format!("user {user}");
                let detail = format!("{who}, right password, wrong code");
                self.record_failure(visit, "second_factor_failed", &detail)
                    .await;
                self.tell_of_lockout(visit, &who, allowed).await;
                Outcome::Wrong
            }
            Err(CodeError::Gone) => {
                self.sessions.forget_half_done(id);
                Outcome::TooLate
            }
            Err(CodeError::Users(error)) => {
                // A code that can't be written down as used could be used twice.
                tracing::error!(%error, "a code can't be written down as used");
                Outcome::Busy
            }
        }
    }

    async fn complete(&self, visit: &Visit, user: &str, epoch: &str, how: &str) -> Outcome {
        let now = clock::now();
        let from = visit.address.to_string();
        // Whatever the browser carried before opens nothing any more.
        if let Some(old) = &visit.session {
            self.sessions.end(old);
        }
        let device = self.remember(visit, user, now, &from).await;
        let visitor = Visitor {
            user,
            epoch,
            from: &from,
            agent: &visit.agent,
        };
        let session = self.sessions.begin(&visitor, now);
        self.record(user, "signed_in", format!("from {from}, {how}"))
            .await;
        Outcome::SignedIn {
            session,
            lasts: self.session_max,
            device,
        }
    }

    /// Writes down when and from where a user signed in, and with which browser. Where that can't be
    /// written, the user gets in all the same: it may be an emergency.
    async fn remember(
        &self,
        visit: &Visit,
        user: &str,
        at: Timestamp,
        from: &str,
    ) -> Option<Zeroizing<String>> {
        let users = self.users();
        let known = users.user(user).and_then(|user| known_device(user, visit));
        let fresh = known.is_none().then(|| random::url_token(DEVICE_BYTES));
        let fresh = fresh.map(Zeroizing::new);
        let (name, seen, mark) = (
            user.to_owned(),
            Seen {
                at,
                from: from.to_owned(),
            },
            fresh.clone(),
        );
        let written = self.live.change(move |users| {
            if let Some(user) = users.user_mut(&name) {
                user.last_sign_in = Some(seen);
                if let Some(mark) = mark {
                    user.remember_device(&mark);
                }
            }
            Ok::<(), UsersError>(())
        });
        match written.await {
            Ok(()) => fresh,
            Err(error) => {
                tracing::error!(%error, "a sign-in can't be written down");
                None
            }
        }
    }

    /// Ends the session that a browser carries.
    pub(in crate::admin) async fn sign_out(&self, visit: &Visit) {
        let ended = visit.session.as_ref();
        if let Some(session) = ended.and_then(|id| self.sessions.end(id)) {
            let detail = format!("from {}", visit.address);
            self.record(&session.user, "signed_out", detail).await;
        }
    }

    /// Ends one of a user's sessions, or all but the present one; gives how many.
    pub(in crate::admin) async fn end_sessions(
        &self,
        user: &str,
        present: &str,
        named: Option<&str>,
    ) -> usize {
        let ended = match named {
            Some(name) => usize::from(self.sessions.end_named(user, name)),
            None => self.sessions.end_others(user, present),
        };
        if ended > 0 {
            let detail = match named {
                Some(name) => format!("session {name}"),
                None => format!("all others, {ended}"),
            };
            self.record(user, "session_ended", detail).await;
        }
        ended
    }
}

/// What the browser carries, when it has signed this user in before.
fn known_device<'v>(user: &User, visit: &'v Visit) -> Option<&'v str> {
    let device = visit.device.as_deref()?;
    user.knows_device(device).then_some(device)
}

/// Takes a code, so that nobody can take it again.
fn spend_code(
    users: &mut Users,
    name: &str,
    epoch: &str,
    code: &str,
    now: Timestamp,
) -> Result<RightCode, CodeError> {
    let user = users.user_mut(name).filter(|user| user.epoch == epoch);
    let Some(factor) = user.and_then(|user| user.totp.as_mut()) else {
        return Err(CodeError::Gone);
    };
    if let Some(step) = totp::matching_step(&factor.secret, code, now, factor.used_step) {
        factor.used_step = step;
        return Ok(RightCode::OfTheApp);
    }
    let hash = totp::recovery_hash(code);
    let Some(place) = factor.recovery.iter().position(|kept| *kept == hash) else {
        return Err(CodeError::Wrong);
    };
    factor.recovery.remove(place);
    Ok(RightCode::Recovery(factor.recovery.len()))
}
