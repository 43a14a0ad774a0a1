//! Received messages until they are acknowledged: in order of receipt (MQTT-4.6.0-2), and at QoS 2
//! until the broker releases them.

use std::collections::{HashSet, VecDeque};

use bytes::BytesMut;
use crds::validated::Qos;

use super::DeliveryTag;
use super::outcomes::Met;
use super::packet::Writer;

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    epoch: u64,
    /// Sequence number of the first entry.
    first: u64,
    entries: VecDeque<Entry>,
    /// Ids at QoS 2 with a sent PUBREC and no PUBREL yet. Like the session, they outlive a connection.
    received: HashSet<u16>,
}

#[derive(Debug)]
struct Entry {
    id: u16,
    qos: Qos,
    acknowledged: bool,
}

impl Inbox {
    /// Begins a connection, which invalidates the tags of the previous one: the broker sends those messages again.
    pub(super) fn connected(&mut self, epoch: u64, session_present: bool) {
        self.epoch = epoch;
        self.first += self.entries.len() as u64;
        self.entries.clear();
        if !session_present {
            self.received.clear();
        }
    }

    /// What a message or PUBREL under this packet id meets.
    pub(super) fn met(&self, qos: Qos, id: u16) -> Met {
        if qos != Qos::ExactlyOnce {
            return Met::Nothing;
        }
        if self.received.contains(&id) {
            return Met::Received;
        }
        let open = |entry: &Entry| entry.id == id && entry.qos == Qos::ExactlyOnce;
        if self.entries.iter().any(open) {
            Met::Owned
        } else {
            Met::Nothing
        }
    }

    /// A message is given to the owner; its tag at QoS 1 and 2.
    pub(super) fn admit(&mut self, qos: Qos, id: u16) -> Option<DeliveryTag> {
        // Without a packet id there is nothing to acknowledge.
        if qos == Qos::AtMostOnce || id == 0 {
            return None;
        }
        self.entries.push_back(Entry {
            id,
            qos,
            acknowledged: false,
        });
        Some(DeliveryTag {
            epoch: self.epoch,
            sequence: self.first + self.entries.len() as u64 - 1,
        })
    }

    /// Records that the owner is done with a message, and writes every acknowledgement that is due.
    pub(super) fn acknowledge(&mut self, tag: DeliveryTag, writer: Writer, buffer: &mut BytesMut) {
        if tag.epoch != self.epoch {
            return;
        }
        let entry = tag
            .sequence
            .checked_sub(self.first)
            .and_then(|index| self.entries.get_mut(usize::try_from(index).ok()?));
        if let Some(entry) = entry {
            entry.acknowledged = true;
        }
        while self.entries.front().is_some_and(|entry| entry.acknowledged)
            && let Some(entry) = self.entries.pop_front()
        {
            self.first += 1;
            if entry.qos == Qos::ExactlyOnce {
                self.received.insert(entry.id);
                writer.pubrec(entry.id, buffer);
            } else {
                writer.puback(entry.id, buffer);
            }
        }
    }

    /// Messages that the broker holds for us until they are acknowledged and released.
    pub(super) fn len(&self) -> usize {
        self.entries.len() + self.received.len()
    }

    /// Whether all received messages are acknowledged and released.
    pub(super) fn is_done(&self) -> bool {
        self.entries.is_empty() && self.received.is_empty()
    }

    /// Records that the broker released a message at QoS 2.
    pub(super) fn released(&mut self, id: u16, writer: Writer, buffer: &mut BytesMut) {
        self.received.remove(&id);
        writer.pubcomp(id, buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crds::validated::MqttVersion;

    const WRITER: Writer = Writer {
        version: MqttVersion::V3_1_1,
    };

    fn admit(inbox: &mut Inbox, qos: Qos, id: u16) -> DeliveryTag {
        inbox.admit(qos, id).unwrap()
    }

    #[test]
    fn acknowledgements_go_out_in_order_of_receipt() {
        let (mut inbox, mut buffer) = (Inbox::default(), BytesMut::new());
        inbox.connected(1, false);
        let tags: Vec<_> = [
            (Qos::AtLeastOnce, 5),
            (Qos::ExactlyOnce, 9),
            (Qos::AtLeastOnce, 6),
        ]
        .map(|(qos, id)| admit(&mut inbox, qos, id))
        .into();
        inbox.acknowledge(tags[2], WRITER, &mut buffer);
        inbox.acknowledge(tags[1], WRITER, &mut buffer);
        assert!(buffer.is_empty());
        inbox.acknowledge(tags[0], WRITER, &mut buffer);
        assert_eq!(buffer[..], [0x40, 2, 0, 5, 0x50, 2, 0, 9, 0x40, 2, 0, 6]);
    }

    #[test]
    fn acknowledgements_from_before_a_reconnect_are_dropped() {
        let (mut inbox, mut buffer) = (Inbox::default(), BytesMut::new());
        inbox.connected(1, false);
        let old = admit(&mut inbox, Qos::AtLeastOnce, 1);
        inbox.connected(2, true);
        let new = admit(&mut inbox, Qos::AtLeastOnce, 1);
        inbox.acknowledge(old, WRITER, &mut buffer);
        assert!(buffer.is_empty());
        inbox.acknowledge(new, WRITER, &mut buffer);
        assert_eq!(buffer[..], [0x40, 2, 0, 1]);
    }

    /// At QoS 2 the broker repeats what it has no PUBREC for; the owner must see it once.
    #[test]
    fn a_repeated_message_at_qos_2_is_known_until_it_is_released() {
        let (mut inbox, mut buffer) = (Inbox::default(), BytesMut::new());
        inbox.connected(1, false);
        let tag = admit(&mut inbox, Qos::ExactlyOnce, 3);
        assert_eq!(inbox.met(Qos::ExactlyOnce, 3), Met::Owned);
        assert_eq!(inbox.met(Qos::AtLeastOnce, 3), Met::Nothing);
        inbox.acknowledge(tag, WRITER, &mut buffer);
        inbox.connected(2, true);
        assert_eq!(inbox.met(Qos::ExactlyOnce, 3), Met::Received);
        inbox.released(3, WRITER, &mut buffer);
        assert_eq!(inbox.met(Qos::ExactlyOnce, 3), Met::Nothing);
    }

    #[test]
    fn what_cannot_be_acknowledged_has_no_tag() {
        let mut inbox = Inbox::default();
        assert_eq!(inbox.admit(Qos::AtMostOnce, 0), None);
        assert_eq!(inbox.admit(Qos::AtLeastOnce, 0), None);
    }
}
