//! CBOR (RFC 8949) as JSON.

use crate::render::{Bytes, Fault, Json, Kind};

/// What a payload says.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn to_json(payload: &[u8]) -> Result<String, Fault> {
    let (mut bytes, mut json) = (Bytes::new(payload), Json::default());
    value(&mut bytes, &mut json)?;
    bytes.end()?;
    Ok(json.finish())
}

/// Ends a value of indefinite length.
const BREAK: u8 = 0xff;

fn value(bytes: &mut Bytes<'_>, json: &mut Json) -> Result<Kind, Fault> {
    let first = bytes.byte()?;
    started(first, bytes, json)
}

fn started(first: u8, bytes: &mut Bytes<'_>, json: &mut Json) -> Result<Kind, Fault> {
    let (major, minor) = (first >> 5, first & 31);
    if major == 7 {
        return simple(minor, bytes, json);
    }
    if minor == 31 && matches!(major, 2..=5) {
        return json.nested(|json| indefinite(major, bytes, json));
    }
    let argument = argument(minor, bytes)?;
    match major {
        0 => json.plain(argument),
        1 => json.plain(-1 - i128::from(argument)),
        2 => {
            bytes.take(argument)?;
            json.plain("null")
        }
        3 => json.string(bytes.text(argument)?),
        4 => json.counted_list(argument, bytes, value),
        5 => json.counted_map(argument, bytes, value),
        _ => json.nested(|json| tagged(argument, bytes, json)),
    }
}

/// Tags of numbers that take more than 64 bits.
const POSITIVE: u64 = 2;
const NEGATIVE: u64 = 3;

/// What stands behind a tag. All tags but those of numbers only say what the value means.
fn tagged(tag: u64, bytes: &mut Bytes<'_>, json: &mut Json) -> Result<Kind, Fault> {
    let first = bytes.byte()?;
    if !matches!(tag, POSITIVE | NEGATIVE) || first >> 5 != 2 || first & 31 == 31 {
        return started(first, bytes, json);
    }
    let length = argument(first & 31, bytes)?;
    let digits = bytes.take(length)?;
    let number = digits.iter().try_fold(0_i128, |number, digit| {
        number.checked_mul(256)?.checked_add(i128::from(*digit))
    });
    match number {
        Some(number) if tag == POSITIVE => json.plain(number),
        Some(number) => json.plain(-1 - number),
        // Larger than anything that is compared.
        None => json.plain("null"),
    }
}

fn argument(minor: u8, bytes: &mut Bytes<'_>) -> Result<u64, Fault> {
    match minor {
        0..24 => Ok(minor.into()),
        24..28 => bytes.uint(1 << (minor - 24)),
        _ => Err(Fault::Format("it has a byte that CBOR reserves")),
    }
}

fn simple(minor: u8, bytes: &mut Bytes<'_>, json: &mut Json) -> Result<Kind, Fault> {
    match minor {
        20 => json.plain("false"),
        21 => json.plain("true"),
        22 | 23 => json.plain("null"),
        25 => json.float(half(u16::from_be_bytes(bytes.array()?))),
        26 => json.float(f32::from_be_bytes(bytes.array()?).into()),
        27 => json.float(f64::from_be_bytes(bytes.array()?)),
        _ => Err(Fault::Format("it has a simple value that means nothing")),
    }
}

/// A number of IEEE 754's binary16.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let magnitude = match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2_f64.powi(exponent - 25),
    };
    if bits >> 15 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

/// A value whose end a byte marks.
fn indefinite(major: u8, bytes: &mut Bytes<'_>, json: &mut Json) -> Result<Kind, Fault> {
    match major {
        2 | 3 => chunks(major, bytes, json),
        4 => json.list(|json| match bytes.byte()? {
            BREAK => Ok(false),
            first => started(first, bytes, json).map(|_| true),
        }),
        _ => json.map(
            bytes,
            |json, bytes| match bytes.byte()? {
                BREAK => Ok(None),
                first => started(first, bytes, json).map(Some),
            },
            |json, bytes| value(bytes, json).map(drop),
        ),
    }
}

fn chunks(major: u8, bytes: &mut Bytes<'_>, json: &mut Json) -> Result<Kind, Fault> {
    let mut text = String::new();
    loop {
        let first = bytes.byte()?;
        if first == BREAK {
            break;
        }
        if first >> 5 != major || first & 31 == 31 {
            return Err(Fault::Format("a chunk in it is of another type"));
        }
        let length = argument(first & 31, bytes)?;
        if major == 2 {
            bytes.take(length)?;
        } else {
            text.push_str(bytes.text(length)?);
        }
    }
    if major == 2 {
        json.plain("null")
    } else {
        json.string(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digit = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(digit).collect()
    }

    /// Most of RFC 8949, appendix A.
    #[test]
    fn c8_the_examples_of_the_specification_are_read() {
        for (payload, expected) in [
            ("00", "0"),
            ("17", "23"),
            ("1818", "24"),
            ("1903e8", "1000"),
            ("1a000f4240", "1000000"),
            ("1bffffffffffffffff", "18446744073709551615"),
            ("3bffffffffffffffff", "-18446744073709551616"),
            ("20", "-1"),
            ("3903e7", "-1000"),
            ("f90000", "0.0"),
            ("f98000", "-0.0"),
            ("f93c00", "1.0"),
            ("f97bff", "65504.0"),
            ("f90001", "5.960464477539063e-8"),
            ("f9c400", "-4.0"),
            ("fa47c35000", "100000.0"),
            ("fb3ff199999999999a", "1.1"),
            ("f97c00", "Infinity"),
            ("f97e00", "NaN"),
            ("f9fc00", "-Infinity"),
            ("f4", "false"),
            ("f5", "true"),
            ("f6", "null"),
            ("f7", "null"),
            (
                "c074323031332d30332d32315432303a30343a30305a",
                "\"2013-03-21T20:04:00Z\"",
            ),
            ("4401020304", "null"),
            ("6449455446", "\"IETF\""),
            ("62225c", "\"\\\"\\\\\""),
            ("62c3bc", "\"ü\""),
            ("80", "[]"),
            ("8301820203820405", "[1,[2,3],[4,5]]"),
            ("a201020304", "{}"),
            ("a26161016162820203", "{\"a\":1,\"b\":[2,3]}"),
            ("a2010261610a", "{\"a\":10}"),
            ("c249010000000000000000", "18446744073709551616"),
            ("c349010000000000000000", "-18446744073709551617"),
            ("c251ffffffffffffffffffffffffffffffffff", "null"),
            ("5f42010243030405ff", "null"),
            ("7f657374726561646d696e67ff", "\"streaming\""),
            ("9fff", "[]"),
            ("9f018202039f0405ffff", "[1,[2,3],[4,5]]"),
            ("bf61610161629f0203ffff", "{\"a\":1,\"b\":[2,3]}"),
        ] {
            assert_eq!(to_json(&hex(payload)).as_deref(), Ok(expected), "{payload}");
        }
    }

    #[test]
    fn c8_what_is_not_cbor_is_refused_without_trusting_its_lengths() {
        for (payload, fault) in [
            ("", Fault::Truncated),
            ("18", Fault::Truncated),
            ("9bffffffffffffffff", Fault::Truncated),
            ("bb7fffffffffffffff", Fault::Truncated),
            ("5bffffffffffffffff", Fault::Truncated),
            ("9f01", Fault::Truncated),
            ("61ff", Fault::NotUtf8),
            ("0000", Fault::Trailing),
            ("1c", Fault::Format("it has a byte that CBOR reserves")),
            (
                "ff",
                Fault::Format("it has a simple value that means nothing"),
            ),
            (
                "81ff",
                Fault::Format("it has a simple value that means nothing"),
            ),
            ("a18001", Fault::Format("a list or map is a key in it")),
            (
                "7f4101ff",
                Fault::Format("a chunk in it is of another type"),
            ),
        ] {
            assert_eq!(to_json(&hex(payload)), Err(fault), "{payload}");
        }
        assert_eq!(to_json(&[0x81; 1000]), Err(Fault::TooDeep));
        assert_eq!(to_json(&[0x9f; 1000]), Err(Fault::TooDeep));
        assert_eq!(to_json(&[0xc6; 1000]), Err(Fault::TooDeep));
    }
}
