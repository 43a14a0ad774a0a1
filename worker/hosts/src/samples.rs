//! Golden samples: events that a model brings along with the results that it must give for them, so that a
//! model that works differently here than where it was made never serves.
//!
//! Those of a file are a sequence and run in a process of their own that ends with them: what a model remembers of samples is
//! in no result of a real message, nor of another file.

mod compare;
mod read;
mod runner;
mod text;

use std::time::Duration;

use crds::Reason;
use crds::validated::Format;
use jiter::JsonValue;

pub use compare::Difference;
pub use read::{Error, FOLDER, read};
pub use runner::{Fault, Runner, recorded};

use crate::metrics::Metrics;
use crate::options::Options;
use crate::start_error::StartError;

/// How far a number may be off, unless a sample says so itself.
pub const TOLERANCE: f64 = 1e-6;

/// An event and what a model must make of it.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its file, and its place there if the file holds a list: `samples/normal.json`, `samples/all.json[2]`.
    pub name: String,
    /// Its file alone; all samples of one stand in a row.
    pub file: String,
    /// The message as it comes.
    pub event: Vec<u8>,
    /// What the message is; `None` is JSON, whatever messages are.
    pub decode: Option<Format>,
    /// The result; null is also what a model that returns `None` gives.
    pub result: JsonValue<'static>,
    /// How far a number may be off, absolutely or relatively; `None` is [`TOLERANCE`], and none at all between
    /// whole numbers.
    pub tolerance: Option<f64>,
    /// What the model is told about the message.
    pub context: SampleContext,
}

/// What a model is told about a sample's event beside it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SampleContext {
    /// `context.topic`.
    pub topic: String,
    /// `context.device`.
    pub device: String,
    /// `context.received_at`, in seconds since 1970; `None` is now.
    pub received_at: Option<f64>,
}

/// A sample that a model does not pass.
#[derive(Debug, thiserror::Error)]
#[error("{sample}: {fault}; correct the model or the sample")]
pub struct Failed {
    /// The sample's name.
    pub sample: String,
    /// What is wrong.
    pub fault: Fault,
}

/// Why a model may not serve.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A file of samples is none.
    #[error(transparent)]
    Invalid(Error),
    /// It does not pass.
    #[error(transparent)]
    Failed(Failed),
}

impl Refusal {
    /// Why, in one word.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Start(error) => error.reason(),
            Self::Invalid(_) => Reason::SampleInvalid,
            Self::Failed(failed) => failed.fault.reason(),
        }
    }

    /// Whether the same may succeed later.
    pub fn is_transient(&self) -> bool {
        !self.reason().is_permanent()
    }
}

/// Runs the samples of a model that is about to serve.
///
/// # Errors
/// A file is not a sample, the model does not start, or it does not pass; then the first sample that it fails.
pub async fn check(options: &Options, metrics: &Metrics) -> Result<(), Refusal> {
    let directory = options.directory.clone();
    let samples = tokio::task::spawn_blocking(move || read(&directory)).await;
    // Fails only when the worker goes down, or by a bug in the reading.
    let samples = samples.unwrap_or_else(|error| {
        Err(Error::Read {
            file: FOLDER.to_owned(),
            error: error.into(),
        })
    });
    let samples = samples.map_err(Refusal::Invalid)?;
    if samples.is_empty() {
        return Ok(());
    }
    for sequence in sequences(&samples) {
        if let Some((file, decode)) = other_format(sequence, options.decode) {
            let configured = options.decode.as_str();
            return Err(Refusal::Invalid(Error::Format {
                file,
                decode,
                configured,
            }));
        }
        check_sequence(&for_sequence(options, sequence), metrics, sequence).await?;
    }
    tracing::info!(
        model = options.model,
        count = samples.len(),
        "Samples passed"
    );
    Ok(())
}

/// The samples of each file.
pub fn sequences(samples: &[Sample]) -> impl Iterator<Item = &[Sample]> {
    samples.chunk_by(|one, next| one.file == next.file)
}

/// The options of a host for samples of one file.
pub fn for_sequence(options: &Options, sequence: &[Sample]) -> Options {
    let decode = sequence.first().and_then(|sample| sample.decode);
    Options {
        decode: decode.unwrap_or_default(),
        // Results are written in JSON, whatever they are published as.
        encode: Format::Json,
        ..options.clone()
    }
}

/// The file of a sequence and its format, if that is another than messages have.
fn other_format(sequence: &[Sample], configured: Format) -> Option<(String, &'static str)> {
    let sample = sequence.first()?;
    let decode = sample.decode.filter(|decode| *decode != configured)?;
    Some((sample.file.clone(), decode.as_str()))
}

async fn check_sequence(
    options: &Options,
    metrics: &Metrics,
    samples: &[Sample],
) -> Result<(), Refusal> {
    let mut runner = Runner::start(options.clone(), metrics.clone()).await?;
    let mut current = "";
    let all = async {
        for sample in samples {
            current = &sample.name;
            if let Err(fault) = runner.try_sample(sample).await? {
                return Err(failed(&sample.name, fault));
            }
        }
        Ok(())
    };
    let limit = options.start_timeout;
    match tokio::time::timeout(limit, all).await {
        Ok(passed) => passed?,
        Err(_) => return Err(failed(current, Fault::Late(limit))),
    }
    runner.end().await;
    Ok(())
}

fn failed(sample: &str, fault: Fault) -> Refusal {
    Refusal::Failed(Failed {
        sample: sample.to_owned(),
        fault,
    })
}

/// A span of time as people write it.
fn seconds(span: Duration) -> String {
    format!("{} s", span.as_secs_f64())
}
