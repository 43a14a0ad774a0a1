//! Frames in a stream of bytes.

/// Largest body: the largest MQTT packet is 256 MiB, and a frame holds one message and its names.
pub const MAX_BODY: usize = 272 << 20;

const HEADER: usize = 4;

/// A body over [`MAX_BODY`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {size} bytes is over the limit of {MAX_BODY}")]
pub struct TooLarge {
    /// Size of the body.
    pub size: usize,
}

/// Appends a frame whose body `write` appends.
pub(crate) fn frame(
    buffer: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>),
) -> Result<(), TooLarge> {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; HEADER]);
    write(buffer);
    let size = buffer.len() - start - HEADER;
    match u32::try_from(size) {
        Ok(length) if size <= MAX_BODY => {
            buffer[start..start + HEADER].copy_from_slice(&length.to_le_bytes());
            Ok(())
        }
        _ => {
            buffer.truncate(start);
            Err(TooLarge { size })
        }
    }
}

/// Cuts a stream of bytes into bodies.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// How much of the buffer was given out.
    consumed: usize,
}

impl Decoder {
    /// The buffer to append received bytes to.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        // What was given out goes at once for all frames of a read, not frame by frame.
        self.buffer.drain(..self.consumed);
        self.consumed = 0;
        &mut self.buffer
    }

    /// The next whole body, or `None` until more bytes come.
    ///
    /// # Errors
    /// The other side announces a body over the limit; the stream is of no use from there on.
    pub fn next_body(&mut self) -> Result<Option<&[u8]>, TooLarge> {
        let Some((header, rest)) = self.buffer[self.consumed..].split_first_chunk::<HEADER>()
        else {
            return Ok(None);
        };
        let size = u32::from_le_bytes(*header) as usize;
        if size > MAX_BODY {
            return Err(TooLarge { size });
        }
        let Some(body) = rest.get(..size) else {
            return Ok(None);
        };
        self.consumed += HEADER + size;
        Ok(Some(body))
    }

    /// Whether a frame has begun and is not whole.
    pub fn is_mid_frame(&self) -> bool {
        self.consumed < self.buffer.len()
    }
}
