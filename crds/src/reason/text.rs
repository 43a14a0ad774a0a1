//! A reason in a status: one of [`Reason`], or a word of Kubernetes or of another version.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Reason;
use crate::constraint::word;

/// A known reason, or any other text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ReasonText {
    /// One of this version's.
    Known(Reason),
    /// Any other, passed through unchanged; never the word of a known one.
    Other(Box<str>),
}

impl ReasonText {
    /// The word in a status.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(reason) => reason.as_str(),
            Self::Other(text) => text,
        }
    }
}

impl Default for ReasonText {
    /// The empty text.
    fn default() -> Self {
        Self::Other(Box::default())
    }
}

impl From<Reason> for ReasonText {
    fn from(reason: Reason) -> Self {
        Self::Known(reason)
    }
}

impl From<&str> for ReasonText {
    fn from(text: &str) -> Self {
        Reason::from_word(text).map_or_else(|| Self::Other(text.into()), Self::Known)
    }
}

impl PartialEq<Reason> for ReasonText {
    fn eq(&self, other: &Reason) -> bool {
        *self == Self::Known(*other)
    }
}

impl PartialEq<&str> for ReasonText {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for ReasonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ReasonText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ReasonText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Self::from(&*text))
    }
}

impl JsonSchema for ReasonText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = String::json_schema(generator);
        word(&mut schema);
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_are_reasons_and_others_pass_through() {
        for (word, known) in [
            ("PortTaken", Some(Reason::PortTaken)),
            ("ImagePullBackOff", Some(Reason::ImagePullBackOff)),
            ("SomethingOfTomorrow", None),
            ("", None),
        ] {
            let read: ReasonText = serde_json::from_value(word.into()).unwrap();
            assert_eq!(
                known.map_or(read == Reason::Valid, |known| read == known),
                known.is_some()
            );
            assert_eq!(serde_json::json!(read), word);
        }
    }
}
