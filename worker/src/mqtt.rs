//! MQTT sessions, behind one trait.
//!
//! Only this module knows which library speaks MQTT. A session has one owner, who drives it, takes
//! its events and tells it what to send; there are no locks and no tasks inside.

mod backoff;
mod caution;
mod connection;
mod frame;
#[cfg(test)]
mod hostile;
mod inbox;
mod leave;
mod outbox;
mod packet;
mod refusal;
mod session;
mod tls;
mod transport;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crds::validated::{BrokerUrl, MqttVersion, Qos};

pub use session::Session;
pub use tls::{TlsError, tls};

/// Everything a session needs to know.
#[derive(Debug, Clone)]
pub struct Options {
    /// The broker's address.
    pub broker: BrokerUrl,
    /// Client id; stable, since the broker keeps the session under it.
    pub client_id: String,
    /// Protocol version.
    pub version: MqttVersion,
    /// `false` keeps the session across connections.
    pub clean_start: bool,
    /// Keep-alive.
    pub keep_alive: Duration,
    /// User name and password.
    pub auth: Option<(String, Option<String>)>,
    /// TLS configuration for the schemes that need one, and the name to expect in the certificate.
    pub tls: Option<(Arc<rustls::ClientConfig>, String)>,
    /// Largest packet in bytes that is taken (announced to MQTT 5 brokers) or sent.
    pub max_packet_size: u32,
    /// Topic filters to subscribe to after each connect that finds no session, and after the first.
    pub subscriptions: Vec<(String, Qos)>,
    /// Most messages at QoS 1 and 2 that are published and not yet acknowledged.
    pub max_in_flight: u16,
    /// How long to wait after another client took the session over, before it is taken back; longer each time.
    pub takeover_retry: Duration,
    /// At a high rate, how long packets may wait for each other before they are read: a worker that is
    /// woken a thousand times a second instead of for each message needs half the processor time.
    /// Zero reads every packet at once. Counted in whole milliseconds.
    pub gather: Duration,
}

/// Identifies a received message for its acknowledgement; only valid on the connection that brought
/// it, so that an acknowledgement from before a reconnect is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeliveryTag {
    /// The connection: 1 for the session's first, then counted up.
    pub epoch: u64,
    /// Counted up by the session, in order of receipt.
    pub sequence: u64,
}

/// A message from the broker.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Its topic.
    pub topic: Arc<str>,
    /// Its payload.
    pub payload: Bytes,
    /// `Some` at QoS 1 and 2: must be given to [`Client::ack`] some time.
    pub tag: Option<DeliveryTag>,
    /// Whether the broker marks it as a possible repetition.
    pub duplicate: bool,
    /// Whether the broker had kept it for new subscribers.
    pub retained: bool,
}

/// A message to the broker.
#[derive(Debug, Clone)]
pub struct Publication {
    /// Its topic, without wildcards.
    pub topic: Arc<str>,
    /// Its payload.
    pub payload: Bytes,
    /// Quality of service.
    pub qos: Qos,
    /// Whether the broker keeps it for later subscribers.
    pub retain: bool,
}

/// What happened in a session.
#[derive(Debug)]
pub enum Event {
    /// Connected; subscriptions follow.
    Connected {
        /// The connection's number.
        epoch: u64,
        /// Whether the broker still had the session.
        session_present: bool,
    },
    /// The broker granted all subscriptions on this connection.
    Subscribed,
    /// The broker refused a subscription; it is tried again with the next connection.
    SubscriptionRefused {
        /// The topic filter.
        filter: String,
        /// The broker's reason.
        reason: String,
    },
    /// A message came.
    Message(Incoming),
    /// A message over the packet limit came; it was discarded and acknowledged.
    Oversized {
        /// Size of its packet in bytes.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// After [`Client::leave`]: the broker holds nothing for the session, and everything that it held is
    /// acknowledged.
    Emptied,
    /// A publication is done: acknowledged by the broker, or written at QoS 0, or refused for good.
    Published {
        /// As given to [`Client::publish`].
        token: u64,
        /// The broker's or the session's reason for refusing it.
        result: Result<(), Refused>,
    },
    /// The connection was lost, refused or could not be made. The session connects again by itself
    /// after `retry_in`; publications that are not done are kept and sent again.
    Disconnected {
        /// Why.
        error: Error,
        /// When it connects again.
        retry_in: Duration,
    },
}

/// A publication that will never succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The broker refused it by a reason code of MQTT 5.
    #[error("the broker refused the message: {0}")]
    ByBroker(String),
    /// It is larger than the broker's or our own packet limit.
    #[error("the message has {size} bytes, more than the limit of {limit}")]
    TooLarge {
        /// Size of the packet.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// The broker, which cannot say why in MQTT 3.1.1, closed the connection each time it got it.
    #[error(
        "the broker closed the connection over the message of {size} bytes, as it does with what is larger \
         than it takes or not allowed"
    )]
    ByClosing {
        /// Size of the packet.
        size: usize,
    },
}

/// Why a session is not connected.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Name resolution, TCP, TLS or WebSocket failed.
    #[error("unable to reach {broker}: {reason}")]
    Unreachable {
        /// Host and port.
        broker: String,
        /// The system's or library's message.
        reason: String,
    },
    /// The broker refused the connection: credentials, client id, version.
    #[error("{broker} refused the connection: {reason}")]
    ConnectionRefused {
        /// Host and port.
        broker: String,
        /// The broker's reason.
        reason: String,
    },
    /// Another client took the session over; this one waits long before it tries again.
    #[error("another client uses the client id {client_id:?}")]
    TakenOver {
        /// Our client id.
        client_id: String,
    },
    /// The connection broke, or the broker closed it.
    #[error("the connection to {broker} was lost: {reason}")]
    Lost {
        /// Host and port.
        broker: String,
        /// What happened.
        reason: String,
    },
    /// The broker broke the protocol.
    #[error("{broker} broke the MQTT protocol: {reason}")]
    Protocol {
        /// Host and port.
        broker: String,
        /// What happened.
        reason: String,
    },
}

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

    /// Ends the subscriptions. What the broker has for the session already still comes and is to be
    /// acknowledged; [`Event::Emptied`] says that this was all. Of a session that the broker does not keep, all is
    /// lost with its connection.
    fn leave(&mut self);

    /// Writes what is queued, sends DISCONNECT and closes.
    fn disconnect(self) -> impl Future<Output = ()> + Send;

    /// Disconnects from a session that is left and empty, and makes the broker forget it; `false` if it is not ours to
    /// end any more. Driven further, it looks after a while whether there is one again, which is left in its turn.
    fn forget(&mut self) -> impl Future<Output = bool> + Send;
}
