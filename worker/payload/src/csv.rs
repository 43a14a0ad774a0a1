//! CSV as JSON, read as Python's `csv.reader` reads it.

use crate::render::{Fault, Json};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the beginning of a line.
    Line,
    /// At the beginning of a field.
    Field,
    InField,
    InQuotes,
    /// After a quote within quotes.
    Quote,
}

/// One line as a list of its fields, several as a list of such lists.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn to_json(text: &str) -> Result<String, Fault> {
    if text.contains('\0') {
        return Err(Fault::Format("it has a NUL, which CSV has not"));
    }
    let mut lines = Lines::default();
    let mut state = State::Line;
    for character in text.chars() {
        state = match (state, character) {
            (State::Line, '\n' | '\r') => State::Line,
            (State::InQuotes, '"') => State::Quote,
            (State::InQuotes, other) => lines.push(other, State::InQuotes),
            (State::Quote, '"') => lines.push('"', State::InQuotes),
            (State::Line | State::Field, '"') => State::InQuotes,
            (_, ',') => lines.end_field(State::Field)?,
            (_, '\n' | '\r') => lines.end_line()?,
            (_, other) => lines.push(other, State::InField),
        };
    }
    if state != State::Line {
        lines.end_line()?;
    }
    lines.finish()
}

/// The lines so far, as JSON.
#[derive(Debug, Default)]
struct Lines {
    json: Json,
    count: usize,
    fields: usize,
    field: String,
}

impl Lines {
    fn push(&mut self, character: char, state: State) -> State {
        self.field.push(character);
        state
    }

    fn end_field(&mut self, state: State) -> Result<State, Fault> {
        let before = match (self.fields, self.count) {
            (0, 0) => "[",
            (0, _) => ",[",
            _ => ",",
        };
        self.json.plain(before)?;
        self.json.string(&self.field)?;
        self.field.clear();
        self.fields += 1;
        Ok(state)
    }

    fn end_line(&mut self) -> Result<State, Fault> {
        self.end_field(State::Line)?;
        self.json.plain("]")?;
        self.fields = 0;
        self.count += 1;
        Ok(State::Line)
    }

    fn finish(self) -> Result<String, Fault> {
        let lines = self.json.finish();
        match self.count {
            0 => Err(Fault::Format("it is empty")),
            1 => Ok(lines),
            _ => Ok(format!("[{lines}]")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As CPython's `csv.reader` answers; `tests/it/matching.rs` compares many more with it.
    #[test]
    fn c8_a_line_is_a_list_and_several_are_a_list_of_lists() {
        for (text, expected) in [
            ("d1,23.5,ok", r#"["d1","23.5","ok"]"#),
            ("d1,23.5\r\n", r#"["d1","23.5"]"#),
            ("a,b\nc,d\n\n", r#"[["a","b"],["c","d"]]"#),
            ("\"a,\"\"b\"\"\",c", r#"["a,\"b\"","c"]"#),
            ("\"a\nb\",c", r#"["a\u000ab","c"]"#),
            ("a\"b,\"c\"d", r#"["a\"b","cd"]"#),
            (",", r#"["",""]"#),
            ("\"open", r#"["open"]"#),
            ("\"\"", r#"[""]"#),
        ] {
            assert_eq!(to_json(text).as_deref(), Ok(expected), "{text:?}");
        }
        for text in ["", "\r\n", "\n\n"] {
            assert!(to_json(text).is_err());
        }
    }
}
