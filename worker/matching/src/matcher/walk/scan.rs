//! The tokens of a JSON text, as Python's `json` reads them: nothing is allocated, and nothing is skipped unchecked.

use std::fmt;

/// Most levels of lists and objects, as in the model host.
pub(crate) const MAX_DEPTH: usize = 200;

/// Most keys, lists and objects in one message: each costs a model host about a hundred bytes.
pub(crate) const MAX_PARTS: usize = 200_000;

/// Most digits of a whole number, as in Python.
const MAX_DIGITS: usize = 4_300;

/// Why a text cannot be read, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    /// Offset of the byte.
    at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FaultKind {
    #[error("EOF while parsing a value")]
    EndInValue,
    #[error("EOF while parsing a string")]
    EndInString,
    #[error("EOF while parsing a list")]
    EndInList,
    #[error("EOF while parsing an object")]
    EndInObject,
    #[error("expected value")]
    Value,
    #[error("expected ident")]
    Word,
    #[error("expected `:`")]
    Colon,
    #[error("expected `,` or `]`")]
    ListEnd,
    #[error("expected `,` or `}}`")]
    ObjectEnd,
    #[error("trailing comma")]
    TrailingComma,
    #[error("key must be a string")]
    Key,
    #[error("invalid number")]
    Number,
    #[error("number out of range")]
    LongNumber,
    #[error("invalid escape")]
    Escape,
    #[error("control character (\\u0000-\\u001F) found while parsing a string")]
    Control,
    #[error("trailing characters")]
    Trailing,
    #[error("more than {MAX_DEPTH} levels of lists and objects")]
    TooDeep,
    #[error("more than {MAX_PARTS} keys, lists and objects")]
    TooManyParts,
}

impl Fault {
    /// For people, with the line and column in `text`.
    pub(crate) fn describe(self, text: &[u8]) -> String {
        let before = &text[..self.at.min(text.len())];
        let line = before.split(|byte| *byte == b'\n').count();
        let start = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |newline| newline + 1);
        let column = before.len() - start + usize::from(self.at < text.len());
        format!("{} at line {line} column {column}", self.kind)
    }

    /// Whether the text is over a limit rather than wrong.
    pub(crate) fn is_limit(self) -> bool {
        matches!(self.kind, FaultKind::TooDeep | FaultKind::TooManyParts)
    }
}

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

    /// Passes a number or word that begins with `first`.
    pub(super) fn scalar(&mut self, first: Option<u8>) -> Result<(), Fault> {
        match first {
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word(b"true")?,
            Some(b'f') => self.word(b"false")?,
            Some(b'n') => self.word(b"null")?,
            Some(b'N') => self.word(b"NaN")?,
            Some(b'I') => self.word(b"Infinity")?,
            Some(_) => return Err(self.fault(FaultKind::Value)),
            None => return Err(self.fault(FaultKind::EndInValue)),
        }
        self.skip_blanks();
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Fault> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.fault(FaultKind::Word));
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
            if self.peek() == Some(b'I') {
                return self.word(b"Infinity");
            }
        }
        let whole = if self.peek() == Some(b'0') {
            self.at += 1;
            1
        } else {
            self.digits()?
        };
        let mut is_whole = true;
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
            is_whole = false;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
            is_whole = false;
        }
        // What follows a whole zero, as in `01`, isn't part of any value.
        if is_whole && matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.fault(FaultKind::Number));
        }
        if is_whole && whole > MAX_DIGITS {
            return Err(self.fault(FaultKind::LongNumber));
        }
        Ok(())
    }

    /// Passes digits, at least one; how many.
    fn digits(&mut self) -> Result<usize, Fault> {
        let rest = &self.text[self.at..];
        let count = rest
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(rest.len());
        self.at += count;
        match count {
            0 if self.peek().is_none() => Err(self.fault(FaultKind::EndInValue)),
            0 => Err(self.fault(FaultKind::Number)),
            _ => Ok(count),
        }
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
