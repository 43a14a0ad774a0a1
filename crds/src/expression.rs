//! The grammar of `attrExpression`: an operator, then a place: `data_to_dict` and its subscripts, `topic`, or a level of it.
//!
//! pyboot evaluated the Python text `'<attrValue>' <attrExpression>`; here it parses once into a
//! closed tree that cannot run anything.

mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

pub use parse::{ParseError, parse, parse_place};

/// A parsed `attrExpression`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Expression {
    /// The comparison.
    pub operator: Operator,
    /// What is compared.
    pub place: Place,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// A place in the message.
    Message(Path),
    /// `topic`, the message's topic.
    Topic,
    /// `topic[n]`, a level of the topic; negative counts from the end.
    Level(i64),
}

impl Place {
    /// Whether it is in the message, so that the message must be decoded.
    pub fn is_in_message(&self) -> bool {
        matches!(self, Self::Message(_))
    }
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

impl fmt::Display for Expression {
    /// A text that parses to the same expression.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operator, self.place)
    }
}

impl fmt::Display for Place {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(path) => write!(f, "{path}"),
            Self::Topic => f.write_str("topic"),
            Self::Level(level) => write!(f, "topic[{level}]"),
        }
    }
}

impl fmt::Display for Operator {
    /// As Python writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::In => "in",
            Self::NotIn => "not in",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        })
    }
}

impl fmt::Display for Path {
    /// `data_to_dict` with its subscripts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("data_to_dict")?;
        self.0.iter().try_for_each(|step| write!(f, "{step}"))
    }
}

impl fmt::Display for Step {
    /// One subscript with its brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = match self {
            Self::Index(index) => return write!(f, "[{index}]"),
            Self::Key(key) => key,
        };
        f.write_str("['")?;
        for character in key.chars() {
            match character {
                '\\' | '\'' => write!(f, "\\{character}")?,
                c if c.is_control() => write!(f, "\\U{:08x}", u32::from(c))?,
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("']")
    }
}
