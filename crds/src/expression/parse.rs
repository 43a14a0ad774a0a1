//! The parser of `attrExpression` and of places alone.
//!
//! It takes a subset of Python's grammar and gives each text of that subset Python's meaning; the
//! references are <https://docs.python.org/3/reference/lexical_analysis.html> for literals and
//! blanks, and <https://docs.python.org/3/reference/expressions.html> for comparisons.

mod literal;

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
}
