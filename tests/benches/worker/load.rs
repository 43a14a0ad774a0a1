//! Publishes telemetry and reads results.

mod numbers;
mod prober;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use crds::validated::Qos;
use mqtt::{Client as _, Event, Options, Publication};
use tests::client::{TestClient, options};
use tests::mosquitto::Mosquitto;
use tokio::sync::Notify;

pub(crate) use numbers::Check;
use numbers::{Numbers, number};
pub(crate) use prober::Prober;

use crate::alarm::Alarm;

/// Topic of telemetry.
pub(crate) const IN: &str = "bench/in";
/// Topic of results.
pub(crate) const OUT: &str = "bench/out";

/// Topic of messages that a model could not process.
pub(crate) const DEAD: &str = "bench/out/dead";
/// What a message becomes, either way.
const ENDS: &str = "bench/out/#";

/// Messages on their way at once, at most: enough for every contender to be busy.
const ON_THE_WAY: u64 = 2_000;

/// The load must take little from the processors that the contenders need.
const CHEAP: Duration = Duration::from_millis(1);

/// How often messages that are due by a rate are sent.
const TICK: Duration = Duration::from_millis(5);

/// So long without a result means that the missing ones are lost.
const PATIENCE: Duration = Duration::from_secs(10);

/// Name of a device.
pub(crate) fn device(number: usize) -> String {
    format!("设备{number}")
}

fn message(number: u64, devices: usize) -> Bytes {
    let device = device(usize::try_from(number).unwrap_or(0) % devices);
    let text = tests::site::MESSAGE
        .replace("1585194439000", &number.to_string())
        .replace("设备2", &device);
    text.into()
}

fn quality(qos: u8) -> Qos {
    if qos == 0 {
        Qos::AtMostOnce
    } else {
        Qos::AtLeastOnce
    }
}

fn settings(broker: SocketAddr, name: &str, subscriptions: &[(&str, Qos)]) -> Options {
    let mut options = options(broker, name, subscriptions);
    options.clean_start = true;
    options.max_in_flight = 1000;
    options
}

/// A measurement of throughput.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Throughput {
    /// Messages a second.
    pub(crate) rate: f64,
    pub(crate) check: Check,
}

impl Throughput {
    /// Of the time that `messages` took, the share that is `busy`.
    pub(crate) fn share(&self, busy: Duration, messages: u64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let time = messages as f64 / self.rate;
        busy.as_secs_f64() / time
    }
}

/// Messages of one measurement have numbers from 0 on, by default again and again from here.
const NUMBERS: u64 = 1000;

/// A publisher and a reader in one task.
struct Bench {
    publisher: TestClient,
    reader: TestClient,
    qos: Qos,
    /// After so many messages, their numbers begin at 0 again.
    numbers: u64,
    /// Messages on their way at once, at most.
    on_the_way: u64,
    sent: u64,
    came: u64,
}

impl Bench {
    async fn start(
        broker: &Mosquitto,
        qos: u8,
        read: &str,
        gather: Duration,
    ) -> anyhow::Result<Self> {
        let qos = quality(qos);
        let reader = settings(broker.address(), "reader", &[(read, qos)]);
        let publisher = settings(broker.address(), "publisher", &[]);
        Self::with([reader, publisher], qos, gather).await
    }

    async fn with(sessions: [Options; 2], qos: Qos, gather: Duration) -> anyhow::Result<Self> {
        let [mut reader, mut publisher] = sessions;
        reader.gather = gather;
        publisher.gather = gather;
        let reader = TestClient::connected(reader).await?;
        let publisher = TestClient::connected(publisher).await?;
        Ok(Self {
            publisher,
            reader,
            qos,
            numbers: NUMBERS,
            on_the_way: ON_THE_WAY,
            sent: 0,
            came: 0,
        })
    }

    fn publish(&mut self, topic: &str, payload: Bytes) {
        let publication = Publication {
            topic: topic.into(),
            payload,
            qos: self.qos,
            retain: false,
            hops: 0,
        };
        self.publisher.session.publish(publication, self.sent);
        self.sent += 1;
    }

    /// Takes what has come; `result` sees each payload.
    fn take(&mut self, mut result: impl FnMut(&Bytes)) {
        while let Some(event) = self.reader.session.next_event() {
            if let Event::Message(message) = event {
                self.came += 1;
                result(&message.payload);
                if let Some(tag) = message.tag {
                    self.reader.session.ack(tag);
                }
            }
        }
        while self.publisher.session.next_event().is_some() {}
    }

    /// Publishes `messages` as fast as they come back.
    async fn run(
        &mut self,
        topic: &str,
        devices: usize,
        messages: u64,
    ) -> anyhow::Result<Throughput> {
        let on_the_way = self.on_the_way;
        let pace = |sent: u64, came: u64, _: Duration| (on_the_way + came).saturating_sub(sent);
        self.paced(topic, devices, messages, pace).await
    }

    /// Publishes `messages`; `pace` tells how many more may go out, by what was sent, what came back and the
    /// time since the start.
    async fn paced(
        &mut self,
        topic: &str,
        devices: usize,
        messages: u64,
        pace: impl Fn(u64, u64, Duration) -> u64,
    ) -> anyhow::Result<Throughput> {
        let payloads: Vec<_> = (0..messages.min(self.numbers))
            .map(|n| message(n, devices))
            .collect();
        let mut numbers = Numbers::new(messages, self.numbers, devices);
        let mut missing = messages;
        let started = Instant::now();
        let mut last = started;
        let mut ticks = tokio::time::interval(TICK);
        while missing > 0 && last.elapsed() < numbers.patience() {
            let room = pace(self.sent, self.came, started.elapsed());
            let capacity = self.publisher.session.publish_capacity() as u64;
            for _ in 0..room.min(capacity).min(messages - self.sent) {
                let index = usize::try_from(self.sent).unwrap_or(0) % payloads.len();
                self.publish(topic, payloads[index].clone());
            }
            tokio::select! {
                () = self.reader.session.drive() => {}
                () = self.publisher.session.drive() => {}
                _ = ticks.tick() => {}
            }
            self.take(|payload| {
                missing -= u64::from(numbers.came(payload));
                last = Instant::now();
            });
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let rate = (messages - missing) as f64 / (last - started).as_secs_f64();
        Ok(Throughput {
            rate,
            check: numbers.end(),
        })
    }
}

/// The broker alone.
pub(crate) async fn one_hop(
    broker: &Mosquitto,
    qos: u8,
    messages: u64,
) -> anyhow::Result<Throughput> {
    Bench::start(broker, qos, IN, CHEAP)
        .await?
        .run(IN, 1, messages)
        .await
}

/// Through a contender.
pub(crate) async fn through(
    broker: &Mosquitto,
    qos: u8,
    devices: usize,
    messages: u64,
) -> anyhow::Result<Throughput> {
    through_at_most(broker, qos, devices, messages, ON_THE_WAY).await
}

/// Through a contender that holds no more than `held` messages at once.
pub(crate) async fn through_at_most(
    broker: &Mosquitto,
    qos: u8,
    devices: usize,
    messages: u64,
    held: u64,
) -> anyhow::Result<Throughput> {
    let mut bench = Bench::start(broker, qos, ENDS, CHEAP).await?;
    bench.on_the_way = held.min(ON_THE_WAY);
    bench.run(IN, devices, messages).await
}

/// At a rate, whether results come or not, at QoS 1 from one device.
pub(crate) async fn flood(broker: &Mosquitto, rate: f64, messages: u64) -> anyhow::Result<Check> {
    let pace = |sent: u64, _: u64, time: Duration| due(rate, time).saturating_sub(sent);
    let mut bench = Bench::start(broker, 1, ENDS, CHEAP).await?;
    Ok(bench.paced(IN, 1, messages, pace).await?.check)
}

/// Messages that each have a number of their own, at QoS 1: `held` on their way at once, and more, at `rate`, where those
/// don't come back; `half` is told when the results of half of them have come. Publisher and reader keep their sessions, so
/// that what is missing in the end was lost between them.
pub(crate) async fn numbered(
    broker: SocketAddr,
    messages: u64,
    held: u64,
    rate: u32,
    half: &Notify,
) -> anyhow::Result<Check> {
    let qos = Qos::AtLeastOnce;
    let sessions = [("reader", &[(ENDS, qos)][..]), ("publisher", &[][..])];
    let sessions = sessions.map(|(name, subscriptions)| Options {
        clean_start: false,
        ..settings(broker, name, subscriptions)
    });
    let mut bench = Bench::with(sessions, qos, Duration::ZERO).await?;
    bench.numbers = messages;
    let pace = |sent: u64, came: u64, time: Duration| {
        if came >= messages / 2 {
            half.notify_one();
        }
        due(f64::from(rate), time)
            .max(held + came)
            .saturating_sub(sent)
    };
    Ok(bench.paced(IN, 1, messages, pace).await?.check)
}

/// How many messages are due by then.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "some thousands"
)]
fn due(rate: f64, time: Duration) -> u64 {
    (time.as_secs_f64() * rate) as u64
}

/// The times of `messages` from publishing to the result, at `rate` messages a second.
pub(crate) async fn latencies(
    broker: &Mosquitto,
    rate: u64,
    messages: u64,
) -> anyhow::Result<Vec<Duration>> {
    let mut bench = Bench::start(broker, 1, OUT, Duration::ZERO).await?;
    let mut times = Vec::new();
    let alarm = Alarm::new()?;
    let start = Instant::now();
    let interval = Duration::from_secs(1) / u32::try_from(rate)?;
    let due = |number: u64| start + interval * u32::try_from(number).unwrap_or(u32::MAX);
    let mut last = start;
    let mut looks = tokio::time::interval(Duration::from_secs(1));
    while bench.came < messages && last.elapsed() < PATIENCE {
        // Late ones go out at once, and their time counts from when they were due.
        while bench.sent < messages && due(bench.sent) <= Instant::now() {
            let number = bench.sent;
            bench.publish(IN, message(number, 1));
        }
        tokio::select! {
            () = bench.reader.session.drive() => {}
            () = bench.publisher.session.drive() => {}
            rung = alarm.at(due(bench.sent)), if bench.sent < messages => rung?,
            _ = looks.tick() => {}
        }
        let now = Instant::now();
        bench.take(|payload| {
            last = now;
            let number = number(payload).unwrap_or(0);
            times.push(now.saturating_duration_since(due(number)));
        });
    }
    anyhow::ensure!(!times.is_empty(), "no result comes");
    if bench.came < messages {
        eprintln!(
            "  {} of {messages} messages were lost",
            messages - bench.came
        );
    }
    times.sort_unstable();
    Ok(times)
}
