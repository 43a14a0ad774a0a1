//! When a call has taken too long. The progress page tells since when it runs, but the model can write anything there; so the
//! worker also counts how long the host has been silent by its own clock.

use std::time::Duration;

/// What a host needs beside the calls, on a busy machine.
const SLACK: Duration = Duration::from_secs(5);

/// How long to wait until it is known whether the call took too long; `None` when it did.
///
/// `runs` is what the page says, `silent` how long nothing was heard although calls are open.
pub(super) fn left(
    timeout: Duration,
    runs: Option<Duration>,
    silent: Option<Duration>,
) -> Option<Duration> {
    // The longest honest silence: a batch that fails in the end, and then its first message alone.
    let longest = timeout.saturating_mul(2).saturating_add(SLACK);
    let by_page = timeout.saturating_sub(runs.unwrap_or_default());
    let by_clock = longest.saturating_sub(silent.unwrap_or_default());
    Some(by_page.min(by_clock)).filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_10_a_page_that_denies_its_call_extends_the_timeout_but_does_not_switch_it_off() {
        let seconds = |number| Some(Duration::from_secs(number));
        let timeout = Duration::from_secs(10);
        for (runs, silent, expected) in [
            (None, None, seconds(10)),
            (seconds(0), seconds(0), seconds(10)),
            (seconds(4), seconds(4), seconds(6)),
            (seconds(10), seconds(10), None),
            // A page that says that no call runs, or that it has just begun.
            (None, seconds(20), seconds(5)),
            (seconds(0), seconds(24), seconds(1)),
            (None, seconds(25), None),
            (seconds(0), seconds(25), None),
            // Nothing is open.
            (None, None, seconds(10)),
        ] {
            assert_eq!(left(timeout, runs, silent), expected, "{runs:?} {silent:?}");
        }
        assert_eq!(left(Duration::MAX, None, Some(Duration::MAX)), None);
    }
}
