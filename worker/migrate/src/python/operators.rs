//! Python's comparisons and subscripts.

use std::cmp::Ordering;
use std::rc::Rc;

use super::stop::{Raised, Stop};
use super::tree::Comparison;
use super::value::Value;

/// What a comparison of two values gives.
pub(super) fn compare(left: &Value, operator: Comparison, right: &Value) -> Result<bool, Stop> {
    let ordered = |test: fn(Ordering) -> bool| Ok(order(left, right)?.is_some_and(test));
    match operator {
        Comparison::Equal => equal(left, right),
        Comparison::NotEqual => equal(left, right).map(|equal| !equal),
        Comparison::Less => ordered(Ordering::is_lt),
        Comparison::LessOrEqual => ordered(Ordering::is_le),
        Comparison::Greater => ordered(Ordering::is_gt),
        Comparison::GreaterOrEqual => ordered(Ordering::is_ge),
        Comparison::In => contains(right, left),
        Comparison::NotIn => contains(right, left).map(|contained| !contained),
        Comparison::Is => identical(left, right),
        Comparison::IsNot => identical(left, right).map(|identical| !identical),
    }
}

/// `is` is predictable only with `None`, `True` and `False`.
fn identical(left: &Value, right: &Value) -> Result<bool, Stop> {
    match (left, right) {
        (Value::Nothing, Value::Nothing) => Ok(true),
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (Value::Nothing | Value::Bool(_), _) | (_, Value::Nothing | Value::Bool(_)) => Ok(false),
        _ => Err(Stop::NotUnderstood("is".to_owned())),
    }
}

fn equal(left: &Value, right: &Value) -> Result<bool, Stop> {
    Ok(match (left, right) {
        (Value::Nothing, Value::Nothing) => true,
        (Value::Text(left), Value::Text(right)) => left == right,
        (Value::List(left), Value::List(right)) | (Value::Tuple(left), Value::Tuple(right)) => {
            left.len() == right.len() && all_equal(left.iter().zip(right.iter()))?
        }
        (Value::Dict(left), Value::Dict(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (key, value) in left.iter() {
                let other = Value::field(right, key);
                match other {
                    Some(other) if equal(value, other)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        (Value::Keys(_) | Value::Values(_), _) | (_, Value::Keys(_) | Value::Values(_)) => {
            return Err(Stop::NotUnderstood("== with keys or values".to_owned()));
        }
        _ => match number(left, right)? {
            Some(order) => order == Some(Ordering::Equal),
            None => false,
        },
    })
}

fn all_equal<'a>(mut pairs: impl Iterator<Item = (&'a Value, &'a Value)>) -> Result<bool, Stop> {
    pairs.try_fold(true, |all, (left, right)| Ok(all && equal(left, right)?))
}

/// Which is larger; `None` with NaN.
fn order(left: &Value, right: &Value) -> Result<Option<Ordering>, Stop> {
    match (left, right) {
        // UTF-8 sorts as the code points do.
        (Value::Text(left), Value::Text(right)) => Ok(Some(left.as_bytes().cmp(right.as_bytes()))),
        (Value::List(_), Value::List(_))
        | (Value::Tuple(_), Value::Tuple(_))
        | (Value::Keys(_), Value::Keys(_)) => {
            Err(Stop::NotUnderstood("an order of lists".to_owned()))
        }
        _ => number(left, right)?.ok_or(Stop::Raised(Raised::TypeError)),
    }
}

/// How two numbers compare, `Some(None)` with NaN; `None` unless both are numbers.
#[expect(
    clippy::option_option,
    reason = "not comparable and not in order are two things"
)]
fn number(left: &Value, right: &Value) -> Result<Option<Option<Ordering>>, Stop> {
    let whole = |value: &Value| match value {
        Value::Bool(value) => Some(i64::from(*value)),
        Value::Int(value) => Some(*value),
        _ => None,
    };
    if let (Some(left), Some(right)) = (whole(left), whole(right)) {
        return Ok(Some(Some(left.cmp(&right))));
    }
    let order = match (left, right) {
        (Value::Float(left), Value::Float(right)) => left.partial_cmp(right),
        (Value::Float(left), right) if whole(right).is_some() => {
            exact(whole(right).unwrap_or(0), *left)?.map(Ordering::reverse)
        }
        (left, Value::Float(right)) if whole(left).is_some() => {
            exact(whole(left).unwrap_or(0), *right)?
        }
        (Value::Long(digits), right) if whole(right).is_some() => Some(away(digits)),
        (left, Value::Long(digits)) if whole(left).is_some() => Some(away(digits).reverse()),
        (Value::Long(left), Value::Long(right)) if left == right => Some(Ordering::Equal),
        (Value::Long(_), Value::Long(_) | Value::Float(_)) | (Value::Float(_), Value::Long(_)) => {
            return Err(Stop::NotUnderstood(
                "a comparison of very large numbers".to_owned(),
            ));
        }
        _ => return Ok(None),
    };
    Ok(Some(order))
}

/// How a number of more than 64 bits compares with a smaller one.
fn away(digits: &str) -> Ordering {
    if digits.starts_with('-') {
        Ordering::Less
    } else {
        Ordering::Greater
    }
}

/// Up to here floats hold whole numbers exactly.
const EXACT: i64 = 1 << 53;

fn exact(whole: i64, float: f64) -> Result<Option<Ordering>, Stop> {
    if !(-EXACT..=EXACT).contains(&whole) {
        return Err(Stop::NotUnderstood(
            "a comparison of very large numbers".to_owned(),
        ));
    }
    #[expect(clippy::cast_precision_loss, reason = "it is exact, as was checked")]
    Ok((whole as f64).partial_cmp(&float))
}

fn contains(container: &Value, item: &Value) -> Result<bool, Stop> {
    match container {
        Value::Text(text) => match item {
            Value::Text(part) => Ok(text.contains(&**part)),
            _ => Err(Stop::Raised(Raised::TypeError)),
        },
        Value::List(items) | Value::Tuple(items) => any_equal(items.iter(), item),
        Value::Values(fields) => any_equal(fields.iter().map(|(_, value)| value), item),
        Value::Dict(fields) | Value::Keys(fields) => match item {
            Value::Text(key) => Ok(Value::field(fields, key).is_some()),
            Value::List(_) | Value::Dict(_) => Err(Stop::Raised(Raised::TypeError)),
            Value::Tuple(_) | Value::Keys(_) | Value::Values(_) => Err(Stop::NotUnderstood(
                "in with a collection on the left".to_owned(),
            )),
            _ => Ok(false),
        },
        _ => Err(Stop::Raised(Raised::TypeError)),
    }
}

fn any_equal<'a>(mut items: impl Iterator<Item = &'a Value>, item: &Value) -> Result<bool, Stop> {
    items.try_fold(false, |any, one| Ok(any || equal(one, item)?))
}

/// `container[key]`
pub(super) fn subscript(container: &Value, key: &Value) -> Result<Value, Stop> {
    let index = match key {
        Value::Bool(value) => Some(i64::from(*value)),
        Value::Int(value) => Some(*value),
        _ => None,
    };
    let raised = |error| Err(Stop::Raised(error));
    match container {
        Value::Dict(fields) => match key {
            Value::Text(key) => Value::field(fields, key)
                .cloned()
                .ok_or(Stop::Raised(Raised::KeyError)),
            Value::List(_) | Value::Dict(_) => raised(Raised::TypeError),
            Value::Keys(_) | Value::Values(_) | Value::Tuple(_) => {
                Err(Stop::NotUnderstood("a collection as a key".to_owned()))
            }
            _ => raised(Raised::KeyError),
        },
        Value::List(items) | Value::Tuple(items) => match (index, key) {
            (Some(index), _) => at(index, items.len()).map(|index| items[index].clone()),
            (None, Value::Long(_)) => raised(Raised::IndexError),
            _ => raised(Raised::TypeError),
        },
        Value::Text(text) => match (index, key) {
            (Some(index), _) => {
                let index = at(index, text.chars().count())?;
                let character = text
                    .chars()
                    .nth(index)
                    .map(String::from)
                    .unwrap_or_default();
                Ok(Value::Text(Rc::from(character)))
            }
            (None, Value::Long(_)) => raised(Raised::IndexError),
            _ => raised(Raised::TypeError),
        },
        _ => raised(Raised::TypeError),
    }
}

/// A negative index counts from the end.
fn at(index: i64, length: usize) -> Result<usize, Stop> {
    let magnitude = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
    let found = if index < 0 {
        length.checked_sub(magnitude)
    } else {
        Some(magnitude)
    };
    found
        .filter(|index| *index < length)
        .ok_or(Stop::Raised(Raised::IndexError))
}
