//! The JSON Schema of the configuration and pyboot's form panel, both from the Rust types.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::{Map, Value, json};

use crate::{RuntimeSpec, constraint};

/// The schema (draft 2020-12) with all types written where they are used.
pub fn config() -> Value {
    generate::<RuntimeSpec>(settings().with_transform(RecursiveTransform(constraint::strip)))
}

/// The schema of any of the types, with the constraints of [`crate::constraint`].
pub(crate) fn constrained<T: JsonSchema>() -> Value {
    generate::<T>(settings())
}

fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true)
}

fn generate<T: JsonSchema>(settings: SchemaSettings) -> Value {
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

/// The document from which pyboot's console draws its form: the same schema in the dialect that the
/// console reads (JSON Schema draft 4: one type a field, boolean exclusive bounds).
pub fn panel() -> Value {
    json!({
        "$version": 2,
        "schema": panel_schema(&config()),
        "form": ["*"],
        "inEnabled": false,
    })
}

fn panel_schema(schema: &Value) -> Value {
    let schema = alternative(schema);
    let mut panel = Map::new();
    let first = |list: &Vec<Value>| list.iter().find(|kind| *kind != "null").cloned();
    let kind = match &schema["type"] {
        Value::Array(list) => first(list),
        Value::String(_) => Some(schema["type"].clone()),
        _ => Some(json!("string")),
    };
    if let Some(kind) = kind {
        panel.insert(
            "type".to_owned(),
            if kind == "integer" {
                json!("number")
            } else {
                kind
            },
        );
    }
    for name in ["title", "description", "minimum", "maximum", "required"] {
        if let Some(value) = schema.get(name) {
            panel.insert(name.to_owned(), value.clone());
        }
    }
    for (exclusive, bound) in [
        ("exclusiveMinimum", "minimum"),
        ("exclusiveMaximum", "maximum"),
    ] {
        if let Some(value) = schema.get(exclusive) {
            panel.insert(bound.to_owned(), value.clone());
            panel.insert(exclusive.to_owned(), true.into());
        }
    }
    // A form offers examples where any text is allowed.
    let choices = choices(schema);
    if !choices.is_empty() {
        panel.insert("enum".to_owned(), choices.into());
    } else if let Some(examples) = schema.get("examples") {
        panel.insert("enum".to_owned(), examples.clone());
    }
    if let Some(items) = schema.get("items") {
        panel.insert("items".to_owned(), panel_schema(items));
    }
    if let Some(fields) = schema["properties"].as_object() {
        let required = schema["required"].as_array();
        let fields: Map<_, _> = fields
            .iter()
            .map(|(name, field)| {
                let mut field = panel_schema(field);
                let wanted = required.is_some_and(|list| list.iter().any(|one| one == name));
                // pyboot's document says it in both ways; an object's own list takes the same name.
                if wanted && field["type"] != "object" {
                    field["required"] = true.into();
                }
                (name.clone(), field)
            })
            .collect();
        panel.insert("properties".to_owned(), fields.into());
    }
    panel.into()
}

/// The alternative of `anyOf` that is not null; the schema itself if there is no choice.
pub fn alternative(schema: &Value) -> &Value {
    let alternatives = schema["anyOf"].as_array();
    alternatives
        .and_then(|list| list.iter().find(|one| one["type"] != "null"))
        .unwrap_or(schema)
}

/// The texts that a field may have, if it has not any text.
pub fn choices(schema: &Value) -> Vec<&str> {
    let schema = alternative(schema);
    let constants = schema["oneOf"].as_array().into_iter().flatten();
    let constants = constants.map(|one| &one["const"]);
    let listed = schema["enum"].as_array().into_iter().flatten();
    constants.chain(listed).filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fields that pyboot's form requires while its own sample leaves out the first; both have
    /// defaults here.
    const WITH_DEFAULT: [&str; 2] = ["qos", "retain"];

    /// Every property, type, title, bound, choice and required field of pyboot's document stands in
    /// ours too. Ours has descriptions of its own.
    #[track_caller]
    fn covers(seed: &Value, ours: &Value, path: &str) {
        if path.ends_with("/sub/properties/topic/required") {
            // There may be `topics` instead.
            return;
        }
        match seed {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let path = format!("{path}/{name}");
                    match value {
                        Value::String(_) if name == "description" => {}
                        Value::Array(list) if name == "required" => requires(list, ours, &path),
                        _ => covers(value, &ours[name], &path),
                    }
                }
            }
            _ => assert_eq!(seed, ours, "{path}"),
        }
    }

    #[track_caller]
    fn requires(seed: &[Value], ours: &Value, path: &str) {
        for name in seed.iter().filter_map(Value::as_str) {
            let listed = ours["required"].as_array().unwrap().contains(&name.into());
            let optional = WITH_DEFAULT.contains(&name)
                || (path.ends_with("/sub/required") && name == "topic");
            assert_eq!(listed, !optional, "{path}/{name}");
        }
    }

    #[test]
    fn the_panel_says_all_that_pyboots_says() {
        let seed = include_str!("../../tests/fixtures/seed/panel-schema.json");
        covers(&serde_json::from_str(seed).unwrap(), &panel(), "");
    }

    #[test]
    fn the_schema_closes_every_object() {
        fn closed(schema: &Value) -> bool {
            match schema {
                Value::Object(fields) => {
                    (!fields.contains_key("properties")
                        || fields.get("additionalProperties") == Some(&json!(false)))
                        && fields.values().all(closed)
                }
                Value::Array(list) => list.iter().all(closed),
                _ => true,
            }
        }
        assert!(closed(&config()));
    }
}
