//! What becomes of the packets that a connection brings.

use std::time::Duration;

use crds::topic::reaches;

use super::subscription::granted;
use super::{Event, How, Session, State};
use crate::Incoming;
use crate::connection::{Ended, Found};
use crate::inbox::Admitted;
use crate::packet::{Inbound, Publish};

impl Session {
    pub(super) fn take(&mut self, found: Found) {
        let State::Open(connection) = &mut self.state else {
            // The broker said goodbye before this.
            return;
        };
        let (writer, output) = (self.writer, &mut connection.output);
        match found {
            Found::Oversized { size, qos, id } => {
                self.messages += 1;
                let limit = self.options.max_packet_size as usize;
                if let Admitted::New(Some(tag)) = self.inbox.admit(qos, id, writer, output) {
                    self.inbox.acknowledge(tag, writer, output);
                }
                self.events.push_back(Event::Oversized { size, limit });
            }
            Found::Packet(Inbound::Publish(publish)) => self.publish_came(publish),
            Found::Packet(Inbound::PubAck { id, refused }) => {
                self.inflight.acknowledged(id, refused);
            }
            Found::Packet(Inbound::PubRec { id, refused }) => {
                self.inflight.received(id, refused, writer, output);
            }
            Found::Packet(Inbound::PubRel { id }) => self.inbox.released(id, writer, output),
            Found::Packet(Inbound::PubComp { id }) => self.inflight.completed(id),
            Found::Packet(Inbound::SubAck { id, refused }) => self.subscribed(id, refused),
            Found::Packet(Inbound::UnsubAck { id }) => self.drain.unsubscribed(id),
            Found::Packet(Inbound::PingResp) => connection.ponged(),
            Found::Packet(Inbound::Disconnect { reason, taken_over }) => {
                let lasted = connection.since.elapsed();
                self.dismissed(&reason, taken_over, lasted);
            }
            Found::Packet(Inbound::Close) => {
                let lasted = connection.since.elapsed();
                self.ended(Ended::Closed, lasted);
            }
            // A second greeting means nothing.
            Found::Packet(Inbound::ConnAck { .. }) => {}
        }
    }

    fn publish_came(&mut self, publish: Publish) {
        let State::Open(connection) = &mut self.state else {
            return;
        };
        self.messages += 1;
        let output = &mut connection.output;
        let admitted = self
            .inbox
            .admit(publish.qos, publish.id, self.writer, output);
        let Admitted::New(tag) = admitted else {
            return;
        };
        let known = self.topic.as_bytes() == publish.topic;
        if !known {
            self.topic = String::from_utf8_lossy(&publish.topic).into();
            let mut filters = self.options.subscriptions.iter();
            self.wanted = filters.any(|(filter, _)| reaches(&self.topic, filter));
            if !self.wanted {
                // The broker's session is older than the configuration and has other subscriptions;
                // MQTT does not tell which, so they cannot be ended.
                tracing::warn!(
                    topic = &*self.topic,
                    client_id = self.options.client_id,
                    "Messages of an earlier subscription discarded"
                );
            }
        }
        if !self.wanted {
            if let Some(tag) = tag {
                self.inbox.acknowledge(tag, self.writer, output);
            }
            return;
        }
        self.events.push_back(Event::Message(Incoming {
            topic: self.topic.clone(),
            payload: publish.payload,
            tag,
            duplicate: publish.duplicate,
            retained: publish.retained,
        }));
    }

    fn subscribed(&mut self, id: u16, refused: Vec<Option<String>>) {
        if self.subscribing != Some(id) {
            return;
        }
        self.subscribing = None;
        let filters = self.options.subscriptions.iter();
        let filters = filters.map(|(filter, _)| filter.as_str());
        self.events.extend(granted(filters, refused));
    }

    fn dismissed(&mut self, reason: &str, taken_over: bool, lasted: Duration) {
        if taken_over {
            let ended = Ended::Lost("another client took the session over".to_owned());
            let error = ended.into_error(self.options.broker.address());
            self.wait(How::TakenOver, lasted, error);
        } else {
            let reason = format!("the broker closed it: {reason}");
            self.ended(Ended::Lost(reason), lasted);
        }
    }
}
