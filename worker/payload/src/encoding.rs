//! Encodings of texts: those that Python's `json.loads(bytes)` reads, and those that only a message names.

use std::borrow::Cow;

/// U+FEFF in UTF-8.
pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";

/// An encoding that `json.loads(bytes)` reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16 { big_endian: bool },
    Utf32 { big_endian: bool },
}

/// Bytes that should be UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not UTF-8 but {}; convert it with: iconv -f {encoding} -t UTF-8",
    named(encoding)
)]
pub struct NotUtf8 {
    encoding: &'static str,
}

fn named(encoding: &str) -> String {
    match encoding {
        UNKNOWN => "another encoding".to_owned(),
        known => known.to_owned(),
    }
}

/// The name to put in for an encoding that cannot be told.
const UNKNOWN: &str = "ENCODING";

/// The text of a file that must be UTF-8, without a byte order mark.
///
/// # Errors
/// It is in another encoding, which is named as far as it can be told.
pub fn utf8(bytes: &[u8]) -> Result<&str, NotUtf8> {
    let named = match detect(bytes) {
        (Encoding::Utf16 { big_endian }, _) => utf16_name(big_endian),
        (Encoding::Utf32 { big_endian }, _) => utf32_name(big_endian),
        (Encoding::Utf8, bom) => match std::str::from_utf8(&bytes[bom..]) {
            Ok(text) => return Ok(text),
            Err(_) if is_gbk(bytes) => "GBK",
            Err(_) => UNKNOWN,
        },
    };
    Err(NotUtf8 { encoding: named })
}

fn utf16_name(big_endian: bool) -> &'static str {
    if big_endian { "UTF-16BE" } else { "UTF-16LE" }
}

fn utf32_name(big_endian: bool) -> &'static str {
    if big_endian { "UTF-32BE" } else { "UTF-32LE" }
}

/// Whether every byte above ASCII is half of a pair of GBK.
fn is_gbk(bytes: &[u8]) -> bool {
    let mut bytes = bytes.iter();
    while let Some(byte) = bytes.next() {
        let pair = match byte {
            0..=0x7f => true,
            0x81..=0xfe => bytes
                .next()
                .is_some_and(|trail| matches!(trail, 0x40..=0x7e | 0x80..=0xfe)),
            _ => false,
        };
        if !pair {
            return false;
        }
    }
    true
}

/// A JSON text in UTF-8, whatever encoding `json.loads(bytes)` would read it in. A surrogate that stands alone, which UTF-8
/// cannot hold, becomes its escape; `None` where Python would refuse the bytes.
pub fn json_text(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let (encoding, bom) = detect(bytes);
    let bytes = &bytes[bom..];
    match encoding {
        Encoding::Utf8 => match std::str::from_utf8(bytes) {
            Ok(text) => Some(text.into()),
            Err(_) => from_surrogate_utf8(bytes).map(Cow::from),
        },
        Encoding::Utf16 { big_endian } => {
            let (units, []) = bytes.as_chunks::<2>() else {
                return None;
            };
            let unit = |bytes: &[u8; 2]| {
                if big_endian {
                    u16::from_be_bytes(*bytes)
                } else {
                    u16::from_le_bytes(*bytes)
                }
            };
            let mut text = String::with_capacity(bytes.len());
            for decoded in char::decode_utf16(units.iter().map(unit)) {
                match decoded {
                    Ok(character) => text.push(character),
                    Err(alone) => escape(alone.unpaired_surrogate().into(), &mut text),
                }
            }
            Some(text.into())
        }
        Encoding::Utf32 { big_endian } => {
            let (units, []) = bytes.as_chunks::<4>() else {
                return None;
            };
            let mut text = String::with_capacity(bytes.len());
            for bytes in units {
                let code = if big_endian {
                    u32::from_be_bytes(*bytes)
                } else {
                    u32::from_le_bytes(*bytes)
                };
                put(code, &mut text)?;
            }
            Some(text.into())
        }
    }
}

/// The encoding, as `json.detect_encoding` finds it, and the length of the byte order mark that is not part of the text.
fn detect(bytes: &[u8]) -> (Encoding, usize) {
    let utf16 = |big_endian| Encoding::Utf16 { big_endian };
    let utf32 = |big_endian| Encoding::Utf32 { big_endian };
    match bytes {
        [0, 0, 0xfe, 0xff, ..] => (utf32(true), 4),
        [0xff, 0xfe, 0, 0, ..] => (utf32(false), 4),
        [0xfe, 0xff, ..] => (utf16(true), 2),
        [0xff, 0xfe, ..] => (utf16(false), 2),
        bytes if bytes.starts_with(BOM) => (Encoding::Utf8, BOM.len()),
        // Without a mark: a JSON text begins with two characters of ASCII, so zeros tell the width.
        [0, 0, _, _, ..] => (utf32(true), 0),
        [0, _, _, _, ..] | [0, _] => (utf16(true), 0),
        [_, 0, 0, 0, ..] => (utf32(false), 0),
        [_, 0, _, _, ..] | [_, 0] => (utf16(false), 0),
        _ => (Encoding::Utf8, 0),
    }
}

/// UTF-8 in which surrogates are written like other characters, which Python's `surrogatepass` reads.
fn from_surrogate_utf8(bytes: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        let error = match std::str::from_utf8(rest) {
            Ok(valid) => {
                text.push_str(valid);
                break;
            }
            Err(error) => error,
        };
        let (valid, broken) = rest.split_at(error.valid_up_to());
        text.push_str(std::str::from_utf8(valid).ok()?);
        let [0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf, after @ ..] = broken else {
            return None;
        };
        let code = 0xd000 | (u32::from(second & 0x3f) << 6) | u32::from(third & 0x3f);
        escape(code, &mut text);
        rest = after;
    }
    Some(text)
}

/// `None` for a number that isn't a code point.
fn put(code: u32, text: &mut String) -> Option<()> {
    match char::from_u32(code) {
        Some(character) => text.push(character),
        None if matches!(code, 0xd800..=0xdfff) => escape(code, text),
        None => return None,
    }
    Some(())
}

/// A surrogate as JSON's escape. After a backslash, where it could turn into the text of an escape, JSON allows neither.
fn escape(surrogate: u32, text: &mut String) {
    let backslashes = text.bytes().rev().take_while(|byte| *byte == b'\\').count();
    if backslashes % 2 == 1 {
        text.push(char::REPLACEMENT_CHARACTER);
    } else {
        text.push_str(&format!("\\u{surrogate:04x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_utf8_is_named_with_the_way_to_convert_it() {
        let utf16: Vec<u8> = "mqtts: []"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let table: &[(&[u8], &str)] = &[
            (b"mqtts: []", "mqtts: []"),
            (b"\xef\xbb\xbfmqtts: []", "mqtts: []"),
            (&utf16, "UTF-16LE"),
            (&[b"\xff\xfe", utf16.as_slice()].concat(), "UTF-16LE"),
            (b"\xfe\xff\0a\0b", "UTF-16BE"),
            (b"\xff\xfe\0\0a\0\0\0", "UTF-32LE"),
            (b"deviceName: \xc9\xe8\xb1\xb82", "GBK"),
            (b"\xe9t\xe9", "ENCODING"),
        ];
        for (bytes, expected) in table {
            match utf8(bytes) {
                Ok(text) => assert_eq!(text, *expected),
                Err(error) => {
                    let command = format!("convert it with: iconv -f {expected} -t UTF-8");
                    assert!(error.to_string().ends_with(&command), "{error}");
                }
            }
        }
    }

    #[test]
    fn json_in_any_encoding_of_python_is_the_same_text() {
        let text = "{\"a\": \"设备😀\"}";
        let utf16 = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(order).collect()
        };
        let utf32 = |order: fn(u32) -> [u8; 4]| -> Vec<u8> {
            text.chars().flat_map(|c| order(u32::from(c))).collect()
        };
        let table: [(&[u8], Vec<u8>); 5] = [
            (b"\xef\xbb\xbf", text.as_bytes().to_vec()),
            (b"\xff\xfe", utf16(u16::to_le_bytes)),
            (b"\xfe\xff", utf16(u16::to_be_bytes)),
            (b"\xff\xfe\0\0", utf32(u32::to_le_bytes)),
            (b"\0\0\xfe\xff", utf32(u32::to_be_bytes)),
        ];
        for (mark, bytes) in &table {
            assert_eq!(json_text(bytes).as_deref(), Some(text), "without {mark:?}");
            let marked = [*mark, bytes].concat();
            assert_eq!(json_text(&marked).as_deref(), Some(text), "with {mark:?}");
        }
        assert_eq!(json_text(b"\xff\xfea\0b"), None, "half a unit");
        assert_eq!(json_text(b"\0\0\0\"\0\x11\0\0"), None, "above U+10FFFF");
        assert_eq!(json_text(b"\"\xff\""), None);
    }

    #[test]
    fn a_surrogate_alone_becomes_its_escape() {
        assert_eq!(
            json_text(b"\"\xed\xa0\xbd\"").as_deref(),
            Some("\"\\ud83d\"")
        );
        assert_eq!(json_text(b"\"\0=\xd8\"\0").as_deref(), Some("\"\\ud83d\""));
        // Not an escaped backslash and five letters.
        let after_backslash = json_text(b"\"\\\xed\xa0\xbd\"");
        assert_eq!(after_backslash.as_deref(), Some("\"\\\u{fffd}\""));
        let after_two = json_text(b"\"\\\\\xed\xa0\xbd\"");
        assert_eq!(after_two.as_deref(), Some("\"\\\\\\ud83d\""));
    }
}
