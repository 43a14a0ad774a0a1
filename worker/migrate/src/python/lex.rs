//! Tokens of a Python expression.

use super::Unreadable;

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A number with a point or an exponent.
    Float(f64),
    /// A name or keyword.
    Word(String),
    /// An operator or bracket.
    Sign(&'static str),
}

/// Longer ones before their prefixes.
const SIGNS: [&str; 42] = [
    "**=", "//=", ">>=", "<<=", "...", "==", "!=", "<=", ">=", "**", "//", "<<", ">>", "->", ":=",
    "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "@=", "<", ">", "(", ")", "[", "]", "{", "}",
    ".", ",", ":", "=", "+", "-", "*", "/", "%", "@",
];
const MORE_SIGNS: [&str; 5] = ["&", "|", "^", "~", ";"];

/// The tokens of a text; the first fault is the last item.
pub(super) fn tokens(text: &str) -> Vec<Result<Token, Unreadable>> {
    let mut lexer = Lexer {
        rest: text,
        depth: 0,
    };
    let mut tokens = Vec::new();
    loop {
        match lexer.next() {
            Ok(None) => return tokens,
            Ok(Some(token)) => tokens.push(Ok(token)),
            Err(fault) => {
                tokens.push(Err(fault));
                return tokens;
            }
        }
    }
}

struct Lexer<'a> {
    rest: &'a str,
    /// Open brackets: within them, line ends are ignored.
    depth: usize,
}

impl Lexer<'_> {
    fn next(&mut self) -> Result<Option<Token>, Unreadable> {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\x0c']);
            let Some(first) = self.rest.chars().next() else {
                return Ok(None);
            };
            match first {
                '#' => {
                    self.rest = self
                        .rest
                        .find(['\n', '\r'])
                        .map_or("", |end| &self.rest[end..]);
                }
                '\n' | '\r' if self.depth > 0 => self.rest = &self.rest[1..],
                '\n' | '\r' => return self.last_line(),
                '\\' => return Err(Unreadable::NotUnderstood("a line continuation".to_owned())),
                '\'' | '"' => return self.text(false).map(Some),
                '0'..='9' => return self.number().map(Some),
                '.' if self.rest[1..].starts_with(|next: char| next.is_ascii_digit()) => {
                    return self.number().map(Some);
                }
                _ if first.is_alphabetic() || first == '_' => return self.word().map(Some),
                _ => return self.sign().map(Some),
            }
        }
    }

    /// After a line end only blanks and comments may follow.
    fn last_line(&mut self) -> Result<Option<Token>, Unreadable> {
        for line in self.rest.split(['\n', '\r']) {
            let line = line.trim_matches([' ', '\t', '\x0c']);
            if !line.is_empty() && !line.starts_with('#') {
                return Err(Unreadable::SyntaxError);
            }
        }
        self.rest = "";
        Ok(None)
    }

    fn sign(&mut self) -> Result<Token, Unreadable> {
        let known = SIGNS.iter().chain(&MORE_SIGNS);
        let Some(sign) = known.copied().find(|sign| self.rest.starts_with(sign)) else {
            // `!`, `$`, `?` and other characters, such as the quotes and colons of Chinese keyboards.
            return Err(Unreadable::SyntaxError);
        };
        match sign {
            "(" | "[" | "{" => self.depth += 1,
            ")" | "]" | "}" => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.rest = &self.rest[sign.len()..];
        Ok(Token::Sign(sign))
    }

    fn word(&mut self) -> Result<Token, Unreadable> {
        let end = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        if rest.starts_with(['\'', '"']) {
            match word.to_ascii_lowercase().as_str() {
                "r" => {
                    self.rest = rest;
                    return self.text(true);
                }
                "u" => {
                    self.rest = rest;
                    return self.text(false);
                }
                "b" | "f" | "br" | "rb" | "fr" | "rf" | "t" | "rt" | "tr" => {
                    return Err(Unreadable::NotUnderstood(format!(
                        "the prefix {word} of a text"
                    )));
                }
                _ => {}
            }
        }
        self.rest = rest;
        Ok(Token::Word(word.to_owned()))
    }

    fn number(&mut self) -> Result<Token, Unreadable> {
        let end = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.')))
            .unwrap_or(self.rest.len());
        let (written, rest) = self.rest.split_at(end);
        let digits = written.bytes().all(|byte| byte.is_ascii_digit());
        if digits && written.len() > 1 && written.starts_with('0') && written.contains(|c| c != '0')
        {
            return Err(Unreadable::SyntaxError);
        }
        let plain = written
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        let token = match (digits, plain) {
            (true, _) => written.parse().ok().map(Token::Int),
            (false, true) => written.parse().ok().map(Token::Float),
            _ => None,
        };
        let not_understood = || Unreadable::NotUnderstood(format!("the number {written}"));
        self.rest = rest;
        token.ok_or_else(not_understood)
    }

    fn text(&mut self, raw: bool) -> Result<Token, Unreadable> {
        let quote = &self.rest[..1];
        let triple = quote.repeat(3);
        let long = self.rest.starts_with(&triple);
        let end = if long { triple.as_str() } else { quote };
        self.rest = &self.rest[end.len()..];
        let mut text = String::new();
        loop {
            if let Some(rest) = self.rest.strip_prefix(end) {
                self.rest = rest;
                return Ok(Token::Text(text));
            }
            let Some(c) = self.rest.chars().next() else {
                return Err(Unreadable::SyntaxError);
            };
            self.rest = &self.rest[c.len_utf8()..];
            match c {
                '\n' | '\r' if !long => return Err(Unreadable::SyntaxError),
                '\r' => {
                    return Err(Unreadable::NotUnderstood(
                        "a carriage return in a text".to_owned(),
                    ));
                }
                '\\' if raw => {
                    text.push(c);
                    // A quote behind a backslash does not end a raw text.
                    if let Some(next) = self.rest.chars().next() {
                        self.rest = &self.rest[next.len_utf8()..];
                        text.push(next);
                    }
                }
                '\\' => self.escape(&mut text)?,
                _ => text.push(c),
            }
        }
    }

    fn escape(&mut self, text: &mut String) -> Result<(), Unreadable> {
        let Some(c) = self.rest.chars().next() else {
            return Err(Unreadable::SyntaxError);
        };
        self.rest = &self.rest[c.len_utf8()..];
        let simple = match c {
            '\n' => return Ok(()),
            '\r' | 'N' => {
                return Err(Unreadable::NotUnderstood("an escape in a text".to_owned()));
            }
            '\\' | '\'' | '"' => c,
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'x' => self.coded(2)?,
            'u' => self.coded(4)?,
            'U' => self.coded(8)?,
            '0'..='7' => {
                let more = self
                    .rest
                    .chars()
                    .take(2)
                    .take_while(|c| c.is_digit(8))
                    .count();
                let mut code = c.to_digit(8).unwrap_or(0);
                for digit in self.rest[..more].chars() {
                    code = code * 8 + digit.to_digit(8).unwrap_or(0);
                }
                self.rest = &self.rest[more..];
                char::from_u32(code).ok_or(Unreadable::SyntaxError)?
            }
            // Python keeps the backslash of an escape that it does not know.
            _ => {
                text.push('\\');
                c
            }
        };
        text.push(simple);
        Ok(())
    }

    fn coded(&mut self, count: usize) -> Result<char, Unreadable> {
        let digits = self
            .rest
            .get(..count)
            .filter(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()));
        let digits = digits.ok_or(Unreadable::SyntaxError)?;
        let code = u32::from_str_radix(digits, 16).map_err(|_| Unreadable::SyntaxError)?;
        self.rest = &self.rest[count..];
        match code {
            0xd800..=0xdfff => Err(Unreadable::NotUnderstood(
                "half a character in a text".to_owned(),
            )),
            _ => char::from_u32(code).ok_or(Unreadable::SyntaxError),
        }
    }
}
