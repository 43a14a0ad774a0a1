//! When a session that lost its connection tries again.

use std::time::Duration;

use rand::RngExt as _;

/// The first pause is at most this, each next at most twice as long.
const FIRST: Duration = Duration::from_millis(100);
/// The longest pause: a broker that comes back after hours is found within half a minute.
const LONGEST: Duration = Duration::from_secs(30);
/// A connection that lasted so long was a good one: the next failure is the first again.
const STABLE: Duration = Duration::from_secs(10);
/// A connection that the broker closes sooner than this after it was made may have been taken over. Whoever did so
/// comes within a moment, or within seconds on a machine that is busy.
const SHORT: Duration = Duration::from_secs(5);
/// A session that has had a connection that lasted so long has served before.
const SETTLED: Duration = Duration::from_secs(1);
/// So many short connections in a row, each closed without a word by a broker that took the next one at
/// once, are no chance: MQTT 3.1.1 has no other way to say that another client uses our id. A broker
/// that restarts again and again refuses a connection now and then.
const SHORT_IN_A_ROW: u32 = 3;
/// The same for a session that has never had a longer connection: it has just begun, and whoever closes its
/// connections has served before. It insists, until the other, who counts to three, stays away.
const SHORT_IN_A_ROW_AT_FIRST: u32 = 12;
/// The pause after a takeover grows up to this many times the first.
const TAKEOVER_GROWTH: u32 = 16;

/// Counts failures and draws pauses, with full jitter, so that a thousand workers do not return to a
/// restarted broker at once.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    closed_short: u32,
    takeovers: u32,
    /// Whether a connection has lasted.
    settled: bool,
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
        self.settled |= lasted >= SETTLED;
        if lasted >= STABLE {
            self.begin_again();
        }
        self.pause()
    }

    /// The next failure is the first again.
    pub(super) fn begin_again(&mut self) {
        *self = Self {
            settled: self.settled,
            ..Self::default()
        };
    }

    /// The pause after a connection that the broker closed without a word after `lasted`; `None` when it was
    /// probably taken over by another client.
    pub(super) fn closed_by_broker(&mut self, lasted: Duration) -> Option<Duration> {
        if lasted >= SHORT {
            self.closed_short = 0;
            return Some(self.lost(lasted));
        }
        self.closed_short += 1;
        let newcomer = !self.settled && self.takeovers == 0;
        self.settled |= lasted >= SETTLED;
        let patience = if newcomer {
            SHORT_IN_A_ROW_AT_FIRST
        } else {
            SHORT_IN_A_ROW
        };
        // Pauses that grow would make the other's connections longer than short ones.
        (self.closed_short < patience).then(|| FIRST.mul_f64(rand::rng().random_range(0.05..=1.0)))
    }

    /// The pause after a takeover, `first` the first time.
    pub(super) fn taken_over(&mut self, first: Duration) -> Duration {
        let growth = (1 << self.takeovers.min(16)).min(TAKEOVER_GROWTH);
        self.takeovers += 1;
        self.closed_short = 0;
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
        assert!(backoff.closed_by_broker(short).is_some());
        assert!(backoff.closed_by_broker(SHORT).is_some());
        assert!(backoff.closed_by_broker(short).is_some());
        assert!(backoff.closed_by_broker(short).is_some());
        assert!(backoff.closed_by_broker(short).is_none());
        backoff.taken_over(Duration::from_mins(1));
        assert!(backoff.closed_by_broker(short).is_some());
        assert!(backoff.closed_by_broker(short).is_some());
        assert!(backoff.closed_by_broker(short).is_none());
    }

    /// In a rolling update, the new worker would otherwise be the one to stay away: its first connection is
    /// short, while the old one's was long.
    #[test]
    fn a_session_that_has_just_begun_insists_until_another_stays_away() {
        let (mut old, mut new) = (Backoff::default(), Backoff::default());
        let short = Duration::from_millis(50);
        assert!(
            old.closed_by_broker(STABLE)
                .is_some_and(|pause| pause <= FIRST)
        );
        for _ in 1..SHORT_IN_A_ROW {
            assert!(
                new.closed_by_broker(short)
                    .is_some_and(|pause| pause <= FIRST)
            );
            assert!(
                old.closed_by_broker(short)
                    .is_some_and(|pause| pause <= FIRST)
            );
        }
        assert!(new.closed_by_broker(short).is_some());
        assert!(old.closed_by_broker(short).is_none());
    }

    /// On a busy machine the one that has just begun may need seconds to come back: no reason for the old one to stay.
    #[test]
    fn whoever_has_served_stays_away_from_one_that_comes_back_late() {
        let mut old = Backoff::default();
        assert!(old.closed_by_broker(STABLE).is_some());
        for lasted in [10, 1200] {
            assert!(
                old.closed_by_broker(Duration::from_millis(lasted))
                    .is_some_and(|pause| pause <= FIRST)
            );
        }
        assert!(old.closed_by_broker(Duration::from_millis(2100)).is_none());
    }

    #[test]
    fn two_that_begin_at_once_do_not_go_on_for_ever() {
        let mut backoff = Backoff::default();
        let mut closes = (0..100).map(|_| backoff.closed_by_broker(Duration::ZERO));
        assert_eq!(closes.position(|pause| pause.is_none()), Some(11));
    }

    /// Workers must not stay away from a broker that had a bad minute.
    #[test]
    fn a_broker_that_restarts_again_and_again_is_no_takeover() {
        let mut backoff = Backoff::default();
        for _ in 0..10 {
            assert!(backoff.closed_by_broker(Duration::from_millis(1)).is_some());
            backoff.not_connected();
        }
    }
}
