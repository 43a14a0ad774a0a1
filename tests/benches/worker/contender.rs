//! What is measured: the worker and its baselines.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::json;
use tests::mosquitto::Mosquitto;
use tests::python::baselines;
use tests::running::Running;
use tests::site::{Models, file_url};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::{load, usage};

/// The model of all measurements: it does little, so that what is round it shows.
const MODEL: &str = "
def handler(event, context):
    return {'device': event['deviceInfo']['deviceName'], 'value': event['telemetry']['RC_cylinder1_1P_d_dispPeak'], 'n': event['telemetry']['ts']}
";

/// Contenders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Messages go from the publisher over the broker to the reader, through nothing else.
    Broker,
    /// edgemodel.
    Worker,
    /// A straightforward Python worker.
    Plain,
    /// The best that Python can do by hand.
    Tuned,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Broker => "broker alone, one hop",
            Self::Worker => "edgemodel",
            Self::Plain => "plain Python (paho, 10 threads, json)",
            Self::Tuned => "tuned Python (gmqtt, uvloop, orjson)",
        }
    }
}

/// One that runs, with the models that it reads.
pub(crate) struct Contender {
    process: Process,
    _models: Models,
}

enum Process {
    Worker(Running),
    Python(Child),
}

impl Contender {
    /// Starts it and waits until it takes messages.
    pub(crate) async fn start(
        kind: Kind,
        broker: &Mosquitto,
        qos: u8,
        devices: usize,
    ) -> anyhow::Result<Self> {
        let mut contender = Self::spawn(kind, broker, qos, devices).await?;
        match &mut contender.process {
            Process::Worker(worker) => worker.ready().await?,
            Process::Python(child) => {
                let stdout = child.stdout.take().context("stdout is piped")?;
                let first = BufReader::new(stdout).lines().next_line().await?;
                anyhow::ensure!(first.as_deref() == Some("ready"), "it says {first:?}");
            }
        }
        Ok(contender)
    }

    /// Starts a worker with a model of its own and more settings for it.
    pub(crate) async fn worker(
        broker: &Mosquitto,
        devices: usize,
        model: &str,
        settings: serde_json::Value,
    ) -> anyhow::Result<Self> {
        let models = Models::new()?;
        let packed = models.pack("bench", model)?;
        let mut config = configuration(broker, 1, devices, &packed)?;
        for (name, value) in settings.as_object().into_iter().flatten() {
            config["funcs"][0][name] = value.clone();
        }
        let worker = Running::start(&config.to_string(), &models.installed()).await?;
        worker.ready().await?;
        Ok(Self {
            process: Process::Worker(worker),
            _models: models,
        })
    }

    /// Starts it.
    async fn spawn(
        kind: Kind,
        broker: &Mosquitto,
        qos: u8,
        devices: usize,
    ) -> anyhow::Result<Self> {
        let models = Models::new()?;
        let packed = models.pack("bench", MODEL)?;
        let script = match kind {
            Kind::Plain => "plain_worker.py",
            Kind::Tuned => "tuned_worker.py",
            Kind::Broker => anyhow::bail!("nothing to start"),
            Kind::Worker => {
                let config = configuration(broker, qos, devices, &packed)?;
                let worker = Running::start(&config.to_string(), &models.installed()).await?;
                return Ok(Self {
                    process: Process::Worker(worker),
                    _models: models,
                });
            }
        };
        let model = models.path().join("bench/index.py");
        let settings = models.path().join("settings.json");
        std::fs::write(&settings, python_settings(broker, qos, devices, &model))?;
        let child = python(script, &settings)?;
        Ok(Self {
            process: Process::Python(child),
            _models: models,
        })
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> anyhow::Result<u32> {
        let pid = match &self.process {
            Process::Worker(worker) => worker.pid(),
            Process::Python(child) => child.id(),
        };
        pid.context("it has ended")
    }

    /// The worker, if it is one.
    pub(crate) fn running(&self) -> anyhow::Result<&Running> {
        match &self.process {
            Process::Worker(worker) => Ok(worker),
            Process::Python(_) => anyhow::bail!("only the worker has metrics"),
        }
    }

    /// Processor time so far, with its children's.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        usage::cpu(self.pid()?)
    }

    /// Ends it.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        match self.process {
            Process::Worker(worker) => worker.stop().await.map(drop),
            Process::Python(mut child) => Ok(child.kill().await?),
        }
    }
}

/// From the start of the process to the first result, and its memory when it idles then.
pub(crate) async fn start_and_idle(
    kind: Kind,
    broker: &Mosquitto,
) -> anyhow::Result<(Duration, u64)> {
    let prober = load::Prober::start(broker).await?;
    let started = Instant::now();
    let contender = Contender::spawn(kind, broker, 1, 1).await?;
    prober.first_result().await?;
    let first = started.elapsed();
    let memory = usage::memory(contender.pid()?)?;
    contender.stop().await?;
    Ok((first, memory))
}

fn configuration(
    broker: &Mosquitto,
    qos: u8,
    devices: usize,
    packed: &packages::Packed,
) -> anyhow::Result<serde_json::Value> {
    let device = |number: usize| {
        let name = load::device(number);
        json!({ "deviceName": name, "deviceAttr": [
            { "attrName": "name", "attrValue": name, "attrExpression": "== data_to_dict['deviceInfo']['deviceName']" },
            { "attrName": "point", "attrValue": "RC_cylinder1_1P_d_dispPeak", "attrExpression": "in data_to_dict['telemetry']" },
        ]})
    };
    let devices: Vec<_> = (0..devices).map(device).collect();
    Ok(json!({
        "mqtts": [{ "name": "m", "broker": broker.url(), "qos": qos }],
        "rules": [{ "sub": { "name": "m", "topic": load::IN }, "pub": { "name": "m", "topic": load::OUT, "deadLetterTopic": load::DEAD } }],
        "funcs": [{
            "modelName": "bench", "modelAddress": file_url(&packed.path)?,
            "modelMd5": packed.md5.to_string(), "devices": devices,
            "python": baselines()?,
        }],
    }))
}

fn python_settings(broker: &Mosquitto, qos: u8, devices: usize, model: &Path) -> String {
    let device = |number| {
        json!([
            { "operator": "==", "value": load::device(number), "path": ["deviceInfo", "deviceName"] },
            { "operator": "in", "value": "RC_cylinder1_1P_d_dispPeak", "path": ["telemetry"] },
        ])
    };
    let devices: Vec<_> = (0..devices).map(device).collect();
    let settings = json!({
        "port": broker.port(), "qos": qos, "in": load::IN, "out": load::OUT, "model": model,
        "devices": devices,
    });
    settings.to_string()
}

fn python(script: &str, settings: &Path) -> anyhow::Result<Child> {
    let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/python/");
    let child = Command::new(baselines()?)
        .arg(format!("{scripts}{script}"))
        .arg(settings)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    Ok(child)
}
