//! What becomes of a call that raised: whether it is repeated, and after what pause.

use std::time::Duration;

use crds::validated::ValidatedRetry;
use message::{FailureReason, Outcome};

/// No pause grows beyond this, unless `backoff` itself is longer.
const LONGEST: Duration = Duration::from_mins(1);

/// The pause after which a call is repeated; `None` if its outcome stands. `failures` is how often it raised before.
pub(super) fn again(
    retry: Option<ValidatedRetry>,
    failures: u16,
    outcome: &Outcome,
) -> Option<Duration> {
    let retry = retry?;
    let raised =
        matches!(outcome, Outcome::Failed(failure) if failure.reason == FailureReason::Exception);
    let made = failures.saturating_add(1);
    (raised && made < retry.attempts).then(|| pause(retry.backoff, failures))
}

/// Doubles with each failure.
fn pause(backoff: Duration, failures: u16) -> Duration {
    let factor = 1_u32.checked_shl(failures.into()).unwrap_or(u32::MAX);
    backoff.saturating_mul(factor).min(LONGEST.max(backoff))
}

#[cfg(test)]
mod tests {
    use message::Failure;

    use super::*;

    const RETRY: ValidatedRetry = ValidatedRetry {
        attempts: 3,
        backoff: Duration::from_millis(500),
    };

    fn failed(reason: FailureReason) -> Outcome {
        Outcome::Failed(Failure {
            reason,
            message: String::new(),
            traceback: None,
        })
    }

    #[test]
    fn an_exception_is_tried_again_until_the_attempts_are_used_up() {
        let raised = failed(FailureReason::Exception);
        let check = |retry, failures, expected: Option<u64>| {
            let pause = again(retry, failures, &raised);
            assert_eq!(pause, expected.map(Duration::from_millis), "{failures}");
        };
        check(None, 0, None);
        check(Some(RETRY), 0, Some(500));
        check(Some(RETRY), 1, Some(1000));
        check(Some(RETRY), 2, None);
        check(Some(RETRY), u16::MAX, None);
    }

    #[test]
    fn what_another_attempt_would_not_change_is_final() {
        for reason in [
            FailureReason::InvalidJson,
            FailureReason::Unserializable,
            FailureReason::Timeout,
            FailureReason::Crash,
            FailureReason::Quarantined,
        ] {
            assert_eq!(again(Some(RETRY), 0, &failed(reason)), None, "{reason:?}");
        }
        assert_eq!(again(Some(RETRY), 0, &Outcome::Empty), None);
        let result = Outcome::Result(bytes::Bytes::new());
        assert_eq!(again(Some(RETRY), 0, &result), None);
    }

    #[test]
    fn pauses_double_up_to_a_minute() {
        let seconds = Duration::from_secs;
        for (backoff, failures, expected) in [
            (seconds(1), 0, seconds(1)),
            (seconds(1), 5, seconds(32)),
            (seconds(1), 6, seconds(60)),
            (seconds(1), 40, seconds(60)),
            (seconds(90), 3, seconds(90)),
            (Duration::from_millis(1), 10, Duration::from_millis(1024)),
            (seconds(3600), u16::MAX, seconds(3600)),
        ] {
            assert_eq!(pause(backoff, failures), expected, "{backoff:?} {failures}");
        }
    }
}
