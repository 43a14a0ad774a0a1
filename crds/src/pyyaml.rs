//! What pyboot made of a plain scalar where it wanted a text: YAML 1.1 as PyYAML resolves it, then Python's `str()`.
//!
//! So `clientId: 5555` was the text `5555`, and `deviceName: 007` the text `7`.

use std::borrow::Cow;

use crate::node::{Node, Value};
use crate::problem::Position;
use crate::schema::{alternative, choices};

/// A plain scalar as pyboot took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar<'a> {
    /// Python's `None`.
    Nothing,
    /// Python's `True` or `False`.
    Bool(bool),
    /// A number, as `str()` writes it.
    Number(Cow<'a, str>),
    /// A date and time, whose text depends on the version of PyYAML.
    Time,
    /// A text, as it is written.
    Text(&'a str),
}

/// Resolves a plain scalar as PyYAML's `FullLoader` does.
pub fn resolve(written: &str) -> Scalar<'_> {
    match written {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Nothing,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Scalar::Bool(true);
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        _ => {}
    }
    if let Some(number) = integer(written).or_else(|| float(written)) {
        return Scalar::Number(number);
    }
    if is_time(written) {
        return Scalar::Time;
    }
    Scalar::Text(written)
}

/// The plain scalar that begins at a position of a text; `None` for one in quotes, a block or a collection.
pub fn plain<'a>(lines: &[&'a str], start: Position) -> Option<&'a str> {
    let line = lines.get(start.line.checked_sub(1)?)?;
    let from = line.char_indices().nth(start.column.checked_sub(1)?)?.0;
    let rest = &line[from..];
    if rest.starts_with([
        '"', '\'', '|', '>', '&', '*', '!', '[', '{', '#', '%', '@', '`',
    ]) {
        return None;
    }
    let end = [" #", "\t#", ": "]
        .iter()
        .filter_map(|end| rest.find(end))
        .min();
    Some(rest[..end.unwrap_or(rest.len())].trim_end())
}

/// Turns numbers into texts where `schema` wants a text, as pyboot did. Booleans stay, since `True` is hardly meant.
pub(crate) fn texts_for_numbers(node: &mut Node, schema: &serde_json::Value, lines: &[&str]) {
    let schema = alternative(schema);
    match &mut node.value {
        Value::Number(_) if wants_text(schema) => {
            if let Some(text) = number(lines, node.position) {
                node.value = Value::Text(text);
            }
        }
        Value::List(items) => {
            for item in items {
                texts_for_numbers(item, &schema["items"], lines);
            }
        }
        Value::Map(entries) => {
            for (name, _, value) in entries {
                texts_for_numbers(value, &schema["properties"][name.as_str()], lines);
            }
        }
        _ => {}
    }
}

/// Any text, and nothing else but perhaps nothing. pyboot had no passwords, and a rewritten one would not be found.
fn wants_text(schema: &serde_json::Value) -> bool {
    if schema["format"] == "password" {
        return false;
    }
    let kinds = &schema["type"];
    let text = *kinds == "string"
        || kinds.as_array().is_some_and(|kinds| {
            kinds.iter().any(|kind| kind == "string")
                && kinds.iter().all(|kind| kind == "string" || kind == "null")
        });
    text && choices(schema).is_empty()
}

/// The text that pyboot made of what the YAML parser takes for a number; `None` where it is not written there.
pub fn number(lines: &[&str], start: Position) -> Option<String> {
    let written = plain(lines, start)?;
    // In `{a: 1, b: 2}` and `[1]`.
    let written = written
        .split([',', '}', ']'])
        .next()
        .unwrap_or_default()
        .trim_end();
    match resolve(written) {
        Scalar::Number(number) => Some(number.into_owned()),
        Scalar::Text(text) if !text.is_empty() => Some(text.to_owned()),
        _ => None,
    }
}

fn integer(written: &str) -> Option<Cow<'_, str>> {
    let (negative, digits) = sign(written);
    let value = if let Some(bits) = digits.strip_prefix("0b") {
        radix(bits, 2)?
    } else if let Some(hex) = digits.strip_prefix("0x") {
        radix(hex, 16)?
    } else if digits.len() > 1 && digits.starts_with('0') {
        radix(&digits[1..], 8)?
    } else if digits.contains(':') {
        sexagesimal(digits)?
    } else {
        let begins = digits.starts_with(|first: char| first.is_ascii_digit());
        if !begins
            || !digits
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'_')
        {
            return None;
        }
        if written == digits && !digits.contains('_') {
            return Some(written.into());
        }
        digits.replace('_', "")
    };
    let negative = negative && value != "0";
    Some(if negative { format!("-{value}") } else { value }.into())
}

fn sign(written: &str) -> (bool, &str) {
    match written.as_bytes() {
        [b'-', ..] => (true, &written[1..]),
        [b'+', ..] => (false, &written[1..]),
        _ => (false, written),
    }
}

fn radix(digits: &str, radix: u32) -> Option<String> {
    let digits = digits.replace('_', "");
    let value = u128::from_str_radix(&digits, radix).ok()?;
    // Rust would take a sign here.
    digits
        .chars()
        .all(|digit| digit.is_digit(radix))
        .then(|| value.to_string())
}

/// `1:30` is 90.
fn sexagesimal(digits: &str) -> Option<String> {
    let mut parts = digits.split(':');
    let first = parts.next()?;
    if !first.starts_with(|digit: char| matches!(digit, '1'..='9')) {
        return None;
    }
    let mut value: u128 = first.replace('_', "").parse().ok()?;
    for part in parts {
        value = value.checked_mul(60)?.checked_add(sixtieths(part)?)?;
    }
    Some(value.to_string())
}

fn sixtieths(part: &str) -> Option<u128> {
    let digits = part.bytes().all(|byte| byte.is_ascii_digit()) && matches!(part.len(), 1 | 2);
    part.parse().ok().filter(|value| digits && *value < 60)
}

fn float(written: &str) -> Option<Cow<'_, str>> {
    let (negative, magnitude) = sign(written);
    match magnitude {
        ".inf" | ".Inf" | ".INF" => return Some(if negative { "-inf" } else { "inf" }.into()),
        ".nan" | ".NaN" | ".NAN" if magnitude == written => return Some("nan".into()),
        _ => {}
    }
    let (mantissa, exponent) = match magnitude.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (magnitude, None),
    };
    let (whole, fraction) = mantissa.split_once('.')?;
    let digits = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let begins = |text: &str| text.starts_with(|first: char| first.is_ascii_digit());
    // A sign before a bare point is not PyYAML's.
    let right = if whole.is_empty() {
        begins(fraction) && magnitude == written
    } else {
        begins(whole)
    };
    let power = exponent.is_none_or(|exponent| {
        exponent.strip_prefix(['+', '-']).is_some_and(|power| {
            !power.is_empty() && power.bytes().all(|byte| byte.is_ascii_digit())
        })
    });
    if !right || !power || !digits(whole) || !digits(fraction) {
        return None;
    }
    let value: f64 = written.replace('_', "").parse().ok()?;
    Some(float_text(value).into())
}

/// A float as Python's `repr` writes it.
pub fn float_text(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let shortest = format!("{value:e}");
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        return format!("{value:?}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// `2024-01-31 10:20:30` and its other forms. A date alone has the same text in Python.
fn is_time(written: &str) -> bool {
    let Some((date, time)) = written.split_once(['T', 't', ' ', '\t']) else {
        return false;
    };
    let digits = |text: &str, least: usize, most: usize| {
        (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let date: Vec<_> = date.split('-').collect();
    let [year, month, day] = date.as_slice() else {
        return false;
    };
    let time: Vec<_> = time.trim_start().splitn(3, ':').collect();
    let [hour, minute, second] = time.as_slice() else {
        return false;
    };
    digits(year, 4, 4)
        && digits(month, 1, 2)
        && digits(day, 1, 2)
        && digits(hour, 1, 2)
        && digits(minute, 2, 2)
        && second.get(..2).is_some_and(|second| digits(second, 2, 2))
}

#[cfg(test)]
mod tests;
