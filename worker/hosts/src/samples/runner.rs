//! Runs samples through the model, each as a message would run.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crds::Reason;
use crds::validated::Format;
use jiter::JsonValue;
use message::{FailureReason, Outcome};
use payload::decode;

use super::compare::{Difference, differences};
use super::text::cut;
use super::{Sample, seconds};
use crate::metrics::Metrics;
use crate::options::Options;
use crate::start_error::StartError;
use crate::trial::{Call, Lost, Trial};

/// What is wrong with a model's answer to a sample.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is another result.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Differs(Vec<Difference>),
    /// It is not JSON.
    #[error("the result is not JSON but {0}")]
    NotJson(String),
    /// The model raised, or returned what cannot be written as JSON.
    #[error("{message}")]
    Raised {
        /// In one line.
        message: String,
        /// Python's traceback; empty if there is none.
        traceback: String,
    },
    /// It takes too long.
    #[error("the call took longer than timeout, {}", seconds(*.0))]
    Timeout(Duration),
    /// The samples of a file together take too long.
    #[error("the samples of the file up to here took longer than startTimeout, {}", seconds(*.0))]
    Late(Duration),
    /// The process ended.
    #[error("{0}")]
    Lost(Lost),
}

impl Fault {
    /// Why, in one word.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Timeout(_) | Self::Late(_) => Reason::SampleTimeout,
            _ => Reason::SampleFailed,
        }
    }

    /// Python's traceback, if there is one.
    pub fn traceback(&self) -> Option<&str> {
        match self {
            Self::Raised { traceback, .. } if !traceback.is_empty() => Some(traceback),
            _ => None,
        }
    }
}

/// A model in a process for samples.
#[derive(Debug)]
pub struct Runner {
    options: Options,
    metrics: Metrics,
    /// `None` after a sample that cost the process.
    trial: Option<Trial>,
}

impl Runner {
    /// Imports the model.
    ///
    /// # Errors
    /// It cannot be imported.
    pub async fn start(options: Options, metrics: Metrics) -> Result<Self, StartError> {
        let trial = Trial::start(options.clone(), &metrics).await?;
        Ok(Self {
            options,
            metrics,
            trial: Some(trial),
        })
    }

    /// Whether the model passes a sample.
    ///
    /// # Errors
    /// The process is gone over the sample before, and there is no other.
    pub async fn try_sample(&mut self, sample: &Sample) -> Result<Result<(), Fault>, StartError> {
        Ok(match self.result(sample).await? {
            Err(fault) => Err(fault),
            Ok(bytes) => compare(sample, bytes.as_deref()),
        })
    }

    /// The model's present result for a sample's event, as JSON text; `None` is Python's.
    ///
    /// # Errors
    /// The process is gone over the sample before, and there is no other.
    pub async fn result(
        &mut self,
        sample: &Sample,
    ) -> Result<Result<Option<bytes::Bytes>, Fault>, StartError> {
        let mut trial = match self.trial.take() {
            Some(trial) => trial,
            None => Trial::start(self.options.clone(), &self.metrics).await?,
        };
        let call = Call {
            topic: &sample.context.topic,
            device: &sample.context.device,
            received_at: sample.context.received_at.unwrap_or_else(now),
            payload: &sample.event,
        };
        let called = tokio::time::timeout(self.options.timeout, trial.call(&call)).await;
        let outcome = match called {
            Err(_) => return Ok(Err(Fault::Timeout(self.options.timeout))),
            Ok(Err(lost)) => return Ok(Err(Fault::Lost(lost))),
            Ok(Ok(outcome)) => outcome,
        };
        self.trial = Some(trial);
        Ok(match outcome {
            Outcome::Result(bytes) => Ok(Some(bytes)),
            Outcome::Empty => Ok(None),
            Outcome::Failed(failure) => Err(Fault::Raised {
                message: match failure.reason {
                    FailureReason::InvalidJson => {
                        format!("the event is not JSON: {}", failure.message)
                    }
                    FailureReason::Undecodable => {
                        let format = self.options.decode.as_str();
                        format!("the payload is not {format}: {}", failure.message)
                    }
                    FailureReason::Unserializable => {
                        format!(
                            "the result cannot be written as JSON: {}",
                            cut(&failure.message)
                        )
                    }
                    _ => format!("the model raised {}", cut(&failure.message)),
                },
                traceback: failure.traceback.unwrap_or_default(),
            }),
        })
    }

    /// Ends the process.
    pub async fn end(self) {
        if let Some(trial) = self.trial {
            trial.end().await;
        }
    }
}

fn compare(sample: &Sample, bytes: Option<&[u8]>) -> Result<(), Fault> {
    let actual = match bytes {
        None => JsonValue::Null,
        Some(bytes) => decode(bytes).map_err(|_| not_json(bytes))?,
    };
    let differences = differences(&sample.result, &actual, sample.tolerance);
    if differences.is_empty() {
        Ok(())
    } else {
        Err(Fault::Differs(differences))
    }
}

/// A sample as a file has it: its event and the result that the model gives now.
///
/// # Errors
/// The result is not JSON.
pub fn recorded(
    sample: &Sample,
    result: Option<&[u8]>,
    context: &serde_json::Map<String, serde_json::Value>,
) -> Result<String, Fault> {
    let result = result.unwrap_or(b"null");
    let json = decode(result).is_ok();
    let text = std::str::from_utf8(result).ok().filter(|_| json);
    let text = text.ok_or_else(|| not_json(result))?;
    let event = written(sample);
    let context = if context.is_empty() {
        String::new()
    } else {
        format!(",\n\"context\": {}", serde_json::json!(context))
    };
    Ok(format!("{{\n{event},\n\"result\": {text}{context}\n}}"))
}

/// A sample's event with its key.
fn written(sample: &Sample) -> String {
    let bytes = &sample.event;
    let Some(decode) = sample.decode else {
        return format!("\"event\": {}", String::from_utf8_lossy(bytes));
    };
    let is_text = matches!(decode, Format::Json | Format::Text | Format::Csv);
    let payload = match std::str::from_utf8(bytes) {
        Ok(text) if is_text => serde_json::json!(text),
        _ => serde_json::json!({ "base64": STANDARD.encode(bytes) }),
    };
    let decode = decode.as_str();
    format!("\"decode\": \"{decode}\",\n\"payload\": {payload}")
}

fn not_json(bytes: &[u8]) -> Fault {
    Fault::NotJson(match std::str::from_utf8(bytes) {
        Ok(text) => format!("{:?}", cut(text)),
        Err(_) => format!("{} bytes that are not text", bytes.len()),
    })
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}
