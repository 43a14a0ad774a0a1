//! Old configurations of pyboot as edgemodel's, what changes in meaning, and which messages are treated differently.
//!
//! Pure: texts in, texts out. Rooms in reading order:
//!
//! - `generation`: which of pyboot's three generations a configuration belongs to.
//! - `rename`: today's fields for those of older generations.
//! - `document`: the tree as JSON with the fields that edgemodel has, scalars as pyboot took them.
//! - `attribute`: conditions in edgemodel's grammar.
//! - `merge`: one entry for each model.
//! - `meaning`: fields whose meaning differs.
//! - `old`: pyboot's matching loops, interpreted by `python`.
//! - `messages`: which messages are treated differently.
//! - `kubernetes`: the same as an `EdgeModelRuntime`.

mod attribute;
mod document;
mod generation;
mod kubernetes;
mod meaning;
mod merge;
mod messages;
mod old;
mod python;
mod rename;

use crds::node::Node;
use crds::problem::{Position, Problem, Problems};
use crds::{ValidatedRuntime, yaml};
use serde_json::Value;

pub use generation::Generation;
pub use kubernetes::{object, object_name};
pub use messages::{Comparison, Difference, Ended, Unknown, compare};

use document::Reader;
use old::Old;

/// A migrated configuration.
#[derive(Debug)]
pub struct Migrated {
    /// What it was.
    pub generation: Generation,
    /// Today's configuration.
    pub config: Value,
    /// What changes in meaning, in the order of the text.
    pub changes: Vec<Change>,
    /// The same, validated; or the problems that are left to correct.
    pub runtime: Result<ValidatedRuntime, Problems>,
    old: Old,
    /// For each entry of the old `funcs`, its model in `config`.
    models: Vec<usize>,
}

/// A field whose meaning differs from pyboot's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Path of the field, such as `mqtts[0].qos`; empty for the whole configuration.
    pub path: String,
    /// Its position in the old text.
    pub position: Option<Position>,
    /// What changes.
    pub message: String,
}

/// Reads an old configuration; `source` names the text in messages.
///
/// # Errors
/// The text is not YAML, or not a configuration of pyboot.
pub fn migrate(text: &str, source: &str) -> Result<Migrated, Problems> {
    let failed = |problem: Problem| Problems {
        source: source.to_owned(),
        list: vec![problem],
    };
    let mut tree = yaml::parse(text).map_err(failed)?;
    let lines: Vec<_> = text.lines().collect();
    let generation = generation::of(&tree).map_err(failed)?;
    let old = Old::read(&tree, generation, &lines);
    rename::to_todays(&mut tree, generation);
    let mut reader = Reader::new(&lines);
    let mut config = reader.document(&tree);
    meaning::note(&mut config, generation, &mut reader);
    attribute::translate(&mut config, generation, &mut reader);
    let models = merge::models(&mut config, &mut reader);
    let runtime = check(&config, source);
    Ok(Migrated {
        generation,
        config,
        changes: reader.into_changes(),
        runtime,
        old,
        models,
    })
}

/// The configuration as YAML.
///
/// # Errors
/// A value that YAML cannot hold.
pub fn write(config: &Value) -> Result<String, String> {
    yaml::write(config).map_err(|error| error.to_string())
}

/// The result is validated like any other configuration, without positions: the user has not seen its text.
fn check(config: &Value, source: &str) -> Result<ValidatedRuntime, Problems> {
    crds::load(&config.to_string(), source).map_err(|mut problems| {
        for problem in &mut problems.list {
            problem.position = None;
        }
        problems
    })
}

/// A map's entries.
fn entries(node: &Node) -> &[(String, Position, Node)] {
    match &node.value {
        crds::node::Value::Map(entries) => entries,
        _ => &[],
    }
}

/// A list's items.
fn items(node: Option<&Node>) -> &[Node] {
    match node.map(|node| &node.value) {
        Some(crds::node::Value::List(items)) => items,
        _ => &[],
    }
}

#[cfg(test)]
mod tests;
