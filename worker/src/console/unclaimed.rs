//! Messages that no model takes: the last ones, each device of theirs once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use crds::ValidatedRuntime;
use matching::{Matcher, Naming};
use serde_json::{Value, json};

use crate::audience::Audience;
use crate::status::{Example, ModelState, ModelView, Shared};

/// Devices that are kept, by their topic and what they say where models look.
const KEPT: usize = 100;

/// Longest topic that is shown, in characters.
const TOPIC: usize = 200;

/// Largest message that is kept, to be explained at a click.
const LARGEST: usize = 4 << 10;

/// See the module's description.
#[derive(Debug)]
pub(super) struct Unclaimed {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    matchers: Vec<Matcher>,
    naming: Naming,
    /// The one seen last at the end.
    found: VecDeque<Found>,
}

#[derive(Debug)]
struct Found {
    topic: String,
    said: Vec<String>,
    at: u64,
    payload: Bytes,
}

impl Unclaimed {
    pub(super) fn new(runtime: &ValidatedRuntime) -> Self {
        Self {
            inner: Mutex::new(Inner::new(runtime)),
        }
    }

    /// Begins again with another configuration.
    pub(super) fn set_runtime(&self, runtime: &ValidatedRuntime) {
        *self.lock() = Inner::new(runtime);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it holds the lock.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the messages that matched no device of some model.
    pub(super) fn collect(&self, shared: &Shared) {
        let refused = |model: &Arc<ModelView>| matches!(model.state(), ModelState::Refused { .. });
        let refused: Vec<_> = shared.models().iter().map(refused).collect();
        for model in shared.models() {
            for example in model.unmatched.take() {
                self.lock().add(example, &refused);
            }
        }
    }

    /// As this audience may see them, the one seen last first. Without authentication only their topics.
    pub(super) fn document(&self, audience: Audience) -> Value {
        let inner = self.lock();
        let mut shown: Vec<Value> = Vec::new();
        for found in inner.found.iter().rev() {
            match audience {
                Audience::Authenticated => shown.push(json!({
                    "topic": found.topic,
                    "seen": found.at,
                    "said": found.said,
                    "payload": std::str::from_utf8(&found.payload).ok(),
                })),
                Audience::Anyone if shown.iter().any(|one| one["topic"] == *found.topic) => {}
                Audience::Anyone => {
                    shown.push(json!({ "topic": found.topic, "seen": found.at }));
                }
            }
        }
        shown.into()
    }
}

impl Inner {
    fn new(runtime: &ValidatedRuntime) -> Self {
        Self {
            matchers: runtime.funcs.iter().map(Matcher::of).collect(),
            naming: Naming::of(runtime),
            found: VecDeque::new(),
        }
    }

    /// `refused` says for each model whether it takes nothing at all.
    fn add(&mut self, example: Example, refused: &[bool]) {
        let Example { at, topic, payload } = example;
        let mut models = self.matchers.iter_mut().zip(refused);
        let taken = |(matcher, refused): (&mut Matcher, &bool)| {
            !refused && matches!(matcher.find(&topic, &payload), Ok(Some(_)))
        };
        if models.any(taken) {
            return;
        }
        let topic: String = topic.chars().take(TOPIC).collect();
        let said = self.naming.said(&payload);
        self.found
            .retain(|found| found.topic != topic || found.said != said);
        if self.found.len() == KEPT {
            self.found.pop_front();
        }
        self.found.push_back(Found {
            topic,
            said,
            at,
            payload: if payload.len() > LARGEST {
                Bytes::new()
            } else {
                payload
            },
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unclaimed() -> Unclaimed {
        Unclaimed::new(&crate::status::example_runtime())
    }

    fn add(unclaimed: &Unclaimed, topic: &str, payload: &str) {
        add_while(unclaimed, topic, payload, [false; 2]);
    }

    fn add_while(unclaimed: &Unclaimed, topic: &str, payload: &str, refused: [bool; 2]) {
        let example = Example {
            at: 7,
            topic: topic.into(),
            payload: Bytes::copy_from_slice(payload.as_bytes()),
        };
        unclaimed.lock().add(example, &refused);
    }

    fn message(device: &str, value: usize) -> String {
        json!({ "deviceInfo": { "deviceName": device }, "value": value }).to_string()
    }

    #[test]
    fn each_device_that_no_model_takes_is_listed_once() {
        let unclaimed = unclaimed();
        for value in 0..10 {
            for device in ["设备8", "设备9"] {
                add(&unclaimed, "in", &message(device, value));
            }
        }
        let found = unclaimed.document(Audience::Authenticated);
        assert_eq!(found.as_array().map(Vec::len), Some(2), "{found}");
        let said = "data_to_dict['deviceInfo']['deviceName'] = 设备9";
        assert_eq!(found[0]["said"], json!([said]));
        assert_eq!(found[0]["payload"], message("设备9", 9));
        let known = include_str!("../../../tests/fixtures/seed/sample-message.json");
        let topics = || unclaimed.document(Audience::Anyone).to_string();
        add(&unclaimed, "known", known);
        assert!(!topics().contains("known"));
        add_while(&unclaimed, "known", known, [true, false]);
        assert!(topics().contains("known"), "its model takes nothing");
    }

    #[test]
    fn row_20_without_authentication_only_topics_are_shown_each_once() {
        let unclaimed = unclaimed();
        for device in ["secret-8", "secret-9"] {
            add(&unclaimed, "in", &message(device, 1));
        }
        let found = unclaimed.document(Audience::Anyone);
        assert_eq!(found, json!([{ "topic": "in", "seen": 7 }]));
    }

    #[test]
    fn publishers_cannot_make_it_keep_more() {
        let unclaimed = unclaimed();
        for number in 0..1000 {
            let topic = format!("{number}/{}", "t".repeat(60_000));
            add(&unclaimed, &topic, &message("x", number));
            add(&unclaimed, "in", &message(&number.to_string(), 1));
            add(&unclaimed, "in", &message(&"x".repeat(60_000), number));
        }
        let text = unclaimed.document(Audience::Authenticated).to_string();
        assert!(text.len() < KEPT * (LARGEST + 4 * TOPIC), "{}", text.len());
        assert_eq!(unclaimed.lock().found.len(), KEPT);
    }
}
