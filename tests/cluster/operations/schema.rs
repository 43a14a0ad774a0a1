//! What can be done to each property of the schema (in the manner of Acto, SOSP 2023).
//!
//! Of each property another value, its bounds, each choice and the longest text; of each list one item more, one less, none and
//! another order; and nothing where there may be nothing.

use anyhow::Context as _;
use serde_json::Value;

use super::operation::{Change, Operation};
use super::value::{self, place};
use crate::plans::spec::base;

/// Properties that need what this cluster has not: their effect is a condition, which has a test of its own.
const ELSEWHERE: [&str; 1] = ["funcs[].autoscaling.prometheusAddress"];

/// Every operation on the spec of the CustomResourceDefinition.
pub(super) fn operations() -> anyhow::Result<Vec<Operation>> {
    let schema = crds::custom_resource::openapi();
    let mut found = Vec::new();
    collect(&schema["properties"]["spec"], "", true, &mut found)?;
    found.retain(|operation| !ELSEWHERE.contains(&operation.path.as_str()));
    Ok(found)
}

fn collect(
    schema: &Value,
    path: &str,
    required: bool,
    found: &mut Vec<Operation>,
) -> anyhow::Result<()> {
    let mut add = |change: Change| {
        found.push(Operation {
            path: path.to_owned(),
            schema: schema.clone(),
            change,
        });
    };
    if let Some(fields) = schema["properties"].as_object() {
        let needed = schema["required"].as_array().cloned().unwrap_or_default();
        for (name, field) in fields {
            let needed = needed.iter().any(|one| one == name);
            let path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            collect(field, &path, needed, found)?;
        }
        return Ok(());
    }
    if schema["items"].is_object() {
        add(Change::Push);
        add(Change::Pop);
        add(Change::Empty);
        if schema["x-kubernetes-list-type"] == "map" {
            add(Change::Reorder);
        }
        return collect(&schema["items"], &format!("{path}[]"), true, found);
    }
    add(Change::Other);
    if schema["type"] == "integer" {
        let [least, most] = value::bounds(schema)?;
        add(Change::Bound("least", least));
        add(Change::Bound("most", most));
    }
    let choices = value::choices(schema);
    for (index, from) in choices.iter().enumerate() {
        for to in &choices[index + 1..] {
            add(Change::Choice(from.clone(), to.clone()));
        }
    }
    if let Some([first, last]) = value::frame(path) {
        let length = schema["maxLength"].as_u64();
        let length = length.with_context(|| format!("{path} has no greatest length"))?;
        let room = usize::try_from(length)? - first.len() - last.len();
        add(Change::Longest(format!(
            "{first}{}{last}",
            "x".repeat(room)
        )));
    }
    let mut begin = value::beginning(path, base())?;
    if !required && !place(&mut begin, path)?.is_null() {
        add(Change::Absent);
    }
    Ok(())
}
