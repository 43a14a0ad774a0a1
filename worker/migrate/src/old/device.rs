//! Whether a device matched, in each generation.

use crds::node::{Node, Value as Written};

use super::field;
use crate::document::{Taken, text};
use crate::items;
use crate::python::{Comparison, Expr, Raised, Stop, Unreadable, Value, evaluate, parse};

/// A device of pyboot.
#[derive(Debug)]
pub(crate) enum Device {
    /// All that must hold; each is evaluated only if those before do.
    Chain(Vec<Check>),
    /// Device and point, both evaluated; a syntax error is false.
    Both(Vec<Check>),
    /// The last one decides; after a syntax error, the one before.
    Last(Vec<Check>),
    /// Evaluation raises an exception for every message.
    Raises(Raised),
}

/// An expression with the variable on its left.
#[derive(Debug)]
pub(crate) enum Check {
    Evaluates {
        expr: Expr,
        left: Value,
    },
    SyntaxError,
    NotUnderstood(String),
    /// A field of the configuration was missing.
    Raises(Raised),
}

/// Whether a device matched.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Matches,
    Differs,
    Raised(Raised),
    Unknown(String),
}

impl Device {
    pub(super) fn flat(func: &Node, lines: &[&str]) -> Self {
        // A missing field was an empty text.
        let value = |names: [&str; 2]| {
            let found = names.iter().find_map(|name| field(func, name));
            found.map_or_else(|| Value::text(""), |node| value(node, lines))
        };
        let place = |keys: &[&str]| {
            keys.iter().fold(Expr::Message, |owner, key| {
                Expr::Subscript(Box::new(owner), Box::new(Expr::Text((*key).to_owned())))
            })
        };
        let compare =
            |comparison, right| Expr::Compare(Box::new(Expr::Left), vec![(comparison, right)]);
        let device = compare(Comparison::Equal, place(&["deviceInfo", "deviceName"]));
        let point = Expr::Or(vec![
            compare(Comparison::In, place(&["telemetry"])),
            compare(Comparison::Equal, Expr::Text(String::new())),
        ]);
        Self::Chain(vec![
            Check::Evaluates {
                expr: device,
                left: value(["deviceName", "device_name"]),
            },
            Check::Evaluates {
                expr: point,
                left: value(["pointName", "point_name"]),
            },
        ])
    }

    pub(super) fn expressions(device: &Node, lines: &[&str]) -> Self {
        let check =
            |name: &str, expression: &str| match (field(device, name), field(device, expression)) {
                (_, None) => Check::Raises(Raised::KeyError),
                (name, Some(expression)) => {
                    match (name, parse(&written(expression, lines), true)) {
                        (_, Err(unreadable)) => unreadable.into(),
                        (None, Ok(_)) => Check::Raises(Raised::KeyError),
                        (Some(name), Ok(expr)) => Check::Evaluates {
                            expr,
                            left: value(name, lines),
                        },
                    }
                }
            };
        let mut checks = vec![check("deviceName", "deviceParseExpression")];
        if field(device, "pointName").is_some() {
            checks.push(check("pointName", "pointParseExpression"));
        }
        Self::Both(checks)
    }

    pub(super) fn attributes(device: &Node, lines: &[&str]) -> Self {
        let list = field(device, "deviceAttr").or_else(|| field(device, "device"));
        let Some(list) = list else {
            return Self::Raises(Raised::KeyError);
        };
        if matches!(list.value, Written::Null) {
            return Self::Raises(Raised::TypeError);
        }
        let check = |attribute: &Node| {
            let [Some(_), Some(value), Some(expression)] =
                ["attrName", "attrValue", "attrExpression"].map(|name| field(attribute, name))
            else {
                return Check::Raises(Raised::KeyError);
            };
            let Taken::As(value, _) = text(value, lines) else {
                // A text and `None` cannot be added.
                return Check::Raises(Raised::TypeError);
            };
            match parse(&format!("'{value}' {}", written(expression, lines)), false) {
                Ok(expr) => Check::Evaluates {
                    expr,
                    left: Value::Nothing,
                },
                Err(unreadable) => unreadable.into(),
            }
        };
        Self::Last(items(Some(list)).iter().map(check).collect())
    }

    /// Whether the device matched a message.
    pub(super) fn verdict(&self, message: &Value) -> Verdict {
        let outcome = match self {
            Self::Chain(checks) => all_in_turn(checks, message),
            Self::Both(checks) => {
                let values: Result<Vec<_>, _> =
                    checks.iter().map(|check| check.is_true(message)).collect();
                values.map(|values| values.into_iter().all(|value| value.unwrap_or(false)))
            }
            Self::Last(checks) => last(checks, message),
            Self::Raises(raised) => Err(Stop::Raised(*raised)),
        };
        match outcome {
            Ok(true) => Verdict::Matches,
            Ok(false) => Verdict::Differs,
            Err(Stop::Raised(raised)) => Verdict::Raised(raised),
            Err(Stop::NotUnderstood(what)) => Verdict::Unknown(what),
        }
    }
}

fn all_in_turn(checks: &[Check], message: &Value) -> Result<bool, Stop> {
    for check in checks {
        if !check.is_true(message)?.unwrap_or(false) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn last(checks: &[Check], message: &Value) -> Result<bool, Stop> {
    let mut decided = false;
    for check in checks {
        decided = check.is_true(message)?.unwrap_or(decided);
    }
    Ok(decided)
}

impl Check {
    /// `None` for a syntax error.
    fn is_true(&self, message: &Value) -> Result<Option<bool>, Stop> {
        match self {
            Self::Evaluates { expr, left } => {
                evaluate(expr, left, message).map(|value| Some(value.is_true()))
            }
            Self::SyntaxError => Ok(None),
            Self::NotUnderstood(what) => Err(Stop::NotUnderstood(what.clone())),
            Self::Raises(raised) => Err(Stop::Raised(*raised)),
        }
    }
}

impl From<Unreadable> for Check {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::SyntaxError => Self::SyntaxError,
            Unreadable::NotUnderstood(what) => Self::NotUnderstood(what),
        }
    }
}

fn value(node: &Node, lines: &[&str]) -> Value {
    match text(node, lines) {
        Taken::Nothing => Value::Nothing,
        Taken::As(text, _) => Value::text(&text),
    }
}

/// An expression as pyboot concatenated it: `None` became a name.
fn written(node: &Node, lines: &[&str]) -> String {
    match text(node, lines) {
        Taken::Nothing => "None".to_owned(),
        Taken::As(text, _) => text,
    }
}
