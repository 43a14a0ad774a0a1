//! What a sample says about its message: topic, device and time.

use jiter::JsonValue;

use super::unknown;
use crate::samples::SampleContext;

const KEYS: [&str; 3] = ["topic", "device", "received_at"];

pub(super) fn read_context(value: &JsonValue<'_>) -> Result<SampleContext, String> {
    let JsonValue::Object(members) = value else {
        return Err("context is not an object".to_owned());
    };
    let mut context = SampleContext::default();
    for (name, value) in members.iter() {
        match (&**name, value) {
            ("topic", JsonValue::Str(text)) => context.topic = text.to_string(),
            ("device", JsonValue::Str(text)) => context.device = text.to_string(),
            ("received_at", value) => {
                let seconds = seconds(value);
                context.received_at = Some(
                    seconds.ok_or("context.received_at is not a number of seconds since 1970")?,
                );
            }
            ("topic" | "device", _) => return Err(format!("context.{name} is not a string")),
            (other, _) => return Err(unknown(other, &KEYS)),
        }
    }
    Ok(context)
}

/// A moment from 1970 to the year 9999, which is Python's last.
fn seconds(value: &JsonValue<'_>) -> Option<f64> {
    let seconds: f64 = match value {
        JsonValue::Int(int) => int.to_string().parse().ok()?,
        JsonValue::Float(float) => *float,
        _ => return None,
    };
    (0.0..253_402_300_800.0)
        .contains(&seconds)
        .then_some(seconds)
}
