//! Rate limit for log lines.

use std::time::{Duration, Instant};

/// Passes a burst of events and then one per interval, and counts the suppressed ones.
#[derive(Debug)]
pub struct Throttle {
    burst: u32,
    interval: Duration,
    allowance: u32,
    refilled: Instant,
    suppressed: u64,
}

impl Throttle {
    /// Passes `burst` events at once, and one more per `interval`.
    pub fn new(burst: u32, interval: Duration) -> Self {
        Self {
            burst,
            interval,
            allowance: burst,
            refilled: Instant::now(),
            suppressed: 0,
        }
    }

    /// The number of events suppressed since the last one that passed if an event at `now` passes, or `None` if it is
    /// suppressed too.
    pub fn pass(&mut self, now: Instant) -> Option<u64> {
        while self.allowance < self.burst && now.duration_since(self.refilled) >= self.interval {
            self.allowance += 1;
            self.refilled += self.interval;
        }
        if self.allowance == 0 {
            self.suppressed += 1;
            return None;
        }
        if self.allowance == self.burst {
            self.refilled = now;
        }
        self.allowance -= 1;
        Some(std::mem::take(&mut self.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_one_per_interval_with_the_number_held_back() {
        let second = Duration::from_secs(1);
        let mut throttle = Throttle::new(2, second);
        let start = Instant::now();
        let passed: Vec<_> = (0..5).map(|_| throttle.pass(start)).collect();
        assert_eq!(passed, [Some(0), Some(0), None, None, None]);
        assert_eq!(throttle.pass(start + second), Some(3));
        assert_eq!(throttle.pass(start + second), None);
        let later = start + 60 * second;
        assert_eq!(throttle.pass(later), Some(1));
        assert_eq!(throttle.pass(later), Some(0));
        assert_eq!(throttle.pass(later), None);
    }
}
