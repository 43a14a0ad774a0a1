//! The first check: fields, types and bounds against the generated schema.

use serde_json::Value as Schema;

use super::{Report, child};
use crate::node::{Node, Value};
use crate::schema::{alternative, choices};

/// Reports every field of `node` that is unknown to the schema or differs from it.
pub(super) fn check(node: &Node, schema: &Schema, path: &str, report: &mut Report) {
    let types = types(schema);
    let allowed = choices(schema);
    let fits = match &node.value {
        Value::Null => types.contains(&"null"),
        Value::Bool(_) => types.contains(&"boolean"),
        Value::Number(number) => {
            types.contains(&"number") || (types.contains(&"integer") && number.fract() == 0.0)
        }
        Value::Text(text) if !allowed.is_empty() => {
            if !allowed.contains(&text.as_str()) {
                let message = format!("{text:?} is not one of {}", allowed.join(", "));
                report.add(path, node.position, message, suggest(text, &allowed));
            }
            return;
        }
        Value::Text(_) => types.contains(&"string"),
        Value::List(_) => types.contains(&"array"),
        Value::Map(_) => types.contains(&"object"),
    };
    if !fits {
        mismatch(node, schema, &types, path, report);
        return;
    }
    match &node.value {
        Value::Number(number) => bounds(*number, schema, node, path, report),
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                check(item, &schema["items"], &format!("{path}[{index}]"), report);
            }
        }
        Value::Map(_) => fields(node, schema, path, report),
        _ => {}
    }
}

fn mismatch(node: &Node, schema: &Schema, types: &[&str], path: &str, report: &mut Report) {
    let kinds: Vec<_> = types.iter().filter_map(|kind| name_of(kind)).collect();
    // The schema of a choice has no `type` keyword.
    let wanted = if kinds.is_empty() {
        "a text".to_owned()
    } else {
        kinds.join(" or ")
    };
    // A scalar where a map or list belongs may be a credential; a password always is.
    let scalar = !types.contains(&"object") && !types.contains(&"array");
    let shown = match &node.value {
        Value::Bool(_) | Value::Number(_) | Value::Text(_)
            if !scalar || schema["format"] == "password" =>
        {
            "the value".to_owned()
        }
        value => value.to_string(),
    };
    let remedy = match &node.value {
        Value::Null => format!("write {wanted}, or remove the field"),
        Value::Text(text) if wanted == TRUE_OR_FALSE => {
            format!("write true or false without quotes instead of {text:?}")
        }
        Value::Text(text) if scalar && text.trim().parse::<f64>().is_ok() => {
            "write it without quotes".to_owned()
        }
        Value::Number(_) | Value::Bool(_) if wanted == "a text" => "put it in quotes".to_owned(),
        _ => format!("write {wanted}"),
    };
    report.add(
        path,
        node.position,
        format!("{shown} is not {wanted}"),
        remedy,
    );
}

const TRUE_OR_FALSE: &str = "true or false";

/// A JSON Schema type, as messages call it.
fn name_of(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => TRUE_OR_FALSE,
        "array" => "a list",
        "object" => "a map",
        _ => return None,
    })
}

fn fields(node: &Node, schema: &Schema, path: &str, report: &mut Report) {
    let (Value::Map(entries), Some(known)) =
        (&node.value, alternative(schema)["properties"].as_object())
    else {
        return;
    };
    for (name, position, value) in entries {
        if let Some(schema) = known.get(name) {
            check(value, schema, &child(path, name), report);
        } else {
            let names: Vec<_> = known.keys().map(String::as_str).collect();
            let message = "there is no such field".to_owned();
            report.add(
                &child(path, name),
                *position,
                message,
                suggest(name, &names),
            );
        }
    }
    let required = alternative(schema)["required"]
        .as_array()
        .into_iter()
        .flatten();
    for name in required.filter_map(Schema::as_str) {
        if !entries.iter().any(|(key, _, _)| key == name) {
            let message = "is missing".to_owned();
            report.add(
                &child(path, name),
                node.position,
                message,
                "add it".to_owned(),
            );
        }
    }
}

fn bounds(number: f64, schema: &Schema, node: &Node, path: &str, report: &mut Report) {
    let bound = |name: &str| schema[name].as_f64();
    let remedy =
        if let (Some(low), Some(high)) = (bound("exclusiveMinimum"), bound("exclusiveMaximum")) {
            (number <= low || number >= high)
                .then(|| format!("choose a number above {low} and below {high}"))
        } else if let (Some(low), Some(high)) = (bound("minimum"), bound("maximum")) {
            (number < low || number > high).then(|| format!("choose a number from {low} to {high}"))
        } else {
            None
        };
    if let Some(remedy) = remedy {
        report.add(
            path,
            node.position,
            format!("{number} is out of range"),
            remedy,
        );
    }
}

fn types(schema: &Schema) -> Vec<&str> {
    let mut types: Vec<_> = match &schema["type"] {
        Schema::String(one) => vec![one.as_str()],
        Schema::Array(list) => list.iter().filter_map(Schema::as_str).collect(),
        _ => Vec::new(),
    };
    for alternative in schema["anyOf"].as_array().into_iter().flatten() {
        types.extend(self::types(alternative));
    }
    types
}

fn suggest(name: &str, known: &[&str]) -> String {
    crate::nearest(name, known.iter().copied()).map_or_else(
        || format!("choose one of {}", known.join(", ")),
        |nearest| format!("did you mean {nearest:?}?"),
    )
}
