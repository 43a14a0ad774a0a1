//! An API server's verdict on a runtime.

use std::collections::BTreeSet;

use kube_cel::{CompiledSchema, ErrorKind, Validator, compile_schema};
use serde_json::{Value, json};

use crate::structure;

/// A rule: the path of its field, with `[]` for a list's entries, and its CEL.
pub(crate) type Rule = (String, String);

/// Why a runtime is refused.
#[derive(Debug, PartialEq)]
pub(crate) struct Refusal {
    /// Path and message.
    pub(crate) said: String,
    /// The rule that does not hold, if it is one.
    pub(crate) rule: Option<Rule>,
}

pub(crate) struct Api {
    schema: Value,
    compiled: CompiledSchema,
    validator: Validator,
}

impl Api {
    pub(crate) fn new() -> Self {
        let schema = crds::custom_resource::openapi();
        Self {
            compiled: compile_schema(&schema),
            validator: Validator::new(),
            schema,
        }
    }

    /// What creating a runtime with `spec` is refused for. As in an API server, rules are evaluated only for
    /// what has the right structure.
    pub(crate) fn create(&self, spec: &Value) -> Vec<Refusal> {
        let object = json!({ "spec": spec });
        let faults = structure::check(&self.schema, &object);
        if !faults.is_empty() {
            let refusal = |said| Refusal { said, rule: None };
            return faults.into_iter().map(refusal).collect();
        }
        let verdict = self
            .validator
            .validate_compiled(&self.compiled, &object, None);
        let errors = verdict.err().into_iter().flatten();
        errors
            .map(|error| {
                // Anything else is a rule that cannot be evaluated.
                assert_eq!(
                    error.kind,
                    ErrorKind::ValidationFailure,
                    "{error}: {}",
                    error.rule
                );
                Refusal {
                    said: error.to_string(),
                    rule: Some((without_indices(&error.field_path), error.rule)),
                }
            })
            .collect()
    }

    /// All rules.
    pub(crate) fn rules(&self) -> BTreeSet<Rule> {
        let mut found = BTreeSet::new();
        collect(&self.schema, "", None, &mut found);
        found
    }

    /// The rules that are evaluated for `spec`.
    pub(crate) fn rules_for(&self, spec: &Value) -> BTreeSet<Rule> {
        let mut found = BTreeSet::new();
        collect(&self.schema, "", Some(&json!({ "spec": spec })), &mut found);
        found
    }
}

/// Adds the rules of `schema`, which is at `path`; with a value, those of fields that the value has.
fn collect(schema: &Value, path: &str, value: Option<&Value>, found: &mut BTreeSet<Rule>) {
    for rule in schema["x-kubernetes-validations"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let [field, cel] =
            ["fieldPath", "rule"].map(|name| rule[name].as_str().unwrap_or_default());
        found.insert((format!("{path}{field}"), cel.to_owned()));
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let path = path.trim_start_matches('.');
        match value.map(|value| value.get(name)) {
            None => collect(field, path, None, found),
            Some(Some(inner)) => collect(field, path, Some(inner), found),
            Some(None) => {}
        }
    }
    if let Some(items) = schema.get("items") {
        let path = format!("{path}[]");
        match value {
            None => collect(items, &path, None, found),
            Some(list) => {
                for inner in list.as_array().into_iter().flatten() {
                    collect(items, &path, Some(inner), found);
                }
            }
        }
    }
}

/// `funcs[3].devices[0]` as `funcs[].devices[]`.
fn without_indices(path: &str) -> String {
    let mut parts = path.split('[');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |path, part| {
        path + "[" + part.trim_start_matches(|c: char| c.is_ascii_digit())
    })
}
