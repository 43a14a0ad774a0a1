//! The left side of a condition: a text, or a number by `attrType: number`.

use std::fmt;
use std::str::FromStr;

/// What `attrValue` is compared as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// A text, as in pyboot.
    Text(String),
    /// A number.
    Number(Number),
}

/// A finite number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number.
    Int(i64),
    /// A number with a fraction or an exponent.
    Float(f64),
}

// A number that was read is never NaN.
impl Eq for Number {}

/// A text that isn't a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoNumber;

impl FromStr for Number {
    type Err = NoNumber;

    fn from_str(text: &str) -> Result<Self, NoNumber> {
        let digits = text.bytes().any(|byte| byte.is_ascii_digit());
        if let Ok(int) = text.parse() {
            return Ok(Self::Int(int));
        }
        match text.parse::<f64>() {
            // A longer whole number would be rounded without a word.
            Ok(float) if float.is_finite() && digits && text.contains(['.', 'e', 'E']) => {
                Ok(Self::Float(float))
            }
            _ => Err(NoNumber),
        }
    }
}

impl fmt::Display for Operand {
    /// As Python writes it, but texts in double quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Number(Number::Int(int)) => write!(f, "{int}"),
            Self::Number(Number::Float(float)) => write!(f, "{float:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_whole_or_finite_and_nothing_is_rounded_silently() {
        for (text, expected) in [
            ("5", Ok(Number::Int(5))),
            ("-5", Ok(Number::Int(-5))),
            ("5.0", Ok(Number::Float(5.0))),
            ("1e3", Ok(Number::Float(1000.0))),
            ("", Err(NoNumber)),
            (" 5", Err(NoNumber)),
            ("0x5", Err(NoNumber)),
            ("nan", Err(NoNumber)),
            ("inf", Err(NoNumber)),
            ("1e999", Err(NoNumber)),
            ("12345678901234567890", Err(NoNumber)),
        ] {
            assert_eq!(text.parse(), expected, "{text:?}");
        }
    }
}
