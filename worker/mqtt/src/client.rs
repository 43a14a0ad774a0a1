//! The face of a session towards its owner.

use std::future::Future;

use super::{DeliveryTag, Event, Publication};

/// One MQTT session, over as many connections as it takes.
pub trait Client: Send {
    /// Drives the session until at least one event is there: connects (after a back-off with jitter),
    /// pings, reads, and writes what was queued by the other methods. Cancel-safe: everything lives
    /// in the session, so it can be one arm of a `select!`.
    fn drive(&mut self) -> impl Future<Output = ()> + Send;

    /// Takes the next event that [`Client::drive`] found.
    fn next_event(&mut self) -> Option<Event>;

    /// `false` stops reading messages from the broker, so that it holds them; pings and
    /// acknowledgements go on, and so does the connection.
    fn set_intake(&mut self, open: bool);

    /// Acknowledges a message. They are sent in order of receipt (MQTT-4.6.0-2), each as soon as all
    /// before it are acknowledged; a tag of an earlier connection is dropped.
    fn ack(&mut self, tag: DeliveryTag);

    /// How many more publications the session takes now.
    fn publish_capacity(&self) -> usize;

    /// Queues a publication; [`Event::Published`] with `token` ends it. Publications at QoS 1 and 2
    /// survive reconnects.
    fn publish(&mut self, publication: Publication, token: u64);

    /// Drains the session: ends its subscriptions. What the broker has for the session still comes and must be
    /// acknowledged; [`Event::Drained`] says that this was all. A session that the broker doesn't keep is gone with
    /// its connection.
    fn drain(&mut self);

    /// Writes what is queued, sends DISCONNECT and closes.
    fn disconnect(self) -> impl Future<Output = ()> + Send;

    /// Deletes a drained session at the broker and disconnects; `false` if another client has taken the session
    /// since. Driven further, the session connects again after a while, and drains what it finds then.
    fn delete_session(&mut self) -> impl Future<Output = bool> + Send;
}
