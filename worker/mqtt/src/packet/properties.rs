//! The properties of MQTT 5 that a broker sends.

use bytes::Bytes;

use super::Lacks;
use super::cursor::{Cursor, Short};

/// Properties of one packet: those that a session cares for.
#[derive(Debug, Default)]
pub(super) struct Properties {
    pub(super) session_expiry: Option<u32>,
    pub(super) receive_maximum: Option<u16>,
    pub(super) max_packet_size: Option<u32>,
    pub(super) keep_alive: Option<u16>,
    pub(super) max_qos: Option<u8>,
    pub(super) lacks: Lacks,
    pub(super) topic_alias: bool,
    pub(super) reason: Option<Bytes>,
    pub(super) message: message::Properties,
}

/// Most user properties of a message that are kept: each takes ten times the memory of its least size in the packet.
const MAX_USER: usize = 128;

/// Why properties cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Malformed {
    /// They end in the middle of one.
    Short,
    /// The standard has no such property.
    Unknown,
    /// A text is not UTF-8.
    Text,
}

impl From<Short> for Malformed {
    fn from(_: Short) -> Self {
        Self::Short
    }
}

/// Reads the length of the properties and the properties.
pub(super) fn read(cursor: &mut Cursor) -> Result<Properties, Malformed> {
    let length = cursor.variable()?;
    let mut properties = Properties::default();
    if length > 0 {
        let mut cursor = Cursor::new(cursor.take(length)?);
        while !cursor.is_empty() {
            read_one(&mut cursor, &mut properties)?;
        }
    }
    Ok(properties)
}

fn read_one(cursor: &mut Cursor, properties: &mut Properties) -> Result<(), Malformed> {
    match cursor.variable()? {
        // Payload format, request problem information, request response information, subscription identifiers available.
        0x01 | 0x17 | 0x19 | 0x29 => {
            cursor.byte()?;
        }
        // Message expiry, will delay.
        0x02 | 0x18 => {
            cursor.four_bytes()?;
        }
        // Assigned client id, authentication method, response information, server reference.
        0x12 | 0x15 | 0x1A | 0x1C => {
            text(cursor)?;
        }
        // Authentication data.
        0x16 => {
            cursor.binary()?;
        }
        0x03 => properties.message.content_type = Some(string(cursor)?),
        0x08 => properties.message.response_topic = Some(string(cursor)?),
        0x09 => properties.message.correlation_data = Some(cursor.binary()?),
        // Subscription identifier.
        0x0B => {
            cursor.variable()?;
        }
        0x11 => properties.session_expiry = Some(cursor.four_bytes()?),
        0x13 => properties.keep_alive = Some(cursor.two_bytes()?),
        0x1F => properties.reason = Some(text(cursor)?),
        0x21 => properties.receive_maximum = Some(cursor.two_bytes()?),
        // Topic alias maximum: we use none.
        0x22 => {
            cursor.two_bytes()?;
        }
        0x23 => {
            cursor.two_bytes()?;
            properties.topic_alias = true;
        }
        0x24 => properties.max_qos = Some(cursor.byte()?),
        0x25 => properties.lacks.retain = cursor.byte()? == 0,
        // User property.
        0x26 => {
            let property = (string(cursor)?, string(cursor)?);
            if properties.message.user.len() < MAX_USER {
                properties.message.user.push(property);
            }
        }
        0x27 => properties.max_packet_size = Some(cursor.four_bytes()?),
        0x28 => properties.lacks.wildcards = cursor.byte()? == 0,
        0x2A => properties.lacks.shared = cursor.byte()? == 0,
        _ => return Err(Malformed::Unknown),
    }
    Ok(())
}

fn string(cursor: &mut Cursor) -> Result<String, Malformed> {
    let bytes = text(cursor)?;
    String::from_utf8(bytes.into()).map_err(|_| Malformed::Text)
}

fn text(cursor: &mut Cursor) -> Result<Bytes, Malformed> {
    let bytes = cursor.binary()?;
    std::str::from_utf8(&bytes).map_err(|_| Malformed::Text)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &'static [u8], expected: Result<(), Malformed>) {
        let found = read(&mut Cursor::new(Bytes::from_static(bytes)));
        assert_eq!(found.map(|_| ()), expected, "{bytes:?}");
    }

    #[test]
    fn each_property_ends_where_its_type_says() {
        check(&[0], Ok(()));
        check(&[2, 0x01, 1], Ok(()));
        check(&[5, 0x02, 0, 0, 0, 9], Ok(()));
        check(&[4, 0x03, 0, 1, b'a'], Ok(()));
        check(&[5, 0x09, 0, 2, 0xFF, 0xFE], Ok(()));
        check(&[3, 0x0B, 0x80, 1], Ok(()));
        check(&[3, 0x23, 0, 1], Ok(()));
        check(&[7, 0x26, 0, 1, b'a', 0, 1, b'b'], Ok(()));
        check(&[7, 0x26, 0, 1, b'a', 0, 1, 0xFF], Err(Malformed::Text));
        check(&[2, 0x55, 1], Err(Malformed::Unknown));
        check(&[3, 0x02, 0, 0], Err(Malformed::Short));
        check(&[9, 0x01, 1], Err(Malformed::Short));
        check(&[], Err(Malformed::Short));
    }
}
