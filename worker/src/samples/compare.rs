//! Compares a result with the expected one, and says where they differ.

use std::fmt::Write as _;

use jiter::JsonValue;

use super::TOLERANCE;

/// Longest text of a value in a message.
const SHOWN: usize = 120;

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
                path: self.path.clone(),
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

/// A value as JSON, the end of a long one left out.
fn shown(value: &JsonValue<'_>) -> String {
    let mut text = String::new();
    write_value(value, &mut text);
    if text.chars().count() > SHOWN {
        text = text.chars().take(SHOWN).collect();
        text.push('…');
    }
    text
}

fn write_value(value: &JsonValue<'_>, text: &mut String) {
    // What is beyond this is not shown. Four bytes are the most that a character has.
    if text.len() > SHOWN * 4 {
        return;
    }
    match value {
        JsonValue::Null => text.push_str("null"),
        JsonValue::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        JsonValue::Str(value) => text.push_str(&serde_json::Value::from(&**value).to_string()),
        JsonValue::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index > 0 { "," } else { "" });
                write_value(item, text);
            }
            text.push(']');
        }
        JsonValue::Object(members) => {
            text.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                text.push_str(if index > 0 { "," } else { "" });
                text.push_str(&serde_json::Value::from(&**name).to_string());
                text.push(':');
                write_value(value, text);
            }
            text.push('}');
        }
        // Writing to a text cannot fail.
        JsonValue::Int(value) => drop(write!(text, "{value}")),
        JsonValue::BigInt(value) => drop(write!(text, "{value}")),
        JsonValue::Float(value) => drop(write!(text, "{value:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: &str, actual: &str, tolerance: Option<f64>, found: &[&str]) {
        let parse =
            |text: &str| JsonValue::parse_owned(text.as_bytes(), true, jiter::PartialMode::Off);
        let (expected, actual) = (parse(expected).unwrap(), parse(actual).unwrap());
        let differences = differences(&expected, &actual, tolerance);
        let texts: Vec<_> = differences.iter().map(ToString::to_string).collect();
        assert_eq!(texts, found);
    }

    #[test]
    fn equal_values_in_any_order_of_keys_do_not_differ() {
        check(
            r#"{"a": [1, 2.5, "x"], "b": null}"#,
            r#"{"b": null, "a": [1, 2.5, "x"]}"#,
            None,
            &[],
        );
        check("1", "1.0", None, &[]);
        check(r#"{"a": 1, "a": 2}"#, r#"{"a": 2}"#, None, &[]);
    }

    #[test]
    fn numbers_may_be_off_by_the_tolerance_absolutely_or_relatively() {
        check("0.1", "0.1000009", None, &[]);
        check("0.1", "0.100002", None, &["$ is 0.100002, expected 0.1"]);
        check("1000000.0", "1000000.9", None, &[]);
        check(
            "1000000.0",
            "1000002.0",
            None,
            &["$ is 1000002.0, expected 1000000.0"],
        );
        check("0.1", "0.3", Some(0.2), &[]);
        check(
            "0.1",
            "0.1000009",
            Some(0.0),
            &["$ is 0.1000009, expected 0.1"],
        );
    }

    /// A time in milliseconds may not be off by half an hour.
    #[test]
    fn whole_numbers_are_exact_unless_a_tolerance_is_given() {
        check(
            "1585194447000",
            "1585194447001",
            None,
            &["$ is 1585194447001, expected 1585194447000"],
        );
        check("10", "11", Some(0.2), &[]);
        check(
            "123456789012345678901234567890",
            "123456789012345678901234567890",
            None,
            &[],
        );
    }

    #[test]
    fn what_json_cannot_say_is_null() {
        check("[NaN, null, Infinity]", "[null, null, null]", None, &[]);
        check("null", "0", None, &["$ is 0, expected null"]);
    }

    #[test]
    fn kinds_are_not_mixed() {
        check("1", "true", None, &["$ is true, expected 1"]);
        check("1", "\"1\"", None, &["$ is \"1\", expected 1"]);
        check("[]", "{}", None, &["$ is {}, expected []"]);
    }

    #[test]
    fn missing_and_surplus_keys_are_named_by_their_path() {
        check(
            r#"{"a": {"b c": 1, "设": 2}, "list": [1, 2]}"#,
            r#"{"a": {"设": 3}, "list": [1], "more": true}"#,
            None,
            &[
                "$.a['b c'] is missing, expected 1",
                "$.a.设 is 3, expected 2",
                "$.list[1] is missing, expected 2",
                "$.more is true, expected nothing there",
            ],
        );
    }

    #[test]
    fn messages_stay_short() {
        let long = format!("\"{}\"", "设".repeat(10_000));
        let expected = format!("[{}]", vec![long; 100].join(","));
        let parse =
            |text: &str| JsonValue::parse_owned(text.as_bytes(), true, jiter::PartialMode::Off);
        let (expected, actual) = (parse(&expected).unwrap(), parse("[]").unwrap());
        let differences = differences(&expected, &actual, None);
        assert_eq!(differences.len(), MOST);
        assert!(
            differences
                .iter()
                .all(|one| one.to_string().chars().count() < 200)
        );
    }
}
