//! From text to [`ValidatedRuntime`]: every problem in one pass.
//!
//! The first pass checks the shape against the schema, the second the meaning. The second skips what the
//! first has reported, so that one mistake does not hide another.

mod broker_url;
mod database;
mod meaning;
mod model;
mod model_server;
mod mqtt;
mod placement;
mod s3;
mod sandbox;
mod shape;
mod source_position;
mod value;

pub use broker_url::InvalidBrokerUrl;

use crate::node::{Node, Value};
use crate::problem::{Position, Problem, Problems};
use crate::pyyaml;
use crate::runtime::RuntimeSpec;
use crate::schema;
use crate::validated::ValidatedRuntime;
use crate::yaml::{self, DOCUMENT};

/// Reads, checks and resolves a configuration.
///
/// # Errors
/// All problems of the text, in its order.
pub fn load(text: &str, source: &str) -> Result<ValidatedRuntime, Problems> {
    let result = match yaml::parse(text) {
        Ok(mut node) => {
            let lines: Vec<_> = text.lines().collect();
            pyyaml::texts_for_numbers(&mut node, &schema::config(), &lines);
            check(&node, lines, true)
        }
        Err(problem) => Err(vec![problem]),
    };
    result.map_err(|list| problems(source, list))
}

/// Checks and resolves the spec of a runtime in a cluster. Without models it needs no brokers or rules
/// either, since there are no workers.
///
/// # Errors
/// All problems, without positions.
pub fn spec(spec: &RuntimeSpec, source: &str) -> Result<ValidatedRuntime, Problems> {
    let node = Node::of(serde_json::to_value(spec).unwrap_or_default());
    check(&node, Vec::new(), !spec.funcs.is_empty()).map_err(|mut list| {
        for problem in &mut list {
            problem.position = None;
        }
        problems(source, list)
    })
}

fn problems(source: &str, list: Vec<Problem>) -> Problems {
    Problems {
        source: source.to_owned(),
        list,
    }
}

/// `lines` are the text's, if there is one. With `complete`, brokers, rules and models are required.
fn check(node: &Node, lines: Vec<&str>, complete: bool) -> Result<ValidatedRuntime, Vec<Problem>> {
    let mut report = Report {
        lines,
        problems: Vec::new(),
    };
    let runtime = if matches!(node.value, Value::Map(_)) {
        shape::check(node, &schema::config(), "", &mut report);
        Some(meaning::runtime(node, complete, &mut report))
    } else {
        let message = match &node.value {
            Value::Null => "is empty".to_owned(),
            other => format!("{other} is not a map"),
        };
        let remedy = "write the fields mqtts, rules and funcs";
        report.add(DOCUMENT, node.position, message, remedy);
        None
    };
    match runtime {
        Some(runtime) if report.problems.is_empty() => Ok(runtime),
        _ => {
            report.problems.sort_by_key(|problem| problem.position);
            Err(report.problems)
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

/// The path of a field of `parent`, which is empty for the document itself.
fn child(parent: &str, name: &str) -> String {
    if parent.is_empty() {
        name.to_owned()
    } else {
        format!("{parent}.{name}")
    }
}

#[cfg(test)]
mod tests;
