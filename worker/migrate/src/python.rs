//! An interpreter of the expressions that pyboot evaluated as Python: it parses them into a tree and never runs them.
//!
//! The tree holds what such expressions are in practice: comparisons, `and`, `or`, `not`, subscripts, a few methods and
//! functions. Python's own syntax errors are distinguished from expressions that only this program does not know.

mod eval;
mod function;
mod lex;
mod names;
mod operators;
mod parse;
mod stop;
mod tree;
mod value;

pub(crate) use eval::evaluate;
pub(crate) use function::{Function, Method};
pub(crate) use parse::parse;
pub(crate) use stop::{Raised, Stop};
pub(crate) use tree::{Comparison, Expr};
pub(crate) use value::Value;

/// Why a text has no tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Python refuses it too.
    SyntaxError,
    /// It may be Python, but this program does not know it.
    NotUnderstood(String),
}

#[cfg(test)]
mod tests;
