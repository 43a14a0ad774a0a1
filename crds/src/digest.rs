//! Digests of model archives as the configuration writes them.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// An MD5 digest: a check against corruption, not against forgery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Md5(pub [u8; 16]);

/// A SHA-256 digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha256(pub [u8; 32]);

/// A text that isn't a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {wanted}")]
pub struct InvalidDigest {
    wanted: &'static str,
}

impl FromStr for Md5 {
    type Err = InvalidDigest;

    /// Base64 of the 16 bytes, as pyboot has it, or 32 hex digits.
    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let bytes = from_hex(text).or_else(|| STANDARD.decode(text).ok());
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or(InvalidDigest {
                wanted: "base64 of 16 bytes or 32 hex digits",
            })
    }
}

impl fmt::Display for Md5 {
    /// Base64, as in pyboot's configuration.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl FromStr for Sha256 {
    type Err = InvalidDigest;

    /// 64 hex digits.
    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        from_hex(text)
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or(InvalidDigest {
                wanted: "64 hex digits",
            })
    }
}

impl fmt::Display for Sha256 {
    /// Lower-case hex.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<_>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    let byte = |pair: &[u32]| u8::try_from(pair[0] * 16 + pair[1]).ok();
    digits.chunks_exact(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn md5_is_read_as_base64_and_as_hex() {
        let base64: Md5 = "pZ4DJ+YhYM9ppHD+VhLi+A==".parse().unwrap();
        let hex: Md5 = "A59E0327E62160CF69A470FE5612E2F8".parse().unwrap();
        assert_eq!(base64, hex);
        assert_eq!(base64.to_string(), "pZ4DJ+YhYM9ppHD+VhLi+A==");
    }

    #[test]
    fn other_texts_are_no_digests() {
        for text in [
            "",
            "pZ4DJ+YhYM9ppHD+VhLi+A=1",
            "pZ4DJ+YhYM9ppHD+VhLi",
            "zz",
            "é",
        ] {
            assert!(text.parse::<Md5>().is_err(), "{text}");
            assert!(text.parse::<Sha256>().is_err(), "{text}");
        }
    }

    #[test]
    fn sha256_is_hex_both_ways() {
        let text = "0123456789abcdef".repeat(4);
        assert_eq!(text.parse::<Sha256>().unwrap().to_string(), text);
    }
}
