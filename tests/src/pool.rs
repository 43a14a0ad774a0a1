//! A model in its hosts, without brokers: what goes in and what comes out.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use bytes::Bytes;
use crds::validated::{Format, HostChoice, ValidatedSandbox};
use futures_util::future::BoxFuture;
use hosts::{Monitor, Options, Outcomes, Pool, python};
use message::{Attributes, Delivery, Job, Ledger, Outcome, Telemetry};
use tokio::sync::mpsc::{self, error::TrySendError};
use worker::metrics::Metrics;

/// Nothing in a test takes so long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// Hands outcomes to the test.
#[derive(Debug)]
struct Collector(mpsc::Sender<(String, Outcome)>);

impl Outcomes for Collector {
    fn finish(&self, job: Job, outcome: Outcome) -> Option<BoxFuture<'static, ()>> {
        let sender = self.0.clone();
        let outcome = (job.device.to_string(), outcome);
        // The test may have ended.
        match sender.try_send(outcome) {
            Err(TrySendError::Full(outcome)) => Some(Box::pin(async move {
                let _ = sender.send(outcome).await;
            })),
            _ => None,
        }
    }
}

/// A running model.
#[derive(Debug)]
pub struct TestPool {
    pool: Pool,
    outcomes: mpsc::Receiver<(String, Outcome)>,
    ledger: Arc<Ledger>,
    /// Its metrics.
    pub metrics: Metrics,
    _directory: tempfile::TempDir,
}

/// Options for a model that is one file, in a new folder.
///
/// # Errors
/// The file cannot be written, or Python or the host's library is missing.
pub fn options(index: &str) -> anyhow::Result<(Options, tempfile::TempDir)> {
    let directory = tempfile::tempdir()?;
    std::fs::write(directory.path().join("index.py"), index)?;
    let options = Options {
        model: "industry".to_owned(),
        version: "digest".to_owned(),
        decode: Format::Json,
        encode: Format::Json,
        directory: directory.path().to_owned(),
        wheels: None,
        intact: None,
        python: python(None)?,
        host: HostChoice::Auto,
        sandbox: ValidatedSandbox::default(),
        hidden: Arc::default(),
        databases: Arc::default(),
        retry: None,
        batch: None,
        hosts: 1,
        rules: 1,
        devices: Vec::new(),
        timeout: Duration::from_secs(10),
        start_timeout: Duration::from_mins(1),
        queue_size: 10_000,
        queue_bytes: 64 << 20,
        utilization_window: Duration::from_secs(1),
    };
    Ok((options, directory))
}

impl TestPool {
    /// Starts a model that is one file.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start(index: &str) -> anyhow::Result<Self> {
        Self::with(index, |_| {}).await
    }

    /// Starts a model with changed options.
    ///
    /// # Errors
    /// It does not start.
    pub async fn with(index: &str, change: impl FnOnce(&mut Options)) -> anyhow::Result<Self> {
        let (mut options, directory) = options(index)?;
        change(&mut options);
        let metrics = Metrics::new();
        let (sender, outcomes) = mpsc::channel(100_000);
        let model = metrics.model(&options.model).hosts;
        let pool = Pool::start(options, Arc::new(Collector(sender)), model).await?;
        Ok(Self {
            pool,
            outcomes,
            ledger: Arc::new(metrics.ledger("industry")),
            metrics,
            _directory: directory,
        })
    }

    /// Hands in a message of a device.
    ///
    /// # Errors
    /// The queue is full.
    pub fn send(&self, device: &str, payload: impl Into<Bytes>) -> anyhow::Result<()> {
        self.send_with(device, payload, Attributes::default())
    }

    /// Hands in a message of a device, with attributes from its source.
    ///
    /// # Errors
    /// The queue is full.
    pub fn send_with(
        &self,
        device: &str,
        payload: impl Into<Bytes>,
        attributes: Attributes,
    ) -> anyhow::Result<()> {
        let payload = payload.into();
        let size = payload.len();
        let job = Job {
            telemetry: Telemetry {
                topic: "in/设备".into(),
                payload,
                rule: 0,
                received: Instant::now(),
                received_at: SystemTime::UNIX_EPOCH + Duration::from_millis(1_500),
                attributes,
            },
            device: device.into(),
            attempts: 0,
            failures: 0,
            delivery: Delivery::open(&self.ledger, None),
        };
        let lanes = self.pool.lanes();
        let pushed = lanes.queue(0, device).try_push(job, size);
        pushed.map_err(|_| anyhow::anyhow!("the queue is full"))
    }

    /// The next outcome, with its device.
    ///
    /// # Errors
    /// None comes.
    pub async fn next(&mut self) -> anyhow::Result<(String, Outcome)> {
        let next = tokio::time::timeout(PATIENCE, self.outcomes.recv()).await;
        next.context("no outcome")?.context("the pool is gone")
    }

    /// What the model makes of a message: its result, `None`, or `reason: message` of a failure.
    ///
    /// # Errors
    /// No outcome comes.
    pub async fn call(&mut self, payload: &str) -> anyhow::Result<String> {
        self.call_from("d", payload).await
    }

    /// The same for a message of a device.
    ///
    /// # Errors
    /// No outcome comes.
    pub async fn call_from(&mut self, device: &str, payload: &str) -> anyhow::Result<String> {
        self.send(device, payload.to_owned())?;
        Ok(text(self.next().await?.1))
    }

    /// What others may read.
    pub fn monitor(&self) -> Monitor {
        self.pool.monitor()
    }

    /// Finishes what is queued and ends the hosts; what came of the messages that were not asked for.
    pub async fn drain(self) -> Vec<String> {
        let Self {
            pool, mut outcomes, ..
        } = self;
        pool.drain().await;
        std::iter::from_fn(|| Some(text(outcomes.try_recv().ok()?.1))).collect()
    }
}

/// An outcome as text.
pub fn text(outcome: Outcome) -> String {
    match outcome {
        Outcome::Result(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Outcome::Empty => "None".to_owned(),
        Outcome::Failed(failure) => format!("{}: {}", failure.reason.as_str(), failure.message),
    }
}
