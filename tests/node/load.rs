//! Numbered messages at a steady rate, and what became of each.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use crds::validated::Qos;
use mqtt::{Client as _, Event};
use serde_json::Value;
use tests::client::{TestClient, options};
use tests::site::message;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the issue asks for: messages a second.
pub(crate) const RATE: u64 = 200;

/// How long results may stay away before their messages count as lost: a worker that guesses that another has its
/// session stays away for minutes.
const PATIENCE: Duration = Duration::from_secs(150);

/// Messages under way; ended without a word when it is dropped.
#[derive(Debug)]
pub(crate) struct Load {
    stop: watch::Sender<bool>,
    device: JoinHandle<anyhow::Result<u64>>,
    reader: JoinHandle<anyhow::Result<()>>,
    arrivals: Arc<Mutex<Arrivals>>,
    first: u64,
    begun: Instant,
}

#[derive(Debug, Default)]
struct Arrivals {
    /// How often the result of a number came.
    counts: BTreeMap<u64, u64>,
    /// When new ones came, and which version of the model made them.
    times: Vec<Instant>,
    versions: Vec<String>,
}

/// What became of the messages.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    /// How many were sent and acknowledged by the broker.
    pub(crate) sent: u64,
    /// Numbers without a result.
    pub(crate) lost: Vec<u64>,
    /// Results beyond the first of a message.
    pub(crate) duplicates: u64,
    /// The longest time in which no new result came.
    pub(crate) longest_gap: Duration,
    /// Versions of the model, in the order in which each came first.
    pub(crate) versions: Vec<String>,
}

impl Load {
    /// Starts to publish numbers from `first` on, so many a second.
    ///
    /// # Errors
    /// The broker does not answer.
    pub(crate) async fn start(
        broker: SocketAddr,
        topics: &(String, String),
        first: u64,
        rate: u64,
    ) -> anyhow::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let arrivals = Arc::new(Mutex::new(Arrivals::default()));
        let name = format!("load-{first}");
        let subscription = [(topics.1.as_str(), Qos::AtLeastOnce)];
        let mut options_of_reader = options(broker, &format!("{name}-reader"), &subscription);
        options_of_reader.clean_start = true;
        let reader = TestClient::connected(options_of_reader).await?;
        let device = TestClient::connected(options(broker, &format!("{name}-device"), &[])).await?;
        let input = topics.0.clone();
        Ok(Self {
            stop,
            device: tokio::spawn(publish(device, input, first, rate, stopped)),
            reader: tokio::spawn(read(reader, arrivals.clone(), first)),
            arrivals,
            first,
            begun: Instant::now(),
        })
    }

    /// How many messages have a result.
    pub(crate) fn answered(&self) -> usize {
        lock(&self.arrivals).counts.len()
    }

    /// Waits until so many more messages have a result, and tells the longest time in which none came since `since`.
    ///
    /// # Errors
    /// They have none for minutes.
    pub(crate) async fn more(&self, count: usize, since: Instant) -> anyhow::Result<Duration> {
        let times = crate::scenarios::patiently(async || {
            anyhow::ensure!(!self.reader.is_finished(), "the reader has ended");
            let arrivals = lock(&self.arrivals);
            let times = arrivals.times.iter().filter(|time| **time > since);
            let times: Vec<_> = std::iter::once(since).chain(times.copied()).collect();
            Ok((times.len() > count).then_some(times))
        })
        .await?;
        let gaps = times.iter().zip(&times[1..]);
        let gaps = gaps.map(|(one, next)| *next - *one);
        Ok(gaps.max().unwrap_or_default())
    }

    /// Waits until a version of the model has answered.
    ///
    /// # Errors
    /// It does not for minutes.
    pub(crate) async fn until_version(&self, version: &str) -> anyhow::Result<()> {
        crate::scenarios::patiently(async || {
            let arrivals = lock(&self.arrivals);
            let mut versions = arrivals.versions.iter();
            Ok(versions.any(|one| one == version).then_some(()))
        })
        .await
    }

    /// Ends the messages and waits for the results of all.
    ///
    /// # Errors
    /// A client failed.
    pub(crate) async fn finish(self) -> anyhow::Result<Tally> {
        self.stop.send_replace(true);
        let sent = self.device.await??;
        let deadline = Instant::now() + PATIENCE;
        while (lock(&self.arrivals).counts.len() as u64) < sent && Instant::now() < deadline {
            anyhow::ensure!(!self.reader.is_finished(), "the reader has ended");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.reader.abort();
        let arrivals = lock(&self.arrivals);
        let numbers = self.first..self.first + sent;
        let times = std::iter::once(&self.begun).chain(&arrivals.times);
        let gaps = times
            .clone()
            .zip(times.skip(1))
            .map(|(one, next)| *next - *one);
        Ok(Tally {
            sent,
            lost: numbers
                .filter(|number| !arrivals.counts.contains_key(number))
                .collect(),
            duplicates: arrivals.counts.values().map(|count| count - 1).sum(),
            longest_gap: gaps.max().unwrap_or_default(),
            versions: arrivals.versions.clone(),
        })
    }
}

impl Tally {
    /// Fails when a message has no result.
    ///
    /// # Errors
    /// The first of the lost.
    pub(crate) fn nothing_lost(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.lost.is_empty(),
            "{} of {} messages have no result; the first are {:?}",
            self.lost.len(),
            self.sent,
            &self.lost[..self.lost.len().min(10)]
        );
        Ok(())
    }
}

fn lock(arrivals: &Mutex<Arrivals>) -> MutexGuard<'_, Arrivals> {
    arrivals.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Publishes until it is told to stop; returns how many the broker has.
async fn publish(
    mut device: TestClient,
    topic: String,
    first: u64,
    rate: u64,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<u64> {
    let mut ticks = tokio::time::interval(Duration::from_micros(1_000_000 / rate));
    let (mut sent, mut done) = (0, 0);
    let mut take = |device: &mut TestClient| -> anyhow::Result<u64> {
        while let Some(event) = device.session.next_event() {
            if let Event::Published { result, .. } = event {
                result.context("a message was refused")?;
                done += 1;
            }
        }
        Ok(done)
    };
    while !*stop.borrow() {
        device.while_driving(ticks.tick()).await;
        take(&mut device)?;
        while device.session.publish_capacity() == 0 {
            device.session.drive().await;
            take(&mut device)?;
        }
        device.publish(&topic, message(first + sent), Qos::AtLeastOnce);
        sent += 1;
    }
    while take(&mut device)? < sent {
        device.session.drive().await;
    }
    Ok(sent)
}

async fn read(
    mut reader: TestClient,
    arrivals: Arc<Mutex<Arrivals>>,
    first: u64,
) -> anyhow::Result<()> {
    loop {
        reader.session.drive().await;
        while let Some(event) = reader.session.next_event() {
            let Event::Message(message) = event else {
                continue;
            };
            if let Some(tag) = message.tag {
                reader.session.ack(tag);
            }
            let result: Value = serde_json::from_slice(&message.payload)?;
            let number = result["n"].as_u64().context("a result without number")?;
            // What was sent before is told by the load that sent it.
            if number < first {
                continue;
            }
            let mut arrivals = lock(&arrivals);
            let count = arrivals.counts.entry(number).or_insert(0);
            *count += 1;
            if *count == 1 {
                arrivals.times.push(Instant::now());
            }
            let version = result["model"].as_str().unwrap_or_default();
            if !arrivals.versions.iter().any(|one| one == version) {
                arrivals.versions.push(version.to_owned());
            }
        }
    }
}
