//! The problems of a configuration that a viewer writes, as `edgemodel check` finds them. Nothing of it is kept or used.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Json, Response};
use crds::node::{Node, Value as NodeValue};
use serde_json::{Value, json};

use super::Console;

/// The panel: the fields of a configuration, with titles and bounds.
pub(super) async fn panel() -> Json<Value> {
    Json(crds::schema::panel())
}

/// Checks a configuration in YAML or JSON.
pub(super) async fn check(State(console): State<Arc<Console>>, text: Bytes) -> Response {
    let Ok(_one) = console.explanations.acquire().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let checked = tokio::task::spawn_blocking(move || document(&String::from_utf8_lossy(&text)));
    match checked.await {
        Ok(document) => Json(document).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The configuration as a tree and as YAML, its problems, and the models that it would refuse.
fn document(text: &str) -> Value {
    let value = crds::yaml::parse(text).ok().map(|node| tree(&node));
    let yaml = value
        .as_ref()
        .and_then(|value| crds::yaml::write(value).ok());
    let (problems, refused) = match crds::load(text, "config") {
        Ok(runtime) => (Vec::new(), refused(&runtime)),
        Err(problems) => (problems.list.iter().map(problem).collect(), Vec::new()),
    };
    json!({ "value": value, "yaml": yaml, "problems": problems, "refused": refused })
}

fn problem(problem: &crds::Problem) -> Value {
    json!({
        "path": problem.path,
        "line": problem.position.map(|position| position.line),
        "message": problem.message,
        "remedy": problem.remedy,
    })
}

fn refused(runtime: &crds::ValidatedRuntime) -> Vec<Value> {
    let funcs = runtime.funcs.iter().enumerate();
    let refused = funcs.filter_map(|(index, func)| {
        let refusal = func.digest.as_ref().err()?;
        Some(json!({ "path": format!("funcs[{index}]"), "message": refusal.to_string() }))
    });
    refused.collect()
}

fn tree(node: &Node) -> Value {
    match &node.value {
        NodeValue::Null => Value::Null,
        NodeValue::Bool(value) => json!(value),
        NodeValue::Number(value) => number(*value),
        NodeValue::Text(text) => json!(text),
        NodeValue::List(items) => items.iter().map(tree).collect(),
        NodeValue::Map(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, _, value)| (key.clone(), tree(value)));
            Value::Object(entries.collect())
        }
    }
}

/// A whole number without a fraction, as it was written.
fn number(value: f64) -> Value {
    let whole = value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "a whole number that fits")]
    let integer = value as i64;
    if whole { json!(integer) } else { json!(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &str = include_str!("../../../tests/fixtures/seed/config.yaml");

    #[test]
    fn a_configuration_comes_back_as_a_tree_and_as_yaml_that_means_the_same() {
        let checked = document(SEED);
        assert_eq!(checked["problems"], json!([]));
        assert_eq!(checked["refused"][0]["path"], "funcs[1]");
        assert_eq!(checked["value"]["expose"][0]["outPort"], 38080);
        let again = document(checked["yaml"].as_str().unwrap());
        assert_eq!(again, checked);
        let from_form = document(&checked["value"].to_string());
        assert_eq!(from_form, checked);
    }

    #[test]
    fn problems_say_where_they_are() {
        let checked = document(&SEED.replace("outPort: 38080", "outPort: 80"));
        assert_eq!(checked["problems"][0]["path"], "expose[0].outPort");
        let broken = document("mqtts: [");
        assert_eq!(broken["value"], Value::Null);
        assert_eq!(broken["problems"].as_array().map(Vec::len), Some(1));
    }
}
