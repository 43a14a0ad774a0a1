//! From text to [`ValidatedRuntime`]: every problem in one pass.
//!
//! First the shape against the schema, then the meaning. The second pass reads what it finds and
//! leaves out what the first has reported, so that one mistake hides no other.

mod broker_url;
mod meaning;
mod model;
mod mqtt;
mod place;
mod shape;
mod value;

pub use broker_url::InvalidBrokerUrl;

use crate::problem::{Position, Problem, Problems};
use crate::runtime::RuntimeSpec;
use crate::schema;
use crate::validated::ValidatedRuntime;
use crate::yaml::{self, DOCUMENT, Value};

/// Reads, checks and resolves a configuration.
///
/// # Errors
/// All problems of the text, in its order.
pub fn load(text: &str, source: &str) -> Result<ValidatedRuntime, Problems> {
    read(text, source, true)
}

/// Checks and resolves the spec of a runtime in a cluster. It may have no models at all, and then no
/// brokers and rules either: an operator serves it by doing nothing.
///
/// # Errors
/// All problems, without positions.
pub fn spec(spec: &RuntimeSpec, source: &str) -> Result<ValidatedRuntime, Problems> {
    // JSON is YAML, so that there is one reader of configurations.
    let text = serde_json::to_string(spec).unwrap_or_default();
    read(&text, source, !spec.funcs.is_empty()).map_err(|mut problems| {
        for problem in &mut problems.list {
            problem.position = None;
        }
        problems
    })
}

fn read(text: &str, source: &str, complete: bool) -> Result<ValidatedRuntime, Problems> {
    let mut report = Report {
        lines: text.lines().collect(),
        problems: Vec::new(),
    };
    let runtime = match yaml::parse(text) {
        Ok(node) if matches!(node.value, Value::Map(_)) => {
            shape::check(&node, &schema::config(), "", &mut report);
            Some(meaning::runtime(&node, complete, &mut report))
        }
        Ok(node) => {
            let message = match &node.value {
                Value::Null => "is empty".to_owned(),
                other => format!("{other} is not a map"),
            };
            let remedy = "write the fields mqtts, rules and funcs";
            report.add(DOCUMENT, node.position, message, remedy);
            None
        }
        Err(problem) => {
            report.problems.push(problem);
            None
        }
    };
    match runtime {
        Some(runtime) if report.problems.is_empty() => Ok(runtime),
        _ => {
            report.problems.sort_by_key(|problem| problem.position);
            Err(Problems {
                source: source.to_owned(),
                list: report.problems,
            })
        }
    }
}

/// What was found so far.
#[derive(Debug)]
struct Report<'a> {
    lines: Vec<&'a str>,
    problems: Vec<Problem>,
}

impl Report<'_> {
    fn add(
        &mut self,
        path: &str,
        position: Position,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.problems.push(Problem {
            path: path.to_owned(),
            position: Some(position),
            message: message.into(),
            remedy: remedy.into(),
        });
    }
}

/// The path of a field of `parent`, which is empty for the document.
fn child(parent: &str, name: &str) -> String {
    if parent.is_empty() {
        name.to_owned()
    } else {
        format!("{parent}.{name}")
    }
}

#[cfg(test)]
mod tests;
