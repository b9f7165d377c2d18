//! The members of one flat JSON object, in order, with their numbers as text.
//!
//! `serde_json` does the reading, strictly. A typed struct or a `Value` would lose what matters
//! here: a key given twice, the order, the digits of a number.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::{Refusal, code};
use super::{DEPTH_MAX, KEYS_MAX};

/// One `"key": value` of the body.
#[derive(Debug)]
pub(super) struct Member<'a> {
    /// The key as the sender wrote it, escapes resolved.
    pub(super) key: Cow<'a, str>,
    /// The value's own bytes.
    pub(super) raw: &'a str,
    /// Where the value starts in the body.
    pub(super) at: usize,
}

/// A value by its kind.
#[derive(Debug)]
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    /// A number as written.
    Number(&'a str),
    /// An array as written.
    Array(&'a str),
    Object,
    Truth,
    Null,
}

impl Value<'_> {
    /// What to call it in a message.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Array(_) => "an array",
            Self::Object => "an object",
            Self::Truth => "true or false",
            Self::Null => "null",
        }
    }
}

impl<'a> Member<'a> {
    /// The value, with the escapes of a text resolved.
    pub(super) fn value(&self) -> Result<Value<'a>, Refusal> {
        value(self.raw).ok_or_else(|| {
            Refusal::new(
                code::BAD_ESCAPE,
                format!(
                    "{} holds half of a surrogate pair (\\ud800 to \\udfff), which is no character: \
                     write the character itself",
                    super::error::shown(&self.key)
                ),
            )
            .about(self)
        })
    }
}

/// A value by its kind; `None` for a text whose escapes make no characters.
pub(super) fn value(raw: &str) -> Option<Value<'_>> {
    Some(match raw.as_bytes().first() {
        Some(b'"') => Value::Text(string(raw)?),
        Some(b'[') => Value::Array(raw),
        Some(b'{') => Value::Object,
        Some(b't' | b'f') => Value::Truth,
        Some(b'n') | None => Value::Null,
        Some(_) => Value::Number(raw),
    })
}

/// A JSON string's text.
pub(super) fn string(raw: &str) -> Option<Cow<'_, str>> {
    if raw.contains('\\') {
        return serde_json::from_str(raw).ok().map(Cow::Owned);
    }
    raw.strip_prefix('"')?.strip_suffix('"').map(Cow::Borrowed)
}

/// The elements of an array's text.
pub(super) fn elements(raw: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

/// Reads the members of an object. The error is `serde_json`'s; [`limits`] looks at what came out.
pub(super) fn members(text: &str) -> Result<Members<'_>, serde_json::Error> {
    let mut members: Members<'_> = serde_json::from_str(text)?;
    let start = text.as_ptr().addr();
    for member in &mut members.list {
        member.at = member.raw.as_ptr().addr().saturating_sub(start);
    }
    Ok(members)
}

/// Refuses an object with too many keys or values nested too deeply.
pub(super) fn limits(members: &Members<'_>) -> Result<(), Refusal> {
    let count = members.list.len() + members.more;
    if count > KEYS_MAX {
        return Err(Refusal::new(
            code::TOO_MANY_KEYS,
            format!("the message has {count} keys, the limit is {KEYS_MAX}"),
        ));
    }
    for member in &members.list {
        // The object itself is the first level.
        let depth = 1 + depth(member.raw);
        if depth > DEPTH_MAX {
            return Err(Refusal::new(
                code::DEPTH,
                format!(
                    "{} is nested {depth} levels deep, the limit is {DEPTH_MAX}; \
                     a message is one flat object",
                    super::error::shown(&member.key)
                ),
            )
            .about(member));
        }
    }
    Ok(())
}

/// How many brackets are open at most, outside of strings.
pub(super) fn depth(raw: &str) -> usize {
    if !raw.starts_with(['[', '{']) {
        return 0;
    }
    let (mut open, mut most, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in raw.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                open += 1;
                most = most.max(open);
            }
            b']' | b'}' if !in_string => open = open.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// What an object holds.
#[derive(Debug)]
pub(super) struct Members<'a> {
    /// The first [`KEYS_MAX`] members.
    pub(super) list: Vec<Member<'a>>,
    /// How many more there were.
    more: usize,
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Members {
            list: Vec::with_capacity(16),
            more: 0,
        };
        while members.list.len() < KEYS_MAX {
            let Some((Key(key), raw)) = map.next_entry::<Key<'de>, &'de RawValue>()? else {
                return Ok(members);
            };
            members.list.push(Member {
                key,
                raw: raw.get(),
                at: 0,
            });
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            members.more += 1;
        }
        Ok(members)
    }
}

/// A key that borrows from the body unless it has escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor).map(Key)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}
