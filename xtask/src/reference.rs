//! The reference pages of the configuration, in English and Chinese, and of the runtime on a cluster: a table for each
//! type, from the schema alone.

mod chinese;
mod language;

use crds::schema::{alternative, choices};
use serde_json::Value;

pub(crate) use chinese::{chinese, untranslated};
pub(crate) use language::ENGLISH;
use language::Language;

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
        section(&object["properties"][name], name, &ENGLISH, &mut page);
    }
    page
}

/// The page of the configuration, in Markdown.
pub(crate) fn page(schema: &Value, language: &Language) -> String {
    let mut page = language.head.to_owned();
    section(schema, "", language, &mut page);
    page
}

/// The table of one type, then those of the types in it.
fn section(schema: &Value, path: &str, language: &Language, page: &mut String) {
    let Some(fields) = schema["properties"].as_object() else {
        return;
    };
    if path.is_empty() {
        page.push_str(&format!("\n## {}\n", language.top_level));
    } else {
        page.push_str(&format!("\n## `{path}`\n"));
    }
    let (about, _) = description(schema, language);
    page.push_str(&format!("\n{about}\n\n"));
    page.push_str(&format!("| {} |\n", language.columns.join(" | ")));
    page.push_str("|---|---|---|---|---|\n");
    let mut inner = Vec::new();
    for (name, field) in fields {
        let (text, stated) = description(field, language);
        let default = if requires(schema, name) {
            language.required.to_owned()
        } else {
            stated.unwrap_or_else(|| default(field, language))
        };
        page.push_str(&format!(
            "| `{name}` | {} | {} | {} | {} |\n",
            cell(&kind(field, language)),
            cell(&default),
            cell(&bounds(field, language)),
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
        section(schema, &path, language, page);
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
fn description(schema: &Value, language: &Language) -> (String, Option<String>) {
    let text = (language.translate)(&english(schema));
    let Some((before, stated)) = text.split_once(language.default) else {
        return (text, None);
    };
    let stated = stated.trim_start_matches([':', '：', ' ']);
    let stated = stated.trim_end_matches(['.', '。']);
    (before.to_owned(), Some(stated.to_owned()))
}

/// The description as it is in the schema, on one line.
fn english(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.replace('\n', " ")
}

fn default(field: &Value, language: &Language) -> String {
    match &field["default"] {
        Value::Null => language.none.to_owned(),
        Value::Array(list) if list.is_empty() => language.empty.to_owned(),
        Value::String(text) if text.is_empty() => language.empty.to_owned(),
        other => format!("`{other}`"),
    }
}

fn kind(field: &Value, language: &Language) -> String {
    let choices = choices(field);
    if !choices.is_empty() {
        let choices: Vec<_> = choices.iter().map(|one| format!("`{one}`")).collect();
        return choices.join(language.comma);
    }
    let schema = alternative(field);
    let one = std::slice::from_ref(&schema["type"]);
    let types = schema["type"].as_array().map_or(one, Vec::as_slice);
    let kinds = &language.kinds;
    let names: Vec<_> = types
        .iter()
        .filter_map(|name| match name.as_str()? {
            "string" => Some(kinds.text),
            "integer" => Some(kinds.integer),
            "boolean" => Some(kinds.boolean),
            "array" => Some(kinds.list),
            "object" => Some(kinds.map),
            "null" => None,
            _ => Some(kinds.number),
        })
        .collect();
    if schema["x-kubernetes-int-or-string"] == true {
        return [kinds.integer, kinds.text].join(language.or);
    }
    names.join(language.or)
}

fn bounds(field: &Value, language: &Language) -> String {
    let bound = |name: &str| field.get(name).map(Value::to_string);
    let pair = |low: &str, high: &str| Some((bound(low)?, bound(high)?));
    if let Some((low, high)) = pair("exclusiveMinimum", "exclusiveMaximum") {
        (language.between)(&low, &high)
    } else if let Some((low, high)) = pair("minimum", "maximum") {
        (language.range)(&low, &high)
    } else if let Some(most) = bound("maxLength") {
        (language.length)(bound("minLength").as_deref(), &most)
    } else if let Some(most) = bound("maxItems").or(bound("maxProperties")) {
        (language.entries)(&most)
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
        let page = page(&schema, &ENGLISH);
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
        let page = page(&crds::schema::config(), &ENGLISH);
        for row in [
            "| `outPort` | whole number | required | above 30000, below 60000 | Port on the cluster's nodes, above 30000 and below 60000. |",
            "| `onFull` | `block`, `dropOldest`, `dropNewest` | `block` |  | What happens to a message when the model's queue is full. |",
            "| `retain` | true or false | false |  | Whether the broker keeps the last result of a topic for later subscribers. |",
        ] {
            assert!(page.contains(row), "{row} is not in\n{page}");
        }
    }
}
