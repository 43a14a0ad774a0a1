//! A time span: a number of seconds, or text with a unit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
        schemars::json_schema!({ "type": ["number", "string"] })
    }
}
