//! ADR 12: the end of a session that no worker comes back to: drained, then deleted.

mod drain;

use tokio::time::Instant;

pub(super) use drain::Drain;
use drain::{Seen, Step};

use super::{Connection, Event, Options, Session, State};

impl Session {
    /// From now on the session gets no new messages.
    pub(super) fn start_drain(&mut self) {
        if !self.drain.start() {
            return;
        }
        if !matches!(self.state, State::Open(_)) {
            self.drained_with_its_connection();
        }
    }

    /// A connection begins. Whether the session is to subscribe on it.
    pub(super) fn wants_subscriptions(&mut self, session_present: bool) -> bool {
        if !session_present && self.drain.gone() {
            self.events.push_back(Event::Drained);
        }
        !self.drain.started()
    }

    /// A connection is gone. Of a session that the broker does not keep, everything is gone with it.
    pub(super) fn drained_with_its_connection(&mut self) {
        self.drain.disconnected();
        if self.options.clean_start && self.drain.gone() {
            self.events.push_back(Event::Drained);
        }
    }

    /// Takes the next step of draining, if it is due.
    pub(super) fn drain_further(&mut self) {
        let State::Open(connection) = &mut self.state else {
            return;
        };
        let seen = Seen {
            acknowledged: self.inbox.is_done(),
            pongs: connection.pongs(),
            messages: self.messages,
        };
        match self.drain.step(seen) {
            Step::Wait => {}
            Step::Unsubscribe if self.options.subscriptions.is_empty() => {
                self.drain.nothing_to_unsubscribe();
                self.drain_further();
            }
            Step::Unsubscribe => {
                let id = self.inflight.free_id_from(u16::MAX);
                let filters = self.options.subscriptions.iter();
                let filters = filters.map(|(filter, _)| filter.clone()).collect();
                self.writer.unsubscribe(id, filters, &mut connection.output);
                self.inflight.hold(id);
                self.drain.unsubscribing(id);
            }
            Step::Ping => {
                let answer = connection.ping();
                self.drain.pinged(answer, seen.messages);
            }
            Step::Report => self.events.push_back(Event::Drained),
        }
    }

    /// Deletes a drained session; `false` if another client has taken it since, with what came for it.
    pub(super) async fn delete(&mut self) -> bool {
        self.drain = Drain::Asked;
        if !matches!(self.state, State::Open(_)) {
            return false;
        }
        let options = Options {
            clean_start: true,
            ..(*self.options).clone()
        };
        // The only way in MQTT 3.1.1: a clean session. Connecting ends our own connection, so that no other client
        // gets in between.
        let opened = Connection::open(&options).await;
        let pause = self.retry.taken_over(self.options.takeover_retry);
        self.state = State::Waiting(Instant::now() + pause);
        match opened {
            Ok((connection, ..)) => {
                connection.close().await;
                true
            }
            Err(error) => {
                tracing::warn!(
                    %error,
                    client_id = options.client_id,
                    "Failed to delete a drained session at the broker"
                );
                false
            }
        }
    }
}
