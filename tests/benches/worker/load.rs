//! Publishes telemetry and reads results.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use crds::validated::Qos;
use mqtt::{Client as _, Event, Options, Publication};
use tests::client::{TestClient, options};
use tests::mosquitto::Mosquitto;

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

/// Between two messages of a [`Prober`].
const PROBE: Duration = Duration::from_millis(2);

/// Nothing in a measurement takes so long unless messages were lost.
const PATIENCE: Duration = Duration::from_mins(2);

/// So long without a result means that the missing ones are lost.
const SILENCE: Duration = Duration::from_secs(20);

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

fn settings(broker: &Mosquitto, name: &str, subscriptions: &[(&str, Qos)]) -> Options {
    let mut options = options(broker.address(), name, subscriptions);
    options.clean_start = true;
    options.max_in_flight = 1000;
    options
}

/// What came of the messages of a measurement.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Check {
    pub(crate) lost: u64,
    pub(crate) repeated: u64,
    /// Results of a device behind one of a later message, where there is one device.
    pub(crate) steps_back: u64,
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

/// Messages of one measurement have numbers from 0 on, again and again from here.
const NUMBERS: u64 = 1000;

/// Counts results by their numbers.
struct Numbers {
    expected: Vec<u64>,
    check: Check,
    last: Option<u64>,
    one_device: bool,
}

impl Numbers {
    fn new(messages: u64, devices: usize) -> Self {
        let expected = (0..NUMBERS).map(|n| (messages + NUMBERS - 1 - n) / NUMBERS);
        Self {
            expected: expected.collect(),
            check: Check::default(),
            last: None,
            one_device: devices == 1,
        }
    }

    /// Whether the result is one of those that were missing.
    fn came(&mut self, payload: &[u8]) -> bool {
        let Some(number) = number(payload) else {
            return false;
        };
        if self.one_device {
            let last = self.last.replace(number).unwrap_or(NUMBERS - 1);
            let step = (number + NUMBERS - last) % NUMBERS;
            self.check.steps_back += u64::from(step > NUMBERS / 2);
        }
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        match self.expected.get_mut(index) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => {
                self.check.repeated += 1;
                false
            }
        }
    }

    fn end(mut self) -> Check {
        self.check.lost = self.expected.iter().sum();
        self.check
    }
}

/// The number in a result of the models here, or in a message itself.
fn number(payload: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(payload).ok()?;
    let (_, rest) = text
        .rsplit_once("\"n\":")
        .or_else(|| text.rsplit_once("\"ts\":"))?;
    let rest = rest.trim_start();
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..digits].parse().ok()
}

/// A publisher and a reader in one task.
struct Bench {
    publisher: TestClient,
    reader: TestClient,
    qos: Qos,
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
        let mut reader = settings(broker, "reader", &[(read, qos)]);
        let mut publisher = settings(broker, "publisher", &[]);
        reader.gather = gather;
        publisher.gather = gather;
        let reader = TestClient::connected(reader).await?;
        let publisher = TestClient::connected(publisher).await?;
        Ok(Self {
            publisher,
            reader,
            qos,
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
        let pace = |sent: u64, came: u64, _: Duration| (ON_THE_WAY + came).saturating_sub(sent);
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
        let payloads: Vec<_> = (0..messages.min(NUMBERS))
            .map(|n| message(n, devices))
            .collect();
        let mut numbers = Numbers::new(messages, devices);
        let mut missing = messages;
        let started = Instant::now();
        let mut last = started;
        let mut ticks = tokio::time::interval(TICK);
        while missing > 0 && last.elapsed() < SILENCE {
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
    Bench::start(broker, qos, ENDS, CHEAP)
        .await?
        .run(IN, devices, messages)
        .await
}

/// At a rate, whether results come or not, at QoS 1 from one device.
pub(crate) async fn flood(broker: &Mosquitto, rate: f64, messages: u64) -> anyhow::Result<Check> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some thousands"
    )]
    let pace = |sent: u64, _: u64, time: Duration| {
        ((time.as_secs_f64() * rate) as u64).saturating_sub(sent)
    };
    let mut bench = Bench::start(broker, 1, ENDS, CHEAP).await?;
    Ok(bench.paced(IN, 1, messages, pace).await?.check)
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
    let run = async {
        while bench.came < messages {
            // Late ones go out at once, and their time counts from when they were due.
            while bench.sent < messages && due(bench.sent) <= Instant::now() {
                let number = bench.sent;
                bench.publish(IN, message(number, 1));
            }
            tokio::select! {
                () = bench.reader.session.drive() => {}
                () = bench.publisher.session.drive() => {}
                rung = alarm.at(due(bench.sent)), if bench.sent < messages => rung?,
            }
            let now = Instant::now();
            bench.take(|payload| {
                let text = String::from_utf8_lossy(payload);
                let number = text.rsplit_once("\"n\":").map_or("", |(_, rest)| rest);
                let number = number.trim_end_matches('}').parse().unwrap_or(0);
                times.push(now.saturating_duration_since(due(number)));
            });
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(PATIENCE, run)
        .await
        .context("messages were lost")??;
    times.sort_unstable();
    Ok(times)
}

/// Publishes now and then until the first result comes.
pub(crate) struct Prober {
    reader: TestClient,
    publisher: TestClient,
}

impl Prober {
    pub(crate) async fn start(broker: &Mosquitto) -> anyhow::Result<Self> {
        let qos = Qos::AtLeastOnce;
        Ok(Self {
            reader: TestClient::connected(settings(broker, "reader", &[(OUT, qos)])).await?,
            publisher: TestClient::connected(settings(broker, "publisher", &[])).await?,
        })
    }

    /// Publishes message 0 and message 1 behind it; how long the result of 1 takes.
    pub(crate) async fn behind_the_first(&mut self) -> anyhow::Result<Duration> {
        let started = Instant::now();
        for number in [0, 1] {
            let qos = Qos::AtLeastOnce;
            self.publisher.send(IN, message(number, 1), qos).await?;
        }
        self.reader.take().await?;
        Ok(started.elapsed())
    }

    pub(crate) async fn first_result(mut self) -> anyhow::Result<()> {
        loop {
            self.publisher
                .send(IN, message(0, 1), Qos::AtLeastOnce)
                .await?;
            tokio::select! {
                message = self.reader.take() => return message.map(drop),
                () = tokio::time::sleep(PROBE) => {}
            }
        }
    }
}
