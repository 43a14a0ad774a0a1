//! Dead letters: documents about messages that a model could not process.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use message::{Failure, FailureReason, Telemetry};
use serde::Serialize;

/// The document, one JSON object.
#[derive(Debug, Serialize)]
struct DeadLetter<'a> {
    reason: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceback: Option<&'a str>,
    model: &'a str,
    device: &'a str,
    topic: &'a str,
    /// RFC 3339.
    received_at: String,
    /// The message as it came, if it is UTF-8. A message over `maxMessageBytes` is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a str>,
    /// The message as received, in base64, if it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_base64: Option<String>,
}

/// The dead letter of a message, which holds the message unchanged, so that it can be sent again.
pub(super) fn dead_letter(
    model: &str,
    device: &str,
    telemetry: &Telemetry,
    failure: &Failure,
) -> Bytes {
    let payload = std::str::from_utf8(&telemetry.payload);
    let unread = failure.reason == FailureReason::TooLarge && telemetry.payload.is_empty();
    let letter = DeadLetter {
        reason: failure.reason.as_str(),
        message: &failure.message,
        traceback: failure.traceback.as_deref(),
        model,
        device,
        topic: &telemetry.topic,
        received_at: jiff::Timestamp::try_from(telemetry.received_at)
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
            .to_string(),
        payload: payload.ok().filter(|_| !unread),
        payload_base64: payload
            .is_err()
            .then(|| STANDARD.encode(&telemetry.payload)),
    };
    serde_json::to_vec(&letter)
        .expect("texts only, which JSON always takes")
        .into()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant, SystemTime};

    use message::Attributes;

    use super::*;

    fn letter(device: &str, payload: &'static [u8], traceback: Option<&str>) -> String {
        letter_of(FailureReason::Exception, device, payload, traceback)
    }

    fn letter_of(
        reason: FailureReason,
        device: &str,
        payload: &'static [u8],
        traceback: Option<&str>,
    ) -> String {
        let telemetry = Telemetry {
            topic: "in/1".into(),
            payload: Bytes::from_static(payload),
            rule: 0,
            received: Instant::now(),
            received_at: SystemTime::UNIX_EPOCH + Duration::from_millis(1_500),
            attributes: Attributes::default(),
        };
        let failure = Failure {
            reason,
            message: "ValueError: no".to_owned(),
            traceback: traceback.map(str::to_owned),
        };
        let letter = dead_letter("industry", device, &telemetry, &failure);
        String::from_utf8(letter.into()).unwrap()
    }

    /// Tools read these, so their keys and their order are frozen.
    #[test]
    fn a_dead_letter_carries_the_message_exactly() {
        assert_eq!(
            letter("设备2", b"{\"a\": 1e400}", Some("Traceback")),
            r#"{"reason":"exception","message":"ValueError: no","traceback":"Traceback","model":"industry","device":"设备2","topic":"in/1","received_at":"1970-01-01T00:00:01.5Z","payload":"{\"a\": 1e400}"}"#
        );
        assert_eq!(
            letter("", b"\xff\x00", None),
            r#"{"reason":"exception","message":"ValueError: no","model":"industry","device":"","topic":"in/1","received_at":"1970-01-01T00:00:01.5Z","payload_base64":"/wA="}"#
        );
    }

    #[test]
    fn row_5_a_message_that_was_not_read_is_not_in_its_dead_letter() {
        let letter = letter_of(FailureReason::TooLarge, "", b"", None);
        assert!(
            letter.ends_with(r#""received_at":"1970-01-01T00:00:01.5Z"}"#),
            "{letter}"
        );
        let deep = letter_of(FailureReason::TooLarge, "", b"[[]]", None);
        assert!(deep.ends_with(r#""payload":"[[]]"}"#), "{deep}");
    }
}
