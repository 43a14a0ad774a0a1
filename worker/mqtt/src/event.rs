//! What enters and leaves a session: messages, publications, events.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crds::validated::Qos;
use message::Properties;

use super::{Error, Notice, Refused};

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
    /// `Some` at QoS 1 and 2: must be passed to [`super::Client::ack`] eventually.
    pub tag: Option<DeliveryTag>,
    /// Whether the broker marks it as a possible duplicate.
    pub duplicate: bool,
    /// Whether it was retained at the broker.
    pub retained: bool,
    /// The quality of service that it came with.
    pub qos: Qos,
    /// What MQTT 5 says of it, if that is anything.
    pub properties: Option<Box<Properties>>,
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
    /// How many models have handled what it was made of, for [`HOPS`]; 0 says nothing.
    pub hops: u8,
}

/// The user property of MQTT 5 that counts the models that a message has gone through.
pub const HOPS: &str = "edgemodel-hops";

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
    /// The broker granted a subscription.
    Granted {
        /// The topic filter.
        filter: String,
        /// The quality of service that was asked for.
        asked: Qos,
        /// The quality of service at which the broker delivers.
        granted: Qos,
    },
    /// The broker granted all subscriptions on this connection.
    Subscribed,
    /// The broker refused a subscription, which is retried with the next connection.
    SubscriptionRefused {
        /// The topic filter.
        filter: String,
        /// The broker's reason.
        reason: String,
    },
    /// A message arrived.
    Message(Incoming),
    /// A message over the packet limit arrived; it was discarded and acknowledged.
    Oversized {
        /// Size of its packet in bytes.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// A message that broke the standard came; it was discarded and, if it had a packet id, acknowledged.
    Malformed,
    /// A message came that no subscription asked for; it was discarded and acknowledged.
    Unasked {
        /// Its topic.
        topic: Arc<str>,
    },
    /// The broker works, but not as asked.
    Notice(Notice),
    /// After [`super::Client::drain`]: the broker holds nothing for the session, and everything that it held is
    /// acknowledged.
    Drained,
    /// A publication is done: acknowledged by the broker, or written at QoS 0, or refused for good.
    Published {
        /// As given to [`super::Client::publish`].
        token: u64,
        /// The broker's or the session's reason for refusing it.
        result: Result<(), Refused>,
    },
    /// The connection was lost, refused or not established. The session reconnects by itself after `retry_in`;
    /// publications in flight are kept and sent again.
    Disconnected {
        /// Why.
        error: Error,
        /// When it reconnects.
        retry_in: Duration,
    },
}
