//! An unchecked configuration as a tree whose nodes know their positions.

use std::fmt;

use crate::problem::Position;

/// A value and its position.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub position: Position,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing, or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Keys with their positions, and values, in source order.
    Map(Vec<(String, Position, Node)>),
}

impl Node {
    /// The tree of a value that was not parsed from text. Each node's column is its number in source order, so that
    /// problems can be sorted.
    pub(crate) fn of(value: serde_json::Value) -> Self {
        Self::numbered(value, &mut 0)
    }

    fn numbered(value: serde_json::Value, count: &mut usize) -> Self {
        let position = next(count);
        let value = match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(value),
            serde_json::Value::Number(value) => value.as_f64().map_or(Value::Null, Value::Number),
            serde_json::Value::String(value) => Value::Text(value),
            serde_json::Value::Array(list) => {
                let items = list.into_iter();
                Value::List(items.map(|item| Self::numbered(item, count)).collect())
            }
            serde_json::Value::Object(fields) => {
                let entry = |(name, value)| (name, next(count), Self::numbered(value, count));
                Value::Map(fields.into_iter().map(entry).collect())
            }
        };
        Self { position, value }
    }

    /// The value of `key`, if this is a map that has it and it is not null.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).filter(|node| node.value != Value::Null)
    }

    /// The value of `key`, if this is a map that has it, null or not.
    pub fn entry(&self, key: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else {
            return None;
        };
        let (_, _, node) = entries.iter().find(|(name, _, _)| name == key)?;
        Some(node)
    }
}

fn next(count: &mut usize) -> Position {
    *count += 1;
    Position {
        line: 1,
        column: *count,
    }
}

impl fmt::Display for Value {
    /// For messages: scalars as JSON, containers by their kind.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("nothing"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "{value:?}"),
            Self::List(_) => f.write_str("a list"),
            Self::Map(_) => f.write_str("a map"),
        }
    }
}
