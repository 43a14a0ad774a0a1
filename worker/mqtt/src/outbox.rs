//! Publications until the broker has them.

use std::collections::{HashMap, VecDeque};

use bytes::BytesMut;
use crds::validated::{MqttVersion, Qos};

use super::caution::Caution;
use super::packet::{Limits, Writer};
use super::{Publication, Refused};

/// What is written ahead of the socket: enough to fill it, and little enough to be cheap to write
/// again after a reconnect.
const WRITE_AHEAD: usize = 256 << 10;

/// Most in flight at QoS 2 in MQTT 3.1.1, where a broker cannot say how many it keeps. mosquitto keeps
/// 20 by default, acknowledges more, and drops them.
const EXACTLY_ONCE_WINDOW: usize = 20;

/// A publication that is done.
pub(super) type Done = (u64, Result<(), Refused>);

/// See the module's description.
#[derive(Debug)]
pub(super) struct Outbox {
    /// Not sent on this connection, oldest first.
    waiting: VecDeque<Flight>,
    /// Sent at QoS 1 and 2 and not acknowledged, by packet id.
    sent: HashMap<u16, Flight>,
    /// Sent at QoS 0, with the position in the stream after which they are written.
    unwritten: VecDeque<(u64, Flight)>,
    /// Ends of publications that the owner has not been told of.
    done: Vec<Done>,
    next_id: u16,
    next_order: u64,
    /// Most in flight by our own settings, and by the broker's on this connection.
    window: usize,
    broker_window: usize,
    limit: usize,
    broker_limit: usize,
    /// The most that the broker takes.
    broker_qos: Qos,
    caution: Caution,
    /// Whether the broker closed the last connection with publications on their way.
    closed: bool,
    /// How much of the stream was written.
    written: u64,
}

#[derive(Debug)]
struct Flight {
    order: u64,
    token: u64,
    publication: Publication,
    /// Packet id, once it was sent.
    id: Option<u16>,
    /// At QoS 2: the broker has it, only the handshake is not over.
    received: bool,
    /// Where it begins in the stream, and its size there.
    start: u64,
    size: usize,
    /// How often in a row the broker closed the connection over it.
    closes: u8,
}

impl Outbox {
    pub(super) fn new(window: u16, limit: u32) -> Self {
        Self {
            waiting: VecDeque::new(),
            sent: HashMap::new(),
            unwritten: VecDeque::new(),
            done: Vec::new(),
            next_id: 0,
            next_order: 0,
            window: usize::from(window.max(1)),
            broker_window: usize::MAX,
            limit: limit as usize,
            broker_limit: usize::MAX,
            broker_qos: Qos::ExactlyOnce,
            caution: Caution::default(),
            closed: false,
            written: 0,
        }
    }

    pub(super) fn capacity(&self) -> usize {
        let taken = self.waiting.len() + self.on_the_way();
        self.window.saturating_sub(taken)
    }

    fn on_the_way(&self) -> usize {
        self.sent.len() + self.unwritten.len()
    }

    pub(super) fn add(&mut self, publication: Publication, token: u64) {
        self.waiting.push_back(Flight {
            order: self.next_order,
            token,
            publication,
            id: None,
            received: false,
            start: 0,
            size: 0,
            closes: 0,
        });
        self.next_order += 1;
    }

    /// A connection begins: what is not done is sent again, in the order in which it was given.
    pub(super) fn connected(&mut self, session_present: bool, limits: Limits) {
        self.broker_window = limits
            .receive_maximum
            .map_or(usize::MAX, usize::from)
            .max(1);
        self.broker_limit = limits
            .max_packet_size
            .map_or(usize::MAX, |size| size as usize);
        self.broker_qos = limits.qos.unwrap_or(Qos::ExactlyOnce);
        self.caution.connected(std::mem::take(&mut self.closed));
        self.written = 0;
        let sent = self.sent.drain().map(|(_, flight)| flight);
        let unwritten = self.unwritten.drain(..).map(|(_, flight)| flight);
        let mut again: Vec<_> = sent.chain(unwritten).collect();
        again.sort_unstable_by_key(|flight| flight.order);
        for mut flight in again.into_iter().rev() {
            if !session_present {
                flight.id = None;
                flight.received = false;
            }
            self.waiting.push_front(flight);
        }
    }

    /// Writes what the window and the write buffer have room for. `position` is where the buffer
    /// begins in the connection's stream of bytes.
    pub(super) fn send(&mut self, writer: Writer, buffer: &mut BytesMut, position: u64) {
        while buffer.len() < WRITE_AHEAD
            && let Some(flight) = self.waiting.front()
            && self.sent.len() < self.window_of(flight.publication.qos, writer.version)
            && let size = writer.publish_size(&flight.publication)
            && self
                .caution
                .admits(size, self.sent.len() + self.unwritten.len())
            && let Some(mut flight) = self.waiting.pop_front()
        {
            flight.publication.qos = flight.publication.qos.min(self.broker_qos);
            flight.size = size;
            flight.start = position + buffer.len() as u64;
            let limit = self.limit.min(self.broker_limit);
            if size > limit {
                let refused = Refused::TooLarge { size, limit };
                self.done.push((flight.token, Err(refused)));
                continue;
            }
            if flight.publication.qos == Qos::AtMostOnce {
                writer.publish(&flight.publication, 0, false, buffer);
                let end = position + buffer.len() as u64;
                self.unwritten.push_back((end, flight));
                continue;
            }
            let duplicate = flight.id.is_some();
            let id = flight.id.unwrap_or_else(|| self.free_id());
            flight.id = Some(id);
            if flight.received {
                writer.pubrel(id, buffer);
            } else {
                writer.publish(&flight.publication, id, duplicate, buffer);
            }
            self.sent.insert(id, flight);
        }
    }

    /// Most in flight for one more at this quality of service to go out.
    fn window_of(&self, qos: Qos, version: MqttVersion) -> usize {
        match qos {
            Qos::AtMostOnce => usize::MAX,
            Qos::ExactlyOnce if version == MqttVersion::V3_1_1 => {
                self.window.min(EXACTLY_ONCE_WINDOW)
            }
            _ => self.window.min(self.broker_window),
        }
    }

    /// The stream was written up to `position`.
    pub(super) fn written(&mut self, position: u64) {
        self.written = position;
        while let Some((end, _)) = self.unwritten.front()
            && *end <= position
            && let Some((_, flight)) = self.unwritten.pop_front()
        {
            self.caution.taken(self.window);
            self.done.push((flight.token, Ok(())));
        }
    }

    /// The broker closed the connection without a word. Whether it did so over the only publication that
    /// was on its way; the one over which it does so again and again is refused.
    pub(super) fn closed_by_broker(&mut self) -> bool {
        self.closed = self.on_the_way() > 0;
        let written = self.written;
        let unwritten = self.unwritten.iter_mut().map(|(_, flight)| flight);
        let mut flights = self.sent.values_mut().chain(unwritten);
        let (Some(only), None) = (flights.next(), flights.next()) else {
            return false;
        };
        if only.received || only.start >= written {
            return false;
        }
        only.closes += 1;
        let (token, size, closes) = (only.token, only.size, only.closes);
        if self.caution.refuses(size, closes) {
            self.sent.clear();
            self.unwritten.clear();
            let refused = Refused::ByClosing { size };
            self.done.push((token, Err(refused)));
        }
        true
    }

    /// The broker is away: what it did before, it may have done as it went.
    pub(super) fn not_connected(&mut self) {
        let unwritten = self.unwritten.iter_mut().map(|(_, flight)| flight);
        let flights = self.sent.values_mut().chain(unwritten);
        for flight in flights.chain(&mut self.waiting) {
            flight.closes = 0;
        }
    }

    /// PUBACK. One for nothing that was sent, as after a broker's restart, means nothing.
    pub(super) fn acknowledged(&mut self, id: u16, refused: Option<String>) {
        let expected = |flight: &Flight| flight.publication.qos == Qos::AtLeastOnce;
        if self.sent.get(&id).is_some_and(expected) {
            self.end(id, refused);
        }
    }

    /// PUBREC: the publication's other half begins, unless the broker refused it.
    pub(super) fn received(
        &mut self,
        id: u16,
        refused: Option<String>,
        writer: Writer,
        buffer: &mut BytesMut,
    ) {
        if refused.is_some() {
            self.end(id, refused);
            return;
        }
        if let Some(flight) = self.sent.get_mut(&id) {
            flight.received = true;
        }
        // For an unknown id too: the broker waits for it.
        writer.pubrel(id, buffer);
    }

    /// PUBCOMP.
    pub(super) fn completed(&mut self, id: u16) {
        if self.sent.get(&id).is_some_and(|flight| flight.received) {
            self.end(id, None);
        }
    }

    fn end(&mut self, id: u16, refused: Option<String>) {
        if let Some(flight) = self.sent.remove(&id) {
            self.caution.taken(self.window);
            let result = refused.map_or(Ok(()), |reason| Err(Refused::ByBroker(reason)));
            self.done.push((flight.token, result));
        }
    }

    /// Whether [`Self::take_done`] would give nothing.
    pub(super) fn nothing_done(&self) -> bool {
        self.done.is_empty()
    }

    /// Takes the publications that ended.
    pub(super) fn take_done(&mut self) -> std::vec::Drain<'_, Done> {
        self.done.drain(..)
    }

    /// A packet id that nothing in flight uses.
    pub(super) fn free_id(&mut self) -> u16 {
        loop {
            self.next_id = self.next_id.wrapping_add(1).max(1);
            let waits = |flight: &Flight| flight.id == Some(self.next_id);
            // Only the first few that wait can have an id, from the connection before.
            if !self.sent.contains_key(&self.next_id)
                && !self
                    .waiting
                    .iter()
                    .take_while(|flight| flight.id.is_some())
                    .any(waits)
            {
                return self.next_id;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITER: Writer = Writer {
        version: MqttVersion::V3_1_1,
    };

    fn publication(qos: Qos) -> Publication {
        Publication {
            topic: "t".into(),
            payload: bytes::Bytes::from_static(b"p"),
            qos,
            retain: false,
        }
    }

    fn sent(outbox: &mut Outbox) -> Vec<u8> {
        let mut buffer = BytesMut::new();
        outbox.send(WRITER, &mut buffer, 0);
        buffer.to_vec()
    }

    #[test]
    fn no_more_is_in_flight_than_the_broker_allows() {
        let mut outbox = Outbox::new(10, 1000);
        for token in 0..3 {
            outbox.add(publication(Qos::AtLeastOnce), token);
        }
        outbox.connected(
            false,
            Limits {
                receive_maximum: Some(2),
                ..Limits::default()
            },
        );
        assert_eq!(sent(&mut outbox).len(), 2 * 8);
        outbox.acknowledged(1, None);
        assert_eq!(sent(&mut outbox)[..6], [0x32, 6, 0, 1, b't', 0]);
        assert_eq!(outbox.take_done().collect::<Vec<_>>(), [(0, Ok(()))]);
        assert_eq!(outbox.capacity(), 8);
    }

    #[test]
    fn what_is_not_acknowledged_is_sent_again_in_order() {
        let mut outbox = Outbox::new(10, 1000);
        outbox.add(publication(Qos::ExactlyOnce), 0);
        outbox.add(publication(Qos::AtLeastOnce), 1);
        outbox.add(publication(Qos::AtMostOnce), 2);
        sent(&mut outbox);
        outbox.received(1, None, WRITER, &mut BytesMut::new());
        outbox.connected(true, Limits::default());
        let again = sent(&mut outbox);
        assert_eq!(again[..4], [0x62, 2, 0, 1], "PUBREL, the broker has it");
        assert_eq!(
            again[4..],
            [0x3A, 6, 0, 1, b't', 0, 2, b'p', 0x30, 4, 0, 1, b't', b'p']
        );
        outbox.connected(false, Limits::default());
        let fresh = sent(&mut outbox);
        assert_eq!(fresh[0], 0x34, "a lost session knows of nothing");
        outbox.written(1000);
        assert_eq!(outbox.take_done().collect::<Vec<_>>(), [(2, Ok(()))]);
    }

    #[test]
    fn a_publication_over_the_limit_is_refused_and_the_next_goes_out() {
        let mut outbox = Outbox::new(10, 20);
        let mut large = publication(Qos::AtLeastOnce);
        large.payload = vec![0; 100].into();
        outbox.add(large, 0);
        outbox.add(publication(Qos::AtLeastOnce), 1);
        assert_eq!(sent(&mut outbox).len(), 8);
        let refused = Refused::TooLarge {
            size: 107,
            limit: 20,
        };
        assert_eq!(outbox.take_done().collect::<Vec<_>>(), [(0, Err(refused))]);
    }

    /// mosquitto acknowledges more than it keeps, and loses them.
    #[test]
    fn few_are_in_flight_at_qos_2_where_a_broker_cannot_say_how_many_it_keeps() {
        let mut outbox = Outbox::new(100, 1000);
        for token in 0..50 {
            outbox.add(publication(Qos::ExactlyOnce), token);
        }
        assert_eq!(sent(&mut outbox).len(), EXACTLY_ONCE_WINDOW * 8);
    }

    /// As a broker of MQTT 3.1.1 does with what is larger than it takes.
    #[test]
    fn a_publication_over_which_the_broker_closes_again_and_again_is_refused() {
        for qos in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
            let mut outbox = Outbox::new(10, 1000);
            for token in 0..3 {
                outbox.add(publication(qos), token);
            }
            let size = sent(&mut outbox).len() / 3;
            outbox.written(1);
            assert!(!outbox.closed_by_broker(), "it may be any of the three");
            for _ in 0..3 {
                outbox.connected(false, Limits::default());
                assert_eq!(sent(&mut outbox).len(), size, "{qos:?}: one alone");
                outbox.written(1);
                assert_eq!(outbox.take_done().count(), 0);
                assert!(outbox.closed_by_broker());
            }
            let refused = Refused::ByClosing { size };
            assert_eq!(outbox.take_done().collect::<Vec<_>>(), [(0, Err(refused))]);
            outbox.connected(false, Limits::default());
            assert_eq!(sent(&mut outbox).len(), size, "{qos:?}: the next");
        }
    }

    #[test]
    fn a_broker_that_goes_away_refuses_nothing() {
        let mut outbox = Outbox::new(10, 1000);
        outbox.add(publication(Qos::AtLeastOnce), 0);
        for _ in 0..10 {
            outbox.connected(false, Limits::default());
            sent(&mut outbox);
            outbox.written(8);
            outbox.closed_by_broker();
            outbox.not_connected();
        }
        for _ in 0..10 {
            outbox.connected(false, Limits::default());
            sent(&mut outbox);
            // Closed before a byte of it was written: over something else.
            assert!(!outbox.closed_by_broker());
        }
        assert_eq!(outbox.take_done().count(), 0);
    }

    #[test]
    fn a_broker_without_qos_2_gets_what_it_takes() {
        let mut outbox = Outbox::new(100, 1000);
        outbox.add(publication(Qos::ExactlyOnce), 0);
        let limits = Limits {
            qos: Some(Qos::AtLeastOnce),
            ..Limits::default()
        };
        outbox.connected(false, limits);
        assert_eq!(sent(&mut outbox)[0], 0x32);
        outbox.acknowledged(1, None);
        assert_eq!(outbox.take_done().count(), 1);
    }

    /// rumqttc ends the connection over one (its issue 1053).
    #[test]
    fn acknowledgements_of_nothing_mean_nothing() {
        let mut outbox = Outbox::new(10, 1000);
        outbox.acknowledged(7, None);
        outbox.completed(7);
        assert_eq!(outbox.take_done().count(), 0);
        outbox.add(publication(Qos::AtLeastOnce), 0);
        outbox.add(publication(Qos::ExactlyOnce), 1);
        sent(&mut outbox);
        outbox.completed(1);
        outbox.completed(2);
        outbox.acknowledged(2, None);
        assert_eq!(outbox.take_done().count(), 0);
    }
}
