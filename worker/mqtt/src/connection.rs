//! One connection of a session: its stream, its buffers and its keep-alive.

mod ended;
mod gathering;
mod greeting;
mod keep_alive;
#[cfg(test)]
mod tests;
mod unread;

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, BytesMut};
use tokio::io::AsyncWrite as _;
use tokio::time::Instant;

use super::Options;
use super::frame::{self, Discard, Front};
use super::packet::{self, LENGTH, Received, Violation, Writer};
use super::transport::Stream;
pub(super) use ended::Ended;
use gathering::Gathering;
use keep_alive::{Due, KeepAlive};
use unread::Unread;

/// Bytes to ask the system for in one read.
const READ: usize = 64 << 10;

/// While so much waits to be written, nothing is read: a broker that makes a session answer, but does not take the
/// answers, would fill the memory.
const UNWRITTEN: usize = 1 << 20;

/// One connection of a session.
pub(super) struct Connection {
    stream: Box<dyn Stream>,
    input: BytesMut,
    discard: Option<Discard>,
    /// Bytes to be written.
    pub(super) output: BytesMut,
    /// How much was written before `output`.
    pub(super) position: u64,
    flushed: bool,
    writer: Writer,
    limit: usize,
    keep_alive: KeepAlive,
    gathering: Gathering,
    /// Whether the read since packets were taken filled the room that there was, if there was a read.
    filled: Option<bool>,
    unread: Unread,
    pub(super) since: Instant,
    /// Whether the broker is on this machine.
    pub(super) near: bool,
    /// Pings that were written to `output`, and answers that were taken.
    pings: u64,
    pongs: u64,
}

/// What a connection read.
#[derive(Debug)]
pub(super) enum Found {
    Packet(Received),
    Oversized {
        size: usize,
        qos: crds::validated::Qos,
        id: u16,
    },
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("input", &self.input.len())
            .field("output", &self.output.len())
            .finish_non_exhaustive()
    }
}

impl Connection {
    fn new(options: &Options, stream: Box<dyn Stream>) -> Self {
        let now = Instant::now();
        Self {
            stream,
            input: BytesMut::new(),
            discard: None,
            output: BytesMut::new(),
            position: 0,
            flushed: true,
            writer: Writer {
                version: options.version,
            },
            limit: options.max_packet_size as usize,
            keep_alive: KeepAlive::new(options.keep_alive, now),
            gathering: Gathering::new(options.gather, now),
            filled: None,
            unread: Unread::default(),
            since: now,
            near: false,
            pings: 0,
            pongs: 0,
        }
    }

    /// Pings the broker, and returns the value of [`Self::pongs`] once it has answered.
    pub(super) fn ping(&mut self) -> u64 {
        self.writer.ping(&mut self.output);
        self.keep_alive.pinged();
        self.pings += 1;
        self.pings
    }

    /// Records that the broker answered a ping.
    pub(super) fn ponged(&mut self) {
        self.pongs += 1;
    }

    /// How many pings the broker answered.
    pub(super) fn pongs(&self) -> u64 {
        self.pongs
    }

    /// Writes pending bytes, and reads if `read`; ready when something was written or read, or the connection ended.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<Result<(), Ended>> {
        let closed = self.unread.poll(cx, read, || self.stream.hung_up());
        let read = (read || closed) && self.output.len() < UNWRITTEN;
        loop {
            match self.keep_alive.poll(cx, read) {
                Due::Nothing => break,
                Due::Ping => {
                    self.writer.ping(&mut self.output);
                    self.pings += 1;
                }
                Due::Gone => return Poll::Ready(Err(no_answer())),
            }
        }
        let mut progress = match self.poll_output(cx) {
            Ok(progress) => progress,
            // A broker that closes may have said why before.
            Err(error) => match self.poll_input(cx) {
                Ok(true) => return Poll::Ready(Ok(())),
                Ok(false) | Err(_) => return Poll::Ready(Err(Ended::io(&error))),
            },
        };
        if read && self.gathering.poll(cx).is_ready() {
            progress |= self.poll_input(cx)?;
        }
        if progress {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }

    fn poll_output(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut progress = false;
        while !self.output.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.output) {
                Poll::Pending => break,
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => {
                    self.output.advance(count);
                    self.position += count as u64;
                    self.flushed = false;
                    progress = true;
                    self.keep_alive.written();
                }
            }
        }
        if !self.flushed && Pin::new(&mut self.stream).poll_flush(cx)?.is_ready() {
            self.flushed = true;
        }
        Ok(progress)
    }

    fn poll_input(&mut self, cx: &mut Context<'_>) -> Result<bool, Ended> {
        self.input.reserve(READ);
        let room = self.input.capacity() - self.input.len();
        let reading =
            tokio_util::io::poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.input);
        match reading {
            Poll::Pending => Ok(false),
            Poll::Ready(Err(error)) => Err(Ended::io(&error)),
            Poll::Ready(Ok(0)) => Err(Ended::Closed),
            Poll::Ready(Ok(count)) => {
                self.keep_alive.read();
                self.filled = Some(count >= room);
                Ok(true)
            }
        }
    }

    /// Whether the broker closed it while nothing was read; what it had sent is read since.
    pub(super) fn closed_unread(&self) -> bool {
        self.unread.closed()
    }

    /// Resumes reading.
    pub(super) fn resume(&mut self) {
        self.keep_alive.read();
    }

    /// Appends every complete packet, while so many messages wait for an acknowledgement.
    pub(super) fn take_packets(
        &mut self,
        found: &mut VecDeque<Found>,
        outstanding: usize,
    ) -> Result<(), Ended> {
        while let Some(next) = self.next()? {
            found.push_back(next);
        }
        // What was only written says nothing of the rate.
        if let Some(filled) = self.filled.take() {
            self.gathering.outstanding(outstanding);
            self.gathering
                .took(found.len(), filled, self.keep_alive.last_read());
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Found>, Ended> {
        if let Some(discard) = &mut self.discard {
            if !discard.resume(&mut self.input) {
                return Ok(None);
            }
            self.discard = None;
        }
        let front = frame::front(&self.input, self.limit).map_err(|error| {
            let broken = Violation::new(self.writer.version, "packet", error.what(), LENGTH);
            Ended::Protocol(broken.to_string())
        })?;
        match front {
            Front::Partial => Ok(None),
            Front::Packet(size) => {
                let packet = self.input.split_to(size).freeze();
                packet::read(self.writer.version, packet)
                    .map(|received| Some(Found::Packet(received)))
                    .map_err(|broken| Ended::Protocol(broken.to_string()))
            }
            Front::Oversized { size, qos, id } => {
                let mut discard = Discard::default();
                discard.start(size, &mut self.input);
                self.discard = Some(discard);
                Ok(Some(Found::Oversized { size, qos, id }))
            }
        }
    }
}

fn no_answer() -> Ended {
    Ended::Lost("the broker does not answer pings".to_owned())
}
