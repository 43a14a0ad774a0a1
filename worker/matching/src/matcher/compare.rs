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
pub(crate) enum Place<'m> {
    /// A value of the message.
    Value(&'m JsonValue<'m>),
    /// A character, by an index into a text.
    Text(Cow<'m, str>),
}

impl Place<'_> {
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
        Operator::Equal => Ok(place.text() == Some(value)),
        Operator::NotEqual => Ok(place.text() != Some(value)),
        Operator::In => contains(&place, value),
        Operator::NotIn => contains(&place, value).map(|found| !found),
        // UTF-8 sorts as the code points do, which is Python's order.
        Operator::Less => place.text().map(|text| value < text).ok_or(Miss::WrongType),
        Operator::LessOrEqual => place
            .text()
            .map(|text| value <= text)
            .ok_or(Miss::WrongType),
        Operator::Greater => place.text().map(|text| value > text).ok_or(Miss::WrongType),
        Operator::GreaterOrEqual => place
            .text()
            .map(|text| value >= text)
            .ok_or(Miss::WrongType),
    }
}

fn contains(place: &Place, value: &str) -> Result<bool, Miss> {
    match place {
        Place::Text(text) | Place::Value(JsonValue::Str(text)) => Ok(text.contains(value)),
        Place::Value(JsonValue::Object(fields)) => Ok(fields.iter().any(|(key, _)| key == value)),
        Place::Value(JsonValue::Array(items)) => Ok(items
            .iter()
            .any(|item| matches!(item, JsonValue::Str(text) if text == value))),
        Place::Value(_) => Err(Miss::WrongType),
    }
}

/// Follows a path.
///
/// # Errors
/// The path leads nowhere.
pub(crate) fn resolve<'m>(path: &Path, message: &'m JsonValue<'m>) -> Result<Place<'m>, Miss> {
    let mut place = Place::Value(message);
    for step in &path.0 {
        place = match (step, place) {
            (Step::Key(key), Place::Value(JsonValue::Object(fields))) => {
                // The last of equal keys counts, as in Python's json.
                let found = fields.iter().rev().find(|(name, _)| name == key);
                Place::Value(&found.ok_or(Miss::MissingKey)?.1)
            }
            (Step::Index(_), Place::Value(JsonValue::Object(_))) => return Err(Miss::MissingKey),
            (Step::Index(index), Place::Value(JsonValue::Array(items))) => {
                let index = absolute(*index, items.len())?;
                Place::Value(items.get(index).ok_or(Miss::MissingKey)?)
            }
            (Step::Index(index), Place::Text(text)) => character(&text, *index)?,
            (Step::Index(index), Place::Value(JsonValue::Str(text))) => character(text, *index)?,
            _ => return Err(Miss::WrongType),
        };
    }
    Ok(place)
}

fn character<'m>(text: &str, index: i64) -> Result<Place<'m>, Miss> {
    let index = absolute(index, text.chars().count())?;
    let character = text.chars().nth(index).ok_or(Miss::MissingKey)?;
    Ok(Place::Text(character.to_string().into()))
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
