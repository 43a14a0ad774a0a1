//! Keys and indexes, as Python reads their literals.

use super::{Cursor, ParseError, USE_ESCAPE, USE_KEY};

impl Cursor {
    /// An index: `0`, `-1`.
    pub(super) fn index(&mut self) -> Result<i64, ParseError> {
        let start = self.position;
        let negative = self.peek() == Some('-');
        if matches!(self.peek(), Some('-' | '+')) {
            self.position += 1;
            self.skip_blanks(true);
        }
        let first = self.position;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.position += 1;
        }
        let digits: String = self.characters[first..self.position].iter().collect();
        let value = digits.parse::<i64>();
        // Python refuses leading zeros, but takes any number of them alone.
        let leading_zero = digits.starts_with('0') && digits.bytes().any(|digit| digit != b'0');
        match value {
            Ok(value) if !leading_zero => Ok(if negative { -value } else { value }),
            _ => {
                self.position = start;
                Err(self.error(format!("{digits:?} is not an index"), USE_KEY))
            }
        }
    }

    /// The rest of a key that began with `quote`.
    pub(super) fn key(&mut self, quote: char) -> Result<String, ParseError> {
        let mut key = String::new();
        loop {
            match self.next() {
                Some(c) if c == quote => break,
                Some('\\') => self.escape(&mut key)?,
                None | Some('\n' | '\r') => {
                    return Err(self.error("the key is not closed".to_owned(), USE_KEY));
                }
                Some(c) => key.push(c),
            }
        }
        if key.is_empty() && self.peek() == Some(quote) {
            return Err(self.error("triple quotes are not allowed".to_owned(), USE_KEY));
        }
        Ok(key)
    }

    fn escape(&mut self, key: &mut String) -> Result<(), ParseError> {
        let start = self.position - 1;
        let simple = match self.next() {
            Some('\n') => return Ok(()),
            Some(c @ ('\\' | '\'' | '"')) => c,
            Some('a') => '\x07',
            Some('b') => '\x08',
            Some('f') => '\x0c',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('v') => '\x0b',
            Some('x') => self.coded(start, 2, 2, 16)?,
            Some('u') => self.coded(start, 4, 4, 16)?,
            Some('U') => self.coded(start, 8, 8, 16)?,
            Some('0'..='7') => {
                self.position -= 1;
                self.coded(start, 1, 3, 8)?
            }
            // `\N{...}` needs the table of Unicode names; a lone `\r` is a line end for Python.
            None | Some('N' | '\r') => {
                self.position = start;
                return Err(self.error("this escape is not allowed".to_owned(), USE_ESCAPE));
            }
            // Python keeps the backslash of an escape that it does not know.
            Some(c) => {
                key.push('\\');
                c
            }
        };
        key.push(simple);
        Ok(())
    }

    /// A character by its number, in `least` to `most` digits.
    fn coded(
        &mut self,
        start: usize,
        least: usize,
        most: usize,
        radix: u32,
    ) -> Result<char, ParseError> {
        let first = self.position;
        while self.position - first < most && self.peek().is_some_and(|c| c.is_digit(radix)) {
            self.position += 1;
        }
        let digits: String = self.characters[first..self.position].iter().collect();
        u32::from_str_radix(&digits, radix)
            .ok()
            .filter(|_| digits.len() >= least)
            .and_then(char::from_u32)
            .ok_or_else(|| {
                self.position = start;
                self.error("this escape is not a character".to_owned(), USE_ESCAPE)
            })
    }
}
