//! What ends a publication: the broker's acknowledgements, or at QoS 0 that it is written.

use bytes::BytesMut;
use crds::validated::Qos;

use super::{Flight, Inflight};
use crate::Refused;
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

    /// PUBACK. One for nothing that was sent, as after a broker's restart, means nothing.
    pub(crate) fn acknowledged(&mut self, id: u16, refused: Option<String>) {
        let expected = |flight: &Flight| flight.publication.qos == Qos::AtLeastOnce;
        if self.sent.get(&id).is_some_and(expected) {
            self.end(id, refused);
        }
    }

    /// PUBREC: the publication's other half begins, unless the broker refused it.
    pub(crate) fn received(
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
    pub(crate) fn completed(&mut self, id: u16) {
        if self.sent.get(&id).is_some_and(|flight| flight.received) {
            self.end(id, None);
        }
    }

    fn end(&mut self, id: u16, refused: Option<String>) {
        if let Some(flight) = self.sent.remove(&id) {
            let result = refused.map_or(Ok(()), |reason| Err(Refused::ByBroker(reason)));
            self.finish(flight.token, result);
        }
    }

    /// The broker took a publication, or refused it and nothing else.
    fn finish(&mut self, token: u64, result: Result<(), Refused>) {
        self.poison.taken(self.window);
        self.done.push((token, result));
    }
}
