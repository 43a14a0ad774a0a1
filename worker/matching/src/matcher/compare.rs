//! One condition against one message, as Python evaluates it.
//!
//! The left side is a `str`, as in pyboot, so a number never equals it; by `attrType: number` it is a number.

use std::borrow::Cow;
use std::cmp::Ordering;

use crds::validated::{Operand, Operator, Path, Place, Step};
use jiter::JsonValue;

use super::miss::Miss;
use super::number::compare;

/// What conditions are about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'m> {
    /// The message's topic.
    pub(crate) topic: &'m str,
    /// What it says; `None` if that is unknown.
    pub(crate) message: Option<&'m JsonValue<'m>>,
}

/// What a place holds.
#[derive(Debug)]
pub(crate) enum Target<'m> {
    /// A value of the message.
    Value(&'m JsonValue<'m>),
    /// A character, by an index into a text; the topic, or a level of it.
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

    fn scalar(&self) -> Option<&JsonValue<'_>> {
        match self {
            Self::Value(value) => Some(value),
            Self::Text(_) => None,
        }
    }
}

/// Whether `operand` compares with `place` as the operator asks.
///
/// # Errors
/// The place is not there, or Python would refuse the comparison.
pub(crate) fn holds(
    operand: &Operand,
    operator: Operator,
    place: &Place,
    subject: Subject<'_>,
) -> Result<bool, Miss> {
    let target = resolve(place, subject)?;
    match operator {
        Operator::In => contains(&target, operand),
        Operator::NotIn => contains(&target, operand).map(|contained| !contained),
        operator => compared(
            operand,
            operator,
            target.text().map(str::as_bytes),
            target.scalar(),
        ),
    }
}

/// Whether `operand` compares with a text, or with another value; `in` is not for this.
///
/// # Errors
/// Python would refuse the comparison.
pub(super) fn compared(
    operand: &Operand,
    operator: Operator,
    text: Option<&[u8]>,
    value: Option<&JsonValue<'_>>,
) -> Result<bool, Miss> {
    // An error where Python would refuse to order them, `None` for NaN.
    let order = match operand {
        // UTF-8 sorts as the code points do, which is Python's order.
        Operand::Text(left) => text
            .map(|right| Some(left.as_bytes().cmp(right)))
            .ok_or(Miss::WrongType),
        Operand::Number(left) => value
            .ok_or(Miss::WrongType)
            .and_then(|right| compare(*left, right)),
    };
    let equal = order == Ok(Some(Ordering::Equal));
    let ordered = |test: fn(Ordering) -> bool| Ok(order?.is_some_and(test));
    match operator {
        Operator::Equal => Ok(equal),
        Operator::Less => ordered(Ordering::is_lt),
        Operator::LessOrEqual => ordered(Ordering::is_le),
        Operator::Greater => ordered(Ordering::is_gt),
        Operator::GreaterOrEqual => ordered(Ordering::is_ge),
        Operator::NotEqual | Operator::In | Operator::NotIn => Ok(!equal),
    }
}

fn contains(target: &Target, operand: &Operand) -> Result<bool, Miss> {
    match (target, operand) {
        (Target::Text(text) | Target::Value(JsonValue::Str(text)), Operand::Text(part)) => {
            Ok(text.contains(part.as_str()))
        }
        (Target::Value(JsonValue::Object(fields)), Operand::Text(text)) => {
            Ok(fields.iter().any(|(key, _)| key == text))
        }
        // The keys of a JSON object are texts.
        (Target::Value(JsonValue::Object(_)), Operand::Number(_)) => Ok(false),
        (Target::Value(JsonValue::Array(items)), operand) => Ok(items.iter().any(|item| {
            let text = match item {
                JsonValue::Str(text) => Some(text.as_bytes()),
                _ => None,
            };
            compared(operand, Operator::Equal, text, Some(item)) == Ok(true)
        })),
        _ => Err(Miss::WrongType),
    }
}

/// Looks a place up.
///
/// # Errors
/// It is not there.
pub(crate) fn resolve<'m>(place: &Place, subject: Subject<'m>) -> Result<Target<'m>, Miss> {
    match place {
        Place::Message(path) => follow(path, subject.message.ok_or(Miss::NoMessage)?),
        Place::Topic => Ok(Target::Text(subject.topic.into())),
        Place::Level(index) => level(subject.topic, *index).map(|level| Target::Text(level.into())),
    }
}

/// A level of a topic.
///
/// # Errors
/// The topic has fewer levels.
pub(super) fn level(topic: &str, index: i64) -> Result<&str, Miss> {
    let mut levels = topic.split('/');
    let index = absolute(index, levels.clone().count())?;
    levels.nth(index).ok_or(Miss::MissingKey)
}

/// Follows a path through a message.
///
/// # Errors
/// The path leads nowhere.
pub(crate) fn follow<'m>(path: &Path, message: &'m JsonValue<'m>) -> Result<Target<'m>, Miss> {
    let mut found = Target::Value(message);
    for step in &path.0 {
        found = match (step, found) {
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
    Ok(found)
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
