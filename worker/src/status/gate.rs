//! Lets one message through for each pause, by when messages were received: no clock is read, and no lock is taken.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// See the module's description.
#[derive(Debug)]
pub(super) struct Gate {
    start: Instant,
    pause: u64,
    /// When the next one may pass, in milliseconds since `start`.
    next: AtomicU64,
}

impl Gate {
    pub(super) fn new(pause: Duration) -> Self {
        Self {
            start: Instant::now(),
            pause: milliseconds(pause),
            next: AtomicU64::new(0),
        }
    }

    /// Whether a message that came at this time passes.
    pub(super) fn pass(&self, received: Instant) -> bool {
        let passed = milliseconds(received.saturating_duration_since(self.start));
        if passed < self.next.load(Ordering::Relaxed) {
            return false;
        }
        let next = passed.saturating_add(self.pause);
        self.next.store(next, Ordering::Relaxed);
        true
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_passes_for_each_pause_whatever_comes() {
        let gate = Gate::new(Duration::from_millis(50));
        let passed = |from: u64| {
            let times = (0..10_000).map(|step| Duration::from_micros(from + step * 100));
            times.filter(|time| gate.pass(gate.start + *time)).count()
        };
        assert_eq!(passed(0), 20);
        assert_eq!(passed(60_000_000), 20);
        assert_eq!(passed(0), 0, "what was received long ago");
    }
}
