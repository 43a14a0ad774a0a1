//! The few packets of MQTT that a broker needs whose clients are known, in both versions.

use bytes::{Buf as _, BufMut as _, BytesMut};

pub(super) const CONNECT: u8 = 1;
pub(super) const PUBLISH: u8 = 3;
pub(super) const PUBACK: u8 = 4;
pub(super) const PUBREC: u8 = 5;
pub(super) const PUBREL: u8 = 6;
pub(super) const PUBCOMP: u8 = 7;
pub(super) const SUBSCRIBE: u8 = 8;
pub(super) const PINGREQ: u8 = 12;
pub(super) const DISCONNECT: u8 = 14;

/// A packet as it came: its first byte and what follows the length.
pub(super) struct Packet {
    pub(super) first: u8,
    pub(super) body: BytesMut,
}

impl Packet {
    pub(super) fn kind(&self) -> u8 {
        self.first >> 4
    }

    /// The packet identifier of an acknowledgement or a SUBSCRIBE.
    pub(super) fn id(&self) -> Option<u16> {
        Some(u16::from_be_bytes(self.body.get(..2)?.try_into().ok()?))
    }

    /// Quality of service of a PUBLISH.
    pub(super) fn qos(&self) -> u8 {
        (self.first >> 1) & 3
    }

    /// The packet identifier of a PUBLISH at QoS 1 or 2.
    pub(super) fn publish_id(&self) -> Option<u16> {
        let topic = usize::from(self.id()?);
        let id = self.body.get(2 + topic..4 + topic)?;
        Some(u16::from_be_bytes(id.try_into().ok()?))
    }

    /// The first filter of a SUBSCRIBE.
    pub(super) fn filter(&self, five: bool) -> Option<&str> {
        let properties = if five {
            1 + usize::from(*self.body.get(2)?)
        } else {
            0
        };
        let rest = self.body.get(2 + properties..)?;
        let length = u16::from_be_bytes(rest.get(..2)?.try_into().ok()?);
        std::str::from_utf8(rest.get(2..2 + usize::from(length))?).ok()
    }

    /// The protocol level of a CONNECT: 4 or 5.
    pub(super) fn level(&self) -> Option<u8> {
        self.body.get(6).copied()
    }
}

/// Takes the next whole packet from what was read.
pub(super) fn next(input: &mut BytesMut) -> Option<Packet> {
    let (mut length, mut size) = (0, 1);
    loop {
        let byte = *input.get(size)?;
        length |= usize::from(byte & 127) << (7 * (size - 1));
        size += 1;
        if byte < 128 {
            break;
        }
    }
    if input.len() < size + length {
        return None;
    }
    let first = input[0];
    input.advance(size);
    Some(Packet {
        first,
        body: input.split_to(length),
    })
}

/// PUBACK and its like.
pub(super) fn acknowledge(kind: u8, id: u16, output: &mut BytesMut) {
    // PUBREL has a flag of its own.
    output.put_u8(kind << 4 | u8::from(kind == PUBREL) << 1);
    output.put_u8(2);
    output.put_u16(id);
}

pub(super) fn connected(five: bool, output: &mut BytesMut) {
    output.put_slice(if five {
        &[0x20, 3, 0, 0, 0]
    } else {
        &[0x20, 2, 0, 0]
    });
}

pub(super) fn subscribed(five: bool, id: u16, qos: u8, output: &mut BytesMut) {
    output.put_slice(if five { &[0x90, 4] } else { &[0x90, 3] });
    output.put_u16(id);
    if five {
        output.put_u8(0);
    }
    output.put_u8(qos);
}

/// A PUBLISH whose packet identifier is written at each use.
pub(super) struct Template {
    bytes: Vec<u8>,
    /// Where the packet identifier is.
    id: Option<usize>,
}

impl Template {
    pub(super) fn new(five: bool, qos: u8, topic: &str, payload: &[u8]) -> Self {
        let properties = usize::from(five);
        let identifier = if qos > 0 { 2 } else { 0 };
        let mut length = 2 + topic.len() + identifier + properties + payload.len();
        let mut bytes = vec![PUBLISH << 4 | qos << 1];
        loop {
            let more = if length > 127 { 128 } else { 0 };
            #[expect(clippy::cast_possible_truncation, reason = "seven bits")]
            bytes.push((length & 127) as u8 | more);
            length >>= 7;
            if length == 0 {
                break;
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "a short topic")]
        bytes.put_u16(topic.len() as u16);
        bytes.put_slice(topic.as_bytes());
        let id = (qos > 0).then_some(bytes.len());
        bytes.resize(bytes.len() + identifier + properties, 0);
        bytes.put_slice(payload);
        Self { bytes, id }
    }

    pub(super) fn write(&self, id: u16, output: &mut BytesMut) {
        let start = output.len();
        output.put_slice(&self.bytes);
        if let Some(at) = self.id {
            output[start + at..start + at + 2].copy_from_slice(&id.to_be_bytes());
        }
    }
}
