//! From one worker to several on shared subscriptions and back, while messages flow: each message's result
//! comes, and nothing stays at the broker that nobody comes back to.

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
use worker::mqtt::Event;

use crate::worker::pod::config;

/// Slow enough, with a short queue, for messages to wait at the broker.
const MODEL: &str = "
import time
def handler(event, context):
    time.sleep(0.003)
    return event['n']
";

/// A broker with a model's configuration for one worker and for several, and who reads the results.
struct Plant {
    broker: Mosquitto,
    models: Models,
    alone: String,
    shared: String,
    reader: TestClient,
}

impl Plant {
    async fn start(version: &str) -> anyhow::Result<Self> {
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

    async fn one(&self) -> anyhow::Result<Running> {
        let worker = Running::start(&self.alone, &self.models.installed()).await?;
        worker.ready().await?;
        Ok(worker)
    }

    /// Several workers, as pods of another shape have them.
    async fn several(&self, names: &[&str]) -> anyhow::Result<Vec<Running>> {
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
    fn load(&self) -> Load {
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
    async fn results(&mut self, count: u64) -> anyhow::Result<usize> {
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
    async fn is_kept(&self) -> anyhow::Result<bool> {
        let mut settings = options(self.broker.address(), "only", &[("else", Qos::AtLeastOnce)]);
        settings.clean_start = false;
        TestClient::new(settings)
            .until(|event| match event {
                Event::Connected {
                    session_present, ..
                } => Some(session_present),
                _ => None,
            })
            .await
    }
}

struct Load {
    task: JoinHandle<anyhow::Result<u64>>,
    stop: Arc<AtomicBool>,
}

impl Load {
    async fn end(self) -> anyhow::Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await?
    }
}

fn message(number: u64) -> String {
    format!("{{\"deviceInfo\": {{\"deviceName\": \"d\"}}, \"n\": {number}}}")
}

/// Stops workers, each while the broker has messages for it.
async fn stop_busy(workers: Vec<Running>) -> anyhow::Result<()> {
    for worker in workers {
        worker
            .until(|status| status["models"][0]["queues"]["pre"]["depth"] == 5)
            .await?;
        stop(vec![worker]).await?;
    }
    Ok(())
}

async fn stop(workers: Vec<Running>) -> anyhow::Result<()> {
    for worker in workers {
        let (status, log) = worker.stop().await?;
        assert!(status.success(), "{log:#?}");
        assert!(
            log.iter().any(|line| line["message"] == "Shutdown done"),
            "{log:#?}"
        );
    }
    Ok(())
}

/// How many messages a worker found in the session of the one before, once that is forgotten.
fn inherited(log: &[serde_json::Value]) -> Option<u64> {
    let told = "Session of the worker before emptied and forgotten";
    let line = log.iter().find(|line| line["message"] == told)?;
    line["messages"].as_u64()
}

const VERSIONS: [&str; 2] = ["3.1.1", "5"];

/// Its name does not come again, so what the broker has for it must be taken before it goes.
#[expect(
    clippy::print_stdout,
    reason = "what was repeated, for who measures it"
)]
#[tokio::test]
async fn a_named_replica_that_is_asked_to_end_leaves_no_message_behind() -> anyhow::Result<()> {
    for version in VERSIONS {
        let mut plant = Plant::start(version).await?;
        let mut workers = plant.several(&["a", "b"]).await?;
        let load = plant.load();
        for name in ["c", "d"] {
            workers.extend(plant.several(&[name]).await?);
            stop_busy(vec![workers.remove(0)]).await?;
        }
        let count = load.end().await?;
        let repeated = plant.results(count).await?;
        println!(
            "MQTT {version}: {count} messages, two of three replicas replaced, {repeated} repeated"
        );
        stop(workers).await?;
    }
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "what was repeated, for who measures it"
)]
#[tokio::test]
async fn from_one_worker_to_three_and_back_no_message_is_lost() -> anyhow::Result<()> {
    for version in VERSIONS {
        let mut plant = Plant::start(version).await?;
        let one = plant.one().await?;
        let load = plant.load();
        let busy = |status: &serde_json::Value| {
            status["models"][0]["ledger"]["published"].as_u64() > Some(100)
        };
        one.until(busy).await?;
        let three = plant.several(&["a", "b", "c"]).await?;
        stop(vec![one]).await?;
        three[2].until(busy).await?;
        let one = plant.one().await?;
        stop_busy(three).await?;
        one.until(busy).await?;
        let count = load.end().await?;
        let repeated = plant.results(count).await?;
        println!("MQTT {version}: {count} messages over 1, 3 and 1 workers, {repeated} repeated");
        stop(vec![one]).await?;
    }
    Ok(())
}

/// Nobody would come for what waits there, and the broker would keep more of it for ever.
#[tokio::test]
async fn what_waits_for_the_single_worker_is_served_by_those_that_replace_it() -> anyhow::Result<()>
{
    for version in VERSIONS {
        let mut plant = Plant::start(version).await?;
        stop(vec![plant.one().await?]).await?;
        let mut device = TestClient::connected(options(plant.broker.address(), "d", &[])).await?;
        for number in 0..500 {
            device.send("in", message(number), Qos::AtLeastOnce).await?;
        }
        let mut workers = plant.several(&["a"]).await?;
        // A power cut in the middle of it.
        let busy = |status: &serde_json::Value| {
            status["models"][0]["ledger"]["published"].as_u64() > Some(50)
        };
        workers[0].until(busy).await?;
        workers[0].kill().await?;
        workers = plant.several(&["b", "c"]).await?;
        plant.results(500).await?;
        tests::eventually(async || {
            let found = workers
                .iter()
                .filter_map(|worker| inherited(&worker.log()))
                .sum::<u64>();
            Ok((found > 0).then_some(()))
        })
        .await?;
        assert!(!plant.is_kept().await?, "{version}");
        stop(workers).await?;
    }
    Ok(())
}
