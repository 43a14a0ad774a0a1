//! Publications until the broker has them.

mod acks;
mod closed;
mod learned;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};

use bytes::BytesMut;
use crds::validated::Qos;

use super::packet::{Limits, Writer};
use super::v3::Poison;
use super::{Notice, Publication, Refused};
pub(super) use closed::{Blame, Said};
use learned::Learned;

/// What is written ahead of the socket: enough to fill it, and little enough to be cheap to write
/// again after a reconnect.
const WRITE_AHEAD: usize = 256 << 10;

/// A publication that is done.
pub(super) type Done = (u64, Result<(), Refused>);

/// See the module's description.
#[derive(Debug)]
pub(super) struct Inflight {
    /// Not sent on this connection, oldest first.
    waiting: VecDeque<Flight>,
    /// Sent at QoS 1 and 2 and not acknowledged, by packet id.
    sent: HashMap<u16, Flight>,
    /// Sent at QoS 0, with the position in the stream after which they are written.
    unwritten: VecDeque<(u64, Flight)>,
    /// Ends of publications that the owner has not been told of.
    done: Vec<Done>,
    next_id: u16,
    /// Packet ids of a SUBSCRIBE and an UNSUBSCRIBE without an answer.
    held: Vec<u16>,
    next_order: u64,
    /// Most in flight by our own settings, and by the broker's on this connection.
    window: usize,
    broker_window: usize,
    /// Most in flight at QoS 2.
    exactly_once_window: usize,
    limit: usize,
    broker_limit: usize,
    learned: Learned,
    poison: Poison,
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

impl Inflight {
    pub(super) fn new(window: u16, limit: u32) -> Self {
        Self {
            waiting: VecDeque::new(),
            sent: HashMap::new(),
            unwritten: VecDeque::new(),
            done: Vec::new(),
            next_id: 0,
            held: Vec::new(),
            next_order: 0,
            window: usize::from(window.max(1)),
            broker_window: usize::MAX,
            exactly_once_window: usize::MAX,
            limit: limit as usize,
            broker_limit: usize::MAX,
            learned: Learned::default(),
            poison: Poison::default(),
            closed: false,
            written: 0,
        }
    }

    pub(super) fn capacity(&self) -> usize {
        let taken = self.waiting.len() + self.count();
        self.window.saturating_sub(taken)
    }

    /// Publications that wait for the broker's acknowledgement.
    pub(super) fn len(&self) -> usize {
        self.sent.len()
    }

    fn count(&self) -> usize {
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
        self.exactly_once_window = limits.exactly_once.map_or(usize::MAX, usize::from);
        self.broker_limit = limits
            .max_packet_size
            .map_or(usize::MAX, |size| size as usize);
        self.held.clear();
        self.learned.connected(&limits);
        self.poison.connected(std::mem::take(&mut self.closed));
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
            && self.sent.len() < self.window_of(flight.publication.qos)
            && let size = writer.publish_size(&flight.publication)
            && self
                .poison
                .admits(size, self.sent.len() + self.unwritten.len())
            && let Some(mut flight) = self.waiting.pop_front()
        {
            self.learned.fit(&mut flight.publication);
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
    fn window_of(&self, qos: Qos) -> usize {
        let window = self.window.min(self.broker_window);
        match qos {
            Qos::AtMostOnce => usize::MAX,
            Qos::AtLeastOnce => window,
            Qos::ExactlyOnce => window.min(self.exactly_once_window),
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

    /// Takes what users should know of how publications are changed for the broker.
    pub(super) fn take_notices(&mut self) -> std::vec::Drain<'_, Notice> {
        self.learned.take_notices()
    }

    /// A packet id that nothing in flight uses.
    pub(super) fn free_id(&mut self) -> u16 {
        loop {
            self.next_id = self.next_id.wrapping_add(1).max(1);
            if self.is_free(self.next_id) {
                return self.next_id;
            }
        }
    }

    /// The first from `first` on that nothing in flight uses.
    pub(super) fn free_id_from(&self, first: u16) -> u16 {
        let mut ids = (first..=u16::MAX).chain(1..first);
        ids.find(|id| self.is_free(*id)).unwrap_or(first)
    }

    /// Keeps publications from a packet id that is in use.
    pub(super) fn hold(&mut self, id: u16) {
        self.held.push(id);
    }

    /// The packet id is not in use any more.
    pub(super) fn give_up(&mut self, id: u16) {
        self.held.retain(|held| *held != id);
    }

    fn is_free(&self, id: u16) -> bool {
        let waits = |flight: &Flight| flight.id == Some(id);
        // Only the first few that wait can have an id, from the connection before.
        let mut waiting = self.waiting.iter().take_while(|flight| flight.id.is_some());
        !self.sent.contains_key(&id) && !self.held.contains(&id) && !waiting.any(waits)
    }
}
