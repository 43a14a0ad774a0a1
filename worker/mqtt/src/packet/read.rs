//! Reads the packets that a broker sends.
//!
//! A packet that breaks the standard is taken as far as its meaning is clear, and is told of. Only what leaves nothing
//! to act on ends the connection. A message that cannot be read is lost alone: its packet id says which one it is.

mod topic;

use bytes::Bytes;
use crds::validated::{MqttVersion, Qos};

use super::cursor::{Cursor, Short};
use super::properties::{self, Malformed, Properties};
use super::reason::{Code, connection_refused};
use super::violation::{
    FLAGS, LENGTH, PACKET_ID, PACKET_TYPE, PROPERTIES, Sections, TEXT, Violation,
};
use super::{Answer, Inbound, Limits, Publish, Received};
use crate::v3::EXACTLY_ONCE_WINDOW;
use topic::bad_topic;

const NOT_SUPPORTED: &str = "the broker does not support MQTT 5; set `version: '3.1.1'`";

/// What is kept of a broker's reason in words.
const REASON_LENGTH: usize = 200;

/// Names of packets by their type.
const NAMES: [&str; 16] = [
    "packet of type 0",
    "CONNECT",
    "CONNACK",
    "PUBLISH",
    "PUBACK",
    "PUBREC",
    "PUBREL",
    "PUBCOMP",
    "SUBSCRIBE",
    "SUBACK",
    "UNSUBSCRIBE",
    "UNSUBACK",
    "PINGREQ",
    "PINGRESP",
    "DISCONNECT",
    "AUTH",
];

/// Reads a whole packet.
///
/// # Errors
/// Nothing can be made of it.
pub(crate) fn read(version: MqttVersion, packet: Bytes) -> Result<Received, Violation> {
    let mut cursor = Cursor::new(packet);
    let first = cursor.byte().unwrap_or_default();
    let reader = Reader {
        version,
        name: NAMES[usize::from(first >> 4)],
    };
    if cursor.variable().is_err() {
        return Err(reader.breaks("whose length has more than four bytes", LENGTH));
    }
    let flags = first & 0x0F;
    let mut received = match first >> 4 {
        2 => reader.conn_ack(cursor),
        3 => Ok(reader.publish(flags, cursor)),
        4 => reader.acknowledgement(cursor, |id, refused| Inbound::PubAck { id, refused }),
        5 => reader.acknowledgement(cursor, |id, refused| Inbound::PubRec { id, refused }),
        6 => reader.acknowledgement(cursor, |id, _| Inbound::PubRel { id }),
        7 => reader.acknowledgement(cursor, |id, _| Inbound::PubComp { id }),
        9 => reader.sub_ack(cursor),
        11 => reader.acknowledgement(cursor, |id, _| Inbound::UnsubAck { id }),
        13 => Ok(Inbound::PingResp.into()),
        14 => Ok(reader.disconnect(cursor)),
        _ => Ok(reader.tolerated(Inbound::Foreign, "sent by the broker", PACKET_TYPE)),
    }?;
    let expected = match first >> 4 {
        3 => flags,
        6 => 2,
        _ => 0,
    };
    if flags != expected {
        let broken = || reader.breaks("with reserved flags", FLAGS);
        received.violation.get_or_insert_with(broken);
    }
    Ok(received)
}

/// Reads packets of one kind.
#[derive(Debug, Clone, Copy)]
struct Reader {
    version: MqttVersion,
    name: &'static str,
}

impl Reader {
    fn breaks(self, what: &'static str, sections: Sections) -> Violation {
        Violation::new(self.version, self.name, what, sections)
    }

    fn tolerated(self, packet: Inbound, what: &'static str, sections: Sections) -> Received {
        Received {
            packet,
            violation: Some(self.breaks(what, sections)),
        }
    }

    fn bad_properties(self, malformed: Malformed) -> Violation {
        match malformed {
            Malformed::Short => self.breaks("with properties that end too early", PROPERTIES),
            Malformed::Unknown => self.breaks("with an unknown property", PROPERTIES),
            Malformed::Text => self.breaks("with a property that is not UTF-8", TEXT),
        }
    }

    fn conn_ack(self, mut cursor: Cursor) -> Result<Received, Violation> {
        let short = |_: Short| self.breaks("that ends too early", Sections::both("3.2.2"));
        let flags = cursor.byte().map_err(short)?;
        let code = cursor.byte().map_err(short)?;
        let greeting = |refused, limits| Inbound::ConnAck {
            session_present: flags & 1 != 0,
            refused,
            limits,
        };
        if self.version == MqttVersion::V3_1_1 {
            let limits = Limits {
                exactly_once: Some(EXACTLY_ONCE_WINDOW),
                ..Limits::default()
            };
            let refused = (code != 0).then(|| connection_refused(self.version, code));
            return Ok(greeting(refused, limits).into());
        }
        if cursor.is_empty() || code == 0x84 {
            // The first is the form of MQTT 3.1.1, that of MQTT 5 is longer.
            return Ok(greeting(Some(NOT_SUPPORTED.to_owned()), Limits::default()).into());
        }
        let (properties, violation) = match properties::read(&mut cursor) {
            Ok(properties) => (properties, None),
            Err(malformed) => (Properties::default(), Some(self.bad_properties(malformed))),
        };
        let refused = (code != 0).then(|| {
            let name = connection_refused(self.version, code);
            with_reason(name, &properties)
        });
        Ok(Received {
            packet: greeting(refused, limits(&properties)),
            violation,
        })
    }

    fn publish(self, flags: u8, mut cursor: Cursor) -> Received {
        let unreadable = |qos, id, violation| Received {
            packet: Inbound::Unreadable { qos, id },
            violation: Some(violation),
        };
        let lost = |what, sections| unreadable(Qos::AtMostOnce, 0, self.breaks(what, sections));
        let qos = match (flags >> 1) & 3 {
            0 => Qos::AtMostOnce,
            1 => Qos::AtLeastOnce,
            2 => Qos::ExactlyOnce,
            _ => return lost("with QoS 3", Sections::both("3.3.1.2")),
        };
        let Ok(topic) = cursor.binary() else {
            return lost("that ends before its topic", Sections::both("3.3.2.1"));
        };
        let mut id = 0;
        if qos != Qos::AtMostOnce {
            id = match cursor.two_bytes() {
                Ok(0) => return lost("with packet identifier 0", PACKET_ID),
                Ok(id) => id,
                Err(Short) => return lost("without a packet identifier", PACKET_ID),
            };
        }
        let mut properties = Properties::default();
        if self.version == MqttVersion::V5 {
            match properties::read(&mut cursor) {
                Ok(read) => properties = read,
                Err(malformed) => return unreadable(qos, id, self.bad_properties(malformed)),
            }
        }
        if let Some((what, sections)) = bad_topic(&topic, &properties) {
            return unreadable(qos, id, self.breaks(what, sections));
        }
        Inbound::Publish(Publish {
            topic,
            payload: cursor.rest(),
            qos,
            id,
            duplicate: flags & 8 != 0,
            retained: flags & 1 != 0,
            properties: (properties.message != message::Properties::default())
                .then(|| Box::new(properties.message)),
        })
        .into()
    }

    /// PUBACK and all others of the same form.
    fn acknowledgement(
        self,
        mut cursor: Cursor,
        packet: impl Fn(u16, Option<String>) -> Inbound,
    ) -> Result<Received, Violation> {
        let id = cursor
            .two_bytes()
            .map_err(|_| self.breaks("without a packet identifier", PACKET_ID))?;
        let code = Code(cursor.byte().unwrap_or_default());
        let refused = (self.version == MqttVersion::V5 && code.is_refusal()).then(|| {
            let properties = properties::read(&mut cursor).unwrap_or_default();
            with_reason(code.to_string(), &properties)
        });
        Ok(packet(id, refused).into())
    }

    fn sub_ack(self, mut cursor: Cursor) -> Result<Received, Violation> {
        let id = cursor
            .two_bytes()
            .map_err(|_| self.breaks("without a packet identifier", PACKET_ID))?;
        if self.version == MqttVersion::V5
            && let Err(malformed) = properties::read(&mut cursor)
        {
            return Ok(Received {
                packet: Inbound::SubAck {
                    id,
                    answers: Vec::new(),
                },
                violation: Some(self.bad_properties(malformed)),
            });
        }
        let answers = cursor
            .rest()
            .iter()
            .map(|code| self.answer(*code))
            .collect();
        Ok(Inbound::SubAck { id, answers }.into())
    }

    fn answer(self, code: u8) -> Answer {
        let reason = match (self.version, code) {
            (_, 0) => return Answer::Granted(Qos::AtMostOnce),
            (_, 1) => return Answer::Granted(Qos::AtLeastOnce),
            (_, 2) => return Answer::Granted(Qos::ExactlyOnce),
            (MqttVersion::V3_1_1, 0x80) => "failure".to_owned(),
            (MqttVersion::V3_1_1, code) => format!("return code 0x{code:02X}"),
            (MqttVersion::V5, code) => Code(code).to_string(),
        };
        Answer::Refused {
            reason,
            id_in_use: Code(code).is_id_in_use(),
        }
    }

    fn disconnect(self, mut cursor: Cursor) -> Received {
        if self.version == MqttVersion::V3_1_1 {
            return self.tolerated(Inbound::Close, "sent by the broker", Sections::both("3.14"));
        }
        let code = Code(cursor.byte().unwrap_or_default());
        let properties = properties::read(&mut cursor).unwrap_or_default();
        let reason = with_reason(code.to_string(), &properties);
        Inbound::Disconnect { code, reason }.into()
    }
}

fn limits(properties: &Properties) -> Limits {
    Limits {
        receive_maximum: properties.receive_maximum,
        max_packet_size: properties.max_packet_size,
        keep_alive: properties.keep_alive,
        qos: match properties.max_qos {
            Some(0) => Some(Qos::AtMostOnce),
            Some(1) => Some(Qos::AtLeastOnce),
            _ => None,
        },
        exactly_once: None,
        lacks: properties.lacks,
        session_expiry: properties.session_expiry,
    }
}

/// Adds the broker's reason in words, if it gives one.
fn with_reason(name: String, properties: &Properties) -> String {
    let Some(reason) = &properties.reason else {
        return name;
    };
    let reason = String::from_utf8_lossy(reason);
    let reason = reason.chars().filter(|c| !c.is_control());
    let reason: String = reason.take(REASON_LENGTH).collect();
    format!("{name} ({reason})")
}

#[cfg(test)]
mod tests;
