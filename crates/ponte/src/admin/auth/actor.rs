//! Who asks, and what they may do.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a user or a token may do; each role may do what the one before it may, and more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Read everything.
    View,
    /// And halt, resume, flatten, explain, switch sources, see where secrets are kept.
    Operate,
}

impl Role {
    /// The word for commands, files and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Operate => "operate",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Who sent a request; each request that reaches a handler has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::admin) enum Actor {
    /// A program of this machine, on the loopback address.
    Local,
    /// Nobody who is known; reaches only what is open to everybody.
    Nobody,
    /// A user who has signed in.
    User(SignedIn),
    /// A program with a token.
    Token {
        /// The token's name.
        name: String,
        /// What it may do.
        role: Role,
    },
}

/// A user in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::admin) struct SignedIn {
    /// The user's name.
    pub(in crate::admin) user: String,
    /// What they may do.
    pub(in crate::admin) role: Role,
    /// The session, by the name that may be shown.
    pub(in crate::admin) session: String,
    /// What a form or a script has to bring along to change anything.
    pub(in crate::admin) csrf: String,
}

impl Actor {
    /// The role; a program of this machine may do everything.
    pub(super) const fn role(&self) -> Option<Role> {
        match self {
            Self::Local => Some(Role::Operate),
            Self::Nobody => None,
            Self::User(signed_in) => Some(signed_in.role),
            Self::Token { role, .. } => Some(*role),
        }
    }

    /// Who goes on record. What a request says of itself counts on the loopback address alone.
    pub(in crate::admin) fn by(&self, said: &str) -> String {
        match self {
            Self::Local => said.to_owned(),
            Self::Nobody => String::new(),
            Self::User(signed_in) => signed_in.user.clone(),
            Self::Token { name, .. } => format!("token {name}"),
        }
    }
}
