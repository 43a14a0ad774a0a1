//! Values as they are shown in messages.

use std::fmt::Write as _;

use jiter::JsonValue;

/// Longest text of a value, a place or what a model raised in a message.
const SHOWN: usize = 200;

/// A value as JSON, the end of a long one left out.
pub(super) fn shown(value: &JsonValue<'_>) -> String {
    let mut text = String::new();
    write_value(value, &mut text);
    cut(&text)
}

/// A text without the end of a long one.
pub(super) fn cut(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    let cut: String = text.chars().take(SHOWN).collect();
    cut + "…"
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
