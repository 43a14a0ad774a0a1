//! The bearer token of HTTP; all workers of a runtime have the same.

/// The bearer token; never shown.
#[derive(Clone)]
pub struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(***)")
    }
}

/// Fewest characters of a token: fewer can be guessed.
const SHORTEST: usize = 16;

impl Token {
    /// Reads the token from a file's text, trimmed.
    ///
    /// # Errors
    /// It cannot be sent in a header, or is too short.
    pub fn read(text: &str) -> Result<Self, String> {
        let token = text.trim();
        if token.len() < SHORTEST || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!(
                "it must hold at least {SHORTEST} characters of ASCII on one line, without blanks"
            ));
        }
        Ok(Self(token.to_owned()))
    }

    /// For the header of a request.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes as long for each wrong token of the same length.
    pub(crate) fn is(&self, other: &str) -> bool {
        let (own, other) = (self.0.as_bytes(), other.as_bytes());
        let differences = own.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
        own.len() == other.len() && differences == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef";

    #[test]
    fn a_token_is_long_and_on_one_line() {
        assert_eq!(
            Token::read(&format!(" {SECRET}\n")).unwrap().as_str(),
            SECRET
        );
        for text in [
            "",
            "short",
            "0123456789 abcdef",
            "0123456789\nabcdef",
            "0123456789abcdefé",
        ] {
            assert!(Token::read(text).is_err(), "{text}");
        }
        assert_eq!(format!("{:?}", Token::read(SECRET).unwrap()), "Token(***)");
    }
}
