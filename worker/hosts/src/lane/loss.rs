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

/// The calls of a lost host that it did not answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    /// Id of the oldest; the ids count up.
    pub(super) first: u64,
    /// How many there are.
    pub(super) calls: usize,
    /// Those below this id were handed over alone.
    pub(super) alone_below: u64,
    /// Whether the host has answered any call.
    pub(super) answered: bool,
}

/// Finds the culprit from the id and the number of the calls that ran. The model can write any numbers; those that cannot be
/// blame nothing, unless something must be to blame: the oldest call then, since calls are answered in order.
pub(super) fn culprit(end: &HostEnd, running: Option<(u64, u64)>, open: Open) -> Culprit {
    let oldest = || {
        let must_be = matches!(end, HostEnd::Timeout) || !open.answered;
        if must_be && open.calls > 0 {
            Culprit::Call(0)
        } else {
            Culprit::Unknown
        }
    };
    let Some((id, count)) = running else {
        return oldest();
    };
    let index = id
        .checked_sub(open.first)
        .and_then(|index| index.try_into().ok());
    match index.filter(|index| *index < open.calls) {
        Some(_) if count > 1 && id >= open.alone_below => Culprit::Batch,
        Some(index) => Culprit::Call(index),
        // The model wrote the number itself.
        None if matches!(end, HostEnd::Timeout) => oldest(),
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
            Self::Broken(error) => format!("the model's process wrote an invalid reply: {error}"),
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
        let call = Culprit::Call;
        for (end, running, answered, expected) in [
            (HostEnd::Died, Some((10, 1)), true, call(0)),
            (HostEnd::Died, Some((12, 1)), true, call(2)),
            (HostEnd::Died, Some((11, 2)), true, Culprit::Batch),
            (HostEnd::Timeout, Some((11, 2)), true, Culprit::Batch),
            (HostEnd::Died, None, true, Culprit::Unknown),
            (HostEnd::Died, None, false, call(0)),
            // Numbers that only the model itself can have written.
            (HostEnd::Died, Some((9, 1)), true, Culprit::Unknown),
            (HostEnd::Died, Some((13, 1)), true, Culprit::Unknown),
            (
                HostEnd::Died,
                Some((u64::MAX, u64::MAX)),
                false,
                Culprit::Unknown,
            ),
            // A call that was handed over alone is in no batch.
            (HostEnd::Died, Some((10, u64::MAX)), true, call(0)),
            // Row 10: a timeout has a culprit, whatever the page says.
            (HostEnd::Timeout, None, true, call(0)),
            (HostEnd::Timeout, Some((u64::MAX, 1)), true, call(0)),
        ] {
            let open = Open {
                first: 10,
                calls: 3,
                alone_below: 11,
                answered,
            };
            let found = culprit(&end, running, open);
            assert_eq!(found, expected, "{end:?} {running:?} {answered}");
        }
        let open = Open {
            first: 10,
            calls: 0,
            alone_below: 0,
            answered: false,
        };
        assert_eq!(culprit(&HostEnd::Timeout, None, open), Culprit::Unknown);
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
