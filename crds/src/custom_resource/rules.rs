//! What fields mean together, in CEL, each with a sentence that names the field, its value and the
//! remedy.
//!
//! An API server says the path of a failed rule and its text, not the value; where the value helps, the
//! text is an expression. It also estimates the cost of every rule at its largest
//! (<https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#resource-use-by-validation-functions>),
//! and refuses the definition when that is too much: rules on devices and their attributes are short.

mod cluster;
mod connections;
mod models;

use std::borrow::Cow;

use serde_json::{Value, json};

use super::schema_path;

/// One rule.
pub(super) struct Rule {
    pub(super) path: &'static str,
    pub(super) cel: String,
    /// The field that it is about, below `path`.
    pub(super) field: Option<&'static str>,
    pub(super) says: Says,
}

/// What is said when a rule does not hold.
pub(super) enum Says {
    /// A text.
    Text(Cow<'static, str>),
    /// A CEL expression that gives the text, and a text for when it does not.
    Expression(String, Cow<'static, str>),
}

/// A rule that says a text.
fn rule(path: &'static str, cel: impl Into<String>, says: impl Into<Cow<'static, str>>) -> Rule {
    Rule {
        path,
        cel: cel.into(),
        field: None,
        says: Says::Text(says.into()),
    }
}

/// A rule on a text, that says the text and what is wrong with it.
fn quoting(path: &'static str, cel: impl Into<String>, says: &'static str) -> Rule {
    Rule {
        path,
        cel: cel.into(),
        field: None,
        says: Says::Expression(format!("'\"' + self + '\" {}'", escaped(says)), says.into()),
    }
}

/// A rule that says what an expression gives.
fn saying(
    path: &'static str,
    cel: impl Into<String>,
    expression: impl Into<String>,
    otherwise: &'static str,
) -> Rule {
    Rule {
        path,
        cel: cel.into(),
        field: None,
        says: Says::Expression(expression.into(), otherwise.into()),
    }
}

/// Something that people and machines use as a name. It is not repeated: it cannot be seen.
fn name(path: &'static str) -> Rule {
    rule(
        path,
        r"self.matches('[^\\s\\p{Z}]') && !self.matches('\\p{Cc}')",
        "the name is blank or has control characters; write some visible text on one line",
    )
}

/// Seconds, or a number with a unit.
fn time_span(path: &'static str) -> Rule {
    rule(
        path,
        "type(self) == int ? self >= 1 && self <= 3600 : self.matches('^ *([0-9]{1,7}([.][0-9]{1,3})?) *(ms|s|m)? *$')",
        "not a time span; write whole seconds from 1 to 3600, or a text such as \"500ms\", \"10s\" or \"2m\"",
    )
}

/// A rule that is about a field below its path.
fn under(field: &'static str, rule: Rule) -> Rule {
    Rule {
        field: Some(field),
        ..rule
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}

/// All rules.
pub(super) fn all() -> Vec<Rule> {
    let mut rules = connections::rules();
    rules.extend(models::rules());
    rules.extend(cluster::rules());
    rules
}

/// Patterns, where a rule would cost too much or there is no sentence to say.
pub(super) fn patterns() -> [(&'static str, &'static str); 2] {
    [
        ("spec.funcs[].devices[].deviceName", models::DEVICE_NAME),
        (
            "spec.funcs[].devices[].deviceAttr[].attrExpression",
            models::EXPRESSION,
        ),
    ]
}

/// Writes the rules into the schema of an object.
pub(super) fn apply(object: &mut Value) {
    for (path, pattern) in patterns() {
        if let Some(schema) = schema_path::find(object, path) {
            schema["pattern"] = json!(pattern);
        }
    }
    for one in all() {
        let Rule {
            path,
            cel,
            field,
            says,
        } = one;
        let Some(schema) = schema_path::find(object, path) else {
            // A test says so.
            continue;
        };
        let mut entry = json!({ "rule": cel });
        if let Some(field) = field {
            entry["fieldPath"] = json!(field);
        }
        match says {
            Says::Text(text) => entry["message"] = json!(text),
            Says::Expression(expression, otherwise) => {
                entry["message"] = json!(otherwise);
                entry["messageExpression"] = json!(expression);
            }
        }
        match &mut schema["x-kubernetes-validations"] {
            Value::Array(list) => list.push(entry),
            empty => *empty = json!([entry]),
        }
    }
}
