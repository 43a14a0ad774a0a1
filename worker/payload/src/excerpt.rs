//! The beginning of a payload for people.

use std::fmt::Write as _;

/// Longest excerpt, in characters of the payload.
const EXCERPT: usize = 60;

/// The beginning of a payload on one line: text as it is, what is not text or would disturb a terminal escaped.
pub fn excerpt(payload: &[u8]) -> String {
    let mut excerpt = String::new();
    let mut length = 0;
    // Four bytes are the most that a character has.
    let start = &payload[..payload.len().min(4 * EXCERPT + 4)];
    for chunk in start.utf8_chunks() {
        for character in chunk.valid().chars() {
            if length == EXCERPT {
                return excerpt + "…";
            }
            length += 1;
            if character.is_control() {
                excerpt.extend(character.escape_default());
            } else {
                excerpt.push(character);
            }
        }
        for byte in chunk.invalid() {
            if length == EXCERPT {
                return excerpt + "…";
            }
            length += 1;
            // Writing to a text cannot fail.
            let _ = write!(excerpt, "\\x{byte:02x}");
        }
    }
    excerpt
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn an_excerpt_is_short_and_on_one_line() {
        assert_eq!(excerpt(b"online"), "online");
        assert_eq!(excerpt(b""), "");
        assert_eq!(excerpt(b"\x08\xff\n\x1b[2J"), "\\u{8}\\xff\\n\\u{1b}[2J");
        assert_eq!(excerpt(&[b'a'; 60]), "a".repeat(60));
        assert_eq!(excerpt(&[b'a'; 1000]), "a".repeat(60) + "…");
        assert_eq!(excerpt("设".repeat(1000).as_bytes()), "设".repeat(60) + "…");
    }
}
