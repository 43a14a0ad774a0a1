//! The parser of `attrExpression` and of places alone.
//!
//! It takes a subset of Python's grammar and gives each text of that subset Python's meaning; the
//! references are <https://docs.python.org/3/reference/lexical_analysis.html> for literals and
//! blanks, and <https://docs.python.org/3/reference/expressions.html> for comparisons.

use super::{Expression, Operator, Path, Place, Step};

/// Why a text is not an `attrExpression`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at character {}; {remedy}", .offset + 1)]
pub struct ParseError {
    /// Where, in characters from 0.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub remedy: &'static str,
}

const MESSAGE: &str = "data_to_dict";
const TOPIC: &str = "topic";
const USE_OPERATOR: &str = "start with one of ==, !=, in, not in, <, <=, >, >=";
const USE_NAME: &str = "write data_to_dict after the operator, as in == data_to_dict['deviceInfo'], or topic, as in == topic[1]";
const USE_PLACE: &str = "write a place, such as data_to_dict['id'], topic or topic[2]";
const USE_SUBSCRIPT: &str = "after data_to_dict only subscripts such as ['key'] or [0] are allowed";
const USE_LEVEL: &str = "after topic only one index is allowed, as in topic[1]";
const USE_KEY: &str = "write a key in straight quotes, as in ['telemetry'], or an index, as in [0]";
const USE_ESCAPE: &str = "write the character itself";

/// Operators, longest first where one begins another.
const OPERATORS: [(&str, Operator); 7] = [
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("in", Operator::In),
];

/// Parses an `attrExpression`.
///
/// # Errors
/// Anything but an operator and a place, with its position.
pub fn parse(text: &str) -> Result<Expression, ParseError> {
    let mut cursor = Cursor {
        characters: text.chars().collect(),
        position: 0,
    };
    cursor.skip_blanks(false);
    let operator = cursor.operator()?;
    let place = cursor.place(USE_NAME)?;
    Ok(Expression { operator, place })
}

/// Parses a place alone, as in `deviceKey`.
///
/// # Errors
/// Anything but `data_to_dict` with subscripts, `topic` or `topic[n]`, with its place.
pub fn parse_place(text: &str) -> Result<Place, ParseError> {
    let mut cursor = Cursor {
        characters: text.chars().collect(),
        position: 0,
    };
    cursor.place(USE_PLACE)
}

struct Cursor {
    characters: Vec<char>,
    position: usize,
}

impl Cursor {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.position).copied()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek();
        self.position += usize::from(character.is_some());
        character
    }

    fn error(&self, message: String, remedy: &'static str) -> ParseError {
        ParseError {
            offset: self.position,
            message,
            remedy,
        }
    }

    fn unexpected(&self, remedy: &'static str) -> ParseError {
        let found = self.peek().map_or_else(
            || "the text ends".to_owned(),
            |c| format!("{c:?} is not allowed"),
        );
        self.error(found, remedy)
    }

    /// Python's blanks; line ends only count as such inside brackets.
    fn skip_blanks(&mut self, in_brackets: bool) {
        while self.peek().is_some_and(|c| {
            matches!(c, ' ' | '\t' | '\x0c') || (in_brackets && matches!(c, '\n' | '\r'))
        }) {
            self.position += 1;
        }
    }

    fn take(&mut self, text: &str) -> bool {
        let length = text.chars().count();
        let end = self.position + length;
        let found = self
            .characters
            .get(self.position..end)
            .is_some_and(|ahead| ahead.iter().copied().eq(text.chars()));
        if found {
            self.position = end;
        }
        found
    }

    /// A word that does not go on.
    fn take_word(&mut self, word: &str) -> bool {
        let start = self.position;
        let found =
            self.take(word) && !self.peek().is_some_and(|c| c.is_alphanumeric() || c == '_');
        if !found {
            self.position = start;
        }
        found
    }

    fn operator(&mut self) -> Result<Operator, ParseError> {
        if self.take_word("not") {
            self.skip_blanks(false);
            if self.take_word("in") {
                return Ok(Operator::NotIn);
            }
            return Err(self.unexpected("write in after not"));
        }
        for (text, operator) in OPERATORS {
            let found = if text == "in" {
                self.take_word(text)
            } else {
                self.take(text)
            };
            if found {
                return Ok(operator);
            }
        }
        Err(self.unexpected(USE_OPERATOR))
    }

    /// A place, after which the text ends.
    fn place(&mut self, remedy: &'static str) -> Result<Place, ParseError> {
        self.skip_blanks(false);
        if self.take_word(MESSAGE) {
            let mut steps = Vec::new();
            while self.opens_subscript(USE_SUBSCRIPT)? {
                steps.push(self.subscript()?);
            }
            return Ok(Place::Message(Path(steps)));
        }
        if !self.take_word(TOPIC) {
            return Err(self.unexpected(remedy));
        }
        if !self.opens_subscript(USE_LEVEL)? {
            return Ok(Place::Topic);
        }
        let start = self.position;
        let Step::Index(level) = self.subscript()? else {
            self.position = start;
            return Err(self.error("a level of the topic has no key".to_owned(), USE_LEVEL));
        };
        if self.opens_subscript(USE_LEVEL)? {
            return Err(self.unexpected(USE_LEVEL));
        }
        Ok(Place::Level(level))
    }

    /// Whether a subscript follows; else the text must end.
    fn opens_subscript(&mut self, remedy: &'static str) -> Result<bool, ParseError> {
        self.skip_blanks(false);
        match self.peek() {
            None => Ok(false),
            Some('[') => Ok(true),
            Some(_) => Err(self.unexpected(remedy)),
        }
    }

    fn subscript(&mut self) -> Result<Step, ParseError> {
        self.position += 1;
        self.skip_blanks(true);
        let step = match self.peek() {
            Some(quote @ ('\'' | '"')) => {
                self.position += 1;
                Step::Key(self.key(quote)?)
            }
            Some('0'..='9' | '-' | '+') => Step::Index(self.index()?),
            _ => return Err(self.unexpected(USE_KEY)),
        };
        self.skip_blanks(true);
        if self.take("]") {
            return Ok(step);
        }
        Err(self.unexpected("close the subscript with ]"))
    }

    fn index(&mut self) -> Result<i64, ParseError> {
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

    fn key(&mut self, quote: char) -> Result<String, ParseError> {
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
