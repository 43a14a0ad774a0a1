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

/// Longest note that the API server takes is 1 kB.
const NOTE: usize = 900;

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
        let note: String = condition.message.chars().take(NOTE / 3).collect();
        let event = Event {
            type_: if condition.status == "True" || is_normal(&condition.reason) {
                EventType::Normal
            } else {
                EventType::Warning
            },
            reason: condition.reason.to_string(),
            note: Some(note),
            action: "Reconcile".to_owned(),
            secondary: None,
        };
        if let Err(error) = api::call(recorder.publish(&event, &reference)).await {
            tracing::debug!(%error, "Event not written");
        }
    }
}

fn is_normal(reason: &ReasonText) -> bool {
    let normal = [Reason::NotReady, Reason::Progressing, Reason::RollingOut];
    normal.iter().any(|one| reason == one)
}
