//! Headers of WebSocket frames (RFC 6455, section 5.2).

use bytes::{BufMut as _, BytesMut};

/// First bytes of whole frames.
pub(super) const BINARY: u8 = 0x82;
pub(super) const CLOSE: u8 = 0x88;
pub(super) const PONG: u8 = 0x8A;

/// The status of a close without a fault.
pub(super) const NORMAL: [u8; 2] = 1000_u16.to_be_bytes();

/// The most that a control frame carries (section 5.5).
pub(super) const CONTROL_LIMIT: usize = 125;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode {
    /// Binary, or the continuation of it.
    Data,
    Close,
    Ping,
    Pong,
}

/// The header at the front of a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) opcode: Opcode,
    /// Bytes of the payload, at most [`CONTROL_LIMIT`] in control frames.
    pub(super) length: u64,
    /// Bytes of the header.
    pub(super) size: usize,
}

/// Why a broker's frame cannot be taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    #[error("the broker sent a WebSocket frame with reserved bits (RFC 6455, section 5.2)")]
    Reserved,
    #[error("the broker sent a masked WebSocket frame (RFC 6455, section 5.1)")]
    Masked,
    #[error("the broker sent a WebSocket frame that is not binary (MQTT, section 6)")]
    NotBinary,
    #[error("the broker sent a large or divided WebSocket control frame (RFC 6455, section 5.5)")]
    Control,
}

impl Header {
    /// Reads the header at the front of `bytes`; `None` if it is not whole.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<Self>, Broken> {
        let [first, second, rest @ ..] = bytes else {
            return Ok(None);
        };
        if first & 0x70 != 0 {
            return Err(Broken::Reserved);
        }
        if second & 0x80 != 0 {
            return Err(Broken::Masked);
        }
        let opcode = match first & 0x0F {
            0 | 2 => Opcode::Data,
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            _ => return Err(Broken::NotBinary),
        };
        let short = second & 0x7F;
        if opcode != Opcode::Data && (usize::from(short) > CONTROL_LIMIT || first & 0x80 == 0) {
            return Err(Broken::Control);
        }
        let (length, size) = match short {
            126 => match rest.first_chunk() {
                Some(length) => (u64::from(u16::from_be_bytes(*length)), 4),
                None => return Ok(None),
            },
            127 => match rest.first_chunk() {
                Some(length) => (u64::from_be_bytes(*length), 10),
                None => return Ok(None),
            },
            short => (u64::from(short), 2),
        };
        Ok(Some(Self {
            opcode,
            length,
            size,
        }))
    }
}

/// Writes the header of a frame of ours, which is masked (section 5.3).
pub(super) fn write(first: u8, length: usize, mask: [u8; 4], output: &mut BytesMut) {
    const MASKED: u8 = 0x80;
    output.put_u8(first);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ ..=125), _) => output.put_u8(MASKED | short),
        (_, Ok(medium)) => {
            output.put_u8(MASKED | 0x7E);
            output.put_u16(medium);
        }
        _ => {
            output.put_u8(MASKED | 0x7F);
            output.put_u64(length as u64);
        }
    }
    output.put_slice(&mask);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_or_refused() {
        let header = |opcode, length, size| {
            Ok(Some(Header {
                opcode,
                length,
                size,
            }))
        };
        let huge = [0x82, 127, 0, 0, 0x20, 0, 0, 0, 0, 0];
        let table = [
            (&[][..], Ok(None)),
            (&[0x82][..], Ok(None)),
            (&[0x82, 5][..], header(Opcode::Data, 5, 2)),
            (&[0x00, 5][..], header(Opcode::Data, 5, 2)),
            (&[0x82, 126, 1][..], Ok(None)),
            (&[0x82, 126, 1, 0][..], header(Opcode::Data, 256, 4)),
            (&huge[..], header(Opcode::Data, 1 << 45, 10)),
            (&[0x89, 125][..], header(Opcode::Ping, 125, 2)),
            (&[0x8A, 0][..], header(Opcode::Pong, 0, 2)),
            (&[0x88, 2][..], header(Opcode::Close, 2, 2)),
            (&[0x89, 126][..], Err(Broken::Control)),
            (&[0x09, 1][..], Err(Broken::Control)),
            (&[0xC2, 5][..], Err(Broken::Reserved)),
            (&[0x82, 0x85][..], Err(Broken::Masked)),
            (&[0x81, 5][..], Err(Broken::NotBinary)),
        ];
        for (bytes, expected) in table {
            assert_eq!(Header::parse(bytes), expected, "{bytes:02X?}");
        }
    }

    #[test]
    fn lengths_are_written_in_the_shortest_form() {
        for (length, expected) in [
            (125, &[0x82, 0xFD][..]),
            (126, &[0x82, 0xFE, 0, 126]),
            (65_536, &[0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut output = BytesMut::new();
            write(BINARY, length, [0; 4], &mut output);
            assert_eq!(output[..output.len() - 4], *expected);
        }
    }
}
