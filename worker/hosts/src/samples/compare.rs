//! Compares a result with the expected one, and says where they differ.

use jiter::JsonValue;

use super::TOLERANCE;
use super::text::{cut, shown};

/// Most differences that are kept of one result.
const MOST: usize = 5;

/// Where two values differ.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// The place, such as `$.values[3]`.
    pub path: String,
    /// What was expected there; `None` if nothing was.
    pub expected: Option<String>,
    /// What is there; `None` if nothing is.
    pub actual: Option<String>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.expected, &self.actual) {
            (Some(expected), Some(actual)) => {
                write!(f, "{} is {actual}, expected {expected}", self.path)
            }
            (Some(expected), None) => write!(f, "{} is missing, expected {expected}", self.path),
            (None, Some(actual)) => write!(f, "{} is {actual}, expected nothing there", self.path),
            (None, None) => write!(f, "{}", self.path),
        }
    }
}

/// The first differences, none if the values are as good as equal: numbers within the tolerance (without one,
/// whole numbers exactly), NaN and infinities as null, keys in any order, of equal keys the last.
pub(super) fn differences(
    expected: &JsonValue<'_>,
    actual: &JsonValue<'_>,
    tolerance: Option<f64>,
) -> Vec<Difference> {
    let mut comparison = Comparison {
        tolerance,
        path: "$".to_owned(),
        found: Vec::new(),
    };
    comparison.values(Some(expected), Some(actual));
    comparison.found
}

struct Comparison {
    tolerance: Option<f64>,
    path: String,
    found: Vec<Difference>,
}

impl Comparison {
    fn values(&mut self, expected: Option<&JsonValue<'_>>, actual: Option<&JsonValue<'_>>) {
        if self.found.len() == MOST {
            return;
        }
        let same = match (expected, actual) {
            (Some(JsonValue::Object(expected)), Some(JsonValue::Object(actual))) => {
                return self.objects(expected, actual);
            }
            (Some(JsonValue::Array(expected)), Some(JsonValue::Array(actual))) => {
                for index in 0..expected.len().max(actual.len()) {
                    self.within(
                        &format!("[{index}]"),
                        expected.get(index),
                        actual.get(index),
                    );
                }
                return;
            }
            (Some(expected), Some(actual)) => self.scalars(expected, actual),
            (None, None) => true,
            _ => false,
        };
        if !same {
            self.found.push(Difference {
                path: cut(&self.path),
                expected: expected.map(shown),
                actual: actual.map(shown),
            });
        }
    }

    fn within(
        &mut self,
        step: &str,
        expected: Option<&JsonValue<'_>>,
        actual: Option<&JsonValue<'_>>,
    ) {
        let length = self.path.len();
        self.path.push_str(step);
        self.values(expected, actual);
        self.path.truncate(length);
    }

    fn objects(&mut self, expected: &Members<'_>, actual: &Members<'_>) {
        let mut names: Vec<&str> = expected.iter().map(|(name, _)| &**name).collect();
        names.extend(actual.iter().map(|(name, _)| &**name));
        let mut seen = std::collections::HashSet::new();
        // By name, to stay fast with many keys; of equal keys the last, as in Python.
        let (expected, actual) = (by_name(expected), by_name(actual));
        for name in names {
            if seen.insert(name) {
                let (expected, actual) = (expected.get(name), actual.get(name));
                self.within(&step(name), expected.copied(), actual.copied());
            }
        }
    }

    fn scalars(&self, expected: &JsonValue<'_>, actual: &JsonValue<'_>) -> bool {
        if is_null(expected) || is_null(actual) {
            return is_null(expected) && is_null(actual);
        }
        if expected == actual {
            return true;
        }
        let (Some(wanted), Some(found)) = (number(expected), number(actual)) else {
            return false;
        };
        let whole = |value: &JsonValue<'_>| !matches!(value, JsonValue::Float(_));
        if self.tolerance.is_none() && whole(expected) && whole(actual) {
            return false;
        }
        let tolerance = self.tolerance.unwrap_or(TOLERANCE);
        (wanted - found).abs() <= tolerance * wanted.abs().max(1.0)
    }
}

type Members<'a> = [(std::borrow::Cow<'a, str>, JsonValue<'a>)];

fn by_name<'v, 'j>(
    members: &'v Members<'j>,
) -> std::collections::HashMap<&'v str, &'v JsonValue<'j>> {
    members
        .iter()
        .map(|(name, value)| (&**name, value))
        .collect()
}

/// NaN and infinities go out as null.
fn is_null(value: &JsonValue<'_>) -> bool {
    match value {
        JsonValue::Null => true,
        JsonValue::Float(float) => !float.is_finite(),
        _ => false,
    }
}

fn number(value: &JsonValue<'_>) -> Option<f64> {
    match value {
        JsonValue::Int(int) => int.to_string().parse().ok(),
        JsonValue::BigInt(int) => int.to_string().parse().ok(),
        JsonValue::Float(float) => Some(*float),
        _ => None,
    }
}

/// A key as a step of a path: `.mean`, `['unit price']`.
fn step(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || c == '_';
    if !name.is_empty() && name.chars().all(plain) {
        format!(".{name}")
    } else {
        format!("['{}']", name.escape_debug())
    }
}

#[cfg(test)]
mod tests;
