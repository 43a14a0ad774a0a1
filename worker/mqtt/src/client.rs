//! What the owner of a session calls.

use std::future::Future;

use super::{Claim, DeliveryTag, Event, Publication};

/// One MQTT session, over as many connections as it takes.
pub trait Client: Send {
    /// Drives the session until it has an event: connects (after a back-off with jitter), pings, reads, and writes what
    /// the other methods queued. Cancel-safe, since all state lives in the session.
    fn drive(&mut self) -> impl Future<Output = ()> + Send;

    /// Takes the next event that [`Client::drive`] found.
    fn next_event(&mut self) -> Option<Event>;

    /// `false` stops reading messages, which then stay at the broker; pings, acknowledgements and the connection
    /// continue.
    fn set_intake(&mut self, open: bool);

    /// Acknowledges a message. Acknowledgements are sent in order of receipt (MQTT-4.6.0-2), each as soon as all before it
    /// are done; a tag of an earlier connection is ignored.
    fn ack(&mut self, tag: DeliveryTag);

    /// How many more publications the session accepts now.
    fn publish_capacity(&self) -> usize;

    /// Queues a publication; [`Event::Published`] with `token` ends it. Publications at QoS 1 and 2
    /// survive reconnects.
    fn publish(&mut self, publication: Publication, token: u64);

    /// Drains the session: ends its subscriptions. Messages that the broker holds for the session still arrive and must be
    /// acknowledged, until [`Event::Drained`]. A session that the broker doesn't persist ends with its connection.
    fn drain(&mut self);

    /// Sets what happens when another client uses the client id. A session that yields is disconnected; one that stays away
    /// connects at once when it is held.
    fn claim(&mut self, claim: Claim);

    /// Writes what is queued, sends DISCONNECT and closes.
    fn disconnect(self) -> impl Future<Output = ()> + Send;

    /// Deletes a drained session at the broker and disconnects; `false` if another client has taken the session
    /// since. Driven further, the session connects again after a while, and drains what it finds then.
    fn delete_session(&mut self) -> impl Future<Output = bool> + Send;
}
