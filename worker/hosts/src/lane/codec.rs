//! A lane's words with its host: a job as a call, and a reply as an outcome.

use std::time::SystemTime;

use crds::validated::Format;
use frame::{CallField, DUPLICATE, ExtraWriter, RETAINED, Reply, Request};
use message::{Attributes, Failure, FailureReason, Job, Outcome};

use crate::child::HostProcess;

/// Appends a call to what goes out to the host.
pub(super) fn call(id: u64, alone: bool, job: &Job, host: &mut HostProcess) {
    let telemetry = &job.telemetry;
    let HostProcess { extra, output, .. } = host;
    extra.clear();
    describe(&telemetry.attributes, extra);
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
        extra: extra.extra(),
    };
    if let Err(error) = request.encode(output) {
        // Not reached: the packet limit is below a frame's. The host would miss the call, its reply
        // would not come, and the next reply would be out of turn, which replaces the host.
        tracing::error!(%error, "Call not written");
    }
}

/// Longest description of a failure and longest traceback that are kept, in bytes.
const MESSAGE: usize = 4 << 10;
const TRACEBACK: usize = 64 << 10;

/// What a source says of a message, for the model's context.
fn describe(attributes: &Attributes, extra: &mut ExtraWriter) {
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    let delivery = attributes.qos.min(3)
        | flag(attributes.retained, RETAINED)
        | flag(attributes.duplicate, DUPLICATE);
    if delivery != 0 {
        extra.call(CallField::Delivery, &[delivery]);
    }
    let Some(properties) = &attributes.properties else {
        return;
    };
    for (name, value) in &properties.user {
        extra.call(CallField::UserName, name.as_bytes());
        extra.call(CallField::UserValue, value.as_bytes());
    }
    let texts = [
        (CallField::ContentType, &properties.content_type),
        (CallField::ResponseTopic, &properties.response_topic),
    ];
    for (field, text) in texts {
        if let Some(text) = text {
            extra.call(field, text.as_bytes());
        }
    }
    if let Some(data) = &properties.correlation_data {
        extra.call(CallField::CorrelationData, data);
    }
}

/// What a host's reply means.
pub(crate) fn outcome(reply: Reply<'_>, decode: Format) -> Outcome {
    let failed = |reason, message: &str, traceback: &str| {
        Outcome::Failed(Failure {
            reason,
            message: start(message, MESSAGE),
            traceback: Some(end(traceback, TRACEBACK)).filter(|text| !text.is_empty()),
        })
    };
    match reply {
        Reply::Result(bytes) => Outcome::Result(bytes::Bytes::copy_from_slice(bytes)),
        Reply::Empty | Reply::Held => Outcome::Empty,
        Reply::InvalidJson(message) if decode == Format::Json => {
            failed(FailureReason::InvalidJson, message, "")
        }
        Reply::InvalidJson(message) => failed(FailureReason::Undecodable, message, ""),
        Reply::Exception { message, traceback } => {
            failed(FailureReason::Exception, message, traceback)
        }
        Reply::Unserializable(message) => failed(FailureReason::Unserializable, message, ""),
    }
}

fn start(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(most)])
}

/// The last lines of a traceback are those that count.
fn end(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    format!("…{}", &text[text.ceil_char_boundary(text.len() - most)..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_19_a_failure_is_kept_in_part_however_long_a_model_makes_it() {
        let (message, traceback) = ("设".repeat(1 << 20), "备".repeat(1 << 20) + "last");
        let failure = |message, traceback| match outcome(
            Reply::Exception { message, traceback },
            Format::Json,
        ) {
            Outcome::Failed(failure) => (failure.message, failure.traceback.unwrap_or_default()),
            other => unreachable!("{other:?}"),
        };
        let (short, tail) = failure(&message, &traceback);
        assert!(
            short.len() <= MESSAGE + 3 && short.ends_with("设…"),
            "{}",
            short.len()
        );
        assert!(tail.len() <= TRACEBACK + 3 && tail.starts_with("…备") && tail.ends_with("last"));
        let whole = failure("ValueError: no", "Traceback");
        assert_eq!(whole, ("ValueError: no".to_owned(), "Traceback".to_owned()));
    }
}
