//! Rules in CEL, each with a sentence that names the field, its value and the remedy.
//!
//! An API server's error has the path of a failed rule and its message, not the value; where the value
//! helps, the message is an expression. The server also estimates the cost of every rule at its largest
//! (<https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#resource-use-by-validation-functions>)
//! and refuses the CRD when that is too much: keep rules on devices and their attributes short.

use std::borrow::Cow;

use schemars::Schema;
use schemars::transform::Transform;
use serde_json::{Value, json};

/// A rule on the field or type that it is an attribute of.
pub(crate) struct CelRule {
    cel: Cow<'static, str>,
    field: Option<&'static str>,
    message: Cow<'static, str>,
    expression: Option<Cow<'static, str>>,
}

/// A rule with a fixed message.
pub(crate) fn rule(
    cel: impl Into<Cow<'static, str>>,
    message: impl Into<Cow<'static, str>>,
) -> CelRule {
    CelRule {
        cel: cel.into(),
        field: None,
        message: message.into(),
        expression: None,
    }
}

/// A rule on a text whose message begins with that text, quoted.
pub(crate) fn quoting(cel: impl Into<Cow<'static, str>>, message: &'static str) -> CelRule {
    let escaped = message.replace('\\', "\\\\").replace('\'', "\\'");
    rule(cel, message).saying(format!("'\"' + self + '\" {escaped}'"))
}

impl CelRule {
    /// A CEL expression for the message; the fixed message stays for when it fails.
    pub(crate) fn saying(self, expression: impl Into<Cow<'static, str>>) -> Self {
        Self {
            expression: Some(expression.into()),
            ..self
        }
    }

    /// Reports the field `path` within, such as `.rules`, instead of the whole.
    pub(crate) fn about(self, path: &'static str) -> Self {
        Self {
            field: Some(path),
            ..self
        }
    }
}

impl Transform for CelRule {
    fn transform(&mut self, schema: &mut Schema) {
        let mut entry = json!({ "rule": self.cel });
        if let Some(field) = self.field {
            entry["fieldPath"] = field.into();
        }
        entry["message"] = self.message.as_ref().into();
        if let Some(expression) = &self.expression {
            entry["messageExpression"] = expression.as_ref().into();
        }
        let rules = schema
            .ensure_object()
            .entry("x-kubernetes-validations")
            .or_insert_with(|| json!([]));
        if let Value::Array(rules) = rules {
            rules.push(entry);
        }
    }
}

/// A name that users and machines see. The message does not repeat it, since it is invisible.
pub(crate) fn visible(schema: &mut Schema) {
    rule(
        r"self.matches('[^\\s\\p{Z}]') && !self.matches('\\p{Cc}')",
        "the name is blank or has control characters; write some visible text on one line",
    )
    .transform(schema);
}

/// The name of another object.
pub(crate) fn object_name(schema: &mut Schema) {
    quoting(
        "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
        "is not the name of an object; use lower case letters, digits, - and .",
    )
    .transform(schema);
}
