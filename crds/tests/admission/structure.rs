//! The structure of a CRD's schema: types, bounds, choices and patterns. Messages are close to those of an API
//! server, so that cases read the same.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::{Map, Value};

/// What is wrong with `value`, each with its path.
pub(crate) fn check(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(schema, value, "", &mut found);
    found
}

fn walk(schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let either = schema["x-kubernetes-int-or-string"] == true;
    match (schema["type"].as_str(), value) {
        (Some("object"), Value::Object(fields)) => object(schema, fields, path, found),
        (Some("array"), Value::Array(entries)) => list(schema, entries, path, found),
        (Some("string"), Value::String(text)) => string(schema, text, path, found),
        (None, Value::String(text)) if either => string(schema, text, path, found),
        (None, Value::Number(number)) if either && !number.is_f64() => {}
        (Some("integer"), Value::Number(number)) if !number.is_f64() => {
            let number = number.as_i64().unwrap_or(i64::MAX);
            let limit = outside(schema, number, ["minimum", "maximum"]);
            found.extend(limit.map(|limit| format!("{path}: should be {limit}")));
        }
        (Some("boolean"), Value::Bool(_)) => {}
        (wanted, _) => found.push(format!(
            "{path}: must be of type {}",
            wanted.unwrap_or("int or string")
        )),
    }
}

fn object(schema: &Value, fields: &Map<String, Value>, path: &str, found: &mut Vec<String>) {
    for name in schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        if !fields.contains_key(name) {
            found.push(format!("{}: Required value", join(path, name)));
        }
    }
    let limit = outside(
        schema,
        size(fields.len()),
        ["minProperties", "maxProperties"],
    );
    found.extend(limit.map(|limit| format!("{path}: should have {limit} items")));
    for (name, value) in fields {
        let path = join(path, name);
        let inner = schema["properties"]
            .get(name)
            .or(schema.get("additionalProperties"));
        match inner {
            Some(inner) => walk(inner, value, &path, found),
            None => found.push(format!("unknown field \"{path}\"")),
        }
    }
}

fn list(schema: &Value, entries: &[Value], path: &str, found: &mut Vec<String>) {
    let limit = outside(schema, size(entries.len()), ["minItems", "maxItems"]);
    found.extend(limit.map(|limit| format!("{path}: should have {limit} items")));
    let mut keys = BTreeSet::new();
    for (index, entry) in entries.iter().enumerate() {
        let path = format!("{path}[{index}]");
        if let Some(key) = schema["x-kubernetes-list-map-keys"][0].as_str()
            && !keys.insert(entry[key].to_string())
        {
            found.push(format!("{path}: Duplicate value: {}", entry[key]));
        }
        walk(&schema["items"], entry, &path, found);
    }
}

fn string(schema: &Value, text: &str, path: &str, found: &mut Vec<String>) {
    let limit = outside(
        schema,
        size(text.chars().count()),
        ["minLength", "maxLength"],
    );
    found.extend(limit.map(|limit| format!("{path}: should be {limit} chars long")));
    if let Some(choices) = schema["enum"].as_array()
        && !choices.iter().any(|choice| choice == text)
    {
        found.push(format!("{path}: supported values: {}", schema["enum"]));
    }
    if let Some(pattern) = schema["pattern"].as_str()
        && !Regex::new(pattern).is_ok_and(|regex| regex.is_match(text))
    {
        found.push(format!("{path}: should match '{pattern}'"));
    }
}

/// The bound that `number` is outside of.
fn outside(schema: &Value, number: i64, [least, most]: [&str; 2]) -> Option<String> {
    let least = schema[least].as_i64().filter(|least| number < *least);
    let most = schema[most].as_i64().filter(|most| number > *most);
    let least = least.map(|least| format!("at least {least}"));
    least.or(most.map(|most| format!("at most {most}")))
}

fn size(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
