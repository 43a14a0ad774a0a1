//! Why a session isn't connected, and why a publication is refused.

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
