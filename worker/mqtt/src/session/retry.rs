//! Decides when a session connects again.

use std::time::Duration;

use crate::Claim;
use crate::backoff::{Backoff, STABLE};
use crate::claim::Enforcement;
use crate::v3::{Closed, Takeover};

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// It could not be made.
    NotConnected,
    /// The broker refused it, or the other side isn't a broker.
    Refused,
    /// It broke, or the broker said why it ends it.
    Lost,
    /// The broker closed it without a word.
    Closed,
    /// The same, over the only publication in flight.
    ClosedOverPublication,
    /// The same, and this publication is refused now.
    PublicationRefused,
    /// The same, over a subscription.
    ClosedOverSubscription,
    /// The same, after it had refused something.
    ClosedAfterDenial,
    /// The broker closed the connection of a session that is drained.
    ClosedDraining,
    /// The broker says that another client took the session over.
    TakenOver,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Connect again, after a pause that grows with each failure.
    BackOff,
    /// Connect again at once.
    AtOnce,
    /// Another client has the session; it gets time before the session is asked for again.
    StayAway,
}

/// The longest pause before a broker on this machine is tried again.
const NEAR: Duration = Duration::from_secs(2);
/// The same for other brokers.
const FAR: Duration = Duration::from_secs(5);
/// The same for a broker that answers, but does not take the connection: it is there, and asking it more often does not
/// help.
const REFUSED: Duration = Duration::from_secs(30);

/// The longest pause after a connection that ended so; `near` is whether the broker is on this machine.
pub(super) fn longest_pause(how: How, near: bool) -> Duration {
    match (how, near) {
        (How::Refused, _) => REFUSED,
        (_, true) => NEAR,
        (_, false) => FAR,
    }
}

/// Remembers what earlier connections came to.
#[derive(Debug, Default)]
pub(super) struct Retry {
    backoff: Backoff,
    takeover: Takeover,
    claim: Enforcement,
}

impl Retry {
    /// Sets the owner's claim. Whether it is another than before.
    pub(super) fn claim(&mut self, claim: Claim) -> bool {
        self.claim.set(claim)
    }

    /// Whether the owner left the session to another client.
    pub(super) fn yields(&self) -> bool {
        self.claim.yields()
    }

    /// A connection that lasted `lasted` ended.
    pub(super) fn decide(&mut self, how: How, lasted: Duration) -> Next {
        if lasted >= STABLE {
            self.claim.reset();
        }
        let next = self.judge(how, lasted);
        let ours = how != How::ClosedDraining;
        if next == Next::StayAway && ours && self.claim.insists() {
            return Next::AtOnce;
        }
        next
    }

    fn judge(&mut self, how: How, lasted: Duration) -> Next {
        match how {
            How::NotConnected | How::Refused => self.takeover.not_connected(),
            How::Closed => match self.takeover.closed(lasted) {
                Closed::Lost => {}
                Closed::Suspicious => return Next::AtOnce,
                Closed::TakenOver => return Next::StayAway,
            },
            // Whoever wants a session that is to end may have it.
            How::ClosedDraining | How::TakenOver => return Next::StayAway,
            How::Lost
            | How::ClosedOverPublication
            | How::ClosedOverSubscription
            | How::ClosedAfterDenial => self.takeover.lost(lasted),
            How::PublicationRefused => {
                // Nothing is in the way of the next publication.
                self.reset();
                self.takeover.lost(lasted);
            }
        }
        if lasted >= STABLE {
            self.reset();
        }
        Next::BackOff
    }

    /// The pause before the next connection: at most `longest` after a failure; `takeover_retry` is the first after a
    /// takeover.
    pub(super) fn pause(
        &mut self,
        next: Next,
        longest: Duration,
        takeover_retry: Duration,
    ) -> Duration {
        match next {
            Next::BackOff => self.backoff.failed(longest),
            Next::AtOnce => Backoff::shortest(),
            Next::StayAway => self.taken_over(takeover_retry),
        }
    }

    /// The pause after the session was given to another client, `first` the first time.
    pub(super) fn taken_over(&mut self, first: Duration) -> Duration {
        self.takeover.taken_over();
        self.backoff.taken_over(first)
    }

    fn reset(&mut self) {
        self.backoff.reset();
        self.takeover.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = STABLE;
    const SHORT: Duration = Duration::from_millis(50);

    /// What happened, the ends of connections one after the other, and what follows from the last.
    type Case = (&'static str, &'static [(How, Duration)], Next);

    #[test]
    fn what_follows_from_how_a_connection_ended() {
        let table: &[Case] = &[
            ("not reached", &[(How::NotConnected, SHORT)], Next::BackOff),
            ("refused", &[(How::Refused, SHORT)], Next::BackOff),
            ("lost", &[(How::Lost, LONG)], Next::BackOff),
            (
                "repeatedly lost soon",
                &[(How::Lost, SHORT); 20],
                Next::BackOff,
            ),
            ("closed late", &[(How::Closed, LONG)], Next::BackOff),
            ("closed soon", &[(How::Closed, SHORT)], Next::AtOnce),
            (
                "repeatedly closed soon",
                &[(How::Closed, SHORT); 12],
                Next::StayAway,
            ),
            (
                "closed soon after it had served",
                &[
                    (How::Lost, LONG),
                    (How::Closed, SHORT),
                    (How::Closed, SHORT),
                    (How::Closed, SHORT),
                ],
                Next::StayAway,
            ),
            (
                "a restarting broker refuses connections in between",
                &[
                    (How::Lost, LONG),
                    (How::Closed, SHORT),
                    (How::NotConnected, SHORT),
                    (How::Closed, SHORT),
                    (How::Closed, SHORT),
                ],
                Next::AtOnce,
            ),
            (
                "over a publication",
                &[
                    (How::Lost, LONG),
                    (How::ClosedOverPublication, SHORT),
                    (How::ClosedOverPublication, SHORT),
                    (How::ClosedOverPublication, SHORT),
                ],
                Next::BackOff,
            ),
            (
                "a refused publication begins again",
                &[
                    (How::Lost, LONG),
                    (How::Closed, SHORT),
                    (How::Closed, SHORT),
                    (How::PublicationRefused, SHORT),
                    (How::Closed, SHORT),
                ],
                Next::AtOnce,
            ),
            (
                "over a subscription",
                &[(How::ClosedOverSubscription, SHORT); 20],
                Next::BackOff,
            ),
            (
                "after a denial",
                &[(How::ClosedAfterDenial, SHORT); 20],
                Next::BackOff,
            ),
            ("drained", &[(How::ClosedDraining, LONG)], Next::StayAway),
            (
                "said to be taken over",
                &[(How::TakenOver, LONG)],
                Next::StayAway,
            ),
        ];
        for (what, ends, expected) in table {
            let mut retry = Retry::default();
            let found = ends.iter().map(|(how, lasted)| retry.decide(*how, *lasted));
            assert_eq!(found.last(), Some(*expected), "{what}");
        }
    }

    #[test]
    fn pauses_fit_what_follows() {
        let (mut retry, minute) = (Retry::default(), Duration::from_mins(1));
        for _ in 0..10 {
            retry.pause(Next::BackOff, NEAR, minute);
            let at_once = retry.pause(Next::AtOnce, NEAR, minute);
            assert!(at_once <= Duration::from_millis(100));
        }
        assert!(retry.pause(Next::StayAway, NEAR, minute) >= minute.mul_f64(0.8));
    }

    /// A broker that was away for long is found within seconds of its return.
    #[test]
    fn d15_pauses_end_at_two_seconds_for_a_broker_on_this_machine_and_five_for_others() {
        let table = [
            (How::NotConnected, true, 2),
            (How::NotConnected, false, 5),
            (How::Lost, true, 2),
            (How::ClosedOverSubscription, false, 5),
            (How::Refused, true, 30),
        ];
        for (how, near, seconds) in table {
            let longest = longest_pause(how, near);
            assert_eq!(longest, Duration::from_secs(seconds), "{how:?}, {near}");
            let mut retry = Retry::default();
            for _ in 0..100 {
                let next = retry.decide(how, Duration::ZERO);
                let pause = retry.pause(next, longest, Duration::from_hours(1));
                assert!(pause <= longest, "{how:?}, {near}");
            }
        }
    }
}
