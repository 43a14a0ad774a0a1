//! A time span: a number of seconds, or text with a unit.

use schemars::JsonSchema;
use schemars::transform::Transform as _;
use serde::{Deserialize, Serialize};

use crate::constraint::quantity;
use crate::constraint::rule::rule;

/// A time span: a bare number of seconds, or text with a unit (`ms`, `s`, `m`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Timeout {
    /// Seconds.
    Seconds(f64),
    /// A number with a unit: `500ms`, `10s`, `2m`.
    Text(String),
}

impl JsonSchema for Timeout {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timeout".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = schemars::json_schema!({ "type": ["number", "string"] });
        quantity(&mut schema);
        // Only a text equals itself as a text; not every evaluator of CEL has `type(self) == int`.
        rule(
            "self == string(self) ? self.matches('^ *([0-9]{1,7}([.][0-9]{1,3})?) *(ms|s|m)? *$') : self >= 1 && self <= 3600",
            "not a time span; write whole seconds from 1 to 3600, or a text such as \"500ms\", \"10s\" or \"2m\"",
        )
        .transform(&mut schema);
        schema
    }
}
