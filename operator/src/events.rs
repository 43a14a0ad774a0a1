//! Events for `kubectl describe`: one for each change of a condition, not for each reconcile.

use crds::Reason;
use crds::reason::ReasonText;
use crds::status::{Condition, RuntimeStatus, condition};
use kube::runtime::events::{Event, EventType, Recorder};
use kube::{Resource as _, core::DynamicObject};

use crate::api;

/// The conditions whose changes are told; the others are sums of these.
const TOLD: [&str; 3] = [
    condition::ACCEPTED,
    condition::MODELS_READY,
    condition::EXPOSED,
];

/// Longest note in bytes that the API server takes.
const NOTE: usize = 1024;
const CUT: &str = "; more in the status";

/// Tells what changed. Events are a courtesy: when they cannot be written, nothing else suffers.
pub async fn tell(
    recorder: &Recorder,
    object: &DynamicObject,
    before: &RuntimeStatus,
    after: &RuntimeStatus,
) {
    let resource = kube::core::ApiResource::erase::<crds::EdgeModelRuntime>(&());
    let reference = object.object_ref(&resource);
    for condition in after
        .conditions
        .iter()
        .filter(|one| TOLD.contains(&one.r#type.as_str()))
    {
        let key = |one: &Condition| (one.status.clone(), one.reason.clone());
        let mut old = before
            .conditions
            .iter()
            .filter(|one| one.r#type == condition.r#type);
        if old.next().map(key) == Some(key(condition)) {
            continue;
        }
        let event = Event {
            type_: if condition.status == "True" || is_normal(&condition.reason) {
                EventType::Normal
            } else {
                EventType::Warning
            },
            reason: condition.reason.to_string(),
            note: Some(note(&condition.message)),
            action: "Reconcile".to_owned(),
            secondary: None,
        };
        if let Err(error) = api::call(recorder.publish(&event, &reference)).await {
            tracing::debug!(%error, "Event not written");
        }
    }
}

/// `message`, or its beginning up to the end of a part, of a sentence or at least of a word.
fn note(message: &str) -> String {
    if message.len() <= NOTE {
        return message.to_owned();
    }
    let beginning = &message[..message.floor_char_boundary(NOTE - CUT.len())];
    let ends = ["; ", ". ", " "].map(|end| beginning.rfind(end));
    let end = ends.into_iter().flatten().next();
    format!("{}{CUT}", &beginning[..end.unwrap_or(beginning.len())])
}

fn is_normal(reason: &ReasonText) -> bool {
    let normal = [Reason::NotReady, Reason::Progressing, Reason::RollingOut];
    normal.iter().any(|one| reason == one)
}

#[cfg(test)]
mod tests {
    use super::{CUT, NOTE, note};

    #[track_caller]
    fn check(message: &str, expected: &str) {
        assert_eq!(note(message), expected);
        assert!(note(message).len() <= NOTE);
    }

    #[test]
    fn a_note_ends_where_a_part_ends() {
        check("short", "short");
        check(&"x".repeat(NOTE), &"x".repeat(NOTE));
        let long = "m".repeat(900);
        check(&format!("a: {long}; b: {long}"), &format!("a: {long}{CUT}"));
        check(&format!("{long}. {long}"), &format!("{long}{CUT}"));
        check(&format!("{long} {long}"), &format!("{long}{CUT}"));
        let wide = "设".repeat(400);
        check(
            &wide,
            &format!("{}{CUT}", "设".repeat((NOTE - CUT.len()) / 3)),
        );
    }
}
