//! What the end of a connection means, and when the next one begins.

use std::time::Duration;

use tokio::time::Instant;

use super::blame::{Ending, Outstanding, blame};
use super::retry::{How, Next, longest_pause};
use super::{Session, State, open};
use crate::connection::Ended;
use crate::inflight::{Blame, Said};
use crate::packet::Fault;
use crate::{Claim, Error, Event};

impl Session {
    pub(super) fn not_opened(&mut self, error: Error) {
        self.inflight.not_connected();
        let how = match error {
            Error::ConnectionRefused { .. } | Error::Protocol { .. } => How::Refused,
            _ => How::NotConnected,
        };
        self.wait(how, Duration::ZERO, error);
    }

    pub(super) fn ended(&mut self, ended: Ended, lasted: Duration) {
        let (end, said) = match &ended {
            Ended::Closed => (Ending::Silent, Some(Said::Nothing)),
            Ended::Dismissed(code, reason) => {
                let fault = code.fault();
                let ours = !matches!(fault, Fault::Broker | Fault::TakenOver);
                (
                    Ending::Said(fault),
                    ours.then_some(Said::Code(*code, reason)),
                )
            }
            Ended::Lost(_) | Ended::Protocol(_) => (Ending::Broken, None),
        };
        let how = blame(
            end,
            Outstanding {
                subscribe: self.subscription.is_suspect(),
                denied: self.subscription.denied.is_some(),
                publication: said
                    .map_or(Blame::Unclear, |said| self.inflight.closed_by_broker(said)),
                draining: self.drain.started(),
            },
        );
        self.report_done();
        let mut error = ended.into_error(self.options.broker.address());
        if let (Error::Lost { reason, .. }, Some(over)) = (&mut error, self.over_what(how)) {
            reason.push_str(&over);
        }
        self.wait(how, lasted, error);
    }

    /// What explains the end of a connection, for the reason of an error.
    fn over_what(&self, how: How) -> Option<String> {
        match how {
            How::ClosedOverSubscription => {
                let filters = self.options.subscriptions.iter();
                let filters: Vec<_> = filters.map(|(filter, _)| format!("{filter:?}")).collect();
                Some(format!(
                    " over the subscription to {}, as brokers do that do not allow it, or do not support wildcards or \
                     shared subscriptions",
                    filters.join(" and ")
                ))
            }
            How::ClosedAfterDenial => {
                let denied = self.subscription.denied.as_ref()?;
                Some(format!(" after it had refused {denied}"))
            }
            How::ClosedOverPublication => Some(" over a publication".to_owned()),
            _ => None,
        }
    }

    /// Waits for the next connection.
    fn wait(&mut self, how: How, lasted: Duration, error: Error) {
        let next = self.retry.decide(how, lasted);
        let longest = longest_pause(how, self.near);
        let retry_in = self.retry.pause(next, longest, self.options.takeover_retry);
        let until = Instant::now() + retry_in;
        let (error, state) = match next {
            _ if self.retry.yields() => (self.taken_over(), State::Away(None)),
            Next::StayAway => (self.taken_over(), State::Away(Some(until))),
            Next::BackOff | Next::AtOnce => (error, State::Waiting(until)),
        };
        self.disconnected(state, error, retry_in);
    }

    fn disconnected(&mut self, state: State, error: Error, retry_in: Duration) {
        self.subscription.ended();
        self.state = state;
        self.events
            .push_back(Event::Disconnected { error, retry_in });
        self.drained_with_its_connection();
    }

    fn taken_over(&self) -> Error {
        Error::TakenOver {
            client_id: self.options.client_id.clone(),
        }
    }

    /// Leaves the session to the other client until the owner claims it.
    pub(super) fn give_way(&mut self) {
        let error = self.taken_over();
        self.disconnected(State::Away(None), error, self.options.takeover_retry);
    }

    pub(super) fn set_claim(&mut self, claim: Claim) {
        if !self.retry.claim(claim) {
            return;
        }
        match (claim, &self.state) {
            (Claim::Held, State::Away(_)) | (Claim::Contested, State::Away(None)) => {
                self.state = State::Opening(open(&self.options));
            }
            // A connection that is being opened is closed when it is open: the broker would open it in any case, and
            // disconnect the other client later than the owner knows.
            (Claim::Yielded, State::Waiting(_) | State::Away(_) | State::Open(_)) => {
                self.give_way();
            }
            _ => {}
        }
    }
}
