//! The tree as JSON with the fields that edgemodel has, scalars as pyboot took them.

use std::collections::HashMap;

use crds::node::{Node, Value};
use crds::problem::Position;
use crds::pyyaml::{self, Scalar};
use crds::schema::{self, alternative};
use serde_json::{Map, Value as Json, json};

use crate::{Change, entries};

/// Reads a tree, and collects what changes.
pub(crate) struct Reader<'a> {
    lines: &'a [&'a str],
    changes: Vec<Change>,
    positions: HashMap<String, Position>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(lines: &'a [&'a str]) -> Self {
        Self {
            lines,
            changes: Vec::new(),
            positions: HashMap::new(),
        }
    }

    pub(crate) fn document(&mut self, tree: &Node) -> Json {
        self.value(tree, &schema::config(), "")
    }

    /// Records a change of the value at a path.
    pub(crate) fn note(&mut self, path: impl Into<String>, message: impl Into<String>) {
        let path = path.into();
        self.changes.push(Change {
            position: self
                .positions
                .get(&path)
                .copied()
                .filter(|_| !path.is_empty()),
            path,
            message: message.into(),
        });
    }

    /// In the order of the text; changes of the whole configuration come last.
    pub(crate) fn into_changes(mut self) -> Vec<Change> {
        self.changes
            .sort_by_key(|change| (change.path.is_empty(), change.position));
        self.changes
    }

    fn value(&mut self, node: &Node, schema: &Json, path: &str) -> Json {
        self.positions.insert(path.to_owned(), node.position);
        let schema = alternative(schema);
        match &node.value {
            Value::Map(_) => self.fields(node, schema, path),
            Value::List(list) => {
                let item =
                    |(index, item)| self.value(item, &schema["items"], &format!("{path}[{index}]"));
                list.iter().enumerate().map(item).collect()
            }
            _ => self.scalar(node, schema, path),
        }
    }

    fn fields(&mut self, node: &Node, schema: &Json, path: &str) -> Json {
        let known = schema["properties"].as_object();
        let mut fields = Map::new();
        for (name, position, value) in entries(node) {
            let path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            let Some(schema) = known.and_then(|known| known.get(name)) else {
                self.positions.insert(path.clone(), *position);
                self.note(
                    path,
                    "is left out: edgemodel has no such field, and pyboot did not use it",
                );
                continue;
            };
            // A field without a value counts as absent, except for texts: pyboot made "None" of those.
            let value = self.value(value, schema, &path);
            if !value.is_null() {
                fields.insert(name.clone(), value);
            }
        }
        fields.into()
    }

    fn scalar(&mut self, node: &Node, schema: &Json, path: &str) -> Json {
        let kinds = &schema["type"];
        let is = |kind: &str| {
            *kinds == kind
                || kinds
                    .as_array()
                    .is_some_and(|kinds| kinds.iter().any(|one| one == kind))
        };
        match text(node, self.lines) {
            Taken::Nothing => Json::Null,
            Taken::As(text, note) => {
                if is("boolean") {
                    return self.boolean(node, &text, path);
                }
                if let (true, Some(number)) = (is("integer") || is("number"), number(&text)) {
                    return number;
                }
                if let Some(note) = note {
                    self.note(path, note);
                }
                text.into()
            }
        }
    }

    /// marshmallow's `Bool` took texts and numbers too.
    fn boolean(&mut self, node: &Node, text: &str, path: &str) -> Json {
        let value = !FALSE.contains(&text);
        // `no` was a truth value for PyYAML already.
        if !matches!(node.value, Value::Bool(_)) && !matches!(text, "True" | "False") {
            self.note(
                path,
                format!("{text:?} is written as {value}, as pyboot took it"),
            );
        }
        value.into()
    }
}

/// What marshmallow takes for false.
const FALSE: [&str; 15] = [
    "f", "F", "false", "False", "FALSE", "off", "Off", "OFF", "n", "N", "no", "No", "NO", "0",
    "0.0",
];

fn number(text: &str) -> Option<Json> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(json!(whole));
    }
    text.parse::<f64>()
        .ok()
        .filter(|value| value.is_finite())
        .map(|value| json!(value))
}

/// Whether the text at the value's position is the value, without quotes.
fn is_plain(value: &str, written: &str) -> bool {
    let rest = written.strip_prefix(value).map(str::trim_start);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([',', '}', ']']))
}

/// How pyboot read a scalar where it wanted a text.
pub(crate) enum Taken {
    /// `None`.
    Nothing,
    /// A text, with a note if it differs from what is written.
    As(String, Option<String>),
}

/// Takes a scalar as PyYAML and `str()` did.
pub(crate) fn text(node: &Node, lines: &[&str]) -> Taken {
    let written = pyyaml::plain(lines, node.position);
    let differs = |taken: &str, written: &str| {
        (taken != written).then(|| format!("{written} is written as {taken:?}, as pyboot took it; correct it if {written:?} was meant"))
    };
    match &node.value {
        Value::Null | Value::List(_) | Value::Map(_) => Taken::Nothing,
        Value::Bool(value) => {
            let taken = if *value { "True" } else { "False" };
            Taken::As(
                taken.to_owned(),
                differs(
                    taken,
                    written.unwrap_or(if *value { "true" } else { "false" }),
                ),
            )
        }
        Value::Number(value) => {
            let taken = pyyaml::number(lines, node.position).unwrap_or_else(|| value.to_string());
            let written = written.map(|written| {
                written
                    .split([',', '}', ']'])
                    .next()
                    .unwrap_or_default()
                    .trim_end()
            });
            let note = written.and_then(|written| differs(&taken, written));
            Taken::As(taken, note)
        }
        Value::Text(text) if written.is_some_and(|written| is_plain(text, written)) => {
            match pyyaml::resolve(text) {
                Scalar::Nothing => Taken::Nothing,
                Scalar::Bool(value) => {
                    let taken = if value { "True" } else { "False" };
                    Taken::As(taken.to_owned(), differs(taken, text))
                }
                Scalar::Number(number) => Taken::As(number.to_string(), differs(&number, text)),
                Scalar::Time => {
                    let note = format!(
                        "{text} was a time for pyboot, whose text depends on its version of PyYAML"
                    );
                    Taken::As(text.clone(), Some(note))
                }
                Scalar::Text(_) => Taken::As(text.clone(), None),
            }
        }
        Value::Text(text) => Taken::As(text.clone(), None),
    }
}
