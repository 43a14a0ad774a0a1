//! The tokens of a JSON text, as Python's `json` reads them: nothing is allocated, and nothing is skipped unchecked.

mod scalar;

use std::fmt;

use payload::MAX_DEPTH;

use super::fault::{Fault, FaultKind, MAX_PARTS};

/// A string between its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Raw {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) escaped: bool,
}

/// Reads tokens.
pub(super) struct Scanner<'m> {
    text: &'m [u8],
    at: usize,
    depth: usize,
    parts: usize,
}

/// A place in the text to come back to.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    at: usize,
    parts: usize,
}

impl fmt::Debug for Scanner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scanner")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

impl<'m> Scanner<'m> {
    /// At the first value of `text`.
    pub(super) fn new(text: &'m str) -> Self {
        let mut scanner = Self {
            text: text.as_bytes(),
            at: 0,
            depth: 0,
            parts: 0,
        };
        scanner.skip_blanks();
        scanner
    }

    /// What was passed since `mark`.
    pub(super) fn since(&self, mark: Mark) -> (usize, usize) {
        (mark.at, self.at)
    }

    pub(super) fn slice(&self, (start, end): (usize, usize)) -> &'m [u8] {
        &self.text[start..end]
    }

    pub(super) fn bytes(&self, raw: Raw) -> &'m [u8] {
        &self.text[raw.start..raw.end]
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            at: self.at,
            parts: self.parts,
        }
    }

    pub(super) fn back_to(&mut self, mark: Mark) {
        self.at = mark.at;
        self.parts = mark.parts;
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// The text must end here.
    pub(super) fn end(&self) -> Result<(), Fault> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.fault(FaultKind::Trailing)),
        }
    }

    /// Passes the bracket that opens a list or object.
    pub(super) fn open(&mut self) -> Result<(), Fault> {
        self.part()?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fault(FaultKind::TooDeep));
        }
        self.pass();
        Ok(())
    }

    /// Passes the bracket that closes it.
    pub(super) fn close(&mut self) {
        self.depth -= 1;
        self.pass();
    }

    /// Whether another element follows; passes what separates it, or the closing bracket.
    pub(super) fn has_element(&mut self, first: bool) -> Result<bool, Fault> {
        match self.peek() {
            Some(b']') => {
                self.close();
                Ok(false)
            }
            None => Err(self.fault(FaultKind::EndInList)),
            Some(_) if first => Ok(true),
            Some(b',') => {
                self.pass();
                match self.peek() {
                    Some(b']') => Err(self.fault(FaultKind::TrailingComma)),
                    None => Err(self.fault(FaultKind::EndInList)),
                    Some(_) => Ok(true),
                }
            }
            Some(_) => Err(self.fault(FaultKind::ListEnd)),
        }
    }

    /// The next key of an object, with its colon passed; `None` at its end, which is passed.
    pub(super) fn key(&mut self, first: bool) -> Result<Option<Raw>, Fault> {
        match self.peek() {
            Some(b'}') => {
                self.close();
                return Ok(None);
            }
            Some(b',') if !first => {
                self.pass();
                if self.peek() == Some(b'}') {
                    return Err(self.fault(FaultKind::TrailingComma));
                }
            }
            Some(_) if !first => return Err(self.fault(FaultKind::ObjectEnd)),
            _ => {}
        }
        match self.peek() {
            Some(b'"') => {}
            Some(_) => return Err(self.fault(FaultKind::Key)),
            None => return Err(self.fault(FaultKind::EndInObject)),
        }
        self.part()?;
        let key = self.string()?;
        match self.peek() {
            Some(b':') => self.pass(),
            Some(_) => return Err(self.fault(FaultKind::Colon)),
            None => return Err(self.fault(FaultKind::EndInObject)),
        }
        Ok(Some(key))
    }

    /// Passes the string that begins here.
    pub(super) fn string(&mut self) -> Result<Raw, Fault> {
        let start = self.at + 1;
        let mut escaped = false;
        self.at = start;
        loop {
            let rest = &self.text[self.at..];
            let plain = rest
                .iter()
                .position(|byte| matches!(byte, b'"' | b'\\' | ..=0x1F));
            let Some(plain) = plain else {
                self.at = self.text.len();
                return Err(self.fault(FaultKind::EndInString));
            };
            self.at += plain;
            match rest[plain] {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.escape(&rest[plain + 1..])?;
                }
                _ => return Err(self.fault(FaultKind::Control)),
            }
        }
        let end = self.at;
        self.pass();
        Ok(Raw {
            start,
            end,
            escaped,
        })
    }

    /// Passes a backslash and `rest`, as far as it belongs to it.
    fn escape(&mut self, rest: &[u8]) -> Result<(), Fault> {
        let Some(kind) = rest.first() else {
            self.at = self.text.len();
            return Err(self.fault(FaultKind::EndInString));
        };
        self.at += 1;
        match kind {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => {
                for digit in 1..=4 {
                    match rest.get(digit) {
                        Some(byte) if byte.is_ascii_hexdigit() => {}
                        found => {
                            self.at += digit;
                            return Err(self.fault(
                                found.map_or(FaultKind::EndInString, |_| FaultKind::Escape),
                            ));
                        }
                    }
                }
                self.at += 5;
            }
            _ => return Err(self.fault(FaultKind::Escape)),
        }
        Ok(())
    }

    fn part(&mut self) -> Result<(), Fault> {
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return Err(self.fault(FaultKind::TooManyParts));
        }
        Ok(())
    }

    /// Passes one byte and the blanks after it.
    fn pass(&mut self) {
        self.at += 1;
        self.skip_blanks();
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn fault(&self, kind: FaultKind) -> Fault {
        Fault { kind, at: self.at }
    }
}
