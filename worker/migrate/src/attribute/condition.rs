//! Which expressions of Python are conditions of edgemodel: comparisons of a constant with a place, and several of them
//! with `and`. Where Python raised an exception, pyboot called no model, which equals no match.

use super::{Comparison, Condition, Expr, Expression, Operator, Path, Place, Step};
use crate::python::{Function, Method};

/// Conditions that hold together exactly where the expression is true; `left` is the variable on its left.
pub(super) fn conditions(expr: &Expr, left: &str) -> Option<Vec<Condition>> {
    match expr {
        Expr::And(operands) => {
            let all: Option<Vec<_>> = operands
                .iter()
                .map(|operand| conditions(operand, left))
                .collect();
            all.map(|all| all.concat())
        }
        Expr::Compare(first, others) => {
            let mut before = &**first;
            let mut all = Vec::new();
            for (comparison, operand) in others {
                all.push(single(before, *comparison, operand, left)?);
                before = operand;
            }
            Some(all)
        }
        _ => None,
    }
}

fn single(one: &Expr, comparison: Comparison, other: &Expr, left: &str) -> Option<Condition> {
    let operator = operator(comparison)?;
    if let Some((value, number)) = constant(one, left) {
        return condition(value, number, operator, other);
    }
    let (value, number) = constant(other, left)?;
    condition(value, number, mirrored(operator)?, one)
}

fn condition(value: String, number: bool, operator: Operator, target: &Expr) -> Option<Condition> {
    let membership = matches!(operator, Operator::In | Operator::NotIn);
    let target = match target {
        Expr::Method(owner, Method::Keys, arguments) if membership && arguments.is_empty() => owner,
        // `'5' == str(place)` compares a number.
        Expr::Call(Function::Str, arguments) if !number && matches!(operator, Operator::Equal) => {
            let digits = value
                .parse::<i64>()
                .ok()
                .filter(|parsed| parsed.to_string() == value);
            let ([place], Some(_)) = (arguments.as_slice(), digits) else {
                return None;
            };
            return condition(value, true, operator, place);
        }
        target => target,
    };
    let mut path = Vec::new();
    place(target, operator, &value, &mut path)?;
    let expression = Expression {
        operator,
        place: Place::Message(Path(path)),
    };
    Some(Condition {
        value,
        number,
        expression,
    })
}

/// The steps of a place. `get` gives `None` or its default where a subscript would raise an exception; that is no match either,
/// except where everything that differs matches.
fn place(expr: &Expr, operator: Operator, value: &str, path: &mut Vec<Step>) -> Option<()> {
    match expr {
        Expr::Message => Some(()),
        Expr::Subscript(owner, key) => {
            place(owner, operator, value, path)?;
            path.push(match &**key {
                Expr::Text(key) => Step::Key(key.clone()),
                Expr::Int(index) => Step::Index(*index),
                _ => return None,
            });
            Some(())
        }
        Expr::Method(owner, Method::Get, arguments) => {
            let (Expr::Text(key), rest) = arguments.split_first()? else {
                return None;
            };
            let nothing_matches = match rest {
                [] | [Expr::Nothing | Expr::EmptyDict] => true,
                [Expr::List(items) | Expr::Tuple(items)] => items.is_empty(),
                [Expr::Text(default)] => default.is_empty() && !value.is_empty(),
                _ => false,
            };
            let wanted = matches!(operator, Operator::Equal | Operator::In);
            if !nothing_matches || !wanted {
                return None;
            }
            place(owner, operator, value, path)?;
            path.push(Step::Key(key.clone()));
            Some(())
        }
        _ => None,
    }
}

/// A constant as `attrValue` has it, and whether it is a number.
fn constant(expr: &Expr, left: &str) -> Option<(String, bool)> {
    match expr {
        Expr::Left => Some((left.to_owned(), false)),
        Expr::Text(text) => Some((text.clone(), false)),
        Expr::Int(value) => Some((value.to_string(), true)),
        Expr::Float(value) if value.is_finite() => Some((format!("{value:?}"), true)),
        _ => None,
    }
}

fn operator(comparison: Comparison) -> Option<Operator> {
    Some(match comparison {
        Comparison::Equal => Operator::Equal,
        Comparison::NotEqual => Operator::NotEqual,
        Comparison::Less => Operator::Less,
        Comparison::LessOrEqual => Operator::LessOrEqual,
        Comparison::Greater => Operator::Greater,
        Comparison::GreaterOrEqual => Operator::GreaterOrEqual,
        Comparison::In => Operator::In,
        Comparison::NotIn => Operator::NotIn,
        Comparison::Is | Comparison::IsNot => return None,
    })
}

/// The operator with its sides exchanged.
fn mirrored(operator: Operator) -> Option<Operator> {
    Some(match operator {
        Operator::Equal | Operator::NotEqual => operator,
        Operator::Less => Operator::Greater,
        Operator::LessOrEqual => Operator::GreaterOrEqual,
        Operator::Greater => Operator::Less,
        Operator::GreaterOrEqual => Operator::LessOrEqual,
        Operator::In | Operator::NotIn => return None,
    })
}
