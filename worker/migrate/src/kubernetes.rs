//! A configuration as an `EdgeModelRuntime`.

use serde_json::{Value, json};

/// The object, whose spec is the configuration.
pub fn object(config: &Value, name: &str) -> Value {
    json!({
        "apiVersion": "edgemodel.io/v1alpha1",
        "kind": "EdgeModelRuntime",
        "metadata": { "name": name },
        "spec": config,
    })
}

/// A valid Kubernetes name derived from a file's, or `models` if nothing of it is left.
pub fn object_name(file: &str) -> String {
    let lower = file.to_ascii_lowercase();
    let kept: String = lower
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(40)
        .collect();
    let name = kept
        .split('-')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-");
    if name.is_empty() {
        "models".to_owned()
    } else {
        name
    }
}
