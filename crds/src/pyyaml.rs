//! What pyboot made of a plain scalar where it wanted a text: YAML 1.1 as PyYAML resolves it, then Python's `str()`.
//!
//! So `clientId: 5555` was the text `5555`, and `deviceName: 007` the text `7`.

mod number;
mod time;

use std::borrow::Cow;

use crate::node::{Node, Value};
use crate::problem::Position;
use crate::schema::{alternative, choices};

use number::{float, integer};
use time::is_time;

pub use number::float_text;

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

#[cfg(test)]
mod tests;
