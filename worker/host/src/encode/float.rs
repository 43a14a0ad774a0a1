//! Numbers with a fraction, as Python writes them.

/// Appends a finite number: the shortest digits that give it back, with an exponent of at least two digits and its sign from
/// 1e16 on and below 0.0001.
pub(super) fn write(number: f64, buffer: &mut Vec<u8>) {
    let mut digits = ryu::Buffer::new();
    let text = digits.format_finite(number);
    let small = number != 0.0 && number.abs() < 1e-4;
    let Some((mantissa, exponent)) = text.split_once('e') else {
        if small {
            return small_number(text, buffer);
        }
        return buffer.extend_from_slice(text.as_bytes());
    };
    buffer.extend_from_slice(mantissa.strip_suffix(".0").unwrap_or(mantissa).as_bytes());
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => (b'-', exponent),
        None => (b'+', exponent),
    };
    buffer.extend_from_slice(&[b'e', sign]);
    if exponent.len() < 2 {
        buffer.push(b'0');
    }
    buffer.extend_from_slice(exponent.as_bytes());
}

/// The one power of ten that is written without an exponent by `ryu` and with one by Python: `0.00001234` is `1.234e-05`.
fn small_number(text: &str, buffer: &mut Vec<u8>) {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let digits = digits.strip_prefix("0.0000").unwrap_or(digits);
    buffer.extend_from_slice(sign.as_bytes());
    let (first, rest) = digits.split_at(1);
    buffer.extend_from_slice(first.as_bytes());
    if !rest.is_empty() {
        buffer.push(b'.');
        buffer.extend_from_slice(rest.as_bytes());
    }
    buffer.extend_from_slice(b"e-05");
}
