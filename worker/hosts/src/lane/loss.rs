//! What follows from the loss of a host: who is to blame, and what becomes of that message.

use std::time::Duration;

use message::{Failure, FailureReason};

/// A message that kills its host or takes too long is tried this often.
const ATTEMPTS: u8 = 2;

/// Why a lane is done with a host.
#[derive(Debug)]
pub(super) enum HostEnd {
    /// The queue is closed and everything in it is finished.
    Drained,
    /// A call took too long.
    Timeout,
    /// The process ended.
    Died,
    /// The process wrote something that isn't a reply.
    Broken(String),
}

/// What a host was lost over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Culprit {
    /// One of the unanswered calls, counted from the oldest.
    Call(usize),
    /// Calls that ran together, which the next host gets one by one.
    Batch,
    /// Nothing that is known.
    Unknown,
}

/// What becomes of the message that a host was lost over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The next host gets it.
    Retry,
    /// It failed.
    Fail,
    /// It failed, and so do the other messages of its device for a while.
    Quarantine,
}

/// Finds the culprit from the id and the number of the calls that ran, with `calls` unanswered from the id
/// `first` on. Between calls nothing is to blame, unless a host dies before it has answered anything.
pub(super) fn culprit(
    running: Option<(u64, u64)>,
    first: u64,
    calls: usize,
    answered: bool,
) -> Culprit {
    let Some((id, count)) = running else {
        return if answered || calls == 0 {
            Culprit::Unknown
        } else {
            Culprit::Call(0)
        };
    };
    let index = id
        .checked_sub(first)
        .and_then(|index| index.try_into().ok());
    match index.filter(|index| *index < calls) {
        Some(_) if count > 1 => Culprit::Batch,
        Some(index) => Culprit::Call(index),
        // The model wrote the number itself.
        None => Culprit::Unknown,
    }
}

/// Decides about a message after so many attempts.
pub(super) fn verdict(attempts: u8, quarantined: bool) -> Verdict {
    if quarantined {
        Verdict::Quarantine
    } else if attempts < ATTEMPTS {
        Verdict::Retry
    } else {
        Verdict::Fail
    }
}

impl HostEnd {
    /// For metrics and dead letters; `None` when the host wasn't lost.
    pub(super) fn reason(&self) -> Option<FailureReason> {
        match self {
            Self::Drained => None,
            Self::Timeout => Some(FailureReason::Timeout),
            Self::Died | Self::Broken(_) => Some(FailureReason::Crash),
        }
    }

    /// The failure of the message that the host was lost over; `status` is how its process ended.
    pub(super) fn failure(&self, timeout: Duration, status: &str, attempts: u8) -> Option<Failure> {
        let message = match self {
            Self::Drained => return None,
            Self::Timeout => format!("the call took longer than {timeout:?}"),
            Self::Died => format!("the model's process ended during the call ({status})"),
            Self::Broken(error) => format!("the model's process wrote what is no reply: {error}"),
        };
        Some(Failure {
            reason: self.reason()?,
            message: if attempts > 1 {
                format!("{message}, {attempts} times")
            } else {
                message
            },
            traceback: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_call_is_to_blame_and_a_call_that_cannot_be_is_not() {
        for (running, answered, expected) in [
            (Some((10, 1)), true, Culprit::Call(0)),
            (Some((12, 1)), false, Culprit::Call(2)),
            (Some((10, 3)), true, Culprit::Batch),
            (None, true, Culprit::Unknown),
            (None, false, Culprit::Call(0)),
            // Numbers that only the model itself can have written.
            (Some((9, 1)), true, Culprit::Unknown),
            (Some((13, 1)), true, Culprit::Unknown),
            (Some((u64::MAX, u64::MAX)), false, Culprit::Unknown),
        ] {
            let found = culprit(running, 10, 3, answered);
            assert_eq!(found, expected, "{running:?} {answered}");
        }
        assert_eq!(culprit(None, 10, 0, false), Culprit::Unknown);
    }

    #[test]
    fn a_message_is_retried_once_unless_its_device_is_quarantined() {
        for (attempts, quarantined, expected) in [
            (1, false, Verdict::Retry),
            (2, false, Verdict::Fail),
            (1, true, Verdict::Quarantine),
            (2, true, Verdict::Quarantine),
        ] {
            assert_eq!(verdict(attempts, quarantined), expected);
        }
    }

    #[test]
    fn a_failure_says_what_happened_and_how_often() {
        let failure = |end: HostEnd, attempts| {
            let failure = end.failure(Duration::from_secs(2), "exit status: 3", attempts);
            failure.map(|failure| (failure.reason, failure.message))
        };
        let crash = "the model's process ended during the call (exit status: 3)";
        for (end, attempts, expected) in [
            (HostEnd::Drained, 1, None),
            (
                HostEnd::Timeout,
                2,
                Some((
                    FailureReason::Timeout,
                    "the call took longer than 2s, 2 times".to_owned(),
                )),
            ),
            (
                HostEnd::Died,
                1,
                Some((FailureReason::Crash, crash.to_owned())),
            ),
        ] {
            assert_eq!(failure(end, attempts), expected);
        }
    }
}
