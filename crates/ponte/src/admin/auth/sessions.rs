//! Who is signed in: sessions, and sign-ins that wait for their second factor. Held in memory, by hashes
//! of what browsers carry; a restart ends them all.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ponte_core::time::Timestamp;
use ring::hmac;
use zeroize::Zeroizing;

use super::digest;
use crate::random;

/// Random bytes of a session's cookie.
const ID_BYTES: usize = 32;
/// Most sessions of one user; the one that was seen longest ago ends for the next.
const PER_USER_MAX: usize = 16;
/// Most sign-ins that wait for a second factor.
const HALF_WAY_MAX: usize = 256;
/// How long one may wait.
const HALF_WAY_LASTS: Duration = Duration::from_secs(5 * 60);
/// Longest description of a browser that is kept, in characters.
const AGENT_CHARS_MAX: usize = 200;

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::admin) struct Session {
    /// By which it may be shown and ended; it opens nothing.
    pub(in crate::admin) name: String,
    /// Whose.
    pub(in crate::admin) user: String,
    /// The user's epoch when it began.
    pub(super) epoch: String,
    /// When it began.
    pub(in crate::admin) begun_at: Timestamp,
    /// When it was used last.
    pub(in crate::admin) seen_at: Timestamp,
    /// From where.
    pub(in crate::admin) from: String,
    /// What the browser says it is.
    pub(in crate::admin) agent: String,
}

/// A sign-in whose password was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HalfWay {
    pub(super) user: String,
    pub(super) epoch: String,
    since: Timestamp,
}

/// Who signs in, from where.
#[derive(Debug, Clone)]
pub(super) struct Visitor<'v> {
    pub(super) user: &'v str,
    pub(super) epoch: &'v str,
    pub(super) from: &'v str,
    pub(super) agent: &'v str,
}

/// All of them.
pub(super) struct Sessions {
    idle: Duration,
    max: Duration,
    held: Mutex<BTreeMap<String, Session>>,
    half_way: Mutex<BTreeMap<String, HalfWay>>,
}

impl Sessions {
    /// Sessions that end after so long without use, and after so long in any case.
    pub(super) fn new(idle: Duration, max: Duration) -> Self {
        Self {
            idle,
            max,
            held: Mutex::default(),
            half_way: Mutex::default(),
        }
    }

    /// Begins one; gives what the browser carries.
    pub(super) fn begin(&self, visitor: &Visitor<'_>, now: Timestamp) -> Zeroizing<String> {
        let id = Zeroizing::new(random::url_token(ID_BYTES));
        let mut held = self.held();
        held.retain(|_, session| !self.is_over(session, now));
        let of_user = held
            .iter()
            .filter(|(_, session)| session.user == visitor.user);
        let oldest = of_user.clone().min_by_key(|(_, session)| session.seen_at);
        if let (true, Some((key, _))) = (of_user.clone().count() >= PER_USER_MAX, oldest) {
            let key = key.clone();
            held.remove(&key);
        }
        let agent = visitor.agent.chars().filter(|letter| !letter.is_control());
        let session = Session {
            name: random::hex_token(4),
            user: visitor.user.to_owned(),
            epoch: visitor.epoch.to_owned(),
            begun_at: now,
            seen_at: now,
            from: visitor.from.to_owned(),
            agent: agent.take(AGENT_CHARS_MAX).collect(),
        };
        held.insert(digest(&id), session);
        id
    }

    /// The session that a browser carries, as used now.
    pub(super) fn find(&self, id: &str, from: &str, now: Timestamp) -> Option<Session> {
        let key = digest(id);
        let mut held = self.held();
        if self.is_over(held.get(&key)?, now) {
            held.remove(&key);
            return None;
        }
        let session = held.get_mut(&key)?;
        session.seen_at = session.seen_at.max(now);
        if session.from != from {
            from.clone_into(&mut session.from);
        }
        Some(session.clone())
    }

    /// Ends the session that a browser carries.
    pub(super) fn end(&self, id: &str) -> Option<Session> {
        self.held().remove(&digest(id))
    }

    /// Ends a user's session by its name.
    pub(super) fn end_named(&self, user: &str, name: &str) -> bool {
        let mut held = self.held();
        let before = held.len();
        held.retain(|_, session| session.user != user || session.name != name);
        held.len() < before
    }

    /// Ends all sessions of a user but one; gives how many.
    pub(super) fn end_others(&self, user: &str, kept: &str) -> usize {
        let mut held = self.held();
        let before = held.len();
        held.retain(|_, session| session.user != user || session.name == kept);
        before - held.len()
    }

    /// A user's sessions that are under way, the one that was seen last first.
    pub(super) fn of_user(&self, user: &str, now: Timestamp) -> Vec<Session> {
        let mut held = self.held();
        held.retain(|_, session| !self.is_over(session, now));
        let mut sessions: Vec<Session> = held
            .values()
            .filter(|session| session.user == user)
            .cloned()
            .collect();
        sessions.sort_by_key(|session| std::cmp::Reverse(session.seen_at));
        sessions
    }

    /// A password was right, and a second factor is asked for; gives what the browser carries.
    pub(super) fn wait_for_code(
        &self,
        user: &str,
        epoch: &str,
        now: Timestamp,
    ) -> Zeroizing<String> {
        let id = Zeroizing::new(random::url_token(ID_BYTES));
        let mut waiting = self.half_way();
        waiting.retain(|_, half_way| now.since(half_way.since) < HALF_WAY_LASTS);
        if waiting.len() >= HALF_WAY_MAX {
            let oldest = waiting.iter().min_by_key(|(_, half_way)| half_way.since);
            if let Some(key) = oldest.map(|(key, _)| key.clone()) {
                waiting.remove(&key);
            }
        }
        let half_way = HalfWay {
            user: user.to_owned(),
            epoch: epoch.to_owned(),
            since: now,
        };
        waiting.insert(digest(&id), half_way);
        id
    }

    /// The sign-in that a browser has half done.
    pub(super) fn half_done(&self, id: &str, now: Timestamp) -> Option<HalfWay> {
        let waiting = self.half_way();
        let found = waiting.get(&digest(id))?;
        (now.since(found.since) < HALF_WAY_LASTS).then(|| found.clone())
    }

    /// It is done, or given up.
    pub(super) fn forget_half_done(&self, id: &str) {
        self.half_way().remove(&digest(id));
    }

    fn is_over(&self, session: &Session, now: Timestamp) -> bool {
        now.since(session.seen_at) >= self.idle || now.since(session.begun_at) >= self.max
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Session>> {
        // The map is whole after every step, whoever panicked while holding it.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn half_way(&self) -> MutexGuard<'_, BTreeMap<String, HalfWay>> {
        self.half_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What whoever changes anything in a session has to bring along: it follows from the session's cookie,
/// which no other page can read.
pub(super) fn csrf(id: &str) -> String {
    use std::fmt::Write as _;
    let key = hmac::Key::new(hmac::HMAC_SHA256, id.as_bytes());
    let tag = hmac::sign(&key, b"ponte csrf");
    tag.as_ref().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_996_800_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    fn sessions() -> Sessions {
        Sessions::new(12 * HOUR, 7 * 24 * HOUR)
    }

    fn ana(epoch: &str) -> Visitor<'_> {
        Visitor {
            user: "ana",
            epoch,
            from: "203.0.113.7",
            agent: "Mozilla/5.0\u{7}",
        }
    }

    #[test]
    fn a_session_ends_when_idle_and_in_any_case() {
        let sessions = sessions();
        let id = sessions.begin(&ana("e"), NOW);
        let at = |hours: u32| NOW.after(HOUR * hours);
        assert_eq!(
            sessions.find(&id, "a", at(11)).unwrap().agent,
            "Mozilla/5.0"
        );
        assert!(sessions.find(&id, "a", at(22)).is_some());
        assert!(sessions.find(&id, "a", at(34)).is_none());
        assert!(
            sessions.find(&id, "a", at(22)).is_none(),
            "it does not come back"
        );
        let id = sessions.begin(&ana("e"), NOW);
        for hours in (10..168).step_by(10) {
            assert!(sessions.find(&id, "a", at(hours)).is_some(), "{hours}");
        }
        assert!(sessions.find(&id, "a", at(168)).is_none());
    }

    #[test]
    fn what_a_browser_carries_is_not_held_and_not_shown() {
        let sessions = sessions();
        let id = sessions.begin(&ana("e"), NOW);
        let held = format!("{:?}", sessions.held.lock().unwrap());
        assert!(!held.contains(id.as_str()));
        let session = sessions.find(&id, "a", NOW).unwrap();
        assert!(!id.contains(&session.name));
        assert!(sessions.find(&session.name, "a", NOW).is_none());
        assert_ne!(csrf(&id), csrf(&sessions.begin(&ana("e"), NOW)));
    }

    #[test]
    fn sessions_end_by_name_and_all_but_one() {
        let sessions = sessions();
        let first = sessions.begin(&ana("e"), NOW);
        let second = sessions.begin(&ana("e"), NOW);
        let name = sessions.find(&first, "a", NOW).unwrap().name;
        assert!(!sessions.end_named("eva", &name));
        assert_eq!(sessions.of_user("ana", NOW).len(), 2);
        assert!(sessions.end_named("ana", &name));
        assert!(sessions.find(&first, "a", NOW).is_none());
        let kept = sessions.find(&second, "a", NOW).unwrap().name;
        for _ in 0..3 {
            sessions.begin(&ana("e"), NOW);
        }
        assert_eq!(sessions.end_others("ana", &kept), 3);
        assert!(sessions.find(&second, "a", NOW).is_some());
        assert!(sessions.end(&second).is_some());
        assert!(sessions.of_user("ana", NOW).is_empty());
    }

    #[test]
    fn a_user_has_a_bounded_number() {
        let sessions = sessions();
        let first = sessions.begin(&ana("e"), NOW);
        for minute in 1..=PER_USER_MAX {
            let later = NOW.after(Duration::from_secs(60 * minute as u64));
            sessions.begin(&ana("e"), later);
        }
        assert_eq!(sessions.of_user("ana", NOW.after(HOUR)).len(), PER_USER_MAX);
        assert!(sessions.find(&first, "a", NOW.after(HOUR)).is_none());
    }

    #[test]
    fn half_a_sign_in_waits_five_minutes() {
        let sessions = sessions();
        let id = sessions.wait_for_code("ana", "e", NOW);
        let almost = NOW.after(HALF_WAY_LASTS - Duration::from_secs(1));
        assert_eq!(sessions.half_done(&id, almost).unwrap().user, "ana");
        assert!(sessions.half_done(&id, NOW.after(HALF_WAY_LASTS)).is_none());
        assert!(sessions.find(&id, "a", NOW).is_none(), "it is no session");
        sessions.forget_half_done(&id);
        assert!(sessions.half_done(&id, NOW).is_none());
        for _ in 0..=HALF_WAY_MAX {
            sessions.wait_for_code("ana", "e", NOW);
        }
        assert_eq!(sessions.half_way.lock().unwrap().len(), HALF_WAY_MAX);
    }
}
