//! Publishes now and then until the first result comes.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use crds::validated::Qos;
use tests::client::TestClient;
use tests::mosquitto::Mosquitto;

use super::numbers::number;
use super::{IN, OUT, message, settings};

/// Between two messages.
const PROBE: Duration = Duration::from_millis(2);

/// Every contender starts sooner.
const PATIENCE: Duration = Duration::from_secs(30);

/// Numbers of its messages, which no measurement has.
const PROBES: [u64; 2] = [1_000_000, 1_000_001];

/// See the module's description.
pub(crate) struct Prober {
    reader: TestClient,
    publisher: TestClient,
}

impl Prober {
    pub(crate) async fn start(broker: &Mosquitto) -> anyhow::Result<Self> {
        let qos = Qos::AtLeastOnce;
        Ok(Self {
            reader: TestClient::connected(settings(broker.address(), "reader", &[(OUT, qos)]))
                .await?,
            publisher: TestClient::connected(settings(broker.address(), "publisher", &[])).await?,
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

    pub(crate) async fn first_result(&mut self) -> anyhow::Result<()> {
        let probes = async {
            loop {
                let probe = message(PROBES[0], 1);
                self.publisher.send(IN, probe, Qos::AtLeastOnce).await?;
                tokio::select! {
                    message = self.reader.take() => return message.map(drop),
                    () = tokio::time::sleep(PROBE) => {}
                }
            }
        };
        let probes = tokio::time::timeout(PATIENCE, probes);
        probes.await.context("no result comes")?
    }

    /// Returns when results come, and none of its own is still on its way.
    pub(crate) async fn settled(mut self) -> anyhow::Result<()> {
        self.first_result().await?;
        let last = message(PROBES[1], 1);
        self.publisher.send(IN, last, Qos::AtLeastOnce).await?;
        while number(&self.reader.take().await?.payload) != Some(PROBES[1]) {}
        Ok(())
    }
}
