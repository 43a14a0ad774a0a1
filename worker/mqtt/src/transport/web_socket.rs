//! The frames of a WebSocket (RFC 6455) as a stream of bytes, once its handshake is over.
//!
//! MQTT's packets may begin and end anywhere in frames, so a frame's payload is passed on as it comes. Nothing is allocated
//! for the length that a frame's header claims.

mod header;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::hang_up::HangUp;
use header::{CONTROL_LIMIT, Header, Opcode};

/// What one frame of ours carries at most.
const FRAME: usize = 64 << 10;

/// See the module's description.
#[derive(Debug)]
pub(super) struct WebSocket<S> {
    stream: S,
    /// Bytes of headers and control frames.
    input: BytesMut,
    state: State,
    /// Frames that are not written.
    output: BytesMut,
    closing: bool,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Header,
    /// Bytes that are left of a frame's payload.
    Payload(u64),
    /// A control frame with so many bytes.
    Control(Opcode, usize),
    Closed,
}

impl<S: HangUp> HangUp for WebSocket<S> {
    fn hung_up(&self) -> bool {
        self.stream.hung_up()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// On a stream whose handshake is over.
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            input: BytesMut::new(),
            state: State::Header,
            output: BytesMut::new(),
            closing: false,
        }
    }

    /// Reads more of a header or control frame; `false` at the end of the stream.
    fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let stream = Pin::new(&mut self.stream);
        self.input.reserve(CONTROL_LIMIT);
        let read = ready!(tokio_util::io::poll_read_buf(stream, cx, &mut self.input))?;
        Poll::Ready(Ok(read > 0))
    }

    /// Takes a header or control frame, if it is whole.
    fn take(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        match self.state {
            State::Header => {
                let Some(header) = Header::parse(&self.input).map_err(io::Error::other)? else {
                    return Ok(false);
                };
                self.input.advance(header.size);
                self.state = match header.opcode {
                    Opcode::Data => State::Payload(header.length),
                    // The parser has checked that it is short.
                    control => State::Control(control, usize::try_from(header.length).unwrap_or(0)),
                };
            }
            State::Control(opcode, length) => {
                if self.input.len() < length {
                    return Ok(false);
                }
                let payload = self.input.split_to(length);
                self.state = State::Header;
                match opcode {
                    Opcode::Close => self.state = State::Closed,
                    // One that is not written yet answers the earlier ping, which is enough (section 5.5.3).
                    Opcode::Ping if self.output.is_empty() => {
                        self.frame(header::PONG, &payload);
                        // If it cannot be written, the next write says so; what the broker has sent is still read.
                        let _ = self.poll_output(cx);
                    }
                    Opcode::Data | Opcode::Ping | Opcode::Pong => {}
                }
            }
            State::Payload(_) | State::Closed => {}
        }
        Ok(true)
    }

    fn frame(&mut self, opcode: u8, payload: &[u8]) {
        let mask: [u8; 4] = rand::random();
        header::write(opcode, payload.len(), mask, &mut self.output);
        let masked = payload.iter().zip(mask.iter().cycle());
        self.output.extend(masked.map(|(byte, mask)| byte ^ mask));
    }

    fn poll_output(&mut self, cx: &mut Context<'_>) -> io::Result<Poll<()>> {
        while !self.output.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.output) {
                Poll::Pending => return Ok(Poll::Pending),
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(written) => self.output.advance(written?),
            }
        }
        Ok(Poll::Ready(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WebSocket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            match self.state {
                State::Closed => return Poll::Ready(Ok(())),
                State::Payload(0) => self.state = State::Header,
                State::Payload(left) => {
                    let most = usize::try_from(left).unwrap_or(usize::MAX);
                    let most = most.min(buf.remaining());
                    let read = if self.input.is_empty() {
                        let mut part = ReadBuf::new(buf.initialize_unfilled_to(most));
                        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut part))?;
                        let read = part.filled().len();
                        buf.advance(read);
                        read
                    } else {
                        let most = most.min(self.input.len());
                        buf.put_slice(&self.input.split_to(most));
                        most
                    };
                    self.state = State::Payload(left - read as u64);
                    return Poll::Ready(Ok(()));
                }
                State::Header | State::Control(..) => {
                    if !self.take(cx)? && !ready!(self.poll_input(cx))? {
                        return Poll::Ready(Ok(()));
                    }
                }
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WebSocket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_output(cx)?);
        let part = &buf[..buf.len().min(FRAME)];
        self.frame(header::BINARY, part);
        // What cannot be written now is written before the next frame, or by a flush.
        let _ = self.poll_output(cx)?;
        Poll::Ready(Ok(part.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_output(cx)?);
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.closing {
            self.closing = true;
            self.frame(header::CLOSE, &header::NORMAL);
        }
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
