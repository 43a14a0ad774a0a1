//! Payloads of every format as JSON, for matching.

use std::borrow::Cow;

use crds::validated::Format;

use crate::encoding::{BOM, json_text};
use crate::json::InvalidJson;
use crate::render::Json;
use crate::{cbor, csv, msgpack};

/// A payload is not of the format that `decode` names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPayload {
    /// It is not JSON.
    #[error(transparent)]
    Json(#[from] InvalidJson),
    /// It is of another format, and not that.
    #[error("the message is not {format}: {fault}")]
    Other {
        /// The format's name for people.
        format: &'static str,
        /// What is wrong.
        fault: String,
    },
}

/// What a payload says, as JSON in which places are found; `None` for bytes, which have none.
///
/// # Errors
/// The payload is not of the format. Of JSON, only the encoding is checked.
pub fn rendered(format: Format, payload: &[u8]) -> Result<Option<Cow<'_, str>>, InvalidPayload> {
    let invalid = |format, fault: &dyn std::fmt::Display| InvalidPayload::Other {
        format,
        fault: fault.to_string(),
    };
    let text = |name| {
        let text = payload.strip_prefix(BOM).unwrap_or(payload);
        std::str::from_utf8(text).map_err(|_| invalid(name, &"it is not UTF-8"))
    };
    let json = match format {
        Format::Json => {
            let text = json_text(payload).ok_or_else(InvalidJson::not_text)?;
            return Ok(Some(text));
        }
        Format::Bytes => return Ok(None),
        Format::Text => {
            let mut json = Json::default();
            let written = json.string(text("text")?);
            written
                .map(|_| json.finish())
                .map_err(|fault| ("text", fault))
        }
        Format::Csv => csv::to_json(text("CSV")?).map_err(|fault| ("CSV", fault)),
        Format::Cbor => cbor::to_json(payload).map_err(|fault| ("CBOR", fault)),
        Format::Msgpack => msgpack::to_json(payload).map_err(|fault| ("MessagePack", fault)),
    };
    match json {
        Ok(json) => Ok(Some(json.into())),
        Err((name, fault)) => Err(invalid(name, &fault)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c8_each_format_is_seen_as_json() {
        for (format, payload, expected) in [
            (Format::Json, &b"\xef\xbb\xbf1"[..], Some("1")),
            (Format::Text, b"\xef\xbb\xbf23.5\n", Some("\"23.5\\u000a\"")),
            (Format::Bytes, b"\xff", None),
            (Format::Cbor, b"\xa1\x61a\x01", Some("{\"a\":1}")),
            (Format::Msgpack, b"\x81\xa1a\x01", Some("{\"a\":1}")),
            (Format::Csv, b"a,1", Some("[\"a\",\"1\"]")),
        ] {
            let found = rendered(format, payload).unwrap();
            assert_eq!(found.as_deref(), expected, "{format:?}");
        }
        for (format, payload, expected) in [
            (
                Format::Json,
                &b"\"\xff\""[..],
                "the message is not JSON: it is neither UTF-8 nor UTF-16 nor UTF-32",
            ),
            (
                Format::Text,
                b"\xff\xff",
                "the message is not text: it is not UTF-8",
            ),
            (
                Format::Cbor,
                b"",
                "the message is not CBOR: it ends within a value",
            ),
            (
                Format::Msgpack,
                b"\xc1",
                "the message is not MessagePack: it has a byte that MessagePack does not use",
            ),
            (Format::Csv, b"\n", "the message is not CSV: it is empty"),
        ] {
            let error = rendered(format, payload).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
}
