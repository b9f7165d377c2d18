//! The path at which a platform asks the public side whether Ponte is there.

use super::finding::Problem;
use super::value::{self, Value, quoted};

/// Longest path, in bytes.
const BYTES_MAX: usize = 64;
/// What the alerts' own path begins with.
const TAKEN: &str = "/webhook";

/// Reads one: a stroke, then letters, digits and `-_./`.
pub(super) fn health_path(value: &Value<'_>) -> Result<String, Problem> {
    let text = value::text(value)?;
    let wrong =
        |why: &str| Problem::new(format!("{} {why}", quoted(&text))).cured_by("write \"/healthz\"");
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    if !text.starts_with('/') || text.len() < 2 {
        return Err(wrong("is not a path that begins with a stroke"));
    }
    if text.len() > BYTES_MAX || text.contains("//") || !text.bytes().all(is_plain) {
        return Err(wrong("has something else than letters, digits and -_./"));
    }
    if text.starts_with(TAKEN) {
        return Err(wrong("begins like the path of the alerts"));
    }
    Ok(text)
}
