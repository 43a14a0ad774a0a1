//! Why a worker that cannot serve has ended, for the operator: Kubernetes copies it from the container's
//! termination log into the pod's status.

use serde::{Deserialize, Serialize};

use crate::reason::ReasonText;

/// Maximum bytes that Kubernetes reads from a termination log.
pub const MAX_BYTES: usize = 4096;

/// Why a worker ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Termination {
    /// In one word, such as `ChecksumMismatch`.
    pub reason: ReasonText,
    /// A description of the reason.
    #[serde(default)]
    pub message: String,
}

impl Termination {
    /// JSON of at most [`MAX_BYTES`]; a message that is too long loses its end.
    pub fn to_json(&self) -> String {
        let mut shown = self.clone();
        loop {
            let text = serde_json::json!(shown).to_string();
            let excess = text.len().saturating_sub(MAX_BYTES);
            if excess == 0 || shown.message.is_empty() {
                return text;
            }
            // A character takes at most six bytes of JSON, so this never removes more than necessary.
            let kept = shown.message.chars().count() - excess.div_ceil(6);
            shown.message = shown.message.chars().take(kept).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reason;

    /// Kubernetes would cut it off in the middle, and the operator could not read it.
    #[test]
    fn a_long_message_is_cut_at_a_character_and_stays_json() {
        for character in ["a", "设", "\u{1}", "\"", "😀"] {
            let long = Termination {
                reason: Reason::ChecksumMismatch.into(),
                message: character.repeat(9000),
            };
            let text = long.to_json();
            assert!(
                (MAX_BYTES - 6..=MAX_BYTES).contains(&text.len()),
                "{}",
                text.len()
            );
            let read: Termination = serde_json::from_str(&text).unwrap();
            assert_eq!(read.reason, long.reason);
            assert!(long.message.starts_with(&read.message));
        }
    }

    #[test]
    fn a_short_message_is_whole() {
        let short = Termination {
            reason: "r".into(),
            message: "m".to_owned(),
        };
        assert_eq!(short.to_json(), r#"{"reason":"r","message":"m"}"#);
    }
}
