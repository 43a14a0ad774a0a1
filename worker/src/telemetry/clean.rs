//! One event, one line: what guests write cannot end a line, overwrite it, or turn its direction.

use std::io::{self, Write};

/// Writes lines of text with their control characters and bidirectional signs escaped.
#[derive(Debug)]
pub(super) struct Clean<W> {
    writer: W,
    /// JSON has them escaped where it matters.
    text: bool,
}

impl<W> Clean<W> {
    pub(super) fn new(writer: W, text: bool) -> Self {
        Self { writer, text }
    }
}

impl<W: Write> Write for Clean<W> {
    /// Takes one event, as the subscriber writes it.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        match self.text.then(|| clean(event)).flatten() {
            Some(line) => self.writer.write_all(line.as_bytes())?,
            None => self.writer.write_all(event)?,
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// The event with its signs escaped; `None` if it has none. Colours are the subscriber's own: it escapes those of guests.
fn clean(event: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(event).ok()?;
    let (line, end) = match text.strip_suffix('\n') {
        Some(line) => (line, "\n"),
        None => (text, ""),
    };
    if !line.chars().any(is_sign) {
        return None;
    }
    let mut cleaned = String::with_capacity(event.len() + 16);
    for character in line.chars() {
        if is_sign(character) {
            cleaned.extend(character.escape_default());
        } else {
            cleaned.push(character);
        }
    }
    cleaned += end;
    Some(cleaned)
}

fn is_sign(character: char) -> bool {
    let bidirectional = matches!(
        character,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
    );
    let separator = matches!(character, '\u{2028}' | '\u{2029}');
    let colour = character == '\u{1B}';
    bidirectional || separator || (character.is_control() && !matches!(character, '\t') && !colour)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(event: &str, text: bool) -> String {
        let mut bytes = Vec::new();
        Clean::new(&mut bytes, text)
            .write_all(event.as_bytes())
            .unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn row_26_a_guests_text_stays_on_its_line_and_in_its_direction() {
        for (event, expected) in [
            ("INFO 设备\tok\n", "INFO 设备\tok\n"),
            ("INFO a\rERROR b\n", "INFO a\\rERROR b\n"),
            ("INFO a\nERROR b\n", "INFO a\\nERROR b\n"),
            (
                "x\u{202E}y\u{2066}z\u{2028}\n",
                "x\\u{202e}y\\u{2066}z\\u{2028}\n",
            ),
            ("x\u{0}\u{7F}\u{85}\n", "x\\u{0}\\u{7f}\\u{85}\n"),
            ("\u{1B}[32mINFO\u{1B}[0m a\n", "\u{1B}[32mINFO\u{1B}[0m a\n"),
        ] {
            assert_eq!(written(event, true), expected);
            assert_eq!(written(event, false), event, "JSON is left as it is");
        }
    }
}
