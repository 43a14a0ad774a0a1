//! Examples of the messages of a model that match none of its devices, until the console has looked at them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use message::Telemetry;

use super::gate::Gate;

/// Between two examples: at most 20 a second cost a copy.
const PAUSE: Duration = Duration::from_millis(50);

/// Examples that wait for the console, which looks once a second.
const WAITING: usize = 20;

/// A larger message is no example.
const LARGEST: usize = 64 << 10;

/// See the module's description.
#[derive(Debug)]
pub struct Unmatched {
    gate: Gate,
    waiting: Mutex<Vec<Example>>,
}

/// One of them.
#[derive(Debug)]
pub struct Example {
    /// When it came, in milliseconds since 1970.
    pub at: u64,
    /// Its topic.
    pub topic: Arc<str>,
    /// A copy, so that it does not keep what was read together with it.
    pub payload: Bytes,
}

impl Default for Unmatched {
    fn default() -> Self {
        Self {
            gate: Gate::new(PAUSE),
            waiting: Mutex::new(Vec::new()),
        }
    }
}

impl Unmatched {
    /// A message matched none of the model's devices. Costs a comparison while the last example is recent.
    pub fn add(&self, telemetry: &Telemetry) {
        if telemetry.payload.len() > LARGEST || !self.gate.pass(telemetry.received) {
            return;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < WAITING {
            waiting.push(Example {
                at: message::milliseconds(telemetry.received_at),
                topic: telemetry.topic.clone(),
                payload: Bytes::copy_from_slice(&telemetry.payload),
            });
        }
    }

    /// Takes the examples that wait.
    pub fn take(&self) -> Vec<Example> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Instant, SystemTime};

    use message::Attributes;

    use super::*;

    #[test]
    fn few_examples_wait_and_none_is_large() {
        let unmatched = Unmatched::default();
        let start = Instant::now();
        let add = |second, size| {
            unmatched.add(&Telemetry {
                topic: "in".into(),
                payload: vec![b'x'; size].into(),
                rule: 0,
                received: start + Duration::from_secs(second),
                received_at: SystemTime::now(),
                attributes: Attributes::default(),
            });
        };
        add(1, LARGEST + 1);
        for second in 1..100 {
            add(second, 10);
        }
        let examples = unmatched.take();
        assert_eq!(examples.len(), WAITING);
        assert!(examples.iter().all(|example| example.payload.len() == 10));
        assert!(unmatched.take().is_empty());
    }
}
