//! The users as a running Ponte knows them: as new as the file, whoever has changed it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use ponte_core::time::Timestamp;

use super::users::{Seen, Stamp, Users, UsersError, UsersFile};

/// How often it is written down that a token was used.
const USE_NOTED_EVERY: Duration = Duration::from_secs(60);

/// The file's content, and what it was known by when it was read.
struct Held {
    stamp: Option<Stamp>,
    users: Arc<Users>,
    /// The latest unlocking of anybody.
    unlocked_at: Option<Timestamp>,
}

/// The users of a running Ponte.
pub(super) struct LiveUsers {
    file: UsersFile,
    held: ArcSwap<Held>,
    /// When the use of a token was last written down.
    noted: Mutex<BTreeMap<String, Timestamp>>,
}

/// What a look at the file gave.
pub(super) struct Look {
    pub(super) users: Arc<Users>,
    /// Whether somebody was let in again by hand since the last look.
    pub(super) unlocked: bool,
}

impl LiveUsers {
    /// # Errors
    /// When the file can't be read.
    pub(super) fn open(file: UsersFile) -> Result<Self, UsersError> {
        let stamp = file.stamp();
        let users = Arc::new(file.read()?);
        let held = Held {
            stamp,
            unlocked_at: unlocked_at(&users),
            users,
        };
        Ok(Self {
            file,
            held: ArcSwap::from_pointee(held),
            noted: Mutex::default(),
        })
    }

    /// The users as the file has them now. A file that can't be read lets nobody in.
    pub(super) fn look(&self) -> Look {
        let held = self.held.load();
        let stamp = self.file.stamp();
        if stamp == held.stamp {
            return Look {
                users: held.users.clone(),
                unlocked: false,
            };
        }
        let users = self.file.read().unwrap_or_else(|error| {
            tracing::error!(%error, "the users can't be read: nobody gets in from elsewhere");
            Users::default()
        });
        let users = Arc::new(users);
        let latest = unlocked_at(&users);
        let unlocked = latest > held.unlocked_at;
        self.held.store(Arc::new(Held {
            stamp,
            users: users.clone(),
            unlocked_at: latest,
        }));
        Look { users, unlocked }
    }

    /// Changes the file, where it may block.
    pub(super) async fn change<T, E>(
        &self,
        change: impl FnOnce(&mut Users) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<UsersError> + Send + 'static,
    {
        let file = self.file.clone();
        let changed = tokio::task::spawn_blocking(move || file.change(change)).await;
        changed.unwrap_or_else(|error| {
            Err(E::from(UsersError::Unreadable {
                path: self.file.path(),
                problem: error.to_string(),
            }))
        })
    }

    /// Notes that a token was used; it is written down once a minute, in the background.
    pub(super) fn token_used(self: &Arc<Self>, name: &str, seen: Seen) {
        {
            let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            let last = noted.get(name);
            if last.is_some_and(|last| seen.at.since(*last) < USE_NOTED_EVERY) {
                return;
            }
            let users = self.held.load().users.clone();
            noted.retain(|name, _| users.tokens.iter().any(|token| token.name == *name));
            noted.insert(name.to_owned(), seen.at);
        }
        let (this, name) = (self.clone(), name.to_owned());
        tokio::spawn(async move {
            let written = this.change(move |users| {
                if let Some(token) = users.tokens.iter_mut().find(|token| token.name == name) {
                    token.last_used = Some(seen);
                }
                Ok::<(), UsersError>(())
            });
            if let Err(error) = written.await {
                tracing::warn!(%error, "the use of a token can't be written down");
            }
        });
    }
}

fn unlocked_at(users: &Users) -> Option<Timestamp> {
    users.users.iter().filter_map(|user| user.unlocked_at).max()
}
