//! Cuts the broker's bytes into packets, and discards packets over the limit without keeping them.

use bytes::{Buf as _, BytesMut};
use crds::validated::Qos;

/// What the buffer begins with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Front {
    /// A whole packet of this size.
    Packet(usize),
    /// More bytes are needed.
    Partial,
    /// A message over the limit, to be discarded; at QoS 1 and 2 with its packet id.
    Oversized {
        /// Size of the packet.
        size: usize,
        /// Its QoS, which decides how it is acknowledged.
        qos: Qos,
        /// Its packet id, 0 at QoS 0.
        id: u16,
    },
}

/// No packet can begin so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Malformed {
    /// Its length has more than four bytes.
    Length,
    /// It exceeds the limit and isn't a message.
    Oversized,
}

impl Malformed {
    /// What is wrong with it.
    pub(super) fn what(self) -> &'static str {
        match self {
            Self::Length => "whose length has more than four bytes",
            Self::Oversized => "that is not a message and larger than maxPacketSize",
        }
    }
}

const PUBLISH: u8 = 3;

/// The bytes that are still to be discarded of an oversized packet.
#[derive(Debug, Default)]
pub(super) struct Discard(usize);

impl Discard {
    /// Discards a packet of `size` bytes that begins in `buffer`.
    pub(super) fn start(&mut self, size: usize, buffer: &mut BytesMut) {
        self.0 = size;
        self.resume(buffer);
    }

    /// Discards what has arrived of the packet, and returns whether that was all of it.
    pub(super) fn resume(&mut self, buffer: &mut BytesMut) -> bool {
        let now = self.0.min(buffer.len());
        buffer.advance(now);
        self.0 -= now;
        self.0 == 0
    }
}

/// Finds out what `buffer` begins with.
pub(super) fn front(buffer: &[u8], limit: usize) -> Result<Front, Malformed> {
    let Some((&first, rest)) = buffer.split_first() else {
        return Ok(Front::Partial);
    };
    let mut length = 0;
    let mut header = 1;
    loop {
        let Some(&byte) = rest.get(header - 1) else {
            return Ok(Front::Partial);
        };
        length |= usize::from(byte & 0x7F) << (7 * (header - 1));
        header += 1;
        if byte & 0x80 == 0 {
            break;
        }
        if header == 5 {
            return Err(Malformed::Length);
        }
    }
    let size = header + length;
    if size > limit {
        return oversized(first, &buffer[header..], size, length);
    }
    Ok(if buffer.len() < size {
        Front::Partial
    } else {
        Front::Packet(size)
    })
}

fn oversized(first: u8, body: &[u8], size: usize, length: usize) -> Result<Front, Malformed> {
    if first >> 4 != PUBLISH {
        return Err(Malformed::Oversized);
    }
    let qos = match (first >> 1) & 3 {
        1 => Qos::AtLeastOnce,
        2 => Qos::ExactlyOnce,
        // QoS 3 does not exist, and so there is no acknowledgement for it.
        _ => Qos::AtMostOnce,
    };
    if qos == Qos::AtMostOnce {
        return Ok(Front::Oversized { size, qos, id: 0 });
    }
    let Some((topic, rest)) = body.split_first_chunk::<2>() else {
        return Ok(Front::Partial);
    };
    let topic = usize::from(u16::from_be_bytes(*topic));
    if topic + 4 > length {
        // It has no packet id that could be acknowledged.
        let qos = Qos::AtMostOnce;
        return Ok(Front::Oversized { size, qos, id: 0 });
    }
    let id = rest.get(topic..).and_then(<[u8]>::first_chunk::<2>);
    Ok(id.map_or(Front::Partial, |id| Front::Oversized {
        size,
        qos,
        id: u16::from_be_bytes(*id),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_whole_when_their_last_byte_is_there() {
        assert_eq!(front(&[], 100), Ok(Front::Partial));
        assert_eq!(front(&[0xD0], 100), Ok(Front::Partial));
        assert_eq!(front(&[0xD0, 0], 100), Ok(Front::Packet(2)));
        let mut long = vec![0x30, 0x80, 0x01];
        long.resize(130, 0);
        assert_eq!(front(&long, 1000), Ok(Front::Partial));
        long.push(0);
        assert_eq!(front(&long, 1000), Ok(Front::Packet(131)));
        assert_eq!(
            front(&[0x30, 0x80, 0x80, 0x80, 0x80, 0x01], 100),
            Err(Malformed::Length)
        );
    }

    #[test]
    fn an_oversized_message_shows_how_to_acknowledge_it_before_it_has_come() {
        let oversized = |first: u8| [first, 0xFF, 0x7F, 0, 1, b'a', 0, 7];
        let expected = Front::Oversized {
            size: 16_386,
            qos: Qos::AtLeastOnce,
            id: 7,
        };
        assert_eq!(front(&oversized(0x32), 100), Ok(expected));
        assert_eq!(front(&oversized(0x32)[..7], 100), Ok(Front::Partial));
        assert!(matches!(
            front(&oversized(0x30)[..3], 100),
            Ok(Front::Oversized { id: 0, .. })
        ));
        assert!(matches!(
            front(&oversized(0x36), 100),
            Ok(Front::Oversized { id: 0, .. })
        ));
        assert_eq!(front(&oversized(0x90), 100), Err(Malformed::Oversized));
    }

    #[test]
    fn a_discarded_packet_leaves_the_next_one() {
        let mut buffer = BytesMut::from(&[1, 2, 3][..]);
        let mut discard = Discard::default();
        discard.start(5, &mut buffer);
        assert!(!discard.resume(&mut buffer));
        buffer.extend_from_slice(&[4, 5, 6]);
        assert!(discard.resume(&mut buffer));
        assert_eq!(buffer[..], [6]);
    }
}
