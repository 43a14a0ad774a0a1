//! How long a download may take, and how slow it may be.

use std::time::{Duration, Instant};

/// Longest time of a download with all its tries.
pub(super) const MAX_TIME: Duration = Duration::from_hours(6);

/// Longest wait for an answer's status and headers.
pub(super) const ANSWER_TIME: Duration = Duration::from_mins(1);

/// Bytes a second that must come in each [`WINDOW`].
pub(super) const SLOWEST: u64 = 1024;
const WINDOW: Duration = Duration::from_mins(1);

/// Measures one answer.
#[derive(Debug)]
pub(super) struct Pace {
    since: Instant,
    bytes: u64,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            since: now,
            bytes: 0,
        }
    }

    /// Counts what came; whether it is fast enough.
    pub(super) fn took(&mut self, bytes: usize, now: Instant) -> bool {
        self.bytes += bytes as u64;
        let elapsed = now.saturating_duration_since(self.since);
        if elapsed < WINDOW {
            return true;
        }
        let enough = self.bytes >= SLOWEST * elapsed.as_secs();
        *self = Self::new(now);
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_18_a_server_that_drips_is_given_up_after_a_minute_however_fast_it_began() {
        let start = Instant::now();
        let second = |number| start + Duration::from_secs(number);
        let mut pace = Pace::new(start);
        assert!(pace.took(1 << 30, second(1)));
        assert!(pace.took(1, second(59)));
        assert!(pace.took(1, second(60)), "the first minute was fast");
        for drip in 61..120 {
            assert!(pace.took(512, second(drip)));
        }
        assert!(!pace.took(512, second(120)));
    }

    #[test]
    fn a_slow_link_is_enough() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        for second in 1..=600 {
            assert!(pace.took(1100, start + Duration::from_secs(second)));
        }
    }
}
