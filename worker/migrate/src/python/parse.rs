//! From text to tree, in Python's order of precedence.

use super::Unreadable;
use super::function::{Function, Method};
use super::lex::{Token, tokens};
use super::names::{KEYWORDS, KNOWN};
use super::tree::{Comparison, Expr};

/// How many brackets, subscripts and `not` an expression may have, so that the tree is not too deep for the stack.
const MAX_NESTED: usize = 100;

/// Parses a text; with `left`, what comes before it is a variable.
///
/// # Errors
/// See [`Unreadable`].
pub(crate) fn parse(text: &str, left: bool) -> Result<Expr, Unreadable> {
    let mut tokens = tokens(text);
    tokens.reverse();
    let mut parser = Parser {
        tokens,
        nested: 0,
        left,
    };
    let expr = parser.test()?;
    match parser.tokens.pop() {
        None => Ok(expr),
        Some(token) => Err(leftover(&token?, false)),
    }
}

struct Parser {
    /// The next one is last.
    tokens: Vec<Result<Token, Unreadable>>,
    nested: usize,
    /// Whether the variable on the left is still to be read.
    left: bool,
}

/// The fault of a token after an expression.
fn leftover(token: &Token, in_brackets: bool) -> Unreadable {
    let operator = match token {
        Token::Sign(
            sign @ ("+" | "-" | "*" | "/" | "//" | "%" | "@" | "**" | "&" | "|" | "^" | "<<" | ">>"
            | "," | "("),
        ) => *sign,
        Token::Sign(sign @ (":" | "=" | ":=")) if in_brackets => *sign,
        Token::Word(word) if word == "if" => "if",
        Token::Word(word) if in_brackets && matches!(word.as_str(), "for" | "async") => "for",
        _ => return Unreadable::SyntaxError,
    };
    Unreadable::NotUnderstood(format!("{operator:?}"))
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.last().and_then(|token| token.as_ref().ok())
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(next)) if next == word);
        if found {
            self.tokens.pop();
        }
        found
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(next)) if *next == sign);
        if found {
            self.tokens.pop();
        }
        found
    }

    /// The fault of the next token, which no rule expects here.
    fn fault<T>(&mut self, in_brackets: bool) -> Result<T, Unreadable> {
        match self.tokens.pop() {
            None => Err(Unreadable::SyntaxError),
            Some(token) => Err(leftover(&token?, in_brackets)),
        }
    }

    fn nest(&mut self) -> Result<(), Unreadable> {
        self.nested += 1;
        if self.nested > MAX_NESTED {
            return Err(Unreadable::NotUnderstood("so much nesting".to_owned()));
        }
        Ok(())
    }

    fn test(&mut self) -> Result<Expr, Unreadable> {
        self.nest()?;
        let mut operands = vec![self.conjunction()?];
        while self.take_word("or") {
            operands.push(self.conjunction()?);
        }
        Ok(single_or(operands, Expr::Or))
    }

    fn conjunction(&mut self) -> Result<Expr, Unreadable> {
        let mut operands = vec![self.negation()?];
        while self.take_word("and") {
            operands.push(self.negation()?);
        }
        Ok(single_or(operands, Expr::And))
    }

    fn negation(&mut self) -> Result<Expr, Unreadable> {
        let mut negated = 0;
        while !self.left && self.take_word("not") {
            self.nest()?;
            negated += 1;
        }
        let mut expr = self.comparison()?;
        for _ in 0..negated {
            expr = Expr::Not(Box::new(expr));
        }
        Ok(expr)
    }

    fn comparison(&mut self) -> Result<Expr, Unreadable> {
        let first = self.operand()?;
        let mut others = Vec::new();
        while let Some(operator) = self.comparison_operator()? {
            others.push((operator, self.operand()?));
        }
        if others.is_empty() {
            return Ok(first);
        }
        Ok(Expr::Compare(Box::new(first), others))
    }

    fn comparison_operator(&mut self) -> Result<Option<Comparison>, Unreadable> {
        let operator = match self.peek() {
            Some(Token::Sign("==")) => Comparison::Equal,
            Some(Token::Sign("!=")) => Comparison::NotEqual,
            Some(Token::Sign("<=")) => Comparison::LessOrEqual,
            Some(Token::Sign(">=")) => Comparison::GreaterOrEqual,
            Some(Token::Sign("<")) => Comparison::Less,
            Some(Token::Sign(">")) => Comparison::Greater,
            Some(Token::Word(word)) => match word.as_str() {
                "in" => Comparison::In,
                "not" => {
                    self.tokens.pop();
                    if !matches!(self.peek(), Some(Token::Word(word)) if word == "in") {
                        return match self.tokens.pop() {
                            Some(Err(fault)) => Err(fault),
                            _ => Err(Unreadable::SyntaxError),
                        };
                    }
                    Comparison::NotIn
                }
                "is" => {
                    self.tokens.pop();
                    let not = self.take_word("not");
                    return Ok(Some(if not {
                        Comparison::IsNot
                    } else {
                        Comparison::Is
                    }));
                }
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        self.tokens.pop();
        Ok(Some(operator))
    }

    /// An operand of a comparison.
    fn operand(&mut self) -> Result<Expr, Unreadable> {
        if !self.left && self.take_sign("-") {
            return match self.tokens.pop() {
                Some(Ok(Token::Int(value))) => self.subscripts(Expr::Int(-value)),
                Some(Ok(Token::Float(value))) => self.subscripts(Expr::Float(-value)),
                Some(Err(fault)) => Err(fault),
                _ => Err(Unreadable::NotUnderstood("\"-\"".to_owned())),
            };
        }
        let atom = self.atom()?;
        self.subscripts(atom)
    }

    fn atom(&mut self) -> Result<Expr, Unreadable> {
        if std::mem::take(&mut self.left) {
            return Ok(Expr::Left);
        }
        let token = self.tokens.pop().ok_or(Unreadable::SyntaxError)??;
        Ok(match token {
            Token::Text(mut text) => {
                // Python joins adjacent string literals.
                while let Some(Token::Text(more)) = self.peek() {
                    text.push_str(more);
                    self.tokens.pop();
                }
                Expr::Text(text)
            }
            Token::Int(value) => Expr::Int(value),
            Token::Float(value) => Expr::Float(value),
            Token::Sign("[") => Expr::List(self.items("]")?.0),
            Token::Sign("(") => {
                let (mut items, comma) = self.items(")")?;
                match items.pop() {
                    Some(only) if items.is_empty() && !comma => only,
                    last => Expr::Tuple(items.into_iter().chain(last).collect()),
                }
            }
            Token::Sign("{") if self.take_sign("}") => Expr::EmptyDict,
            Token::Sign(sign @ ("+" | "-" | "~" | "*" | "{" | "..." | "**")) => {
                return Err(Unreadable::NotUnderstood(format!("{sign:?}")));
            }
            Token::Sign(_) => return Err(Unreadable::SyntaxError),
            Token::Word(word) => self.named(&word)?,
        })
    }

    fn named(&mut self, word: &str) -> Result<Expr, Unreadable> {
        Ok(match word {
            "data_to_dict" | "to_dict" => Expr::Message,
            "True" => Expr::Bool(true),
            "False" => Expr::Bool(false),
            "None" => Expr::Nothing,
            "lambda" | "await" | "yield" => {
                return Err(Unreadable::NotUnderstood(word.to_owned()));
            }
            _ if KEYWORDS.contains(&word) => return Err(Unreadable::SyntaxError),
            _ if KNOWN.contains(&word) || word.starts_with("__") => {
                if let (Some(function), true) = (Function::named(word), self.take_sign("(")) {
                    return Ok(Expr::Call(function, self.items(")")?.0));
                }
                return Err(Unreadable::NotUnderstood(format!("{word:?}")));
            }
            _ => Expr::Unknown,
        })
    }

    /// Items up to a closing bracket, and whether a comma follows the last.
    fn items(&mut self, end: &str) -> Result<(Vec<Expr>, bool), Unreadable> {
        let mut items = Vec::new();
        let mut comma = false;
        while !self.take_sign(end) {
            if !items.is_empty() && !comma {
                return self.fault(true);
            }
            items.push(self.test()?);
            comma = self.take_sign(",");
        }
        Ok((items, comma))
    }

    fn subscripts(&mut self, mut expr: Expr) -> Result<Expr, Unreadable> {
        loop {
            if self.take_sign("[") {
                self.nest()?;
                if matches!(self.peek(), Some(Token::Sign(":"))) {
                    return Err(Unreadable::NotUnderstood("a slice".to_owned()));
                }
                let key = self.test()?;
                if !self.take_sign("]") {
                    return self.fault(true);
                }
                expr = Expr::Subscript(Box::new(expr), Box::new(key));
            } else if self.take_sign(".") {
                self.nest()?;
                let Some(Token::Word(name)) = self.tokens.pop().transpose()? else {
                    return Err(Unreadable::SyntaxError);
                };
                if KEYWORDS.contains(&name.as_str()) {
                    return Err(Unreadable::SyntaxError);
                }
                let method = Method::named(&name).filter(|_| self.take_sign("("));
                let Some(method) = method else {
                    return Err(Unreadable::NotUnderstood(format!(".{name}")));
                };
                let arguments = self.items(")")?.0;
                expr = Expr::Method(Box::new(expr), method, arguments);
            } else {
                return Ok(expr);
            }
        }
    }
}

fn single_or(mut operands: Vec<Expr>, several: fn(Vec<Expr>) -> Expr) -> Expr {
    match (operands.pop(), operands.is_empty()) {
        (Some(only), true) => only,
        (last, _) => several(operands.into_iter().chain(last).collect()),
    }
}
