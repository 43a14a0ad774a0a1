//! The packets of both protocol versions as one set. They are read here, and written with rumqttc's codec, which only this
//! room names. It keeps no state.

mod cursor;
mod properties;
mod read;
mod reason;
mod violation;
mod write;

use bytes::Bytes;
use crds::validated::Qos;
use message::Properties;

pub(super) use read::read;
pub(super) use reason::{Code, Fault};
pub(super) use violation::{LENGTH, PACKET_ID, SESSION_PRESENT, Sections, Violation};
pub(super) use write::Writer;

/// A packet from the broker, and how it breaks the standard, if it does.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) packet: Inbound,
    pub(super) violation: Option<Violation>,
}

impl From<Inbound> for Received {
    fn from(packet: Inbound) -> Self {
        Self {
            packet,
            violation: None,
        }
    }
}

/// A packet from the broker.
#[derive(Debug)]
pub(super) enum Inbound {
    ConnAck {
        session_present: bool,
        refused: Option<String>,
        limits: Limits,
    },
    Publish(Publish),
    /// A message that cannot be read, and how it is acknowledged.
    Unreadable {
        qos: Qos,
        id: u16,
    },
    PubAck {
        id: u16,
        refused: Option<String>,
    },
    PubRec {
        id: u16,
        refused: Option<String>,
    },
    PubRel {
        id: u16,
    },
    PubComp {
        id: u16,
    },
    /// An answer for each filter, in the order of the subscription.
    SubAck {
        id: u16,
        answers: Vec<Answer>,
    },
    /// The subscriptions have ended, whatever code the broker gives.
    UnsubAck {
        id: u16,
    },
    PingResp,
    /// A broker of MQTT 3.1.1 may not send DISCONNECT; some do before they close the connection.
    Close,
    Disconnect {
        code: Code,
        /// Its name, and what the broker adds.
        reason: String,
    },
    /// A packet that only clients send, or that was not agreed on.
    Foreign,
}

/// A broker's answer to one topic filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Granted(Qos),
    Refused {
        reason: String,
        /// The broker still uses the packet id for something else.
        id_in_use: bool,
    },
}

/// The broker's limits: announced in MQTT 5, assumed in 3.1.1.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Limits {
    pub(super) receive_maximum: Option<u16>,
    pub(super) max_packet_size: Option<u32>,
    pub(super) keep_alive: Option<u16>,
    pub(super) qos: Option<Qos>,
    /// Publications at QoS 2 at once, where there is another limit for them.
    pub(super) exactly_once: Option<u16>,
    pub(super) lacks: Lacks,
    /// Seconds for which the broker keeps the session, if it is not what was asked for.
    pub(super) session_expiry: Option<u32>,
}

/// What a broker says that it does not support.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lacks {
    pub(super) retain: bool,
    pub(super) wildcards: bool,
    pub(super) shared: bool,
}

/// A message from the broker.
#[derive(Debug)]
pub(super) struct Publish {
    /// UTF-8.
    pub(super) topic: Bytes,
    pub(super) payload: Bytes,
    pub(super) qos: Qos,
    pub(super) id: u16,
    pub(super) duplicate: bool,
    pub(super) retained: bool,
    pub(super) properties: Option<Box<Properties>>,
}
