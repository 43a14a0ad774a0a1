//! What a session wrote, taken apart without its codec.

use super::*;

/// What is left of a packet's bytes.
#[derive(Debug, Clone)]
pub(super) struct Fields(Vec<u8>);

impl Fields {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, count: usize) -> Vec<u8> {
        assert!(self.0.len() >= count, "{count} bytes of {:?}", self.0);
        self.0.drain(..count).collect()
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    pub(super) fn two_bytes(&mut self) -> u16 {
        let bytes = self.take(2);
        u16::from_be_bytes([bytes[0], bytes[1]])
    }

    /// Bytes behind their length.
    pub(super) fn binary(&mut self) -> Vec<u8> {
        let length = self.two_bytes();
        self.take(usize::from(length))
    }

    /// Text as MQTT has it: UTF-8 without NUL.
    pub(super) fn text(&mut self) -> String {
        let text = String::from_utf8(self.binary()).expect("text is UTF-8");
        assert!(!text.contains('\0'), "{text:?}");
        text
    }

    /// A variable byte integer, which takes as few bytes as it can.
    pub(super) fn length(&mut self) -> usize {
        let mut value = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.byte();
            value |= usize::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                assert!(shift == 0 || byte != 0, "a length that could be shorter");
                return value;
            }
        }
        unreachable!("a length of more than four bytes");
    }

    /// Properties, without their length; none in MQTT 3.1.1.
    pub(super) fn properties(&mut self, version: MqttVersion) -> Self {
        if version == V3 {
            return Self(Vec::new());
        }
        let length = self.length();
        Self(self.take(length))
    }
}

/// A packet that is not CONNECT.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) kind: u8,
    pub(super) flags: u8,
    /// Of PUBLISH.
    pub(super) topic: Option<String>,
    /// Of all that have one.
    pub(super) id: Option<u16>,
    pub(super) properties: Fields,
    /// What follows.
    pub(super) rest: Fields,
}

pub(super) const CONNECT: u8 = 1;
pub(super) const PUBLISH: u8 = 3;
pub(super) const PUBACK: u8 = 4;
pub(super) const PUBREC: u8 = 5;
pub(super) const PUBREL: u8 = 6;
pub(super) const PUBCOMP: u8 = 7;
pub(super) const SUBSCRIBE: u8 = 8;
pub(super) const UNSUBSCRIBE: u8 = 10;
pub(super) const PINGREQ: u8 = 12;
pub(super) const DISCONNECT: u8 = 14;

impl Written {
    pub(super) fn of(version: MqttVersion, packet: &[u8]) -> Self {
        let mut rest = Fields::new(packet);
        let first = rest.byte();
        let (kind, flags) = (first >> 4, first & 15);
        rest.length();
        let mut written = Self {
            kind,
            flags,
            topic: None,
            id: None,
            properties: Fields::new(&[]),
            rest,
        };
        if kind == PUBLISH {
            written.topic = Some(written.rest.text());
        }
        if (kind == PUBLISH && written.qos() > 0)
            || matches!(kind, PUBACK..=SUBSCRIBE | UNSUBSCRIBE)
        {
            written.id = Some(written.rest.two_bytes());
        }
        if matches!(kind, PUBLISH | SUBSCRIBE | UNSUBSCRIBE) {
            written.properties = written.rest.properties(version);
        }
        written
    }

    /// Of PUBLISH.
    pub(super) fn qos(&self) -> u8 {
        (self.flags >> 1) & 3
    }

    /// Of PUBLISH.
    pub(super) fn duplicate(&self) -> bool {
        self.flags & DUPLICATE != 0
    }

    /// Its kind and packet identifier, as two bytes.
    pub(super) fn answers(&self) -> (u8, u16) {
        (self.kind, self.id.unwrap_or_default())
    }
}
