//! Converts JSON Schema into a structural schema, the dialect of CRDs.
//!
//! An API server requires one type per field and no alternatives. An optional field is left out of
//! `required` instead of allowing null.

use serde_json::{Map, Value, json};

use crate::constraint::KEYWORDS;
use crate::schema::{alternative, choices};

/// Keywords that mean the same in both.
const KEPT: [&str; 3] = ["minimum", "maximum", "required"];

/// The formats of our types that API servers know.
const FORMATS: [&str; 3] = ["int64", "date-time", "password"];

/// The structural schema for `schema`.
pub(super) fn from(schema: &Value) -> Value {
    let mut result = Map::new();
    let inner = alternative(schema);
    if let Some(text) = description(schema, inner) {
        result.insert("description".to_owned(), text.into());
    }
    let choices = choices(inner);
    if !choices.is_empty() {
        result.insert("type".to_owned(), "string".into());
        result.insert("enum".to_owned(), choices.into());
    } else if let [one] = types(inner).as_slice() {
        result.insert("type".to_owned(), (*one).into());
    } else {
        // Seconds or a text: a time span.
        result.insert("x-kubernetes-int-or-string".to_owned(), true.into());
    }
    for name in KEPT {
        if let Some(value) = inner.get(name) {
            result.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(format) = inner["format"].as_str()
        && FORMATS.contains(&format)
    {
        result.insert("format".to_owned(), format.into());
    }
    // Only integers have exclusive bounds here.
    if let Some(bound) = inner["exclusiveMinimum"].as_i64() {
        result.insert("minimum".to_owned(), (bound + 1).into());
    }
    if let Some(bound) = inner["exclusiveMaximum"].as_i64() {
        result.insert("maximum".to_owned(), (bound - 1).into());
    }
    if let Some(items) = inner.get("items") {
        result.insert("items".to_owned(), from(items));
    }
    if let Some(fields) = inner["properties"].as_object() {
        let fields: Map<_, _> = fields
            .iter()
            .map(|(name, field)| (name.clone(), from(field)))
            .collect();
        result.insert("properties".to_owned(), fields.into());
    } else if inner["additionalProperties"].is_object() {
        let values = from(&inner["additionalProperties"]);
        result.insert("additionalProperties".to_owned(), values);
    }
    // A field's constraints are written beside the choice of its type and null.
    for name in KEYWORDS {
        if let Some(value) = schema.get(name).or(inner.get(name)) {
            result.insert(name.to_owned(), value.clone());
        }
    }
    result.into()
}

fn types(schema: &Value) -> Vec<&str> {
    let types = match &schema["type"] {
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        one => Vec::from_iter(one.as_str()),
    };
    types.into_iter().filter(|one| *one != "null").collect()
}

/// The description of the field, or else of its type, followed by that of each choice.
fn description(schema: &Value, inner: &Value) -> Option<String> {
    let text = schema.get("description").or(inner.get("description"))?;
    let mut text = text.as_str()?.replace('\n', " ");
    for choice in inner["oneOf"].as_array().into_iter().flatten() {
        let about = choice["description"].as_str()?.replace('\n', " ");
        text.push_str(&format!(" {}: {about}", json!(choice["const"])));
    }
    Some(text)
}
