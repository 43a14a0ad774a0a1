//! Examples of messages with what the model made of them, for those who are authenticated. Without a token nobody is, and
//! nothing is kept.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use message::{Failure, Telemetry};

use super::exchange::{Exchange, Made};
use super::gate::Gate;

/// Between two examples of what went well, and of what failed.
const GOOD: Duration = Duration::from_millis(500);
const BAD: Duration = Duration::from_millis(100);

/// Examples of either kind that are kept of a model, and their bytes.
const KEPT: usize = 20;
const BYTES: usize = 256 << 10;

/// See the module's description.
#[derive(Debug)]
pub struct Exchanges {
    wanted: AtomicBool,
    good: Gate,
    bad: Gate,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    good: Ring,
    bad: Ring,
    /// The number of the last one.
    last: u64,
}

#[derive(Debug, Default)]
struct Ring {
    exchanges: VecDeque<Arc<Exchange>>,
    bytes: usize,
}

impl Default for Exchanges {
    fn default() -> Self {
        Self {
            wanted: AtomicBool::new(false),
            good: Gate::new(GOOD),
            bad: Gate::new(BAD),
            kept: Mutex::default(),
        }
    }
}

impl Exchanges {
    /// Keeps examples from now on.
    pub fn want(&self) {
        self.wanted.store(true, Ordering::Relaxed);
    }

    fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Nothing panics while it holds the lock.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The model returned this, or nothing.
    pub fn made(&self, telemetry: &Telemetry, device: &str, result: Option<&[u8]>) {
        if !self.is_wanted() || !self.good.pass(telemetry.received) {
            return;
        }
        self.keep(telemetry, device, Made::result(result));
    }

    /// A message was not processed, and becomes a dead letter or not.
    pub fn failed(
        &self,
        telemetry: &Telemetry,
        device: &str,
        failure: &Failure,
        dead_letter: bool,
    ) {
        if !self.is_wanted() || !self.bad.pass(telemetry.received) {
            return;
        }
        let made = Made::failed(failure, dead_letter);
        self.keep(telemetry, device, made);
    }

    fn keep(&self, telemetry: &Telemetry, device: &str, made: Made) {
        let mut kept = self.lock();
        kept.last += 1;
        let exchange = Exchange::new(kept.last, telemetry, device, made);
        let ring = match exchange.made {
            Made::Failed { .. } => &mut kept.bad,
            Made::Result { .. } | Made::Empty => &mut kept.good,
        };
        ring.push(exchange);
    }

    /// Those after the one with this number, oldest first.
    pub fn after(&self, number: u64) -> Vec<Arc<Exchange>> {
        let kept = self.lock();
        let all = kept.good.exchanges.iter().chain(&kept.bad.exchanges);
        let mut found: Vec<_> = all.filter(|one| one.number > number).cloned().collect();
        found.sort_by_key(|one| one.number);
        found
    }
}

impl Ring {
    fn push(&mut self, exchange: Exchange) {
        self.bytes += exchange.size();
        self.exchanges.push_back(exchange.into());
        while self.exchanges.len() > KEPT || self.bytes > BYTES {
            let Some(oldest) = self.exchanges.pop_front() else {
                return;
            };
            self.bytes -= oldest.size();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Instant, SystemTime};

    use message::{Attributes, FailureReason};

    use super::*;

    fn telemetry(second: u64, payload: impl Into<bytes::Bytes>) -> Telemetry {
        Telemetry {
            topic: "in".into(),
            payload: payload.into(),
            rule: 0,
            received: Instant::now() + Duration::from_secs(second),
            received_at: SystemTime::UNIX_EPOCH,
            attributes: Attributes::default(),
        }
    }

    fn failure(traceback: &str) -> Failure {
        Failure {
            reason: FailureReason::Exception,
            message: "ValueError: no".to_owned(),
            traceback: Some(traceback.to_owned()),
        }
    }

    fn wanted() -> Exchanges {
        let exchanges = Exchanges::default();
        exchanges.want();
        exchanges
    }

    #[test]
    fn row_20_nothing_is_kept_while_nobody_may_see_it() {
        let exchanges = Exchanges::default();
        exchanges.made(&telemetry(0, "secret"), "d", Some(b"1"));
        exchanges.failed(&telemetry(0, "secret"), "d", &failure("x"), true);
        assert!(exchanges.after(0).is_empty());
    }

    #[test]
    fn a_message_is_shown_beside_what_became_of_it() {
        let exchanges = wanted();
        exchanges.made(&telemetry(1, "{}"), "press", Some(b"[1]"));
        exchanges.failed(&telemetry(1, vec![0xff]), "press", &failure("File"), true);
        exchanges.made(&telemetry(2, "{}"), "press", None);
        let shown = exchanges.after(0);
        let shown: Vec<&Exchange> = shown.iter().map(|one| &**one).collect();
        let shown = serde_json::to_value(shown).unwrap();
        let common = |number, message| serde_json::json!({"number": number, "at": 0, "topic": "in", "device": "press", "message": message});
        let with = |mut common: serde_json::Value, more: serde_json::Value| {
            let more = more.as_object().cloned().unwrap();
            common.as_object_mut().unwrap().extend(more);
            common
        };
        let event = serde_json::json!({"text": "{}", "size": 2, "cut": false});
        let expected = [
            with(
                common(1, event.clone()),
                serde_json::json!({"outcome": "result", "result": {"text": "[1]", "size": 3, "cut": false}}),
            ),
            with(
                common(
                    2,
                    serde_json::json!({"base64": "/w==", "size": 1, "cut": false}),
                ),
                serde_json::json!({"outcome": "failed", "reason": "exception", "error": "ValueError: no",
                    "traceback": "File", "deadLetter": true}),
            ),
            with(common(3, event), serde_json::json!({"outcome": "empty"})),
        ];
        assert_eq!(shown, serde_json::json!(expected));
        assert_eq!(exchanges.after(2).len(), 1);
        assert!(exchanges.after(3).is_empty());
    }

    #[test]
    fn what_is_kept_is_bounded_in_number_and_bytes() {
        let exchanges = wanted();
        for second in 0..100 {
            exchanges.made(&telemetry(second, "{}"), "d", Some(b"1"));
        }
        exchanges.failed(&telemetry(0, "{}"), "d", &failure("x"), false);
        let numbers: Vec<_> = exchanges.after(0).iter().map(|one| one.number).collect();
        assert_eq!(
            numbers,
            (81..=101).collect::<Vec<_>>(),
            "failures do not displace results"
        );
        let large = "设".repeat(1 << 16);
        for second in 200..220 {
            let mut telemetry = telemetry(second, large.clone());
            telemetry.topic = large.as_str().into();
            exchanges.made(&telemetry, &large, Some(large.as_bytes()));
            telemetry.payload = vec![0xff; 1 << 16].into();
            exchanges.failed(&telemetry, &large, &failure(&large), false);
        }
        let kept = exchanges.lock();
        for ring in [&kept.good, &kept.bad] {
            let bytes: usize = ring.exchanges.iter().map(|one| one.size()).sum();
            assert_eq!(bytes, ring.bytes);
            assert!(bytes <= BYTES && ring.exchanges.len() > 2, "{bytes}");
        }
        let last = kept.bad.exchanges.back().unwrap();
        assert!(last.message.cut && last.message.size == 1 << 16);
    }
}
