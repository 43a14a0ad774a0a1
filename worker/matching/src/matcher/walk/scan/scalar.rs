//! Numbers and words.

use super::super::fault::{Fault, FaultKind};
use super::Scanner;

/// Most digits of a whole number, as in Python.
const MAX_DIGITS: usize = 4_300;

impl Scanner<'_> {
    /// Passes a number or word that begins with `first`.
    pub(in super::super) fn scalar(&mut self, first: Option<u8>) -> Result<(), Fault> {
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
}
