//! The steps by which a session is left for good; see [`Leave`].

use super::{Event, Leave, Session, State};

impl Session {
    /// Of a session that the broker does not keep, nothing is left to be fetched.
    pub(super) fn lost_with_its_connection(&mut self) {
        if self.leave == Leave::Asked && self.options.clean_start {
            self.emptied();
        }
    }

    pub(super) fn emptied(&mut self) {
        self.leave = Leave::Done;
        self.events.push_back(Event::Emptied);
    }

    /// The next step of leaving, if it can be taken.
    pub(super) fn go_on_leaving(&mut self) {
        let State::Open(connection) = &mut self.state else {
            return;
        };
        if self.leave.look(connection.pongs(), self.messages) {
            self.events.push_back(Event::Emptied);
        }
        match self.leave {
            Leave::Asked => {
                let id = self.outbox.free_id();
                let filters = self.options.subscriptions.iter();
                let filters = filters.map(|(filter, _)| filter.clone()).collect();
                self.writer.unsubscribe(id, filters, &mut connection.output);
                self.leave = Leave::Unsubscribing(id);
            }
            Leave::Unsubscribed if self.inbox.is_done() => {
                self.leave = Leave::Asking {
                    pongs: connection.ping(),
                    messages: self.messages,
                };
            }
            _ => {}
        }
    }
}
