//! From text to [`ValidatedRuntime`]: every problem in one pass.
//!
//! First the shape against the schema, then the meaning. The second pass reads what it finds and
//! leaves out what the first has reported, so that one mistake hides no other.

mod meaning;
mod model;
mod mqtt;
mod shape;
mod value;

use crate::problem::{Position, Problem, Problems};
use crate::validated::ValidatedRuntime;
use crate::{schema, yaml};

/// Reads, checks and resolves a configuration.
///
/// # Errors
/// All problems of the text, in its order.
pub fn load(text: &str, source: &str) -> Result<ValidatedRuntime, Problems> {
    let mut report = Report::default();
    let runtime = match yaml::parse(text) {
        Ok(node) => {
            shape::check(&node, &schema::config(), "", &mut report);
            Some(meaning::runtime(&node, &mut report))
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
#[derive(Debug, Default)]
struct Report {
    problems: Vec<Problem>,
}

impl Report {
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
