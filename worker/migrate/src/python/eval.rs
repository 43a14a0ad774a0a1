//! Evaluates a tree on a message.

use std::rc::Rc;

use super::function::{Function, Method};
use super::operators::{compare, subscript};
use super::stop::{Raised, Stop};
use super::tree::Expr;
use super::value::Value;

/// The value of an expression; `left` is the variable that pyboot put on the left.
///
/// # Errors
/// See [`Stop`].
pub(crate) fn evaluate(expr: &Expr, left: &Value, message: &Value) -> Result<Value, Stop> {
    let of = |expr: &Expr| evaluate(expr, left, message);
    let all = |exprs: &[Expr]| exprs.iter().map(of).collect::<Result<Vec<_>, _>>();
    Ok(match expr {
        Expr::Left => left.clone(),
        Expr::Message => message.clone(),
        Expr::Text(text) => Value::text(text),
        Expr::Int(value) => Value::Int(*value),
        Expr::Float(value) => Value::Float(*value),
        Expr::Bool(value) => Value::Bool(*value),
        Expr::Nothing => Value::Nothing,
        Expr::Unknown => return Err(Stop::Raised(Raised::NameError)),
        Expr::List(items) => Value::List(all(items)?.into()),
        Expr::Tuple(items) => Value::Tuple(all(items)?.into()),
        Expr::EmptyDict => Value::Dict([].into()),
        Expr::Subscript(container, key) => subscript(&of(container)?, &of(key)?)?,
        Expr::Method(owner, method, arguments) => {
            let owner = of(owner)?;
            call_method(&owner, *method, arguments.len(), || all(arguments))?
        }
        Expr::Call(function, arguments) => call(*function, &all(arguments)?)?,
        Expr::Compare(first, others) => {
            let mut before = of(first)?;
            for (operator, operand) in others {
                let operand = of(operand)?;
                if !compare(&before, *operator, &operand)? {
                    return Ok(Value::Bool(false));
                }
                before = operand;
            }
            Value::Bool(true)
        }
        Expr::And(operands) => return first_that(operands, false, &of),
        Expr::Or(operands) => return first_that(operands, true, &of),
        Expr::Not(operand) => Value::Bool(!of(operand)?.is_true()),
    })
}

/// The first operand that is true, or false; else the last.
fn first_that(
    operands: &[Expr],
    wanted: bool,
    of: &dyn Fn(&Expr) -> Result<Value, Stop>,
) -> Result<Value, Stop> {
    let mut value = Value::Nothing;
    for operand in operands {
        value = of(operand)?;
        if value.is_true() == wanted {
            break;
        }
    }
    Ok(value)
}

fn call(function: Function, arguments: &[Value]) -> Result<Value, Stop> {
    let [argument] = arguments else {
        return Err(Stop::NotUnderstood(format!(
            "a call with {} arguments",
            arguments.len()
        )));
    };
    let unknown = |what: &str| Stop::NotUnderstood(what.to_owned());
    match (function, argument) {
        (Function::Str, argument) => argument
            .as_text()
            .map(Value::Text)
            .ok_or_else(|| unknown("str of a collection")),
        (Function::Bool, argument) => Ok(Value::Bool(argument.is_true())),
        (Function::Len, Value::Text(text)) => Ok(length(text.chars().count())),
        (Function::Len, Value::List(items) | Value::Tuple(items)) => Ok(length(items.len())),
        (Function::Len, Value::Dict(fields) | Value::Keys(fields) | Value::Values(fields)) => {
            Ok(length(fields.len()))
        }
        (Function::Int, Value::Int(_) | Value::Long(_)) | (Function::Float, Value::Float(_)) => {
            Ok(argument.clone())
        }
        (Function::Int, Value::Bool(value)) => Ok(Value::Int((*value).into())),
        (Function::Int, Value::Text(text)) => whole(text),
        (Function::Float, Value::Bool(value)) => Ok(Value::Float(f64::from(u8::from(*value)))),
        (Function::Float, Value::Text(text)) => decimal(text),
        (Function::Int | Function::Float, Value::Int(_) | Value::Long(_) | Value::Float(_)) => {
            Err(unknown("a conversion of numbers"))
        }
        _ => Err(Stop::Raised(Raised::TypeError)),
    }
}

fn length(length: usize) -> Value {
    Value::Int(i64::try_from(length).unwrap_or(i64::MAX))
}

/// `int("5")`
fn whole(text: &str) -> Result<Value, Stop> {
    let digits = text.trim();
    if digits.contains('_') || !digits.is_ascii() || digits.len() > 18 {
        return Err(Stop::NotUnderstood("int of an unusual text".to_owned()));
    }
    digits
        .parse()
        .map(Value::Int)
        .map_err(|_| Stop::Raised(Raised::ValueError))
}

/// `float("5.5")`
fn decimal(text: &str) -> Result<Value, Stop> {
    let digits = text.trim();
    let usual = digits
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'));
    match digits.parse() {
        Ok(value) if usual => Ok(Value::Float(value)),
        Err(_) if digits.is_ascii() && !digits.contains('_') => {
            Err(Stop::Raised(Raised::ValueError))
        }
        _ => Err(Stop::NotUnderstood("float of an unusual text".to_owned())),
    }
}

/// Python looks the method up before it evaluates the arguments.
fn call_method(
    owner: &Value,
    method: Method,
    count: usize,
    arguments: impl FnOnce() -> Result<Vec<Value>, Stop>,
) -> Result<Value, Stop> {
    let fits = match method {
        Method::Get | Method::Keys | Method::Values => matches!(owner, Value::Dict(_)),
        _ => matches!(owner, Value::Text(_)),
    };
    if !fits {
        return Err(Stop::Raised(Raised::AttributeError));
    }
    let arguments = arguments()?;
    match (owner, method, arguments.as_slice()) {
        (Value::Dict(fields), Method::Get, [key]) => get(fields, key, &Value::Nothing),
        (Value::Dict(fields), Method::Get, [key, default]) => get(fields, key, default),
        (Value::Dict(fields), Method::Keys, []) => Ok(Value::Keys(Rc::clone(fields))),
        (Value::Dict(fields), Method::Values, []) => Ok(Value::Values(Rc::clone(fields))),
        (Value::Text(text), Method::Strip, []) => Ok(Value::text(text.trim_matches(is_blank))),
        (Value::Text(text), Method::Lower, []) if text.is_ascii() => {
            Ok(Value::text(&text.to_ascii_lowercase()))
        }
        (Value::Text(text), Method::Upper, []) if text.is_ascii() => {
            Ok(Value::text(&text.to_ascii_uppercase()))
        }
        (Value::Text(text), Method::StartsWith, [Value::Text(part)]) => {
            Ok(Value::Bool(text.starts_with(&**part)))
        }
        (Value::Text(text), Method::EndsWith, [Value::Text(part)]) => {
            Ok(Value::Bool(text.ends_with(&**part)))
        }
        _ => Err(Stop::NotUnderstood(format!(
            "a method with {count} arguments of that kind"
        ))),
    }
}

/// What `str.strip()` removes.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\x1c'..='\x1f')
}

fn get(fields: &Rc<[(Rc<str>, Value)]>, key: &Value, default: &Value) -> Result<Value, Stop> {
    match key {
        Value::Text(key) => Ok(Value::field(fields, key).unwrap_or(default).clone()),
        Value::List(_) | Value::Dict(_) => Err(Stop::Raised(Raised::TypeError)),
        Value::Tuple(_) | Value::Keys(_) | Value::Values(_) => {
            Err(Stop::NotUnderstood("a collection as a key".to_owned()))
        }
        _ => Ok(default.clone()),
    }
}
