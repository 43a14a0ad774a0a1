//! The text of a string, without its escapes.
//!
//! Bytes, not `str`: Python takes half a surrogate pair, which has no UTF-8. It is written as if it had one, so that texts
//! compare as Python compares them.

/// Appends the text of `raw`, whose escapes were checked, to `text`.
pub(super) fn unescape(raw: &[u8], text: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(backslash) = rest.iter().position(|byte| *byte == b'\\') {
        text.extend_from_slice(&rest[..backslash]);
        rest = &rest[backslash + 1..];
        let Some((kind, after)) = rest.split_first() else {
            return;
        };
        rest = after;
        match kind {
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'u' => rest = unicode(rest, text),
            other => text.push(*other),
        }
    }
    text.extend_from_slice(rest);
}

/// One code point, from one or two escapes; what follows.
fn unicode<'r>(rest: &'r [u8], text: &mut Vec<u8>) -> &'r [u8] {
    let Some((first, rest)) = hex(rest) else {
        return rest;
    };
    let pair = (0xD800..0xDC00)
        .contains(&first)
        .then(|| hex(rest.strip_prefix(b"\\u")?))
        .flatten()
        .filter(|(second, _)| (0xDC00..0xE000).contains(second));
    let (code, rest) = match pair {
        Some((second, after)) => (
            0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00),
            after,
        ),
        None => (first, rest),
    };
    if let Some(character) = char::from_u32(code) {
        text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        // Half a pair, which fits into 16 bits.
        let [high, low] = u16::try_from(code).unwrap_or(0xFFFD).to_be_bytes();
        let middle = 0x80 | ((high & 0x0F) << 2) | (low >> 6);
        text.extend_from_slice(&[0xE0 | (high >> 4), middle, 0x80 | (low & 0x3F)]);
    }
    rest
}

fn hex(rest: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = rest.split_first_chunk::<4>()?;
    let digits = std::str::from_utf8(digits).ok()?;
    Some((u32::from_str_radix(digits, 16).ok()?, rest))
}

/// The character at `index`, which counts from the end if it is negative, as a range of bytes.
pub(super) fn character(text: &[u8], index: i64) -> Option<(usize, usize)> {
    let mut starts = (0..text.len()).filter(|at| !is_continuation(text[*at]));
    let start = if index < 0 {
        let back = usize::try_from(index.unsigned_abs()).ok()?;
        starts.rev().nth(back - 1)?
    } else {
        starts.nth(usize::try_from(index).ok()?)?
    };
    let length = text[start + 1..]
        .iter()
        .take_while(|byte| is_continuation(**byte))
        .count();
    Some((start, start + 1 + length))
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// Whether `part` is somewhere in `text`.
pub(super) fn contains(text: &[u8], part: &str) -> bool {
    match std::str::from_utf8(text) {
        Ok(text) => text.contains(part),
        // Only with half a surrogate pair in it.
        Err(_) => {
            part.is_empty()
                || text
                    .windows(part.len())
                    .any(|window| window == part.as_bytes())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn text(raw: &str) -> Vec<u8> {
        let mut text = Vec::new();
        unescape(raw.as_bytes(), &mut text);
        text
    }

    #[test]
    fn escapes_become_the_characters_they_stand_for() {
        assert_eq!(text(r#"a\n\t\"\\\/\b\f\r"#), b"a\n\t\"\\/\x08\x0c\r");
        assert_eq!(text(r"\u8bbe\ud83d\ude00!"), "设😀!".as_bytes());
    }

    #[test]
    fn half_a_surrogate_pair_is_a_character_as_in_python() {
        assert_eq!(text(r"\ud83d"), [0xED, 0xA0, 0xBD]);
        assert_eq!(text(r"\ud83d\u0041"), [0xED, 0xA0, 0xBD, b'A']);
        assert_eq!(text(r"\ude00\ud83d"), [0xED, 0xB8, 0x80, 0xED, 0xA0, 0xBD]);
        assert_eq!(character(&text(r"a\ud83db"), -2), Some((1, 4)));
        assert!(contains(&text(r"\ud83dab"), "ab"));
        assert!(!contains(&text(r"\ud83dab"), "bx"));
    }

    #[test]
    fn an_index_counts_characters() {
        let text = "a设😀".as_bytes();
        assert_eq!(character(text, 1), Some((1, 4)));
        assert_eq!(character(text, -1), Some((4, 8)));
        assert_eq!(character(text, 3), None);
        assert_eq!(character(text, -4), None);
        assert_eq!(character(text, i64::MIN), None);
    }
}
