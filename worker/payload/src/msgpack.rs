//! MessagePack as JSON.

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

/// The type of timestamps.
const TIMESTAMP: i8 = -1;

fn value(bytes: &mut Bytes<'_>, json: &mut Json) -> Result<Kind, Fault> {
    let first = bytes.byte()?;
    let low = u64::from(first & 15);
    match first {
        0x00..=0x7f => json.plain(first),
        0x80..=0x8f => json.counted_map(low, bytes, value),
        0x90..=0x9f => json.counted_list(low, bytes, value),
        0xa0..=0xbf => json.string(bytes.text((first & 31).into())?),
        0xc0 => json.plain("null"),
        0xc2 => json.plain("false"),
        0xc3 => json.plain("true"),
        0xc4..=0xc6 => {
            let length = bytes.uint(1 << (first - 0xc4))?;
            bytes.take(length)?;
            json.plain("null")
        }
        0xc7..=0xc9 => {
            let length = bytes.uint(1 << (first - 0xc7))?;
            extension(length, bytes, json)
        }
        0xca => json.float(f32::from_be_bytes(bytes.array()?).into()),
        0xcb => json.float(f64::from_be_bytes(bytes.array()?)),
        0xcc..=0xcf => {
            let number = bytes.uint(1 << (first - 0xcc))?;
            json.plain(number)
        }
        0xd0 => json.plain(i8::from_be_bytes(bytes.array()?)),
        0xd1 => json.plain(i16::from_be_bytes(bytes.array()?)),
        0xd2 => json.plain(i32::from_be_bytes(bytes.array()?)),
        0xd3 => json.plain(i64::from_be_bytes(bytes.array()?)),
        0xd4..=0xd8 => extension(1 << (first - 0xd4), bytes, json),
        0xd9..=0xdb => {
            let length = bytes.uint(1 << (first - 0xd9))?;
            json.string(bytes.text(length)?)
        }
        0xdc | 0xdd => {
            let count = bytes.uint(2 << (first - 0xdc))?;
            json.counted_list(count, bytes, value)
        }
        0xde | 0xdf => {
            let count = bytes.uint(2 << (first - 0xde))?;
            json.counted_map(count, bytes, value)
        }
        0xe0..=0xff => json.plain(first.cast_signed()),
        0xc1 => Err(Fault::Format("it has a byte that MessagePack does not use")),
    }
}

/// Timestamps are seconds since 1970.
fn extension(length: u64, bytes: &mut Bytes<'_>, json: &mut Json) -> Result<Kind, Fault> {
    let [kind] = bytes.array()?;
    let kind = kind.cast_signed();
    let mut data = Bytes::new(bytes.take(length)?);
    if kind != TIMESTAMP {
        return Err(Fault::Extension(kind));
    }
    let (seconds, nanoseconds) = match length {
        4 => (i64::from(u32::from_be_bytes(data.array()?)), 0),
        8 => {
            let number = u64::from_be_bytes(data.array()?);
            (
                (number & 0x3_ffff_ffff).cast_signed(),
                u32::try_from(number >> 34).unwrap_or_default(),
            )
        }
        12 => {
            let nanoseconds = u32::from_be_bytes(data.array()?);
            (i64::from_be_bytes(data.array()?), nanoseconds)
        }
        _ => return Err(Fault::Format("it has a timestamp of another length")),
    };
    if nanoseconds == 0 {
        return json.plain(seconds);
    }
    #[expect(clippy::cast_precision_loss, reason = "as Python adds them")]
    json.float(seconds as f64 + f64::from(nanoseconds) / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c8_every_kind_of_value_is_read() {
        for (payload, expected) in [
            (&b"\x07"[..], "7"),
            (b"\xff", "-1"),
            (b"\xcc\xff", "255"),
            (b"\xcd\x01\x00", "256"),
            (
                b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
                "18446744073709551615",
            ),
            (b"\xd0\x80", "-128"),
            (b"\xd3\x80\0\0\0\0\0\0\0", "-9223372036854775808"),
            (b"\xca\x3f\x80\0\0", "1.0"),
            (b"\xcb\x3f\xf1\x99\x99\x99\x99\x99\x9a", "1.1"),
            (b"\xc0", "null"),
            (b"\xc2", "false"),
            (b"\xc3", "true"),
            (b"\xa2id", "\"id\""),
            (b"\xd9\x02id", "\"id\""),
            (b"\xda\0\x02id", "\"id\""),
            (b"\xc4\x02\0\x01", "null"),
            (b"\x92\x01\x91\x02", "[1,[2]]"),
            (b"\xdc\0\x01\x01", "[1]"),
            (b"\x82\xa1a\x01\xa1b\xc0", "{\"a\":1,\"b\":null}"),
            (b"\x82\x01\x02\xa1b\x03", "{\"b\":3}"),
            (b"\xde\0\x01\xa1a\x01", "{\"a\":1}"),
            (b"\xd6\xff\0\0\0\x05", "5"),
            (b"\xd7\xff\x77\x35\x94\0\0\0\0\x05", "5.5"),
            (
                b"\xc7\x0c\xff\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
                "-1",
            ),
        ] {
            let shown = payload.escape_ascii();
            assert_eq!(to_json(payload).as_deref(), Ok(expected), "{shown}");
        }
    }

    #[test]
    fn c8_what_is_not_msgpack_is_refused_without_trusting_its_lengths() {
        for (payload, fault) in [
            (&b""[..], Fault::Truncated),
            (b"\xdd\xff\xff\xff\xff", Fault::Truncated),
            (b"\xdf\xff\xff\xff\xff", Fault::Truncated),
            (b"\xc6\xff\xff\xff\xff", Fault::Truncated),
            (b"\xa1\xff", Fault::NotUtf8),
            (b"\x01\x01", Fault::Trailing),
            (b"\xd4\x05\0", Fault::Extension(5)),
            (
                b"\x81\x90\x01",
                Fault::Format("a list or map is a key in it"),
            ),
            (
                b"\xc1",
                Fault::Format("it has a byte that MessagePack does not use"),
            ),
        ] {
            assert_eq!(to_json(payload), Err(fault), "{}", payload.escape_ascii());
        }
        assert_eq!(to_json(&[0x91; 1000]), Err(Fault::TooDeep));
    }
}
