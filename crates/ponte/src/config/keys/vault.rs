//! The keys of the vault.

use super::{Section, optional};

/// Where a secret may be kept, as the reference says it.
pub(in crate::config) const SECRET_PLACES: &str =
    "\"env:NAME\", \"file:PATH\", \"credential:NAME\", \"vault:NAME\"";
/// The same for what opens the vault.
const OUTSIDE_THE_VAULT: &str = "\"env:NAME\", \"file:PATH\", \"credential:NAME\"";

pub(in crate::config) const VAULT: Section = Section {
    path: "vault",
    is_list: false,
    keys: &[
        optional(
            "key",
            "secret",
            OUTSIDE_THE_VAULT,
            "\"file:/etc/ponte/vault-key\"",
        ),
        optional(
            "passphrase",
            "secret",
            OUTSIDE_THE_VAULT,
            "\"credential:vault-passphrase\"",
        ),
    ],
};
