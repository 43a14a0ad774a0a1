//! The JSON Schema of the configuration, from the Rust types.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::RuntimeSpec;

/// The schema (draft 2020-12) with all types written where they are used.
pub fn config() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings
        .into_generator()
        .into_root_schema_for::<RuntimeSpec>()
        .to_value()
}
