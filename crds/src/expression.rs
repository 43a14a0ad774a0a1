//! The grammar of `attrExpression`: an operator, then `data_to_dict` and its subscripts.
//!
//! pyboot evaluated the Python text `'<attrValue>' <attrExpression>`; here it parses once into a
//! closed tree that cannot run anything.

mod parse;
#[cfg(test)]
mod tests;

pub use parse::{ParseError, parse};

/// A parsed `attrExpression`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Expression {
    /// The comparison.
    pub operator: Operator,
    /// The place in the message.
    pub path: Path,
}

/// Python's comparison operators that the grammar allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `in`
    In,
    /// `not in`
    NotIn,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// Subscripts of `data_to_dict`, outermost first; empty for the whole message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Path(pub Vec<Step>);

/// One subscript.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// `['key']`
    Key(String),
    /// `[index]`; negative counts from the end, as in Python.
    Index(i64),
}
