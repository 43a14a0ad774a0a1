//! The tree of an expression.

use super::function::{Function, Method};

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    /// The value that pyboot put on the left as a variable.
    Left,
    /// `data_to_dict`.
    Message,
    /// A text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// Another number.
    Float(f64),
    /// `True` or `False`.
    Bool(bool),
    /// `None`.
    Nothing,
    /// An undefined name, for which Python raises `NameError`.
    Unknown,
    /// `[a, b]`.
    List(Vec<Self>),
    /// `(a, b)`.
    Tuple(Vec<Self>),
    /// `{}`.
    EmptyDict,
    /// `a[b]`.
    Subscript(Box<Self>, Box<Self>),
    /// `a.method(b)`.
    Method(Box<Self>, Method, Vec<Self>),
    /// `function(a)`.
    Call(Function, Vec<Self>),
    /// `a == b < c`.
    Compare(Box<Self>, Vec<(Comparison, Self)>),
    /// `a and b`.
    And(Vec<Self>),
    /// `a or b`.
    Or(Vec<Self>),
    /// `not a`.
    Not(Box<Self>),
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Is,
    IsNot,
}
