//! One scenario with one version and quality of service. Those of one scenario run side by side.

use std::time::Duration;

use anyhow::Context as _;
use crds::validated::{MqttVersion, Qos};
use mqtt::{Client as _, Event, Options};
use packages::Packed;
use serde_json::Value;
use tests::client::{TestClient, options};
use tests::running::Running;
use tests::site::{Models, file_url};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::broker::Broker;
use crate::scenario::Scenario;
use crate::tally::{Counts, Tally};
use crate::text;

const DEVICES: [&str; 4] = ["d0", "d1", "d2", "d3"];
/// Messages of each device.
const EACH: u64 = 500;
/// Results after which something happens. With the time that the model takes, the worker's connection is older than one
/// that has just begun then (ADR 13).
const BUSY: u64 = 700;
/// Most messages that a device has in flight.
const WINDOW: u16 = 100;
/// How often the end is marked before what is missing counts as lost.
const ROUNDS: u64 = 4;
/// Nothing takes so long unless it is broken: several runs share the machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(5);
/// When a marker that has not come is sent again.
const AGAIN: Duration = Duration::from_secs(5);

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    scenario: Scenario,
    pub(crate) version: MqttVersion,
    pub(crate) qos: Qos,
    models: &'a Models,
    model: &'a Packed,
    /// Part of each topic and client id, so that runs on one broker share nothing.
    name: String,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        scenario: Scenario,
        version: MqttVersion,
        qos: Qos,
        models: &'a Models,
        model: &'a Packed,
    ) -> Self {
        let name = format!("{scenario:?}-{}-{}", text(version), qos as u8).replace('.', "");
        Self {
            scenario,
            version,
            qos,
            models,
            model,
            name,
        }
    }

    /// Starts readers, workers and devices, and waits until results flow.
    pub(crate) async fn begin(&self, broker: &Broker) -> anyhow::Result<Begun<'_>> {
        let (tally, mut came) = watch::channel(Tally::default());
        let results = format!("out/{}", self.name);
        let reader = self.client(broker, "reader", &[(&results, self.qos)]);
        let reader = TestClient::connected(reader).await?;
        let reading = Reading(tokio::spawn(read(reader, tally)));
        let mut workers = vec![self.worker(broker, "a").await?];
        if self.scenario.is_shared() {
            workers.push(self.worker(broker, "b").await?);
        }
        let (go, gone) = watch::channel(false);
        let device = TestClient::connected(self.client(broker, "device", &[])).await?;
        let load = tokio::spawn(load(device, format!("in/{}", self.name), self.qos, gone));
        let busy = came.wait_for(|tally| tally.came(EACH) >= BUSY);
        let busy = tokio::time::timeout(PATIENCE, busy).await;
        busy.context("too few results")??;
        Ok(Begun {
            run: self,
            workers,
            load,
            go,
            came,
            _reading: reading,
        })
    }

    fn topic(&self) -> String {
        format!("in/{}", self.name)
    }

    fn client(&self, broker: &Broker, role: &str, subscriptions: &[(&str, Qos)]) -> Options {
        let id = format!("{role}-{}", self.name);
        let mut options = options(broker.address(), &id, subscriptions);
        options.version = self.version;
        options.max_in_flight = WINDOW;
        options
    }

    /// A worker that is ready; `replica` counts where several share a subscription.
    async fn worker(&self, broker: &Broker, replica: &str) -> anyhow::Result<Running> {
        let Self { name, version, .. } = self;
        let shared = self.scenario.is_shared();
        let group = if shared { "$share/g/" } else { "" };
        let devices = DEVICES.map(|name| format!("{{deviceName: {name}}}"));
        let config = format!(
            "mqtts: [{{name: m, broker: '{}', version: '{}', qos: {}}}]\n\
             rules: [{{sub: {{name: m, clientId: sub-{name}, topic: '{group}in/{name}'}}, \
             pub: {{name: m, clientId: pub-{name}, topic: out/{name}}}}}]\n\
             funcs: [{{modelName: numbers, modelAddress: '{}', modelMd5: '{}', preQueueSize: 10, devices: [{}]}}]\n",
            broker.url(),
            text(*version),
            self.qos as u8,
            file_url(&self.model.path)?,
            self.model.md5,
            devices.join(", "),
        );
        let installed = self.models.installed();
        let arguments: &[&str] = if shared { &["--replica", replica] } else { &[] };
        let worker = Running::with_arguments(&config, &installed, arguments).await?;
        worker.ready().await?;
        Ok(worker)
    }
}

/// A run whose results flow.
pub(crate) struct Begun<'a> {
    run: &'a Run<'a>,
    workers: Vec<Running>,
    load: JoinHandle<Device>,
    /// Lets the devices send the second half of the messages.
    go: watch::Sender<bool>,
    came: watch::Receiver<Tally>,
    _reading: Reading,
}

impl Begun<'_> {
    /// The devices send the rest, whatever happens meanwhile.
    pub(crate) fn go_on(&self) {
        self.go.send_replace(true);
    }

    /// Lets happen to the workers what the scenario is about, and counts what has come in the end.
    pub(crate) async fn end(mut self, broker: &Broker) -> anyhow::Result<Counts> {
        self.disturb(broker).await?;
        let mut device = (&mut self.load).await?;
        for worker in &self.workers {
            worker.ready().await?;
        }
        self.mark_the_end(&mut device).await?;
        device.client.session.disconnect().await;
        for worker in self.workers {
            end(worker).await?;
        }
        let counts = self.came.borrow().counts(DEVICES.len() as u64, EACH);
        Ok(counts)
    }

    async fn disturb(&mut self, broker: &Broker) -> anyhow::Result<()> {
        let Self { run, workers, .. } = self;
        match run.scenario {
            Scenario::Undisturbed
            | Scenario::Shared
            | Scenario::BrokerRestarted
            | Scenario::BrokerKilled => {}
            Scenario::WorkerEnded => {
                end(workers.remove(0)).await?;
                workers.push(run.worker(broker, "a").await?);
            }
            Scenario::WorkerKilled => {
                workers.remove(0).kill().await?;
                workers.push(run.worker(broker, "a").await?);
            }
            Scenario::Takeover => {
                workers.push(run.worker(broker, "a").await?);
                let old = workers.remove(0);
                // As in a rolling update: the new one is ready first.
                let away = |status: &Value| {
                    let sessions = status["models"][0]["sessions"].as_array();
                    sessions.is_some_and(|all| all.iter().all(|session| session["ready"] == false))
                };
                if let Err(error) = old.until(away).await {
                    let new = workers[0].status().await?;
                    return Err(error.context(format!("the new worker: {:#}", new["models"])));
                }
                end(old).await?;
            }
            Scenario::SharedEnded => end(workers.remove(0)).await?,
        }
        Ok(())
    }

    /// Sends messages that come after all others. The broker and the worker keep their order, so what is missing when
    /// they have come does not come any more; where two workers share the messages, only when these have nothing left.
    async fn mark_the_end(&mut self, device: &mut Device) -> anyhow::Result<()> {
        let Self {
            run, workers, came, ..
        } = self;
        let topic = run.topic();
        for marker in EACH..EACH + ROUNDS {
            let missing = |tally: &Tally| DEVICES.map(|name| !tally.has(name, marker));
            loop {
                let missing_now = missing(&came.borrow());
                if missing_now == [false; DEVICES.len()] {
                    break;
                }
                for (name, missing) in DEVICES.into_iter().zip(missing_now) {
                    if missing {
                        device.push(&topic, message(name, marker), run.qos).await;
                    }
                }
                device.settled().await;
                let all = async {
                    let all = came.wait_for(|tally| missing(tally) == [false; DEVICES.len()]);
                    all.await.map(drop).context("the reader has ended")
                };
                let all = tokio::time::timeout(AGAIN, all);
                // At QoS 0 a marker may be lost; it is sent again.
                if let Ok(ended) = device.client.while_driving(all).await {
                    ended?;
                }
            }
            for worker in workers.iter() {
                let idle = |status: &Value| status["models"][0]["ledger"]["in_flight"] == 0;
                device.client.while_driving(worker.until(idle)).await?;
            }
            let all = came.borrow().came(EACH) == DEVICES.len() as u64 * EACH;
            if all || run.qos == Qos::AtMostOnce {
                break;
            }
        }
        Ok(())
    }
}

/// Asks a worker to end.
async fn end(worker: Running) -> anyhow::Result<()> {
    let (status, log) = worker.stop().await?;
    anyhow::ensure!(status.success(), "{log:#?}");
    Ok(())
}

/// The task that reads results; it ends with this.
struct Reading(JoinHandle<anyhow::Result<()>>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn read(mut reader: TestClient, tally: watch::Sender<Tally>) -> anyhow::Result<()> {
    loop {
        while let Some(event) = reader.session.next_event() {
            let Event::Message(result) = event else {
                continue;
            };
            if let Some(tag) = result.tag {
                reader.session.ack(tag);
            }
            let (device, number): (String, u64) = serde_json::from_slice(&result.payload)?;
            tally.send_modify(|tally| tally.take(&device, number));
        }
        reader.session.drive().await;
    }
}

/// Who publishes for the devices. It waits for a broker that is away for as long as that takes.
struct Device {
    client: TestClient,
}

impl Device {
    async fn push(&mut self, topic: &str, message: String, qos: Qos) {
        while self.client.session.publish_capacity() == 0 {
            self.turn().await;
        }
        self.client.publish(topic, message, qos);
    }

    /// Waits until the broker has all that was published.
    async fn settled(&mut self) {
        while self.client.session.publish_capacity() < usize::from(WINDOW) {
            self.turn().await;
        }
    }

    async fn turn(&mut self) {
        while self.client.session.next_event().is_some() {}
        self.client.session.drive().await;
    }
}

/// Publishes half of the messages, and the rest when it is told to go on.
async fn load(
    client: TestClient,
    topic: String,
    qos: Qos,
    mut go: watch::Receiver<bool>,
) -> Device {
    let mut device = Device { client };
    for number in 0..EACH {
        if number == EACH / 2 {
            let told = async { go.wait_for(|go| *go).await.map(drop) };
            // Otherwise the test has ended.
            if device.client.while_driving(told).await.is_err() {
                break;
            }
        }
        for name in DEVICES {
            device.push(&topic, message(name, number), qos).await;
        }
    }
    device.settled().await;
    device
}

fn message(device: &str, number: u64) -> String {
    format!("{{\"deviceInfo\": {{\"deviceName\": \"{device}\"}}, \"n\": {number}}}")
}
