//! What ends a publication: the broker's acknowledgements, or at QoS 0 that it is written.

use bytes::BytesMut;
use crds::validated::Qos;

use super::Inflight;
use crate::Refused;
use crate::outcomes::Met;
use crate::packet::Writer;

impl Inflight {
    /// The stream was written up to `position`.
    pub(crate) fn written(&mut self, position: u64) {
        self.written = position;
        while let Some((end, _)) = self.unwritten.front()
            && *end <= position
            && let Some((_, flight)) = self.unwritten.pop_front()
        {
            self.finish(flight.token, Ok(()));
        }
    }

    /// What an acknowledgement with this packet id meets.
    pub(crate) fn met(&self, id: u16) -> Met {
        self.sent.get(&id).map_or(Met::Nothing, |flight| {
            match (flight.publication.qos, flight.received) {
                (Qos::ExactlyOnce, true) => Met::Released,
                (Qos::ExactlyOnce, false) => Met::ExactlyOnce,
                _ => Met::AtLeastOnce,
            }
        })
    }

    /// The broker took the publication.
    pub(crate) fn done(&mut self, id: u16) {
        self.end(id, Ok(()));
    }

    /// The same, and it answered a publication at QoS 2 as one at QoS 1.
    pub(crate) fn done_at_qos_1(&mut self, id: u16) {
        self.learned.lower(Qos::AtLeastOnce);
        self.done(id);
    }

    /// The broker refused the publication.
    pub(crate) fn refused(&mut self, id: u16, reason: String) {
        self.end(id, Err(Refused::ByBroker(reason)));
    }

    /// The broker has the publication at QoS 2: its other half begins.
    pub(crate) fn release(&mut self, id: u16, writer: Writer, buffer: &mut BytesMut) {
        if let Some(flight) = self.sent.get_mut(&id) {
            flight.received = true;
        }
        writer.pubrel(id, buffer);
    }

    fn end(&mut self, id: u16, result: Result<(), Refused>) {
        if let Some(flight) = self.sent.remove(&id) {
            self.finish(flight.token, result);
        }
    }

    /// The broker took a publication, or refused it and nothing else.
    fn finish(&mut self, token: u64, result: Result<(), Refused>) {
        self.poison.taken(self.window);
        self.done.push((token, result));
    }
}
