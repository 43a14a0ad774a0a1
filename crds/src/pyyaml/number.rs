//! Numbers of YAML 1.1, as PyYAML's regular expressions take them and Python writes them.

use std::borrow::Cow;
use std::fmt;

/// Most groups of nine digits of a whole number; Python refuses longer ones too.
const MOST_GROUPS: usize = 480;

/// A whole number as Python writes it.
pub(super) fn integer(written: &str) -> Option<Cow<'_, str>> {
    let (negative, digits) = sign(written);
    let value = if let Some(bits) = digits.strip_prefix("0b") {
        radix(bits, 2)?
    } else if let Some(hex) = digits.strip_prefix("0x") {
        radix(hex, 16)?
    } else if digits.len() > 1 && digits.starts_with('0') {
        radix(digits, 8)?
    } else if digits.contains(':') {
        sexagesimal(digits)?
    } else {
        if !begins_with_digit(digits) || !are_digits(digits) {
            return None;
        }
        if written == digits && !digits.contains('_') {
            return Some(written.into());
        }
        digits.replace('_', "")
    };
    let negative = negative && value != "0";
    Some(if negative { format!("-{value}") } else { value }.into())
}

fn sign(written: &str) -> (bool, &str) {
    match written.as_bytes() {
        [b'-', ..] => (true, &written[1..]),
        [b'+', ..] => (false, &written[1..]),
        _ => (false, written),
    }
}

fn begins_with_digit(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
}

fn are_digits(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'_')
}

fn radix(digits: &str, radix: u32) -> Option<String> {
    let mut value = Whole::default();
    let mut any = false;
    for digit in digits.chars().filter(|digit| *digit != '_') {
        value.append(radix, digit.to_digit(radix)?)?;
        any = true;
    }
    any.then(|| value.to_string())
}

/// `1:30` is 90.
fn sexagesimal(digits: &str) -> Option<String> {
    let mut parts = digits.split(':');
    let first = parts.next()?;
    if first.starts_with('0') || !begins_with_digit(first) {
        return None;
    }
    let mut value = Whole::default();
    for digit in first.chars().filter(|digit| *digit != '_') {
        value.append(10, digit.to_digit(10)?)?;
    }
    for part in parts {
        value.append(60, sixtieths(part)?)?;
    }
    Some(value.to_string())
}

fn sixtieths(part: &str) -> Option<u32> {
    let digits = part.bytes().all(|byte| byte.is_ascii_digit()) && matches!(part.len(), 1 | 2);
    part.parse().ok().filter(|value| digits && *value < 60)
}

/// A whole number of any size.
#[derive(Default)]
struct Whole {
    /// Nine decimal digits each, the last ones first.
    groups: Vec<u32>,
}

impl Whole {
    const GROUP: u64 = 1_000_000_000;

    /// `self * radix + digit`, unless that is too long.
    fn append(&mut self, radix: u32, digit: u32) -> Option<()> {
        let mut carry = u64::from(digit);
        for group in &mut self.groups {
            let value = u64::from(*group) * u64::from(radix) + carry;
            *group = u32::try_from(value % Self::GROUP).ok()?;
            carry = value / Self::GROUP;
        }
        if carry > 0 {
            self.groups.push(u32::try_from(carry).ok()?);
        }
        (self.groups.len() <= MOST_GROUPS).then_some(())
    }
}

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut groups = self.groups.iter().rev();
        write!(f, "{}", groups.next().unwrap_or(&0))?;
        groups.try_for_each(|group| write!(f, "{group:09}"))
    }
}

/// A number with a fraction as Python writes it.
pub(super) fn float(written: &str) -> Option<Cow<'_, str>> {
    let (negative, magnitude) = sign(written);
    match magnitude {
        ".inf" | ".Inf" | ".INF" => return Some(if negative { "-inf" } else { "inf" }.into()),
        ".nan" | ".NaN" | ".NAN" if magnitude == written => return Some("nan".into()),
        _ => {}
    }
    if magnitude.contains(':') {
        let value = sexagesimal_float(magnitude)?;
        return Some(float_text(if negative { -value } else { value }).into());
    }
    let (mantissa, exponent) = match magnitude.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (magnitude, None),
    };
    let (whole, fraction) = mantissa.split_once('.')?;
    // A sign before a bare point is not PyYAML's.
    let right = if whole.is_empty() {
        begins_with_digit(fraction) && magnitude == written
    } else {
        begins_with_digit(whole)
    };
    let power = exponent.is_none_or(|exponent| {
        exponent.strip_prefix(['+', '-']).is_some_and(|power| {
            !power.is_empty() && power.bytes().all(|byte| byte.is_ascii_digit())
        })
    });
    if !right || !power || !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    let value: f64 = written.replace('_', "").parse().ok()?;
    Some(float_text(value).into())
}

/// `1:30.5` is 90.5.
fn sexagesimal_float(magnitude: &str) -> Option<f64> {
    let (whole, fraction) = magnitude.split_once('.')?;
    let mut parts: Vec<_> = whole.split(':').collect();
    let last = parts.pop()?;
    sixtieths(last)?;
    if !begins_with_digit(parts.first()?) || !are_digits(parts[0]) || !are_digits(fraction) {
        return None;
    }
    let mut value: f64 = format!("{last}.{fraction}").replace('_', "").parse().ok()?;
    let mut base = 60.0;
    for (index, part) in parts.iter().enumerate().rev() {
        if index > 0 {
            sixtieths(part)?;
        }
        value += part.replace('_', "").parse::<f64>().ok()? * base;
        base *= 60.0;
    }
    Some(value)
}

/// A float as Python's `repr` writes it.
pub fn float_text(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let shortest = format!("{value:e}");
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        return format!("{value:?}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}
