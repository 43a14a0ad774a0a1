//! When a session that lost its connection tries again.

use std::time::Duration;

use rand::RngExt as _;

/// The first pause is at most this, each next at most twice as long.
const FIRST: Duration = Duration::from_millis(100);
/// The longest pause: a broker that comes back after hours is found within half a minute.
const LONGEST: Duration = Duration::from_secs(30);
/// A connection that lasted so long was a good one: the next failure is the first again.
const STABLE: Duration = Duration::from_secs(10);
/// A connection that the broker closes sooner than this after it was made may have been taken over.
const SHORT: Duration = Duration::from_secs(1);
/// So many short connections in a row, each closed without a word by a broker that took the next one at
/// once, are no chance: MQTT 3.1.1 has no other way to say that another client uses our id. A broker
/// that restarts again and again refuses a connection now and then.
const SHORT_IN_A_ROW: u32 = 3;
/// The pause after a takeover grows up to this many times the first.
const TAKEOVER_GROWTH: u32 = 16;

/// Counts failures and draws pauses, with full jitter, so that a thousand workers do not return to a
/// restarted broker at once.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    closed_short: u32,
    takeovers: u32,
}

impl Backoff {
    /// The pause after a connection that could not be made.
    pub(super) fn not_connected(&mut self) -> Duration {
        self.closed_short = 0;
        self.pause()
    }

    fn pause(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let longest = FIRST
            .saturating_mul(1 << (self.failures - 1).min(16))
            .min(LONGEST);
        longest.mul_f64(rand::rng().random_range(0.05..=1.0))
    }

    /// The pause after a connection that lasted `lasted`.
    pub(super) fn lost(&mut self, lasted: Duration) -> Duration {
        if lasted >= STABLE {
            *self = Self::default();
        }
        self.pause()
    }

    /// Whether a connection that the broker closed without a word after `lasted` was probably taken
    /// over by another client.
    pub(super) fn closed_by_broker(&mut self, lasted: Duration) -> bool {
        if lasted < SHORT {
            self.closed_short += 1;
        } else {
            self.closed_short = 0;
        }
        self.closed_short >= SHORT_IN_A_ROW
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_half_a_minute_and_begin_again_after_a_good_connection() {
        let mut backoff = Backoff::default();
        assert!(backoff.not_connected() <= FIRST);
        for _ in 0..40 {
            assert!(backoff.not_connected() <= LONGEST);
        }
        assert!(backoff.lost(STABLE) <= FIRST);
    }

    #[test]
    fn three_short_connections_in_a_row_are_a_takeover() {
        let mut backoff = Backoff::default();
        let short = Duration::from_millis(1);
        assert!(!backoff.closed_by_broker(short));
        assert!(!backoff.closed_by_broker(SHORT));
        assert!(!backoff.closed_by_broker(short));
        assert!(!backoff.closed_by_broker(short));
        assert!(backoff.closed_by_broker(short));
    }

    /// Workers must not stay away from a broker that had a bad minute.
    #[test]
    fn a_broker_that_restarts_again_and_again_is_no_takeover() {
        let mut backoff = Backoff::default();
        for _ in 0..10 {
            assert!(!backoff.closed_by_broker(Duration::from_millis(1)));
            backoff.lost(Duration::from_millis(1));
            backoff.not_connected();
        }
    }
}
