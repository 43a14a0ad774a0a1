//! A load generator that is the broker for the worker: one thread that routes nothing. It keeps the window of each subscription
//! full and acknowledges each result.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::packets::{self, Template};

/// Messages of a subscription that are sent and not acknowledged, at most.
const WINDOW: u16 = 1_000;

/// Bytes that wait to be written, at most, before the next message.
const OUTPUT: usize = 128 << 10;

/// What is published and how.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    pub(crate) qos: u8,
    /// One for each device, in turns.
    pub(crate) payloads: Vec<Vec<u8>>,
}

/// What has passed so far.
#[derive(Debug, Default)]
struct Counts {
    sent: AtomicU64,
    acknowledged: AtomicU64,
    results: AtomicU64,
    /// Processor time of the thread, in microseconds.
    busy: AtomicU64,
}

/// A generator; ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Generator {
    address: SocketAddr,
    counts: Arc<Counts>,
    feeding: watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
    end: watch::Sender<bool>,
}

impl Generator {
    /// Listens; messages flow when [`Self::feed`] says so.
    pub(crate) fn start(load: Load, tls: Option<TlsAcceptor>) -> anyhow::Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let counts = Arc::new(Counts::default());
        let (feeding, fed) = watch::channel(false);
        let (end, mut ended) = watch::channel(false);
        let seen = counts.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let serve = async move {
            let listener = TcpListener::from_std(listener)?;
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true)?;
                let connection = Connection::new(load.clone(), seen.clone(), fed.clone());
                let tls = tls.clone();
                // What breaks shows as results that are missing.
                connections.spawn(async move {
                    match tls {
                        Some(tls) => connection.serve(tls.accept(stream).await?).await,
                        None => connection.serve(stream).await,
                    }
                });
            }
            anyhow::Ok(())
        };
        let busy = counts.clone();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async move {
                let clock = async {
                    loop {
                        let time =
                            rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
                        let micros = time.tv_sec * 1_000_000 + time.tv_nsec / 1_000;
                        busy.busy.store(micros.unsigned_abs(), Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                };
                tokio::select! {
                    _ = serve => {}
                    () = clock => {}
                    _ = ended.changed() => {}
                }
            });
        });
        Ok(Self {
            address,
            counts,
            feeding,
            thread: Some(thread),
            end,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets messages flow, or no more.
    pub(crate) fn feed(&self, flows: bool) {
        self.feeding.send_replace(flows);
    }

    /// Results so far.
    pub(crate) fn results(&self) -> u64 {
        self.counts.results.load(Ordering::Relaxed)
    }

    /// Messages so far.
    pub(crate) fn sent(&self) -> u64 {
        self.counts.sent.load(Ordering::Relaxed)
    }

    /// Messages at QoS 1 and 2 that the worker is done with.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.counts.acknowledged.load(Ordering::Relaxed)
    }

    /// Processor time of the generator's thread so far.
    pub(crate) fn busy(&self) -> Duration {
        Duration::from_micros(self.counts.busy.load(Ordering::Relaxed))
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        self.end.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // It has panicked: the measurement has failed already.
            let _ = thread.join();
        }
    }
}

/// One connection of the worker: of a subscription or of results.
struct Connection {
    load: Load,
    counts: Arc<Counts>,
    feeding: watch::Receiver<bool>,
    five: bool,
    /// Identifiers that are not in use.
    free: Vec<u16>,
    /// One for each payload, once there is a subscription.
    templates: Vec<Template>,
    turn: usize,
    output: BytesMut,
}

impl Connection {
    fn new(load: Load, counts: Arc<Counts>, feeding: watch::Receiver<bool>) -> Self {
        Self {
            load,
            counts,
            feeding,
            five: false,
            free: Vec::new(),
            templates: Vec::new(),
            turn: 0,
            output: BytesMut::new(),
        }
    }

    async fn serve(mut self, stream: impl AsyncRead + AsyncWrite) -> anyhow::Result<()> {
        let (mut reader, mut writer) = tokio::io::split(stream);
        let mut input = BytesMut::new();
        let mut feeding = self.feeding.clone();
        loop {
            while let Some(packet) = packets::next(&mut input) {
                if packet.kind() == packets::DISCONNECT {
                    return Ok(());
                }
                self.take(&packet);
            }
            self.fill();
            input.reserve(OUTPUT);
            tokio::select! {
                read = reader.read_buf(&mut input) => anyhow::ensure!(read? > 0, "closed"),
                written = writer.write_buf(&mut self.output), if !self.output.is_empty() => drop(written?),
                changed = feeding.changed() => changed?,
            }
            if self.output.is_empty() {
                writer.flush().await?;
            }
        }
    }

    fn take(&mut self, packet: &packets::Packet) {
        let counts = &self.counts;
        let acknowledge = |kind, id: Option<u16>, output: &mut BytesMut| {
            if let Some(id) = id {
                packets::acknowledge(kind, id, output);
            }
        };
        match packet.kind() {
            packets::CONNECT => {
                self.five = packet.level() == Some(5);
                packets::connected(self.five, &mut self.output);
            }
            packets::SUBSCRIBE => {
                let Load { qos, payloads } = &self.load;
                let topic = packet.filter(self.five).unwrap_or_default();
                packets::subscribed(self.five, packet.id().unwrap_or(1), *qos, &mut self.output);
                let template = |payload: &Vec<u8>| Template::new(self.five, *qos, topic, payload);
                self.templates = payloads.iter().map(template).collect();
                self.free = (1..=WINDOW).collect();
            }
            packets::PUBLISH => {
                counts.results.fetch_add(1, Ordering::Relaxed);
                match packet.qos() {
                    1 => acknowledge(packets::PUBACK, packet.publish_id(), &mut self.output),
                    2 => acknowledge(packets::PUBREC, packet.publish_id(), &mut self.output),
                    _ => {}
                }
            }
            packets::PUBREL => acknowledge(packets::PUBCOMP, packet.id(), &mut self.output),
            packets::PUBREC => acknowledge(packets::PUBREL, packet.id(), &mut self.output),
            packets::PUBACK | packets::PUBCOMP => {
                counts.acknowledged.fetch_add(1, Ordering::Relaxed);
                self.free.extend(packet.id());
            }
            packets::PINGREQ => self.output.extend_from_slice(&[0xd0, 0]),
            _ => {}
        }
    }

    /// Puts messages behind what is to be written, as far as the window goes.
    fn fill(&mut self) {
        let feeding = *self.feeding.borrow();
        while feeding && self.output.len() < OUTPUT && !self.templates.is_empty() {
            let id = if self.load.qos == 0 {
                0
            } else if let Some(id) = self.free.pop() {
                id
            } else {
                return;
            };
            self.templates[self.turn].write(id, &mut self.output);
            self.turn = (self.turn + 1) % self.templates.len();
            self.counts.sent.fetch_add(1, Ordering::Relaxed);
        }
    }
}
