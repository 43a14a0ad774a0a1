//! Frames in a stream of bytes.

/// Largest body to a host: the largest MQTT packet is 256 MiB, and a frame holds one message and its names.
pub const MAX_BODY: usize = 272 << 20;

/// Largest body from a host. What is larger than a few packets cannot be published, and the worker has to hold it twice.
pub const MAX_REPLY: usize = 32 << 20;

/// Memory that a decoder keeps for the next frame.
const KEPT: usize = 1 << 20;

const HEADER: usize = 4;

/// A body over the limit of its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {size} bytes is over the limit of {limit}")]
pub struct TooLarge {
    /// Size of the body.
    pub size: usize,
    /// The limit.
    pub limit: usize,
}

/// Appends a frame whose body `write` appends, if that is at most `limit` bytes.
pub(crate) fn frame(
    buffer: &mut Vec<u8>,
    limit: usize,
    write: impl FnOnce(&mut Vec<u8>),
) -> Result<(), TooLarge> {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; HEADER]);
    write(buffer);
    let size = buffer.len() - start - HEADER;
    match u32::try_from(size) {
        Ok(length) if size <= limit => {
            buffer[start..start + HEADER].copy_from_slice(&length.to_le_bytes());
            Ok(())
        }
        _ => {
            buffer.truncate(start);
            Err(TooLarge { size, limit })
        }
    }
}

/// Cuts a stream of bytes into bodies.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    buffer: Vec<u8>,
    /// How much of the buffer was given out.
    consumed: usize,
}

impl Default for Decoder {
    /// For what a worker sends.
    fn default() -> Self {
        Self::with_limit(MAX_BODY)
    }
}

impl Decoder {
    /// Takes bodies of at most `limit` bytes.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            limit,
            buffer: Vec::new(),
            consumed: 0,
        }
    }

    /// The buffer to append received bytes to.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        // Returned bodies are removed together for all frames of a read, not one by one.
        self.buffer.drain(..self.consumed);
        self.consumed = 0;
        if self.buffer.is_empty() {
            self.buffer.shrink_to(KEPT);
        }
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
        let limit = self.limit;
        if size > limit {
            return Err(TooLarge { size, limit });
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
