//! One condition against one message, as Python evaluates it.
//!
//! The left side is always a `str`, as in pyboot, so a number never equals it.

use std::borrow::Cow;

use crds::validated::{Expression, Operator, Path, Step};
use jiter::JsonValue;

/// Why a condition could not be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Miss {
    /// Python's `KeyError` or `IndexError`.
    MissingKey,
    /// Python's `TypeError`.
    WrongType,
}

/// What a path leads to.
#[derive(Debug)]
pub(crate) enum Target<'m> {
    /// A value of the message.
    Value(&'m JsonValue<'m>),
    /// A character, by an index into a text.
    Text(Cow<'m, str>),
}

impl Target<'_> {
    /// The text there, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Value(JsonValue::Str(text)) | Self::Text(text) => Some(text),
            Self::Value(_) => None,
        }
    }
}

/// Whether `value` compares with the message as the expression asks.
///
/// # Errors
/// The path leads nowhere, or Python would refuse the comparison.
pub(crate) fn holds(
    value: &str,
    expression: &Expression,
    message: &JsonValue,
) -> Result<bool, Miss> {
    let place = resolve(&expression.path, message)?;
    match expression.operator {
        Operator::In => contains(&place, value),
        Operator::NotIn => contains(&place, value).map(|found| !found),
        operator => texts(value, operator, place.text().map(str::as_bytes)),
    }
}

/// Whether `value` compares with a text, or with a place that has none; `in` is not for this.
///
/// # Errors
/// Python would refuse the comparison.
pub(super) fn texts(value: &str, operator: Operator, text: Option<&[u8]>) -> Result<bool, Miss> {
    let value = value.as_bytes();
    match operator {
        Operator::Equal => return Ok(text == Some(value)),
        Operator::NotEqual => return Ok(text != Some(value)),
        _ => {}
    }
    // UTF-8 sorts as the code points do, which is Python's order.
    let text = text.ok_or(Miss::WrongType)?;
    Ok(match operator {
        Operator::Less => value < text,
        Operator::LessOrEqual => value <= text,
        Operator::Greater => value > text,
        _ => value >= text,
    })
}

fn contains(place: &Target, value: &str) -> Result<bool, Miss> {
    match place {
        Target::Text(text) | Target::Value(JsonValue::Str(text)) => Ok(text.contains(value)),
        Target::Value(JsonValue::Object(fields)) => Ok(fields.iter().any(|(key, _)| key == value)),
        Target::Value(JsonValue::Array(items)) => Ok(items
            .iter()
            .any(|item| matches!(item, JsonValue::Str(text) if text == value))),
        Target::Value(_) => Err(Miss::WrongType),
    }
}

/// Follows a path.
///
/// # Errors
/// The path leads nowhere.
pub(crate) fn resolve<'m>(path: &Path, message: &'m JsonValue<'m>) -> Result<Target<'m>, Miss> {
    let mut place = Target::Value(message);
    for step in &path.0 {
        place = match (step, place) {
            (Step::Key(key), Target::Value(JsonValue::Object(fields))) => {
                // The last of equal keys counts, as in Python's json.
                let found = fields.iter().rev().find(|(name, _)| name == key);
                Target::Value(&found.ok_or(Miss::MissingKey)?.1)
            }
            (Step::Index(_), Target::Value(JsonValue::Object(_))) => return Err(Miss::MissingKey),
            (Step::Index(index), Target::Value(JsonValue::Array(items))) => {
                let index = absolute(*index, items.len())?;
                Target::Value(items.get(index).ok_or(Miss::MissingKey)?)
            }
            (Step::Index(index), Target::Text(text)) => character(&text, *index)?,
            (Step::Index(index), Target::Value(JsonValue::Str(text))) => character(text, *index)?,
            _ => return Err(Miss::WrongType),
        };
    }
    Ok(place)
}

fn character<'m>(text: &str, index: i64) -> Result<Target<'m>, Miss> {
    let index = absolute(index, text.chars().count())?;
    let character = text.chars().nth(index).ok_or(Miss::MissingKey)?;
    Ok(Target::Text(character.to_string().into()))
}

/// A negative index counts from the end.
fn absolute(index: i64, length: usize) -> Result<usize, Miss> {
    let magnitude = usize::try_from(index.unsigned_abs()).map_err(|_| Miss::MissingKey)?;
    if index < 0 {
        length.checked_sub(magnitude).ok_or(Miss::MissingKey)
    } else {
        Ok(magnitude)
    }
}
