//! The reference pages of the configuration and of the runtime on a cluster: a table for each type, from
//! the schema alone.

use crds::schema::{alternative, choices};
use serde_json::Value;

const HEAD: &str = "\
<!-- Written by `cargo xtask gen` from crds/src/runtime; edit the comments there. -->

# The configuration

All fields of a configuration file, YAML or JSON. A field that is not listed here is refused.
`edgemodel check --config FILE` says what is wrong with a file, all of it at once.
";

const RUNTIME_HEAD: &str = "\
<!-- Written by `cargo xtask gen` from crds/src; edit the comments there. -->

# EdgeModelRuntime

All fields of a runtime on a cluster, `apiVersion: edgemodel.io/v1alpha1`, `kind: EdgeModelRuntime`. What stands
under `spec` is a configuration as a worker reads it outside a cluster, with bounds and rules that the API
server checks: it refuses what breaks one, says which, and keeps what it has.

`kubectl explain emr.spec` shows the same, and `deploy/samples/edgemodel.yaml` is an example.
";

/// The page of the runtime, in Markdown, of the schema of the object.
pub(crate) fn runtime_page(object: &Value) -> String {
    let mut page = RUNTIME_HEAD.to_owned();
    for name in ["spec", "status"] {
        section(&object["properties"][name], name, &mut page);
    }
    page
}

/// The page of the configuration, in Markdown.
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
    let rules = rules(schema);
    if !rules.is_empty() {
        page.push_str(&format!("\nRefused with these words:\n\n{rules}"));
    }
    for (path, schema) in inner {
        section(schema, &path, page);
    }
}

/// What the rules of the type and of its fields say, a line each.
fn rules(schema: &Value) -> String {
    let fields = schema["properties"].as_object().into_iter().flatten();
    let fields = fields.flat_map(|(name, field)| {
        // Entries with fields have a table of their own.
        let items = Some(&field["items"]).filter(|items| items.get("properties").is_none());
        let own = field.get("properties").is_none().then_some(field);
        let on = |schema: &Value| (format!("`{name}`: "), schema.clone());
        own.into_iter().chain(items).map(on).collect::<Vec<_>>()
    });
    std::iter::once((String::new(), schema.clone()))
        .chain(fields)
        .flat_map(|(field, schema)| {
            let rules = schema["x-kubernetes-validations"].as_array().cloned();
            rules.into_iter().flatten().map(move |rule| {
                let message = rule["message"].as_str().unwrap_or_default();
                let inner = rule["fieldPath"]
                    .as_str()
                    .map(|path| format!("`{}`: ", &path[1..]));
                format!("- {field}{}{message}\n", inner.unwrap_or_default())
            })
        })
        .collect()
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
    if schema["x-kubernetes-int-or-string"] == true {
        return "whole number or text".to_owned();
    }
    names.join(" or ")
}

fn bounds(field: &Value) -> String {
    let pair = |low: &str, high: &str| Some((field.get(low)?, field.get(high)?));
    if let Some((low, high)) = pair("exclusiveMinimum", "exclusiveMaximum") {
        format!("above {low}, below {high}")
    } else if let Some((low, high)) = pair("minimum", "maximum") {
        format!("{low} to {high}")
    } else if let Some(most) = field.get("maxLength") {
        let least = field.get("minLength").map(|least| format!("{least} to "));
        format!(
            "{}{most} characters",
            least.unwrap_or_else(|| "at most ".to_owned())
        )
    } else if let Some(most) = field.get("maxItems").or(field.get("maxProperties")) {
        format!("at most {most} entries")
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

    /// Users cannot find a field that the page leaves out.
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
    fn the_runtimes_page_has_bounds_rules_and_status() {
        let page = runtime_page(&crds::custom_resource::openapi());
        for text in [
            "| `modelName` | text | required | 1 to 253 characters | The model's name; unique. |",
            "| `outPort` | whole number | required | 30001 to 59999 |",
            "| `timeout` | whole number or text | 10 s |",
            "| `devices` | list | none | at most 512 entries |",
            "- `modelAddress`: write it as http://host/path/model.zip",
            "- `rules`: a sub.name is not the name of an entry in mqtts",
            "## `spec.funcs[].resources`",
            "## `status.conditions[]`",
        ] {
            assert!(page.contains(text), "{text} is not in\n{page}");
        }
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
