//! The chart's values as a file with comments, and as a page: both from their schema.

use serde_json::Value;

const VALUES_HEAD: &str = "\
# Written by `cargo xtask gen` from values.schema.json; edit descriptions and defaults there.
";

const PAGE_HEAD: &str = "\
<!-- Written by `cargo xtask gen` from values.schema.json; edit descriptions and defaults there. -->

# edgemodel

The Helm chart of edgemodel: the operator, the CRD `EdgeModelRuntime`, rights, alerts and a dashboard.

```console
$ helm install edgemodel charts/edgemodel --namespace edgemodel-system --create-namespace
$ helm test edgemodel --namespace edgemodel-system
```

The notes of an installation, which `helm get notes` repeats, have a first runtime. `helm test` runs `edgemodel-operator verify` with the
operator's image and rights: it checks the CRD and the roles, and waits until an operator leads.

- [Installing](https://github.com/edgemodel/edgemodel/blob/main/docs/install.md): some namespaces only, registries, ports, monitoring,
  uninstalling
- [Upgrading](https://github.com/edgemodel/edgemodel/blob/main/docs/upgrade.md): which versions of operator, workers, chart and CRD work together
- [What the operator does](https://github.com/edgemodel/edgemodel/blob/main/docs/operator.md)
- [Edge nodes](https://github.com/edgemodel/edgemodel/blob/main/docs/kubeedge.md)

## Values

Helm refuses a value that is not listed here or has the wrong type, and names it. Annotations, volumes and variables are for the operator; for
workers, see the runtime's spec.
";

/// Longest line of a comment.
const WIDTH: usize = 118;

/// `values.yaml`.
pub(crate) fn values(schema: &Value) -> anyhow::Result<String> {
    let mut text = VALUES_HEAD.to_owned();
    fields(schema, 0, &mut text)?;
    Ok(text)
}

fn fields(schema: &Value, depth: usize, text: &mut String) -> anyhow::Result<()> {
    let indent = "  ".repeat(depth);
    for (name, field) in entries(schema) {
        if depth == 0 {
            text.push('\n');
        }
        for line in wrapped(description(field), WIDTH - indent.len()) {
            text.push_str(&format!("{indent}# {line}\n"));
        }
        if let Some(default) = field.get("default") {
            text.push_str(&format!("{indent}{name}:{}\n", written(default, depth)?));
        } else {
            text.push_str(&format!("{indent}{name}:\n"));
            fields(field, depth + 1, text)?;
        }
    }
    Ok(())
}

/// The fields that have a value: neither what only others set, nor what is only said.
fn entries(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let fields = schema["properties"].as_object().into_iter().flatten();
    fields.filter(|(_, field)| field.get("default").is_some() || field.get("properties").is_some())
}

fn description(field: &Value) -> &str {
    field["description"].as_str().unwrap_or_default()
}

/// A value after its name: on the same line, or below it.
fn written(value: &Value, depth: usize) -> anyhow::Result<String> {
    let empty = value.as_object().is_some_and(serde_json::Map::is_empty)
        || value.as_array().is_some_and(Vec::is_empty);
    if empty || !(value.is_object() || value.is_array()) {
        return Ok(format!(" {value}"));
    }
    let indent = "  ".repeat(if value.is_object() { depth + 1 } else { depth });
    let block = crds::yaml::write(value)?;
    let lines = block.lines().map(|line| format!("\n{indent}{line}"));
    Ok(lines.collect())
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width - 2 {
            lines.push(word.to_owned());
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines
}

/// `README.md`.
pub(crate) fn page(schema: &Value) -> String {
    let mut page = PAGE_HEAD.to_owned();
    let single = |field: &Value| field.get("default").is_some();
    page.push_str("\n| value | default | meaning |\n|---|---|---|\n");
    for (name, field) in entries(schema).filter(|(_, field)| single(field)) {
        row(name, field, schema, &mut page);
    }
    for (name, field) in entries(schema).filter(|(_, field)| !single(field)) {
        page.push_str(&format!("\n### `{name}`\n\n{}\n", description(field)));
        page.push_str("\n| value | default | meaning |\n|---|---|---|\n");
        rows(name, field, schema, &mut page);
    }
    page
}

fn rows(path: &str, schema: &Value, root: &Value, page: &mut String) {
    for (name, field) in entries(schema) {
        let path = format!("{path}.{name}");
        if field.get("default").is_some() {
            row(&path, field, root, page);
        } else {
            page.push_str(&format!("| `{path}` | | {} |\n", description(field)));
            rows(&path, field, root, page);
        }
    }
}

fn row(path: &str, field: &Value, root: &Value, page: &mut String) {
    let default = match &field["default"] {
        Value::String(text) if text.is_empty() => "empty".to_owned(),
        Value::Array(list) if list.is_empty() => "empty".to_owned(),
        Value::Object(map) if map.is_empty() => "empty".to_owned(),
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    };
    let bounds = bounds(field, root);
    let meaning = description(field).replace('|', "\\|");
    page.push_str(&format!("| `{path}` | {default} | {meaning}{bounds} |\n"));
}

/// What may be written, where the default does not tell.
fn bounds(field: &Value, root: &Value) -> String {
    let name = field["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next());
    let field = name.map_or(field, |name| &root["definitions"][name]);
    let choices = field.get("enum").or(field["items"].get("enum"));
    if let Some(choices) = choices.and_then(Value::as_array) {
        let choices = choices.iter().filter_map(Value::as_str);
        let choices: Vec<_> = choices.map(|one| format!("`{one}`")).collect();
        return format!(" One of {}.", choices.join(", "));
    }
    match (field.get("minimum"), field.get("maximum")) {
        (Some(low), Some(high)) => format!(" {low} to {high}."),
        _ => String::new(),
    }
}
