//! How a request came: the address, the certificate and the words of its sender, for the record.

use serde::{Deserialize, Serialize};

use crate::id::SourceName;
use crate::time::Timestamp;

/// From where and in which words an alert came: for the record, not for the decision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The address that it came from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub peer: String,
    /// The start of the body with secrets taken out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// The TLS client certificate that its sender presented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<SenderCertificate>,
    /// Whether it came with the source's previous secret, which a rotation has left valid for a while.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub previous_secret: bool,
}

/// What is remembered of a TLS client certificate. Anybody can write any name into one; only the
/// key says who has it, and only where `proven` is true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderCertificate {
    /// The SHA-256 of its public key (of the `SubjectPublicKeyInfo`), 64 hexadecimal digits in small
    /// letters: what `webhook.client_certificate.keys` takes.
    pub key: String,
    /// Whom it is for by its own word, as a distinguished name; cut where it is long.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// The first e-mail address that it is for by its own word; cut where it is long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the sender has shown that the private key is its own.
    pub proven: bool,
}

/// A request that was answered without a decision about accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRequest {
    /// When its last byte was there.
    pub received_at: Timestamp,
    /// The address that it came from.
    pub peer: String,
    /// The source, where the secret was right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceName>,
    /// The HTTP status of the answer.
    pub http_status: u16,
    /// The kind of refusal, a stable word (`wrong_secret`, `E_PLACEHOLDER`).
    pub code: String,
    /// What was wrong, for people.
    pub message: String,
    /// The start of the body with secrets taken out; absent where nobody was authenticated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// The TLS client certificate that its sender presented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<SenderCertificate>,
}
