//! How long to wait after a failure.

use std::time::Duration;

use kube::runtime::utils::Backoff;
use rand::RngExt as _;

/// Pause after a first failure; it doubles from there.
const FIRST_RETRY: Duration = Duration::from_millis(500);

/// Longest pause after failures: an API server that comes back finds everything repaired within this.
const LAST_RETRY: Duration = Duration::from_secs(8);

/// Pause of all watches after an error of one of them. It does not grow: when the API server comes back, each watch
/// has an error to tell first, and with growing pauses the last would wait for minutes.
const WATCH_RETRY: Duration = Duration::from_millis(400);

/// The pause after this many failures in a row.
pub(super) fn after(failures: u32) -> Duration {
    let doubled = FIRST_RETRY.saturating_mul(1 << failures.saturating_sub(1).min(10));
    jittered(doubled.min(LAST_RETRY))
}

/// The same pause after each error.
pub(super) struct Steady;

impl Iterator for Steady {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        Some(jittered(WATCH_RETRY))
    }
}

impl Backoff for Steady {
    fn reset(&mut self) {}
}

/// Three quarters of `pause` to all of it, so that what began together does not stay together.
pub(super) fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(rand::rng().random_range(0.75..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The longest pause after this many failures.
    #[track_caller]
    fn check(failures: u32, longest: u64) {
        let longest = Duration::from_millis(longest);
        let pause = after(failures);
        assert!(pause <= longest && pause >= longest * 3 / 4, "{pause:?}");
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        check(1, 500);
        check(2, 1000);
        check(4, 4000);
        check(5, 8000);
        check(6, 8000);
        check(u32::MAX, 8000);
    }
}
