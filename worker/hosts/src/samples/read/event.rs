//! A sample's message: an event in JSON, or a payload of another format as it comes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crds::validated::Format;
use jiter::JsonValue;

/// The message and its format, of which a sample gives one or the other; `None` is JSON.
pub(super) fn event_of(
    event: Option<Vec<u8>>,
    payload: Option<Vec<u8>>,
    decode: Option<Format>,
) -> Result<(Vec<u8>, Option<Format>), String> {
    let fault = match (event, payload, decode) {
        (Some(event), None, None) => return Ok((event, None)),
        (None, Some(payload), Some(decode)) => return Ok((payload, Some(decode))),
        (None, None, _) => "\"event\" is missing",
        (None, Some(_), None) => "\"decode\" is missing",
        (Some(_), Some(_), _) => "\"event\" and \"payload\" are both there; give one of them",
        (Some(_), None, Some(_)) => "\"decode\" is there without \"payload\"; an \"event\" is JSON",
    };
    Err(fault.to_owned())
}

/// A message as it comes: a text, or an object with base64 for bytes that are not text.
pub(super) fn read_payload(json: &[u8]) -> Result<Vec<u8>, String> {
    use serde_json::Value;
    let fault = "payload is neither a text nor {\"base64\": \"...\"}";
    match serde_json::from_slice(json) {
        Ok(Value::String(text)) => Ok(text.into_bytes()),
        Ok(Value::Object(members)) if members.len() == 1 => {
            let base64 = members.get("base64").and_then(Value::as_str).ok_or(fault)?;
            STANDARD.decode(base64).map_err(|error| {
                let fault = error.to_string();
                let fault = fault.trim_end_matches('.');
                format!("payload.base64 is not base64: {fault}")
            })
        }
        _ => Err(fault.to_owned()),
    }
}

pub(super) fn read_format(value: &JsonValue<'_>) -> Result<Format, String> {
    let found = match value {
        JsonValue::Str(name) => Format::ALL
            .into_iter()
            .find(|format| format.as_str() == &**name),
        _ => None,
    };
    let names = || Format::ALL.map(Format::as_str).join(", ");
    found.ok_or_else(|| format!("decode is not one of {}", names()))
}
