//! What is measured: the worker and its rivals.

mod bento;
mod ekuiper;
mod entrant;
mod kind;
mod process;
mod recipe;

use std::time::{Duration, Instant};

use tests::mosquitto::Mosquitto;
use tests::python::baselines;
use tests::running::Running;
use tests::site::Models;

pub(crate) use entrant::Entrant;
pub(crate) use kind::Kind;
use process::Process;
use recipe::{Recipe, Site, configuration};

use crate::{load, usage};

/// The model of all measurements: it does little, so that what is round it shows.
const MODEL: &str = "
def handler(event, context):
    return {'device': event['deviceInfo']['deviceName'], 'value': event['telemetry']['RC_cylinder1_1P_d_dispPeak'], 'n': event['telemetry']['ts']}
";

/// One that runs.
pub(crate) struct Contender {
    process: Process,
    recipe: Recipe,
    home: Models,
}

impl Contender {
    /// Starts it and waits until it takes messages.
    pub(crate) async fn start(
        entrant: &Entrant,
        broker: &Mosquitto,
        qos: u8,
        devices: usize,
    ) -> anyhow::Result<Self> {
        let contender = Self::spawn(entrant, broker, qos, devices).await?;
        match &contender.process {
            Process::Worker(worker) => worker.ready().await?,
            Process::Program(_) => load::Prober::start(broker).await?.settled().await?,
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
        let home = Models::new()?;
        let packed = home.pack("bench", model)?;
        let site = Site {
            broker,
            qos: 1,
            devices,
            home: home.path(),
        };
        let mut config = configuration(&site, &packed, &baselines()?)?;
        for (name, value) in settings.as_object().into_iter().flatten() {
            config["funcs"][0][name] = value.clone();
        }
        let recipe = Recipe::Worker(config.to_string());
        let process = recipe.start(&home).await?;
        let contender = Self {
            process,
            recipe,
            home,
        };
        contender.running()?.ready().await?;
        Ok(contender)
    }

    /// Starts it.
    async fn spawn(
        entrant: &Entrant,
        broker: &Mosquitto,
        qos: u8,
        devices: usize,
    ) -> anyhow::Result<Self> {
        let home = Models::new()?;
        let packed = home.pack("bench", MODEL)?;
        let site = Site {
            broker,
            qos,
            devices,
            home: home.path(),
        };
        let recipe = Recipe::of(entrant, &site, &packed)?;
        let process = recipe.start(&home).await?;
        Ok(Self {
            process,
            recipe,
            home,
        })
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> anyhow::Result<u32> {
        self.process.pid()
    }

    /// The worker, if it is one.
    pub(crate) fn running(&self) -> anyhow::Result<&Running> {
        match &self.process {
            Process::Worker(worker) => Ok(worker),
            Process::Program(_) => anyhow::bail!("only the worker has metrics"),
        }
    }

    /// Processor time so far, with its children's.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        usage::cpu(self.pid()?)
    }

    /// Kills it with all its processes, and starts it again with the files that it left.
    pub(crate) async fn kill_and_start_again(&mut self) -> anyhow::Result<()> {
        self.process.kill().await?;
        self.process = self.recipe.start(&self.home).await?;
        Ok(())
    }

    /// Ends it.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.process.stop().await
    }
}

/// From the start of the process to the first result, and its memory when it idles then.
pub(crate) async fn start_and_idle(
    entrant: &Entrant,
    broker: &Mosquitto,
) -> anyhow::Result<(Duration, u64)> {
    let mut prober = load::Prober::start(broker).await?;
    let started = Instant::now();
    let contender = Contender::spawn(entrant, broker, 1, 1).await?;
    prober.first_result().await?;
    let first = started.elapsed();
    let memory = usage::memory(contender.pid()?)?;
    contender.stop().await?;
    Ok((first, memory))
}
