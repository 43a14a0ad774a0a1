//! What is wrong with a configuration: all of it at once.

use std::fmt::{self, Write as _};

/// One problem: where, what, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Path of the field, such as `funcs[1].devices[0].deviceAttr[0].attrExpression`.
    pub path: String,
    /// Line and column in the text, from 1, if known.
    pub position: Option<Position>,
    /// What is wrong, with the offending value.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// A position in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// All problems of one text; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The text's name.
    pub source: String,
    /// The problems, in source order.
    pub list: Vec<Problem>,
}

impl fmt::Display for Problems {
    /// One line per problem: `source:line:column: path: message; remedy`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.list.iter().enumerate() {
            if n > 0 {
                writeln!(f)?;
            }
            write!(f, "{}:", self.source)?;
            if let Some(Position { line, column }) = problem.position {
                write!(f, "{line}:{column}:")?;
            }
            write!(
                f,
                " {}: {}; {}",
                OneLine(&problem.path),
                OneLine(&problem.message),
                OneLine(&problem.remedy)
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// A text with its control characters escaped: keys in a file may contain line breaks.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| {
            if character.is_control() {
                write!(f, "{}", character.escape_default())
            } else {
                f.write_char(character)
            }
        })
    }
}
