//! The last errors of a model, for `/status`.

use std::collections::VecDeque;

use serde::Serialize;

use crate::audience::Audience;

/// Errors that are kept for each model.
pub(super) const KEPT: usize = 10;

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct LastErrors(VecDeque<LastError>);

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LastError {
    at: String,
    reason: String,
    message: String,
}

impl LastErrors {
    pub(super) fn add(&mut self, reason: &str, message: &str) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(LastError {
            at: jiff::Timestamp::now().to_string(),
            reason: reason.to_owned(),
            message: message.to_owned(),
        });
    }

    /// As this audience may see them.
    pub(super) fn shown(&self, audience: Audience) -> Vec<LastError> {
        let shown = |error: &LastError| match audience {
            Audience::Authenticated => error.clone(),
            Audience::Anyone => LastError {
                message: without_data(&error.reason, &error.message).to_owned(),
                ..error.clone()
            },
        };
        self.0.iter().map(shown).collect()
    }
}

/// A message without what a model may have put into it: of an exception only its type, since its text often quotes the event.
pub(crate) fn without_data<'m>(reason: &str, message: &'m str) -> &'m str {
    if !matches!(reason, "exception" | "unserializable") {
        return message;
    }
    let kind = message.split(':').next().unwrap_or_default();
    let part = |text: &str| {
        let mut characters = text.chars();
        let first = characters.next();
        first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if kind.split('.').all(part) {
        kind
    } else {
        "see the log"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_20_the_text_of_an_exception_is_for_the_authenticated() {
        let secret = "could not convert string to float: 'secret'";
        for (reason, message, expected) in [
            ("exception", format!("ValueError: {secret}"), "ValueError"),
            (
                "exception",
                format!("my.errors.Sensor_2: {secret}"),
                "my.errors.Sensor_2",
            ),
            ("exception", "KeyError".to_owned(), "KeyError"),
            ("exception", format!("{secret}: x"), "see the log"),
            ("exception", String::new(), "see the log"),
            (
                "unserializable",
                format!("TypeError: {secret}"),
                "TypeError",
            ),
            (
                "timeout",
                "the call took longer than 2s".to_owned(),
                "the call took longer than 2s",
            ),
        ] {
            let mut errors = LastErrors::default();
            errors.add(reason, &message);
            assert_eq!(errors.shown(Audience::Anyone)[0].message, expected);
            assert_eq!(errors.shown(Audience::Authenticated)[0].message, message);
        }
    }

    #[test]
    fn the_last_ten_are_kept() {
        let mut errors = LastErrors::default();
        for number in 0..25 {
            errors.add("timeout", &number.to_string());
        }
        let shown = errors.shown(Audience::Anyone);
        assert_eq!((shown.len(), shown[0].message.as_str()), (KEPT, "15"));
    }
}
