//! What a model's hosts are started with, and where their outcomes go.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crds::validated::{Format, HostChoice, ValidatedBatch, ValidatedRetry, ValidatedSandbox};
use futures_util::future::BoxFuture;
use message::{Job, Outcome};

use crate::database::Database;

/// What a model's hosts are started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The model's name.
    pub model: String,
    /// The digest of the installed model; empty if it has none.
    pub version: String,
    /// What payloads are.
    pub decode: Format,
    /// What results are written as.
    pub encode: Format,
    /// The folder that holds `index.py`.
    pub directory: PathBuf,
    /// A folder of installed wheels.
    pub wheels: Option<PathBuf>,
    /// Makes sure before each start that these files are what was verified; `None` if nothing was.
    pub intact: Option<Intact>,
    /// The interpreter.
    pub python: PathBuf,
    /// Which model host runs in it.
    pub host: HostChoice,
    /// What the model may do.
    pub sandbox: ValidatedSandbox,
    /// Files and folders that no model may read unless `sandbox` adds them: the worker's own, and other models.
    pub hidden: Arc<[PathBuf]>,
    /// How a call that raises is repeated, if it is.
    pub retry: Option<ValidatedRetry>,
    /// How messages are put together for `handler_batch`, if the configuration says.
    pub batch: Option<ValidatedBatch>,
    /// The databases that the model may use.
    pub databases: Arc<[Database]>,
    /// How many processes run the model.
    pub hosts: u16,
    /// The model's devices, which are dealt to the processes in turns.
    pub devices: Vec<String>,
    /// Longest time of a call.
    pub timeout: Duration,
    /// Longest time of the import.
    pub start_timeout: Duration,
    /// How many rules bring it messages.
    pub rules: usize,
    /// Bound of each lane's queue of a rule, in messages.
    pub queue_size: usize,
    /// The same in bytes of payload, and bound of what each lane keeps of rules that cannot go on.
    pub queue_bytes: usize,
    /// What the utilization is an average over.
    pub utilization_window: Duration,
}

/// Checks and restores a model's files; blocks, and says why it cannot.
#[derive(Clone)]
pub struct Intact(Arc<dyn Fn() -> Result<(), String> + Send + Sync>);

impl Intact {
    /// By this.
    pub fn new(ensure: impl Fn() -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ensure))
    }

    pub(crate) fn ensure(&self) -> Result<(), String> {
        (self.0)()
    }
}

impl fmt::Debug for Intact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Intact")
    }
}

/// Takes each job's outcome.
pub trait Outcomes: Send + Sync + 'static {
    /// Called once for each job, in the order of its lane and rule. A future when that has to wait for room; the next of the
    /// same rule comes when it is over.
    fn finish(&self, job: Job, outcome: Outcome) -> Option<BoxFuture<'static, ()>>;
}
