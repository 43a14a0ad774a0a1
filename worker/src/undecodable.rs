//! Messages of a rule that cannot be decoded and are of no device: retained-clears, state topics, other protocols. They are
//! no failure of any model. Each is counted and shown once for its rule, however many models the rule has.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crds::validated::ValidatedRule;
use message::{Telemetry, Throttle};
use payload::excerpt;
use prometheus::IntCounter;
use serde::Serialize;

use crate::audience::Audience;

/// Examples kept for `/status`.
const EXAMPLES: usize = 10;

/// Longest topic that is shown, in characters.
const TOPIC: usize = 200;

/// Lines in the log before they are only counted, one a minute: a state topic may bring them without end.
const LOGGED: u32 = 3;

/// Those of one rule.
#[derive(Debug)]
pub struct Undecodable {
    rule: usize,
    subscription: String,
    /// Whether each message of the rule reaches one model only.
    shared: bool,
    count: IntCounter,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// The model that reports: each has the rule's messages, in a session of its own.
    reporter: Option<usize>,
    examples: VecDeque<Example>,
    throttle: Throttle,
}

/// One of them, for `/status`.
#[derive(Debug, Clone, Serialize)]
struct Example {
    at: String,
    topic: String,
    /// Why it cannot be decoded.
    message: String,
    /// How it begins; only for those who are authenticated.
    #[serde(skip_serializing_if = "Option::is_none")]
    excerpt: Option<String>,
}

impl Example {
    fn shown(&self, audience: Audience) -> Self {
        let mut shown = self.clone();
        if audience == Audience::Anyone {
            shown.excerpt = None;
        }
        shown
    }
}

impl Undecodable {
    /// Those of the rule with this index.
    pub fn new(rule: usize, settings: &ValidatedRule, count: IntCounter) -> Self {
        Self {
            rule,
            subscription: settings.sub_topics.join(", "),
            shared: settings
                .sub_topics
                .iter()
                .any(|filter| filter.starts_with("$share/")),
            count,
            inner: Mutex::new(Inner {
                reporter: None,
                examples: VecDeque::new(),
                throttle: Throttle::new(LOGGED, Duration::from_mins(1)),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it holds the lock.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The model with this index got one.
    pub fn report(&self, model: usize, telemetry: &Telemetry, error: &dyn std::fmt::Display) {
        let mut inner = self.lock();
        if !self.shared && *inner.reporter.get_or_insert(model) != model {
            return;
        }
        self.count.inc();
        let example = Example {
            at: jiff::Timestamp::now().to_string(),
            topic: telemetry.topic.chars().take(TOPIC).collect(),
            message: error.to_string(),
            excerpt: Some(excerpt(&telemetry.payload)),
        };
        if let Some(suppressed) = inner.throttle.pass(Instant::now()) {
            tracing::warn!(
                rule = self.rule,
                topic = example.topic,
                error = example.message,
                excerpt = example.excerpt.as_deref(),
                suppressed,
                "Message of no device not decoded"
            );
        }
        if inner.examples.len() == EXAMPLES {
            inner.examples.pop_front();
        }
        inner.examples.push_back(example);
    }

    /// For `/status`, as this audience may see it.
    pub fn document(&self, audience: Audience) -> serde_json::Value {
        let inner = self.lock();
        let last = inner.examples.iter();
        let last: Vec<_> = last.map(|example| example.shown(audience)).collect();
        serde_json::json!({
            "subscription": self.subscription,
            "undecodable": { "count": self.count.get(), "last": last },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use message::Attributes;

    use super::*;

    const SEED: &str = include_str!("../../tests/fixtures/seed/config.yaml");

    fn telemetry(topic: &str, payload: &'static [u8]) -> Telemetry {
        Telemetry {
            topic: topic.into(),
            payload: payload.into(),
            rule: 0,
            received: Instant::now(),
            received_at: SystemTime::now(),
            attributes: Attributes::default(),
        }
    }

    fn rule(change: impl FnOnce(&mut ValidatedRule)) -> Undecodable {
        let mut rule = crds::load(SEED, "seed").unwrap().rules.swap_remove(0);
        change(&mut rule);
        Undecodable::new(0, &rule, IntCounter::new("c", "c").unwrap())
    }

    /// Three models get each message, and one may be behind the others.
    #[test]
    fn c3_a_message_is_counted_once_however_many_models_get_it() {
        let undecodable = rule(|_| {});
        for model in [1, 0, 2, 2, 1, 0] {
            undecodable.report(model, &telemetry("state/a", b"online"), &"not JSON");
        }
        let document = undecodable.document(Audience::Authenticated);
        assert_eq!(document["undecodable"]["count"], 2);
        let last = &document["undecodable"]["last"];
        assert_eq!(last.as_array().map(Vec::len), Some(2));
        assert_eq!(last[0]["topic"], "state/a");
        assert_eq!(last[0]["excerpt"], "online");
        assert_eq!(last[0]["message"], "not JSON");
    }

    #[test]
    fn row_20_excerpts_are_for_the_authenticated() {
        let undecodable = rule(|_| {});
        undecodable.report(0, &telemetry("state/a", b"secret"), &"not JSON");
        let last = |audience| undecodable.document(audience)["undecodable"]["last"][0].clone();
        assert_eq!(last(Audience::Authenticated)["excerpt"], "secret");
        let shown = last(Audience::Anyone);
        assert_eq!(shown["topic"], "state/a");
        assert_eq!(shown.get("excerpt"), None);
    }

    #[test]
    fn of_a_shared_subscription_each_model_reports_its_own() {
        let undecodable = rule(|rule| rule.sub_topics = vec!["$share/g/in".to_owned()]);
        for model in [0, 1] {
            undecodable.report(model, &telemetry("in", b"\xff"), &"not JSON");
        }
        assert_eq!(
            undecodable.document(Audience::Anyone)["undecodable"]["count"],
            2
        );
    }

    #[test]
    fn only_the_last_examples_are_kept_and_none_is_long() {
        let undecodable = rule(|_| {});
        let topic = "t".repeat(60_000);
        for _ in 0..30 {
            undecodable.report(0, &telemetry(&topic, &[b'x'; 5000]), &"not JSON");
        }
        let document = undecodable.document(Audience::Authenticated);
        assert_eq!(document["undecodable"]["count"], 30);
        assert!(document.to_string().len() < EXAMPLES * 500);
    }
}
