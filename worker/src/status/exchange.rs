//! A message with what the model made of it, as far as it is kept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use message::{Failure, Telemetry};
use serde::Serialize;

/// Most of a message, and of a result or traceback, that is kept, in bytes.
const LARGEST: usize = 16 << 10;

/// Longest topic and name, in bytes.
const NAME: usize = 512;

/// A message and its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exchange {
    /// Counts up for a model.
    pub number: u64,
    /// When it came, in milliseconds since 1970.
    at: u64,
    topic: String,
    device: String,
    pub(super) message: Part,
    #[serde(flatten)]
    pub(super) made: Made,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub(super) enum Made {
    Result {
        result: Part,
    },
    Empty,
    #[serde(rename_all = "camelCase")]
    Failed {
        reason: &'static str,
        error: String,
        traceback: Option<String>,
        dead_letter: bool,
    },
}

/// The beginning of a payload: a text, or base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Part {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    /// Bytes of the whole.
    pub(super) size: usize,
    /// Whether the end is missing.
    pub(super) cut: bool,
}

impl Made {
    pub(super) fn result(result: Option<&[u8]>) -> Self {
        result.map_or(Self::Empty, |result| Self::Result {
            result: Part::of(result),
        })
    }

    pub(super) fn failed(failure: &Failure, dead_letter: bool) -> Self {
        let traceback = failure.traceback.as_deref();
        Self::Failed {
            reason: failure.reason.as_str(),
            error: start(&failure.message, LARGEST),
            traceback: traceback.map(|text| start(text, LARGEST)),
            dead_letter,
        }
    }
}

impl Exchange {
    pub(super) fn new(number: u64, telemetry: &Telemetry, device: &str, made: Made) -> Self {
        Self {
            number,
            at: message::milliseconds(telemetry.received_at),
            topic: start(&telemetry.topic, NAME),
            device: start(device, NAME),
            message: Part::of(&telemetry.payload),
            made,
        }
    }

    /// Bytes of its texts.
    pub(super) fn size(&self) -> usize {
        let made = match &self.made {
            Made::Result { result } => result.held(),
            Made::Empty => 0,
            Made::Failed {
                error, traceback, ..
            } => error.len() + traceback.as_ref().map_or(0, String::len),
        };
        self.topic.len() + self.device.len() + self.message.held() + made
    }
}

impl Part {
    fn of(payload: &[u8]) -> Self {
        let text = std::str::from_utf8(payload).ok();
        // In base64, three bytes take four.
        let most = text.map_or(LARGEST / 4 * 3, |_| LARGEST);
        let bytes = &payload[..payload.len().min(most)];
        Self {
            text: text.map(|text| start(text, most)),
            base64: text.is_none().then(|| STANDARD.encode(bytes)),
            size: payload.len(),
            cut: payload.len() > most,
        }
    }

    fn held(&self) -> usize {
        let held = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        held(&self.text) + held(&self.base64)
    }
}

/// The beginning of a text, of at most so many bytes.
fn start(text: &str, most: usize) -> String {
    text[..text.floor_char_boundary(most)].to_owned()
}
