//! A lane's words with its host: a job as a call, and a reply as an outcome.

use std::time::SystemTime;

use frame::{Reply, Request};
use message::{Failure, FailureReason, Job, Outcome};

/// Appends a call to what goes out to the host.
pub(super) fn call(id: u64, alone: bool, job: &Job, output: &mut Vec<u8>) {
    let telemetry = &job.telemetry;
    let received_at = telemetry
        .received_at
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let request = Request::Call {
        id,
        alone,
        received_at: received_at.as_secs_f64(),
        topic: &telemetry.topic,
        device: &job.device,
        payload: &telemetry.payload,
    };
    if let Err(error) = request.encode(output) {
        // Not reached: the packet limit is below a frame's. The host would miss the call, its reply
        // would not come, and the next reply would be out of turn, which replaces the host.
        tracing::error!(%error, "Call not written");
    }
}

/// What a host's reply means.
pub(crate) fn outcome(reply: Reply<'_>) -> Outcome {
    let failed = |reason, message: &str, traceback: &str| {
        Outcome::Failed(Failure {
            reason,
            message: message.to_owned(),
            traceback: Some(traceback.to_owned()).filter(|text| !text.is_empty()),
        })
    };
    match reply {
        Reply::Result(bytes) => Outcome::Result(bytes::Bytes::copy_from_slice(bytes)),
        Reply::Empty => Outcome::Empty,
        Reply::InvalidJson(message) => failed(FailureReason::InvalidJson, message, ""),
        Reply::Exception { message, traceback } => {
            failed(FailureReason::Exception, message, traceback)
        }
        Reply::Unserializable(message) => failed(FailureReason::Unserializable, message, ""),
    }
}
