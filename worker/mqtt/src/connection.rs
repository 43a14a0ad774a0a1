//! One connection of a session: its stream, its buffers and its keep-alive.

use std::collections::VecDeque;
use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _};
use tokio::time::{Instant, Sleep};

use super::frame::{self, Discard, Front};
use super::packet::{self, Inbound, Limits, Writer};
use super::transport::{self, Stream, dead_after};
use super::{Error, Options};

/// How long TCP, TLS, WebSocket and MQTT's own greeting may take together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the broker may take to close after our goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// What a read asks of the system at once.
const READ: usize = 64 << 10;

/// See the module's description.
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
    pub(super) since: Instant,
    /// Pings that were written to `output`, and answers that were taken.
    pings: u64,
    pongs: u64,
}

/// So many packets within [`Options::gather`] are a high rate.
const GATHER_PACKETS: usize = 5;

/// Whether packets wait for each other, as network cards do it with interrupts; decided anew for each
/// [`Options::gather`].
struct Gathering {
    wait: Duration,
    since: Instant,
    packets: usize,
    /// Reading waits until this fires.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Gathering {
    /// Packets were taken at `now`.
    fn took(&mut self, packets: usize, now: Instant) {
        self.packets += packets;
        if self.wait.is_zero() || now - self.since < self.wait {
            return;
        }
        if self.packets >= GATHER_PACKETS {
            let timer = self
                .timer
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(self.wait)));
            timer.as_mut().reset(now + self.wait);
        } else {
            self.timer = None;
        }
        self.since = now;
        self.packets = 0;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.timer {
            Some(timer) => timer.as_mut().poll(cx),
            None => Poll::Ready(()),
        }
    }
}

/// When to ping, and when the peer is gone.
struct KeepAlive {
    interval: Duration,
    timer: Pin<Box<Sleep>>,
    read: Instant,
    written: Instant,
    pinged: Option<Instant>,
}

/// What a connection found.
#[derive(Debug)]
pub(super) enum Found {
    Packet(Inbound),
    Oversized {
        size: usize,
        qos: crds::validated::Qos,
        id: u16,
    },
}

/// Why a connection ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// The broker closed it without a word.
    Closed,
    Lost(String),
    Protocol(String),
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
    /// Connects, and waits for the broker's greeting: whether it has the session, and its limits.
    pub(super) async fn open(options: &Options) -> Result<(Self, bool, Limits), Error> {
        tokio::time::timeout(CONNECT_TIMEOUT, Self::greet(options))
            .await
            .unwrap_or_else(|_| {
                Err(Error::Unreachable {
                    broker: options.broker.address(),
                    reason: format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()),
                })
            })
    }

    async fn greet(options: &Options) -> Result<(Self, bool, Limits), Error> {
        let broker = options.broker.address();
        let stream = transport::connect(options)
            .await
            .map_err(|error| Error::Unreachable {
                broker: broker.clone(),
                reason: error.to_string(),
            })?;
        let mut connection = Self::new(options, stream);
        connection.writer.connect(options, &mut connection.output);
        loop {
            let found = std::future::poll_fn(|cx| connection.poll(cx, true)).await;
            match found {
                Err(ended) => return Err(ended.into_error(broker)),
                Ok(()) => match connection.next() {
                    Ok(None) => {}
                    Ok(Some(Found::Packet(Inbound::ConnAck {
                        session_present,
                        refused: None,
                        limits,
                    }))) => {
                        if let Some(seconds) = limits.keep_alive {
                            let interval = Duration::from_secs(u64::from(seconds));
                            connection.keep_alive.interval = interval;
                        }
                        return Ok((connection, session_present, limits));
                    }
                    Ok(Some(Found::Packet(Inbound::ConnAck {
                        refused: Some(reason),
                        ..
                    }))) => return Err(Error::ConnectionRefused { broker, reason }),
                    Ok(Some(_)) => {
                        return Err(Error::Protocol {
                            broker,
                            reason: "the first packet is no CONNACK".to_owned(),
                        });
                    }
                    Err(ended) => return Err(ended.into_error(broker)),
                },
            }
        }
    }

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
            keep_alive: KeepAlive {
                interval: options.keep_alive,
                timer: Box::pin(tokio::time::sleep_until(now + options.keep_alive)),
                read: now,
                written: now,
                pinged: None,
            },
            gathering: Gathering {
                wait: options.gather,
                since: now,
                packets: 0,
                timer: None,
            },
            since: now,
            pings: 0,
            pongs: 0,
        }
    }

    /// Asks the broker for a sign, and gives what [`Self::pongs`] will be when it comes.
    pub(super) fn ping(&mut self) -> u64 {
        self.writer.ping(&mut self.output);
        self.keep_alive.pinged = Some(Instant::now());
        self.pings += 1;
        self.pings
    }

    /// The broker answered a ping.
    pub(super) fn ponged(&mut self) {
        self.pongs += 1;
    }

    /// How many pings the broker answered.
    pub(super) fn pongs(&self) -> u64 {
        self.pongs
    }

    /// Writes what is there to write, and reads if `read`; ready when something was written or read,
    /// or the connection ended.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<Result<(), Ended>> {
        self.poll_keep_alive(cx, read)?;
        let mut progress = self.poll_output(cx).map_err(|error| Ended::io(&error))?;
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
                    self.keep_alive.written = Instant::now();
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
        let reading =
            tokio_util::io::poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.input);
        match reading {
            Poll::Pending => Ok(false),
            Poll::Ready(Err(error)) => Err(Ended::io(&error)),
            Poll::Ready(Ok(0)) => Err(Ended::Closed),
            Poll::Ready(Ok(_)) => {
                self.keep_alive.read = Instant::now();
                self.keep_alive.pinged = None;
                Ok(true)
            }
        }
    }

    /// Pings a silent connection, and gives up one that does not answer. While nothing is read, TCP's
    /// own timeout has to notice a dead peer.
    fn poll_keep_alive(&mut self, cx: &mut Context<'_>, read: bool) -> Result<(), Ended> {
        let keep_alive = &mut self.keep_alive;
        while keep_alive.timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            let silent = now - keep_alive.read;
            if read && keep_alive.pinged.is_some() && silent >= dead_after(keep_alive.interval) {
                return Err(Ended::Lost("the broker does not answer pings".to_owned()));
            }
            let last = keep_alive.read.min(keep_alive.written);
            let last = keep_alive.pinged.map_or(last, |pinged| last.max(pinged));
            let mut next = last + keep_alive.interval;
            if next <= now {
                self.writer.ping(&mut self.output);
                self.pings += 1;
                keep_alive.pinged = Some(now);
                // Half an interval later is when an unanswered ping means the end.
                next = now + keep_alive.interval / 2;
            }
            keep_alive.timer.as_mut().reset(next);
        }
        Ok(())
    }

    /// Reading begins again: what came in the meantime has not been seen, so nobody is late.
    pub(super) fn resume(&mut self) {
        self.keep_alive.read = Instant::now();
        self.keep_alive.pinged = None;
    }

    /// Appends every packet that has come whole.
    pub(super) fn take_packets(&mut self, found: &mut VecDeque<Found>) -> Result<(), Ended> {
        while let Some(next) = self.next()? {
            found.push_back(next);
        }
        self.gathering.took(found.len(), self.keep_alive.read);
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Found>, Ended> {
        if let Some(discard) = &mut self.discard {
            if !discard.go_on(&mut self.input) {
                return Ok(None);
            }
            self.discard = None;
        }
        let front = frame::front(&self.input, self.limit)
            .map_err(|error| Ended::Protocol(error.to_string()))?;
        match front {
            Front::Partial => Ok(None),
            Front::Packet(size) => {
                let mut packet = self.input.split_to(size);
                packet::read(self.writer.version, &mut packet)
                    .map(|packet| Some(Found::Packet(packet)))
                    .map_err(|error| Ended::Protocol(error.to_string()))
            }
            Front::Oversized { size, qos, id } => {
                let mut discard = Discard::default();
                discard.start(size, &mut self.input);
                self.discard = Some(discard);
                Ok(Some(Found::Oversized { size, qos, id }))
            }
        }
    }

    /// Writes everything, says goodbye and closes.
    pub(super) async fn close(mut self) {
        self.writer.disconnect(&mut self.output);
        if let Err(error) = self.say_goodbye().await {
            tracing::debug!(%error, "Connection ended before it was closed");
        }
    }

    async fn say_goodbye(&mut self) -> io::Result<()> {
        self.stream.write_all_buf(&mut self.output).await?;
        self.stream.flush().await?;
        self.stream.shutdown().await?;
        // Closing with unread bytes would reset the connection, and the reset may overtake the last
        // acknowledgements at the broker.
        let drained = async {
            while self.stream.read_buf(&mut self.input).await? > 0 {
                self.input.clear();
            }
            Ok(())
        };
        tokio::time::timeout(CLOSE_TIMEOUT, drained)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Ended {
    fn io(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Lost(error.to_string()),
        }
    }

    pub(super) fn into_error(self, broker: String) -> Error {
        match self {
            Self::Closed => Error::Lost {
                broker,
                reason: "the broker closed it".to_owned(),
            },
            Self::Lost(reason) => Error::Lost { broker, reason },
            Self::Protocol(reason) => Error::Protocol { broker, reason },
        }
    }
}
