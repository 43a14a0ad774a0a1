//! What is tried on the bed, in this order, since each begins where the one before ended.

mod edge;
mod refusals;
mod sample;
mod upgrades;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use packages::Packed;

use crate::bed::{Bed, Files, MODEL, Sample, TAG};
use crate::load::{Load, RATE};
use crate::report::Report;

/// Nothing on the bed takes so long unless it is broken: a worker that guesses that another has its session stays away
/// for minutes.
const PATIENCE: Duration = Duration::from_mins(4);

/// The bed with what scenarios hand on.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) bed: Bed,
    /// The model server; taken away, it is down.
    pub(crate) files: Option<Files>,
    pub(crate) report: Report,
    /// The runtime as it was applied last.
    pub(crate) sample: Sample,
    /// The next number of a message that nobody has sent.
    next: u64,
}

/// Runs all, or those whose names begin as is told.
///
/// # Errors
/// The bed does not take the sample.
pub(crate) async fn run(bed: Bed, wanted: &[String]) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    let mut scene = Scene::set(bed).await?;
    let mut failed = false;
    let is_wanted = |name: &str| {
        wanted.is_empty()
            || wanted
                .iter()
                .any(|wanted| name.starts_with(wanted.as_str()))
    };
    macro_rules! scenario {
        ($name:literal, $run:path) => {
            if is_wanted($name) {
                let begun = Instant::now();
                println!("scenario {} ...", $name);
                let result = $run(&mut scene).await;
                let took = begun.elapsed().as_secs_f64();
                match result {
                    Ok(()) => println!("scenario {} ... ok ({took:.0} s)", $name),
                    Err(error) => {
                        failed = true;
                        println!("scenario {} ... FAILED ({took:.0} s): {error:#}", $name);
                        scene.tell().await;
                    }
                }
            }
        };
    }
    scenario!("sample", sample::run);
    scenario!("alerts", sample::alerts);
    scenario!("refusals", refusals::run);
    scenario!("upgrades", upgrades::run);
    scenario!("edge", edge::run);
    println!(
        "\n{}\nall of it took {:.0} s",
        scene.report,
        begun.elapsed().as_secs_f64()
    );
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

impl Scene {
    /// Installs the operator and applies the sample.
    ///
    /// # Errors
    /// It never serves.
    pub(crate) async fn set(bed: Bed) -> anyhow::Result<Self> {
        bed.install_operator(TAG).await?;
        let files = Files::serve(bed.models.path().to_owned()).await?;
        let packed = bed
            .models
            .pack("first", &MODEL.replace("VERSION", "first"))?;
        let sample = Sample::new(files.url("first.zip"), &packed);
        let mut scene = Self {
            bed,
            files: Some(files),
            report: Report::default(),
            sample,
            next: 0,
        };
        let load = scene.load(RATE).await?;
        let applied = Instant::now();
        scene.apply().await?;
        let time = load.more(1, applied).await?;
        drop(load);
        scene.report.time("kubectl apply to the first result", time);
        let name = scene.sample.name.clone();
        scene.bed.until_serving(&name, 1).await?;
        Ok(scene)
    }

    /// Applies the runtime as it is meant to be now.
    pub(crate) async fn apply(&self) -> anyhow::Result<()> {
        self.bed.apply_sample(&self.sample).await
    }

    /// Makes the runtime's model be a zip of that name.
    pub(crate) fn serve(&mut self, name: &str, packed: &Packed) -> anyhow::Result<()> {
        let files = self.files.as_ref().context("the model server is down")?;
        self.sample.address = files.url(&format!("{name}.zip"));
        self.sample.md5 = packed.md5.to_string();
        Ok(())
    }

    /// Messages that the model takes its time over, more a second than it can.
    pub(crate) async fn slow_load(&mut self) -> anyhow::Result<Load> {
        let first = 1_000_000_000 + self.next;
        self.next += 1_000_000;
        let broker = self.bed.broker.address();
        Load::start(broker, &self.sample.topics(), first, RATE).await
    }

    /// Messages for the runtime, with numbers of their own.
    pub(crate) async fn load(&mut self, rate: u64) -> anyhow::Result<Load> {
        let first = self.next;
        self.next += 1_000_000;
        let broker = self.bed.broker.address();
        Load::start(broker, &self.sample.topics(), first, rate).await
    }

    /// What a scenario that failed leaves for whoever looks for the cause.
    async fn tell(&self) {
        for arguments in [
            &["get", "emr,deployments,pods", "-A", "-o", "wide"][..],
            &["get", "emr", "-A", "-o", "yaml"],
            &["get", "events", "-A", "--sort-by=.lastTimestamp"],
            &[
                "logs",
                "-l",
                "edgemodel.io/model=industry",
                "--tail=60",
                "--prefix",
            ],
            &[
                "logs",
                "-n",
                "edgemodel-system",
                "deployment/edgemodel-operator",
                "--tail=40",
            ],
        ] {
            match self.bed.kubectl(arguments).await {
                Ok(text) => println!("--- kubectl {}\n{text}", arguments.join(" ")),
                Err(error) => println!("--- {error}"),
            }
        }
    }
}

/// Tries until `attempt` gives a value, for some minutes.
///
/// # Errors
/// The last error, or that the time is over.
pub(crate) async fn patiently<T>(
    mut attempt: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let last = match attempt().await {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => anyhow::anyhow!("the condition did not come true within {PATIENCE:?}"),
            Err(error) => error,
        };
        if Instant::now() > deadline {
            return Err(last);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
