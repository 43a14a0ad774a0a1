//! What a payload says as JSON, for matching: what JSON cannot hold (bytes, keys that are not texts) cannot be compared
//! with a text or number either, and is left out.

/// Most bytes of JSON that a payload may become.
const MAX_BYTES: usize = 64 << 20;

/// How many lists and maps may lie within each other, as in JSON.
const MAX_DEPTH: usize = crate::MAX_DEPTH;

/// What is wrong with a payload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("it ends within a value")]
    Truncated,
    #[error("bytes follow its value")]
    Trailing,
    #[error("a text in it is not UTF-8")]
    NotUtf8,
    #[error("it has more than {MAX_DEPTH} levels of lists and maps")]
    TooDeep,
    #[error("it has too many values")]
    TooLarge,
    #[error("{0}")]
    Format(&'static str),
    #[error("it has an extension of type {0}, which is not known")]
    Extension(i8),
}

/// Bytes that are taken from the front.
#[derive(Debug)]
pub(crate) struct Bytes<'p> {
    rest: &'p [u8],
}

impl<'p> Bytes<'p> {
    pub(crate) fn new(payload: &'p [u8]) -> Self {
        Self { rest: payload }
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(Fault::Truncated)?;
        self.rest = rest;
        Ok(*array)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Fault> {
        self.array().map(|[byte]| byte)
    }

    /// A whole number of `size` bytes.
    pub(crate) fn uint(&mut self, size: usize) -> Result<u64, Fault> {
        let bytes = self.take(size as u64)?;
        Ok(bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    pub(crate) fn take(&mut self, length: u64) -> Result<&'p [u8], Fault> {
        let length = usize::try_from(length).map_err(|_| Fault::Truncated)?;
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Fault::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn text(&mut self, length: u64) -> Result<&'p str, Fault> {
        std::str::from_utf8(self.take(length)?).map_err(|_| Fault::NotUtf8)
    }

    /// A number of elements, each of which takes at least `size` bytes: a claim beyond what follows is refused at once.
    pub(crate) fn count(&self, count: u64, size: u64) -> Result<u64, Fault> {
        let least = count.checked_mul(size).ok_or(Fault::Truncated)?;
        if least > self.rest.len() as u64 {
            return Err(Fault::Truncated);
        }
        Ok(count)
    }

    pub(crate) fn end(&self) -> Result<(), Fault> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Fault::Trailing)
        }
    }
}

/// JSON in the making.
#[derive(Debug, Default)]
pub(crate) struct Json {
    text: String,
    depth: usize,
}

/// What a value is as the key of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// Python refuses it as a key.
    Container,
    Other,
}

/// Reads one value of a format.
type Value = fn(&mut Bytes<'_>, &mut Json) -> Result<Kind, Fault>;

impl Json {
    pub(crate) fn finish(self) -> String {
        self.text
    }

    fn check(&self) -> Result<(), Fault> {
        if self.text.len() > MAX_BYTES {
            return Err(Fault::TooLarge);
        }
        Ok(())
    }

    /// A number or word.
    pub(crate) fn plain(&mut self, value: impl std::fmt::Display) -> Result<Kind, Fault> {
        self.text.push_str(&value.to_string());
        self.check()?;
        Ok(Kind::Other)
    }

    pub(crate) fn float(&mut self, value: f64) -> Result<Kind, Fault> {
        if value.is_nan() {
            return self.plain("NaN");
        }
        if value.is_infinite() {
            return self.plain(if value > 0.0 { "Infinity" } else { "-Infinity" });
        }
        // With a fraction or exponent, so that it stays a float.
        self.plain(format_args!("{value:?}"))
    }

    pub(crate) fn string(&mut self, text: &str) -> Result<Kind, Fault> {
        self.text.push('"');
        for character in text.chars() {
            match character {
                '"' | '\\' => self.text.extend(['\\', character]),
                '\0'..='\x1f' => self
                    .text
                    .push_str(&format!("\\u{:04x}", u32::from(character))),
                _ => self.text.push(character),
            }
        }
        self.text.push('"');
        self.check()?;
        Ok(Kind::Text)
    }

    /// One level deeper, for what `inner` writes.
    pub(crate) fn nested<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if self.depth >= MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
        self.depth += 1;
        let result = inner(self)?;
        self.depth -= 1;
        Ok(result)
    }

    /// A list of `count` values.
    pub(crate) fn counted_list(
        &mut self,
        count: u64,
        bytes: &mut Bytes<'_>,
        value: Value,
    ) -> Result<Kind, Fault> {
        let mut left = bytes.count(count, 1)?;
        self.nested(|json| {
            json.list(|json| {
                if left == 0 {
                    return Ok(false);
                }
                left -= 1;
                value(bytes, json).map(|_| true)
            })
        })
    }

    /// A map of `count` keys and values.
    pub(crate) fn counted_map(
        &mut self,
        count: u64,
        bytes: &mut Bytes<'_>,
        value: Value,
    ) -> Result<Kind, Fault> {
        let mut left = bytes.count(count, 2)?;
        self.nested(|json| {
            json.map(
                bytes,
                |json, bytes| {
                    if left == 0 {
                        return Ok(None);
                    }
                    left -= 1;
                    value(bytes, json).map(Some)
                },
                |json, bytes| value(bytes, json).map(drop),
            )
        })
    }

    /// A list whose elements `element` writes, until it says that there are no more.
    pub(crate) fn list(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<bool, Fault>,
    ) -> Result<Kind, Fault> {
        self.text.push('[');
        let mut first = true;
        loop {
            let before = self.text.len();
            if !first {
                self.text.push(',');
            }
            if !element(self)? {
                self.text.truncate(before);
                break;
            }
            first = false;
        }
        self.text.push(']');
        Ok(Kind::Container)
    }

    /// A map whose keys `key` writes, until it says that there are no more, and whose values `value` writes. Entries whose
    /// key is not a string are left out.
    pub(crate) fn map<S>(
        &mut self,
        state: &mut S,
        mut key: impl FnMut(&mut Self, &mut S) -> Result<Option<Kind>, Fault>,
        mut value: impl FnMut(&mut Self, &mut S) -> Result<(), Fault>,
    ) -> Result<Kind, Fault> {
        self.text.push('{');
        let mut first = true;
        loop {
            let before = self.text.len();
            if !first {
                self.text.push(',');
            }
            let Some(kind) = key(self, state)? else {
                self.text.truncate(before);
                break;
            };
            if kind == Kind::Container {
                return Err(Fault::Format("a list or map is a key in it"));
            }
            self.text.push(':');
            value(self, state)?;
            if kind == Kind::Text {
                first = false;
            } else {
                self.text.truncate(before);
            }
        }
        self.text.push('}');
        Ok(Kind::Container)
    }
}
