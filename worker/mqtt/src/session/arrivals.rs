//! Carries out what the table of outcomes says of the packets that a connection brings.

use crds::topic::reaches;
use crds::validated::Qos;

use super::subscription::Answered;
use super::{Event, Session, State};
use crate::connection::{Ended, Found};
use crate::outcomes::{Kind, Met, Outcome, outcome};
use crate::packet::{Answer, Inbound, Publish, Violation};
use crate::{Incoming, Notice};

impl Session {
    pub(super) fn take(&mut self, found: Found) {
        let received = match found {
            Found::Packet(received) => received,
            Found::Oversized { size, qos, id } => {
                if self.discard(Inbound::Unreadable { qos, id }) {
                    let limit = self.options.max_packet_size as usize;
                    self.events.push_back(Event::Oversized { size, limit });
                }
                return;
            }
        };
        if let Some(violation) = received.violation {
            self.tell(Notice::Violation(violation.to_string()));
        }
        if matches!(received.packet, Inbound::Unreadable { .. }) {
            if self.discard(received.packet) {
                self.events.push_back(Event::Malformed);
            }
        } else {
            self.receive(received.packet);
        }
    }

    /// Acknowledges a discarded message; whether it came for the first time.
    fn discard(&mut self, unreadable: Inbound) -> bool {
        let before = self.messages;
        self.receive(unreadable);
        self.messages > before
    }

    fn receive(&mut self, packet: Inbound) {
        let (outcome, broken) = outcome(Kind::of(&packet), self.met(&packet));
        if let Some((packet, what, sections)) = broken {
            let broken = Violation::new(self.options.version, packet, what, sections);
            self.tell(Notice::Violation(broken.to_string()));
        }
        let State::Open(connection) = &mut self.state else {
            // The broker ended the connection before this.
            return;
        };
        let (writer, output) = (self.writer, &mut connection.output);
        match (outcome, packet) {
            (Outcome::Deliver, Inbound::Publish(publish)) => self.deliver(publish),
            (Outcome::Discard, Inbound::Unreadable { qos, id }) => {
                self.messages += 1;
                if let Some(tag) = self.inbox.admit(qos, id) {
                    self.inbox.acknowledge(tag, writer, output);
                }
            }
            (
                Outcome::ReceiveAgain,
                Inbound::Publish(Publish { id, .. }) | Inbound::Unreadable { id, .. },
            ) => {
                writer.pubrec(id, output);
            }
            (Outcome::Complete, Inbound::PubRel { id }) => self.inbox.released(id, writer, output),
            (
                Outcome::Done,
                Inbound::PubAck { id, .. } | Inbound::PubRec { id, .. } | Inbound::PubComp { id },
            ) => self.inflight.done(id),
            (Outcome::DoneAtQos1, Inbound::PubAck { id, .. }) => self.inflight.done_at_qos_1(id),
            (
                Outcome::Refuse,
                Inbound::PubAck {
                    id,
                    refused: Some(reason),
                }
                | Inbound::PubRec {
                    id,
                    refused: Some(reason),
                },
            ) => {
                self.subscription.denied = Some(format!("a publication: {reason}"));
                self.inflight.refused(id, reason);
            }
            (Outcome::Release, Inbound::PubRec { id, .. }) => {
                self.inflight.release(id, writer, output);
            }
            (Outcome::ReleaseDone, Inbound::PubRec { id, .. }) => {
                writer.pubrel(id, output);
                self.inflight.done(id);
            }
            (Outcome::Subscribed, Inbound::SubAck { id, answers }) => {
                self.inflight.give_up(id);
                self.subscribed(&answers);
            }
            (Outcome::Unsubscribed, Inbound::UnsubAck { id }) => {
                self.inflight.give_up(id);
                self.drain.unsubscribed(id);
            }
            (Outcome::Alive, _) => connection.ponged(),
            (Outcome::End, packet) => {
                let lasted = connection.since.elapsed();
                let ended = match packet {
                    Inbound::Disconnect { code, reason } => Ended::Dismissed(code, reason),
                    _ => Ended::Closed,
                };
                self.ended(ended, lasted);
            }
            // What has no more to it than being told.
            _ => {}
        }
    }

    /// What a packet meets.
    fn met(&self, packet: &Inbound) -> Met {
        match packet {
            Inbound::Publish(Publish { qos, id, .. }) | Inbound::Unreadable { qos, id } => {
                self.inbox.met(*qos, *id)
            }
            Inbound::PubRel { id } => self.inbox.met(Qos::ExactlyOnce, *id),
            Inbound::PubAck { id, .. } | Inbound::PubRec { id, .. } | Inbound::PubComp { id } => {
                self.inflight.met(*id)
            }
            Inbound::SubAck { id, .. } => asked(self.subscription.asked == Some(*id)),
            Inbound::UnsubAck { id } => asked(self.drain.awaits(*id)),
            Inbound::ConnAck { .. }
            | Inbound::PingResp
            | Inbound::Close
            | Inbound::Disconnect { .. }
            | Inbound::Foreign => Met::Nothing,
        }
    }

    fn deliver(&mut self, publish: Publish) {
        if let State::Open(connection) = &self.state
            && connection.closed_unread()
            && publish.qos != Qos::AtMostOnce
        {
            // There was no room for it, it cannot be acknowledged any more, and the broker delivers it again.
            return;
        }
        self.messages += 1;
        let tag = self.inbox.admit(publish.qos, publish.id);
        let known = self.topic.as_bytes() == publish.topic;
        if !known {
            self.topic = String::from_utf8_lossy(&publish.topic).into();
            let mut filters = self.options.subscriptions.iter();
            self.wanted = filters.any(|(filter, _)| reaches(&self.topic, filter));
        }
        if self.wanted {
            self.events.push_back(Event::Message(Incoming {
                topic: self.topic.clone(),
                payload: publish.payload,
                tag,
                duplicate: publish.duplicate,
                retained: publish.retained,
                qos: publish.qos,
                properties: publish.properties,
            }));
            return;
        }
        // The broker's session is older than the configuration and has other subscriptions; MQTT does not tell which, so
        // they cannot be ended.
        if let (Some(tag), State::Open(connection)) = (tag, &mut self.state) {
            self.inbox
                .acknowledge(tag, self.writer, &mut connection.output);
        }
        self.events.push_back(Event::Unasked {
            topic: self.topic.clone(),
        });
    }

    fn subscribed(&mut self, answers: &[Answer]) {
        let filters = &self.options.subscriptions;
        match self.subscription.answered(filters, answers) {
            Answered::Again => self.subscribe(),
            Answered::Tell(events) => self.events.extend(events),
        }
    }
}

fn asked(asked: bool) -> Met {
    if asked { Met::Asked } else { Met::Nothing }
}
