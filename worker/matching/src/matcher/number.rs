//! Numbers as Python compares them: exactly, whatever their types, and truth values are numbers.

use std::cmp::Ordering;

use crds::validated::Number;
use jiter::JsonValue;

use super::miss::Miss;

/// 2 to the 63rd, the first number above `i64`.
const ABOVE: f64 = 9_223_372_036_854_775_808.0;

/// How `number` compares with a value; `None` if that is NaN.
///
/// # Errors
/// It isn't a number.
pub(super) fn compare(number: Number, value: &JsonValue) -> Result<Option<Ordering>, Miss> {
    let order = match (number, value) {
        (Number::Int(left), JsonValue::Bool(right)) => Some(left.cmp(&i64::from(*right))),
        (Number::Int(left), JsonValue::Int(right)) => Some(left.cmp(right)),
        (Number::Int(left), JsonValue::Float(right)) => int_with_float(left, *right),
        (Number::Float(left), JsonValue::Bool(right)) => {
            int_with_float((*right).into(), left).map(Ordering::reverse)
        }
        (Number::Float(left), JsonValue::Int(right)) => {
            int_with_float(*right, left).map(Ordering::reverse)
        }
        (Number::Float(left), JsonValue::Float(right)) => left.partial_cmp(right),
        (Number::Int(left), JsonValue::BigInt(right)) => {
            Some(digits_in_order(&left.to_string(), &right.to_string()))
        }
        // Rust writes a float's exact value.
        (Number::Float(left), JsonValue::BigInt(right)) => Some(digits_in_order(
            &format!("{:.0}", left.trunc()),
            &right.to_string(),
        )),
        _ => return Err(Miss::WrongType),
    };
    Ok(order)
}

/// Whether Python finds them equal.
pub(super) fn equal(number: Number, value: &JsonValue) -> bool {
    compare(number, value) == Ok(Some(Ordering::Equal))
}

fn int_with_float(int: i64, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    if float >= ABOVE {
        return Some(Ordering::Less);
    }
    if float < -ABOVE {
        return Some(Ordering::Greater);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "within i64, as was checked"
    )]
    let whole = float.trunc() as i64;
    let fraction = float.fract().partial_cmp(&0.0)?;
    Some(int.cmp(&whole).then(fraction.reverse()))
}

/// Whole numbers in decimal. A fraction that was cut off cannot matter: it is far from the other number.
fn digits_in_order(left: &str, right: &str) -> Ordering {
    let negative = |text: &str| text.starts_with('-');
    let magnitude = |text: &str| -> (usize, String) {
        let digits = text.trim_start_matches('-');
        (digits.len(), digits.to_owned())
    };
    match (negative(left), negative(right)) {
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => magnitude(left).cmp(&magnitude(right)),
        (true, true) => magnitude(right).cmp(&magnitude(left)),
    }
}

/// A number as it is looked up in an index: numbers that Python finds equal have the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum NumberKey {
    Int(i64),
    /// The bits of a number that is not whole, or beyond `i64`.
    Float(u64),
}

impl From<Number> for NumberKey {
    fn from(number: Number) -> Self {
        match number {
            Number::Int(int) => Self::Int(int),
            Number::Float(float) => Self::of_float(float),
        }
    }
}

impl NumberKey {
    /// The key of a value, if it is a number.
    pub(super) fn of(value: &JsonValue) -> Option<Self> {
        match value {
            JsonValue::Int(int) => Some(Self::Int(*int)),
            JsonValue::Bool(truth) => Some(Self::Int((*truth).into())),
            JsonValue::Float(float) => Some(Self::of_float(*float)),
            // That of the nearest float; whether it is equal is compared afterwards.
            JsonValue::BigInt(int) => int.to_string().parse().ok().map(Self::of_float),
            _ => None,
        }
    }

    fn of_float(float: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "within i64, as is checked")]
        if float.fract() == 0.0 && (-ABOVE..ABOVE).contains(&float) {
            Self::Int(float as i64)
        } else {
            Self::Float(float.to_bits())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_exactly_as_in_python() {
        use Ordering::{Equal, Greater, Less};
        let big = "9007199254740993"; // 2**53 + 1, which no float is.
        for (number, value, expected) in [
            ("5", "5", Some(Equal)),
            ("5", "5.0", Some(Equal)),
            ("5", "5.5", Some(Less)),
            ("-5", "-5.5", Some(Greater)),
            ("1", "true", Some(Equal)),
            ("0.0", "false", Some(Equal)),
            ("0.5", "1", Some(Less)),
            (big, "9007199254740992.0", Some(Greater)),
            ("9007199254740992.0", big, Some(Less)),
            ("5", "NaN", None),
            ("5", "Infinity", Some(Less)),
            ("9223372036854775807", "9223372036854775808.0", Some(Less)),
            (
                "-9223372036854775808",
                "-9223372036854775808.0",
                Some(Equal),
            ),
            ("5", "123456789012345678901234567890", Some(Less)),
            ("5", "-123456789012345678901234567890", Some(Greater)),
            ("1e30", "1000000000000000000000000000000", Some(Greater)),
            ("1e30", "1000000000000000019884624838656", Some(Equal)),
            ("-1e30", "-1000000000000000019884624838656", Some(Equal)),
        ] {
            let value = JsonValue::parse(value.as_bytes(), true).unwrap();
            let number: Number = number.parse().unwrap();
            assert_eq!(
                compare(number, &value),
                Ok(expected),
                "{number:?} {value:?}"
            );
            if expected == Some(Equal) {
                assert_eq!(Some(NumberKey::from(number)), NumberKey::of(&value));
            }
        }
        assert!(compare(Number::Int(5), &JsonValue::Str("5".into())).is_err());
        assert!(compare(Number::Int(0), &JsonValue::Null).is_err());
    }
}
