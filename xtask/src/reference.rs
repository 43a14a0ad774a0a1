//! The reference page of the configuration: a table for each type, from the JSON Schema alone.

use crds::schema::{alternative, choices};
use serde_json::Value;

const HEAD: &str = "\
<!-- Written by `cargo xtask gen` from crds/src/runtime.rs; edit the comments there. -->

# The configuration

All fields of a configuration file, YAML or JSON. A field that is not listed here is refused.
`edgemodel check --config FILE` says what is wrong with a file, all of it at once.
";

/// The page, in Markdown.
pub(crate) fn page(schema: &Value) -> String {
    let mut page = HEAD.to_owned();
    section(schema, "", &mut page);
    page
}

/// The table of one type, then those of the types in it.
fn section(schema: &Value, path: &str, page: &mut String) {
    let Some(fields) = schema["properties"].as_object() else {
        return;
    };
    if path.is_empty() {
        page.push_str("\n## Top level\n");
    } else {
        page.push_str(&format!("\n## `{path}`\n"));
    }
    let (about, _) = description(schema);
    page.push_str(&format!("\n{about}\n\n"));
    page.push_str("| field | type | default | bounds | description |\n");
    page.push_str("|---|---|---|---|---|\n");
    let mut inner = Vec::new();
    for (name, field) in fields {
        let (text, stated) = description(field);
        let default = if requires(schema, name) {
            "required".to_owned()
        } else {
            stated.unwrap_or_else(|| default(field))
        };
        page.push_str(&format!(
            "| `{name}` | {} | {} | {} | {} |\n",
            cell(&kind(field)),
            cell(&default),
            cell(&bounds(field)),
            cell(&text),
        ));
        let child = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let items = &field["items"];
        if items.is_object() {
            inner.push((format!("{child}[]"), items));
        } else {
            inner.push((child, alternative(field)));
        }
    }
    for (path, schema) in inner {
        section(schema, &path, page);
    }
}

fn requires(schema: &Value, name: &str) -> bool {
    let required = schema["required"].as_array();
    required.is_some_and(|list| list.iter().any(|one| one == name))
}

/// The description without its sentence that begins with "Default", and what that sentence says.
fn description(schema: &Value) -> (String, Option<String>) {
    let text = schema["description"].as_str().unwrap_or_default();
    let text = text.replace('\n', " ");
    let Some((before, stated)) = text.split_once(" Default") else {
        return (text, None);
    };
    let stated = stated.trim_start_matches([':', ' ']).trim_end_matches('.');
    (before.to_owned(), Some(stated.to_owned()))
}

fn default(field: &Value) -> String {
    match &field["default"] {
        Value::Null => "none".to_owned(),
        Value::Array(list) if list.is_empty() => "empty".to_owned(),
        Value::String(text) if text.is_empty() => "empty".to_owned(),
        other => format!("`{other}`"),
    }
}

fn kind(field: &Value) -> String {
    let choices = choices(field);
    if !choices.is_empty() {
        let choices: Vec<_> = choices.iter().map(|one| format!("`{one}`")).collect();
        return choices.join(", ");
    }
    let schema = alternative(field);
    let one = std::slice::from_ref(&schema["type"]);
    let types = schema["type"].as_array().map_or(one, Vec::as_slice);
    let names: Vec<_> = types
        .iter()
        .filter_map(|name| match name.as_str()? {
            "string" => Some("text"),
            "integer" => Some("whole number"),
            "boolean" => Some("true or false"),
            "array" => Some("list"),
            "object" => Some("map"),
            "null" => None,
            _ => Some("number"),
        })
        .collect();
    names.join(" or ")
}

fn bounds(field: &Value) -> String {
    let pair = |low: &str, high: &str| Some((field.get(low)?, field.get(high)?));
    if let Some((low, high)) = pair("exclusiveMinimum", "exclusiveMaximum") {
        format!("above {low}, below {high}")
    } else if let Some((low, high)) = pair("minimum", "maximum") {
        format!("{low} to {high}")
    } else {
        String::new()
    }
}

/// A text that stays in its column.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field that the page leaves out is one that nobody finds.
    #[test]
    fn every_field_of_the_schema_has_a_row() {
        fn names(schema: &Value, found: &mut Vec<String>) {
            let schema = alternative(schema);
            if let Some(fields) = schema["properties"].as_object() {
                for (name, field) in fields {
                    found.push(name.clone());
                    names(field, found);
                }
            }
            if let Some(items) = schema.get("items") {
                names(items, found);
            }
        }
        let schema = crds::schema::config();
        let mut all = Vec::new();
        names(&schema, &mut all);
        let page = page(&schema);
        let rows = page
            .lines()
            .filter(|line| line.starts_with("| `"))
            .filter_map(|line| line.split('`').nth(1))
            .map(str::to_owned);
        let (mut rows, mut all) = (rows.collect::<Vec<_>>(), all);
        rows.sort();
        all.sort();
        assert_eq!(rows, all);
    }

    #[test]
    fn rows_show_type_default_bounds_and_description() {
        let page = page(&crds::schema::config());
        for row in [
            "| `outPort` | whole number | required | above 30000, below 60000 | Port on the cluster's nodes, above 30000 and below 60000. |",
            "| `onFull` | `block`, `dropOldest`, `dropNewest` | `block` |  | What happens to a message when the model's queue is full. |",
            "| `retain` | true or false | false |  | Whether the broker keeps the last result of a topic for later subscribers. |",
        ] {
            assert!(page.contains(row), "{row} is not in\n{page}");
        }
    }
}
