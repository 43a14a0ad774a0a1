//! When a session that lost its connection connects again.

use std::time::Duration;

use rand::RngExt as _;

/// The first pause is at most this, each next at most twice as long.
const FIRST: Duration = Duration::from_millis(100);
/// After a connection that lasted this long, the next failure counts as the first.
pub(super) const STABLE: Duration = Duration::from_secs(10);
/// The pause after a takeover grows up to this many times the first.
const TAKEOVER_GROWTH: u32 = 16;

/// Counts failures and draws pauses, with full jitter, so that a thousand workers do not return to a
/// restarted broker at once.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    takeovers: u32,
}

impl Backoff {
    /// The pause after a connection that was lost or could not be made, at most `longest`.
    pub(super) fn failed(&mut self, longest: Duration) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let grown = FIRST.saturating_mul(1 << (self.failures - 1).min(16));
        jitter(grown.min(longest))
    }

    /// A pause that is not a failure's.
    pub(super) fn shortest() -> Duration {
        jitter(FIRST)
    }

    /// The next failure is the first again.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// The pause after a takeover, `first` the first time.
    pub(super) fn taken_over(&mut self, first: Duration) -> Duration {
        let growth = (1 << self.takeovers.min(16)).min(TAKEOVER_GROWTH);
        self.takeovers += 1;
        first
            .saturating_mul(growth)
            .mul_f64(rand::rng().random_range(0.8..=1.2))
    }
}

fn jitter(longest: Duration) -> Duration {
    longest.mul_f64(rand::rng().random_range(0.05..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_begin_again() {
        const LONGEST: Duration = Duration::from_secs(5);
        let mut backoff = Backoff::default();
        assert!(backoff.failed(LONGEST) <= FIRST);
        let mut longest = Duration::ZERO;
        for _ in 0..40 {
            let pause = backoff.failed(LONGEST);
            assert!(pause <= LONGEST);
            longest = longest.max(pause);
        }
        assert!(longest > FIRST, "they grow");
        backoff.reset();
        assert!(backoff.failed(LONGEST) <= FIRST);
    }

    #[test]
    fn pauses_after_takeovers_grow_sixteen_times() {
        let (mut backoff, minute) = (Backoff::default(), Duration::from_mins(1));
        assert!(backoff.taken_over(minute) <= minute.mul_f64(1.2));
        for _ in 0..10 {
            backoff.taken_over(minute);
        }
        let pause = backoff.taken_over(minute);
        assert!(pause >= minute.mul_f64(16.0 * 0.8) && pause <= minute.mul_f64(16.0 * 1.2));
    }
}
