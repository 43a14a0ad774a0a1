//! Why the pods of a model do not serve, in the words of the worker or of the node.

use std::collections::BTreeMap;

use crds::Reason;
use crds::reason::ReasonText;
use crds::termination::Termination;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::desired::labels;
use crate::desired::pod::CONTAINER;
use crate::observe::Observed;
use crate::status::text::shortened;

/// Reasons of a waiting container that are part of every start.
const STARTING: [&str; 2] = ["ContainerCreating", "PodInitializing"];

/// How long a worker may take to be ready before that is worth a word: it has to load its model.
const START: SignedDuration = SignedDuration::from_secs(60);

/// Reason and message of the first pod of the Deployment's present template that has trouble.
pub(super) fn trouble(
    pods: &[Pod],
    deployment: &Observed,
    now: Timestamp,
) -> Option<(ReasonText, String)> {
    let template = &deployment.body["spec"]["template"]["metadata"]["annotations"];
    let model = deployment.label(labels::MODEL);
    let none = BTreeMap::new();
    let mut pods: Vec<_> = pods
        .iter()
        .filter(|pod| {
            let labels = pod.metadata.labels.as_ref().unwrap_or(&none);
            let annotations = pod.metadata.annotations.as_ref().unwrap_or(&none);
            let same =
                |name: &str| annotations.get(name).map(String::as_str) == template[name].as_str();
            labels.get(labels::MODEL).map(String::as_str) == model
                && same(labels::CONFIG)
                && same(labels::SECRETS)
                && pod.metadata.deletion_timestamp.is_none()
        })
        .collect();
    pods.sort_by_key(|pod| pod.metadata.name.clone());
    pods.iter().find_map(|pod| of_pod(pod, now))
}

fn of_pod(pod: &Pod, now: Timestamp) -> Option<(ReasonText, String)> {
    if let Some(message) = lost_node(pod) {
        return Some((Reason::NodeLost.into(), message));
    }
    let status = pod.status.as_ref()?;
    let mut containers = status.container_statuses.iter().flatten();
    if let Some(container) = containers.find(|one| one.name == CONTAINER)
        && let Some(found) = of_container(container, now)
    {
        return Some(found);
    }
    let conditions = status.conditions.iter().flatten();
    let mut waiting = conditions.filter(|one| one.type_ == "PodScheduled" && one.status == "False");
    let waiting = waiting.next()?;
    let reason = waiting
        .reason
        .as_deref()
        .map_or(Reason::Progressing.into(), ReasonText::from);
    Some((
        reason,
        shortened(waiting.message.as_deref().unwrap_or_default()),
    ))
}

/// The sign of a node that doesn't report: the control plane marks its pods as not ready, while the last word of the node
/// about their containers is that they are.
fn lost_node(pod: &Pod) -> Option<String> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let find = |kind: &str| conditions.iter().find(|one| one.type_ == kind);
    let unready = find("Ready").filter(|one| one.status == "False")?;
    find("ContainersReady").filter(|one| one.status == "True")?;
    let node = pod.spec.as_ref()?.node_name.as_deref()?;
    let since = unready.last_transition_time.as_ref();
    let since = since.map_or(String::new(), |since| format!(" since {}", since.0));
    Some(format!(
        "node {node:?} hasn't reported to the cluster{since}; its worker may be running, and isn't replaced"
    ))
}

fn of_container(container: &ContainerStatus, now: Timestamp) -> Option<(ReasonText, String)> {
    let state = container.state.as_ref()?;
    let last = container
        .last_state
        .as_ref()
        .and_then(|last| last.terminated.as_ref());
    let running = state.running.as_ref().filter(|_| !container.ready);
    let since = running.and_then(|running| running.started_at.as_ref());
    let late = since.is_some_and(|since| now.duration_since(since.0) > START);
    // Until a restarted worker is ready, its last words still hold; after a minute it is judged by what it is now. After a
    // reboot the node only knows that the container ended, not why.
    let ended = state.terminated.as_ref().or(last);
    let ended = ended.filter(|ended| !container.ready && !late && !is_unknown(ended));
    if let Some(ended) = ended {
        let text = ended.message.as_deref().unwrap_or_default();
        if let Ok(said) = serde_json::from_str::<Termination>(text)
            && is_word(said.reason.as_str())
        {
            return Some((said.reason, shortened(&said.message)));
        }
        let reason = ended
            .reason
            .as_deref()
            .map_or(Reason::Error.into(), ReasonText::from);
        let times = container.restart_count;
        let message = format!(
            "the worker exited with code {} and was restarted {times} times; {text}",
            ended.exit_code
        );
        return Some((reason, shortened(message.trim_end_matches("; "))));
    }
    if let Some(waiting) = &state.waiting {
        let reason = waiting.reason.as_deref().unwrap_or_default();
        let starting = reason.is_empty() || STARTING.contains(&reason);
        return (!starting).then(|| {
            (
                reason.into(),
                shortened(waiting.message.as_deref().unwrap_or_default()),
            )
        });
    }
    late.then(|| {
        let message = "the worker runs but is not ready: it is connecting to its broker or loading its model; see its log or /status";
        (Reason::NotReady.into(), message.to_owned())
    })
}

fn is_unknown(ended: &ContainerStateTerminated) -> bool {
    matches!(
        ended.reason.as_deref(),
        Some("Unknown" | "ContainerStatusUnknown")
    )
}

/// A reason as Kubernetes wants it: other text must not reach conditions.
fn is_word(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric())
}
