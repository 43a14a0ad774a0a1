//! JSON as Python's `json.loads(bytes)` reads it, but for a limit of nesting.

use std::borrow::Cow;

use jiter::{JsonErrorType, JsonValue, PartialMode};

use crate::encoding::json_text;

/// How many arrays and objects may lie within each other.
pub const MAX_DEPTH: usize = 200;

/// Stands for a surrogate that has no other half, which Rust's texts cannot hold. Unicode assigns it to nothing, and it
/// sorts where surrogates do: after what precedes them and before what follows. As an escape it is as long as theirs.
const STAND_IN: &str = "\\ud7ff";

/// The payload is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidJson {
    /// It is nested deeper than [`MAX_DEPTH`].
    #[error("the message has more than {MAX_DEPTH} levels of lists and objects")]
    TooDeep,
    /// It is empty, as the message is that clears a retained one.
    #[error("the message is empty")]
    Empty,
    /// It is something else.
    #[error("the message is not JSON: {0}")]
    Other(String),
}

impl InvalidJson {
    /// The payload is not even text.
    pub fn not_text() -> Self {
        Self::Other("it is neither UTF-8 nor UTF-16 nor UTF-32".to_owned())
    }
}

/// Decodes a payload: `NaN` and `Infinity` are numbers, the last of equal keys counts, UTF-16 and UTF-32 are read as UTF-8
/// is, with and without a byte order mark, and a lone surrogate is a character.
///
/// # Errors
/// Where and why the payload is not JSON.
pub fn decode(payload: &[u8]) -> Result<JsonValue<'_>, InvalidJson> {
    // What UTF-8 cannot be, and what needs a second look, fails here, so that nothing else pays for it.
    let error = match JsonValue::parse(payload, true) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if error.error_type == JsonErrorType::RecursionLimitExceeded {
        return Err(InvalidJson::TooDeep);
    }
    if payload.is_empty() {
        return Err(InvalidJson::Empty);
    }
    let first = || InvalidJson::Other(error.description(payload));
    let text = json_text(payload).ok_or_else(first)?;
    let text = with_stand_ins(&text);
    JsonValue::parse_owned(text.as_bytes(), true, PartialMode::Off).map_err(|error| {
        match error.error_type {
            JsonErrorType::RecursionLimitExceeded => InvalidJson::TooDeep,
            _ => InvalidJson::Other(error.description(text.as_bytes())),
        }
    })
}

/// A JSON text with a stand-in, as long as what it stands for, for each escape of a surrogate that has no other half.
pub fn with_stand_ins(text: &str) -> Cow<'_, str> {
    let mut changed = String::new();
    let mut kept = 0;
    let mut at = 0;
    while let Some(found) = text[at..].find('\\') {
        let start = at + found;
        at = start + 2;
        let Some(unit) = escaped_unit(text, start) else {
            // The escaped character may have more bytes than one.
            at = text.ceil_char_boundary(at);
            continue;
        };
        at = start + ESCAPE;
        match unit {
            0xd800..=0xdbff if matches!(escaped_unit(text, at), Some(0xdc00..=0xdfff)) => {
                at += ESCAPE;
            }
            0xd800..=0xdfff => {
                changed.push_str(&text[kept..start]);
                changed.push_str(STAND_IN);
                kept = at;
            }
            _ => {}
        }
    }
    if kept == 0 {
        return text.into();
    }
    changed.push_str(&text[kept..]);
    changed.into()
}

/// Length of `\u0000`.
const ESCAPE: usize = 6;

/// The unit of UTF-16 whose escape begins at `start`.
fn escaped_unit(text: &str, start: usize) -> Option<u16> {
    let digits = text.get(start..start + ESCAPE)?.strip_prefix("\\u")?;
    let hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(payload: &[u8]) -> Option<String> {
        match decode(payload) {
            Ok(JsonValue::Str(text)) => Some(text.into_owned()),
            _ => None,
        }
    }

    /// As CPython 3.12 reads them; a stand-in is one surrogate.
    #[test]
    fn c2_a_lone_surrogate_is_a_character_as_in_python() {
        let table: &[(&str, &str)] = &[
            (r#""\ud83d""#, "\u{d7ff}"),
            (r#""a\uD83Db""#, "a\u{d7ff}b"),
            (r#""\ude00\ud83d""#, "\u{d7ff}\u{d7ff}"),
            (r#""\ud83d\ud83d\ude00""#, "\u{d7ff}😀"),
            (r#""\ud83d\ude00""#, "😀"),
            (r#""\\ud83d""#, "\\ud83d"),
            (r#""\\\ud83d\n""#, "\\\u{d7ff}\n"),
        ];
        for (payload, expected) in table {
            assert_eq!(
                text(payload.as_bytes()).as_deref(),
                Some(*expected),
                "{payload}"
            );
        }
        for payload in [
            r#""\ud83""#,
            r#""\ud83g""#,
            r#""\é\ud83d""#,
            r"\ud83d",
            r#""\ud83d"#,
            "\"\\",
        ] {
            assert!(decode(payload.as_bytes()).is_err(), "{payload}");
        }
    }

    #[test]
    fn c2_the_limit_of_nesting_is_named() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(decode(nested(MAX_DEPTH).as_bytes()).is_ok());
        let error = decode(nested(MAX_DEPTH + 1).as_bytes()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the message has more than 200 levels of lists and objects"
        );
        let marked = format!("\u{feff}{}", nested(250));
        assert_eq!(decode(marked.as_bytes()), Err(InvalidJson::TooDeep));
    }

    #[test]
    fn c1_a_byte_order_mark_is_taken_where_python_takes_it() {
        assert_eq!(text("\u{feff}\"a\"".as_bytes()).as_deref(), Some("a"));
        assert_eq!(text(b"\xff\xfe\"\0a\0\"\0").as_deref(), Some("a"));
        assert_eq!(
            text("\u{feff}\u{feff}\"a\"".as_bytes()),
            None,
            "only the first"
        );
        assert_eq!(decode(b""), Err(InvalidJson::Empty));
        assert_eq!(
            decode(b"online").unwrap_err().to_string(),
            "the message is not JSON: expected value at line 1 column 1"
        );
    }
}
