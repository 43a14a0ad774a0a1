//! YAML (and JSON, its subset) from and to text.
//!
//! The only file that names the YAML library.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Error, MessageFormatter as _, Spanned, UserMessageFormatter};

use crate::node::{Node, Value};
use crate::problem::{Position, Problem};

/// `value` as YAML; the same value gives the same text.
///
/// # Errors
/// A value that YAML cannot hold, such as a map with maps for keys.
pub fn write<T: serde::Serialize>(value: &T) -> Result<String, serde_saphyr::ser::Error> {
    serde_saphyr::to_string(value)
}

/// The path of the whole text in messages.
pub(crate) const DOCUMENT: &str = "document";

/// Parses one document.
///
/// # Errors
/// The first position where the text is not YAML; nothing after it can be parsed.
pub fn parse(text: &str) -> Result<Node, Problem> {
    // Without aliases a text has no more nodes than bytes, and no more events than twice that: a long
    // list of devices passes, while aliases that multiply run into the same bounds.
    let (nodes, events) = (text.len() + 1000, 2 * text.len() + 1000);
    let options = serde_saphyr::options! {
        with_snippet: false,
        // `yes` and `no` are strings, as in YAML 1.2: a device may have such a value.
        strict_booleans: true,
        budget: serde_saphyr::budget! {
            max_nodes: nodes,
            max_events: events,
            max_aliases: nodes,
            max_anchors: nodes,
            max_recorded_anchor_events: events,
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: events },
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let (message, remedy) = explain(error.without_snippet());
        Problem {
            path: DOCUMENT.to_owned(),
            position: error.location().map(position),
            message,
            remedy: remedy.to_owned(),
        }
    })
}

/// The problem and its remedy. The library's own messages name its options, which users do not have.
fn explain(error: &Error) -> (String, &'static str) {
    match error {
        Error::AliasError { error, .. } => explain(error),
        Error::MultipleDocuments { .. } => (
            "a second document begins here".to_owned(),
            "keep one document and remove the line ---",
        ),
        Error::DuplicateMappingKey { key, .. } => (
            key.as_ref().map_or_else(
                || "a field is given twice".to_owned(),
                |key| format!("field {key:?} is given twice"),
            ),
            "remove one of them",
        ),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => (
            "the text is too deep, too long or multiplied by aliases".to_owned(),
            "write it flatter, with fewer aliases",
        ),
        other => (
            UserMessageFormatter.format_message(other).into_owned(),
            "correct the YAML there",
        ),
    }
}

fn position(location: serde_saphyr::Location) -> Position {
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    Position {
        line: number(location.line()),
        column: number(location.column()),
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self {
            position: position(spanned.referenced),
            value: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        // Numbers of the configuration are small; a rounded large one is out of range all the same.
        #[expect(clippy::cast_precision_loss, reason = "see above")]
        Ok(Value::Number(value as f64))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        #[expect(clippy::cast_precision_loss, reason = "as for i64")]
        Ok(Value::Number(value as f64))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Value::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            entries.push((key.value, position(key.referenced), map.next_value()?));
        }
        Ok(Value::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use crate::RuntimeSpec;

    /// The types take what the checks take: the operator reads them without these.
    #[test]
    fn the_seed_fits_the_types_and_comes_back_the_same() {
        let seed = include_str!("../../tests/fixtures/seed/config.yaml");
        let spec: RuntimeSpec = serde_saphyr::from_str(seed).unwrap();
        assert_eq!((spec.funcs.len(), spec.mqtts.len()), (2, 1));
        let json = serde_json::to_string(&spec).unwrap();
        let again: RuntimeSpec = serde_json::from_str(&json).unwrap();
        assert_eq!(spec, again);
        crate::load(&json, "c.json").unwrap();
    }

    /// kubectl and the operator read the same object, whatever is quoted or folded in it.
    #[test]
    fn what_is_written_reads_back() {
        let definition = crate::custom_resource::crd();
        let text = super::write(&definition).unwrap();
        let read: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(read, definition);
    }
}
