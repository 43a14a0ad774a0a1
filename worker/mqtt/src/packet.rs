//! The packets of both protocol versions as one set, read and written with rumqttc's codec.
//!
//! Only this room names the codec. It keeps no state.

mod read_v3;
mod read_v5;
mod refusal;
mod write;

use bytes::{Bytes, BytesMut};
use crds::validated::{MqttVersion, Qos};

pub(super) use write::Writer;

/// A packet from the broker.
#[derive(Debug)]
pub(super) enum Inbound {
    ConnAck {
        session_present: bool,
        refused: Option<String>,
        limits: Limits,
    },
    Publish(Publish),
    /// A publication at QoS 1 is done; at QoS 2 refused.
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
    /// A reason for each filter that was refused, in the order of the subscription.
    SubAck {
        id: u16,
        refused: Vec<Option<String>>,
    },
    /// The subscriptions are gone, or never were; whatever the broker thinks of it.
    UnsubAck {
        id: u16,
    },
    PingResp,
    /// A broker of MQTT 3.1.1 may not send this; some do before they close the connection.
    Close,
    Disconnect {
        reason: String,
        taken_over: bool,
    },
}

/// What the broker asks of a client in MQTT 5, and what is assumed of one of 3.1.1.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Limits {
    pub(super) receive_maximum: Option<u16>,
    pub(super) max_packet_size: Option<u32>,
    pub(super) keep_alive: Option<u16>,
    pub(super) qos: Option<Qos>,
    /// Publications at QoS 2 at once, where there is another limit for them.
    pub(super) exactly_once: Option<u16>,
}

/// A message from the broker.
#[derive(Debug)]
pub(super) struct Publish {
    pub(super) topic: Bytes,
    pub(super) payload: Bytes,
    pub(super) qos: Qos,
    pub(super) id: u16,
    pub(super) duplicate: bool,
    pub(super) retained: bool,
}

/// The broker's bytes are no packet of this version.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Malformed(String);

/// Reads the packet that is whole at the front of `buffer`.
pub(super) fn read(version: MqttVersion, buffer: &mut BytesMut) -> Result<Inbound, Malformed> {
    match version {
        MqttVersion::V3_1_1 => read_v3::read(buffer),
        MqttVersion::V5 => read_v5::read(buffer),
    }
}

fn unexpected(packet: &impl std::fmt::Debug) -> Malformed {
    let name: String = format!("{packet:?}")
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    Malformed(format!("a broker does not send {name}"))
}

/// `BadUserNamePassword` as `bad user name password`.
fn words(code: &impl std::fmt::Debug) -> String {
    let mut words = String::new();
    for c in format!("{code:?}").chars() {
        if c.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}
