//! A broker, a model that leaves messages there, and workers alone or of several.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crds::validated::Qos;
use tests::client::{TestClient, options};
use tests::mosquitto::Mosquitto;
use tests::running::Running;
use tests::site::{Models, file_url};
use tokio::task::JoinHandle;

use crate::worker::pod::config;

/// Slow enough, with a short queue, for messages to wait at the broker.
const MODEL: &str = "
import time
def handler(event, context):
    time.sleep(0.003)
    return event['n']
";

/// A broker with a model's configuration for one worker and for several, and who reads the results.
pub(super) struct Plant {
    pub(super) broker: Mosquitto,
    models: Models,
    /// The configuration of a worker that is alone.
    alone: String,
    shared: String,
    reader: TestClient,
}

impl Plant {
    pub(super) async fn start(version: &str) -> anyhow::Result<Self> {
        let broker = Mosquitto::start().await?;
        let models = Models::new()?;
        let packed = models.pack("m", MODEL)?;
        let address = file_url(&packed.path)?;
        let alone = config(&broker.url(), &address, &packed.md5.to_string())
            .replace(
                "name: m, broker",
                &format!("name: m, version: '{version}', broker"),
            )
            .replace("topic: in", "clientId: only, topic: in")
            .replace("devices:", "preQueueSize: 5, devices:");
        let results = [("out", Qos::AtLeastOnce)];
        let reader = TestClient::connected(options(broker.address(), "reader", &results)).await?;
        Ok(Self {
            shared: alone.replace("topic: in", "topic: '$share/g/in'"),
            broker,
            models,
            alone,
            reader,
        })
    }

    pub(super) async fn one(&self) -> anyhow::Result<Running> {
        let worker = Running::start(&self.alone, &self.models.installed()).await?;
        worker.ready().await?;
        Ok(worker)
    }

    /// Several workers, as pods of another shape have them.
    pub(super) async fn several(&self, names: &[&str]) -> anyhow::Result<Vec<Running>> {
        let mut workers = Vec::new();
        for name in names {
            let arguments = ["--replica", name];
            let installed = self.models.installed();
            let worker = Running::with_arguments(&self.shared, &installed, &arguments).await?;
            worker.ready().await?;
            workers.push(worker);
        }
        Ok(workers)
    }

    /// Publishes numbered messages in heaps until it is stopped, and tells how many.
    pub(super) fn load(&self) -> Load {
        let address = self.broker.address();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let mut device = TestClient::connected(options(address, "device", &[])).await?;
            let mut count = 0;
            while !stopped.load(Ordering::Relaxed) {
                let last = device.push("in", message(count), Qos::AtLeastOnce).await?;
                count += 1;
                if count % 100 == 0 {
                    device.done(last).await?;
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
            }
            let last = device.push("in", message(count), Qos::AtLeastOnce).await?;
            device.done(last).await?;
            Ok(count + 1)
        });
        Load { task, stop }
    }

    /// Waits for the results of the first `count` messages, and tells how many came more than once.
    pub(super) async fn results(&mut self, count: u64) -> anyhow::Result<usize> {
        let mut results = BTreeMap::new();
        while results.len() as u64 != count {
            let missing = (0..count).filter(|n| !results.contains_key(n)).count();
            let message = self.reader.take().await.map_err(|error| {
                error.context(format!("{missing} of {count} results do not come"))
            })?;
            let number: u64 = serde_json::from_slice(&message.payload)?;
            *results.entry(number).or_insert(0_usize) += 1;
        }
        Ok(results.values().filter(|times| **times > 1).count())
    }

    /// Whether the broker has a session under the single worker's client id.
    pub(super) async fn is_kept(&self) -> anyhow::Result<bool> {
        TestClient::has_session(self.broker.address(), "only").await
    }
}

pub(super) struct Load {
    task: JoinHandle<anyhow::Result<u64>>,
    stop: Arc<AtomicBool>,
}

impl Load {
    pub(super) async fn end(self) -> anyhow::Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await?
    }
}

pub(super) fn message(number: u64) -> String {
    format!("{{\"deviceInfo\": {{\"deviceName\": \"d\"}}, \"n\": {number}}}")
}
