//! Takes the parts of a packet from its bytes, one after the other.

use bytes::{Buf as _, Bytes};

/// What is left of a packet.
#[derive(Debug)]
pub(super) struct Cursor(Bytes);

/// The packet ends in the middle of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Short;

impl Cursor {
    pub(super) fn new(bytes: Bytes) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All that is left.
    pub(super) fn rest(self) -> Bytes {
        self.0
    }

    pub(super) fn byte(&mut self) -> Result<u8, Short> {
        self.0.try_get_u8().map_err(|_| Short)
    }

    pub(super) fn two_bytes(&mut self) -> Result<u16, Short> {
        self.0.try_get_u16().map_err(|_| Short)
    }

    pub(super) fn four_bytes(&mut self) -> Result<u32, Short> {
        self.0.try_get_u32().map_err(|_| Short)
    }

    /// Bytes behind their length in two bytes.
    pub(super) fn binary(&mut self) -> Result<Bytes, Short> {
        let length = usize::from(self.two_bytes()?);
        self.take(length)
    }

    /// The next `length` bytes.
    pub(super) fn take(&mut self, length: usize) -> Result<Bytes, Short> {
        if length > self.0.len() {
            return Err(Short);
        }
        Ok(self.0.split_to(length))
    }

    /// A variable byte integer, of at most four bytes.
    pub(super) fn variable(&mut self) -> Result<usize, Short> {
        let mut value = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            value |= usize::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_end_where_the_packet_ends() {
        let cursor = |bytes: &'static [u8]| Cursor::new(Bytes::from_static(bytes));
        assert_eq!(cursor(&[]).byte(), Err(Short));
        assert_eq!(cursor(&[1]).two_bytes(), Err(Short));
        assert_eq!(cursor(&[1, 2]).two_bytes(), Ok(0x0102));
        assert_eq!(cursor(&[0, 2, b'a']).binary(), Err(Short));
        assert_eq!(cursor(&[0, 1, b'a']).binary(), Ok("a".into()));
        assert_eq!(cursor(&[0x80, 1]).variable(), Ok(128));
        assert_eq!(cursor(&[0x80]).variable(), Err(Short));
        assert_eq!(cursor(&[0x80; 5]).variable(), Err(Short));
    }
}
