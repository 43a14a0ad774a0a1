//! Which versions of a model its workers serve: what the pods that are ready run, by the digests on their configurations.

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::Accepted;
use crate::desired::{Model, labels, names};
use crate::kind::Kind;

/// What a pod that is ready serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Served<'a> {
    /// The digest of the model's zip.
    pub(super) digest: &'a str,
    /// When the pod became ready.
    pub(super) since: Timestamp,
    /// Where it runs.
    pub(super) node: Option<&'a str>,
}

/// What is served of the model, by one entry for each worker that is ready.
pub(super) fn of<'a>(accepted: &Accepted<'a>, index: usize) -> Vec<Served<'a>> {
    let model = names::label(&accepted.runtime.models[index].name);
    let ready = accepted.observed.pods.iter().filter_map(|pod| {
        let since = ready_since(pod)?;
        let label = pod.metadata.labels.as_ref()?.get(labels::MODEL)?;
        let config = pod.metadata.annotations.as_ref()?.get(labels::CONFIG)?;
        let digest = (*label == model)
            .then(|| digest(accepted, index, &model, config))
            .flatten()?;
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
        Some(Served {
            digest,
            since,
            node,
        })
    });
    let mut ready: Vec<_> = ready.collect();
    // A status that changes with the order of a list would be written again and again.
    ready.sort_unstable_by_key(|one| (one.digest, one.node, one.since));
    ready
}

/// When the pod became ready; one that is being deleted serves no more.
fn ready_since(pod: &Pod) -> Option<Timestamp> {
    if pod.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let mut conditions = pod.status.as_ref()?.conditions.iter().flatten();
    let ready = conditions.find(|one| one.type_ == "Ready" && one.status == "True")?;
    Some(ready.last_transition_time.as_ref()?.0)
}

/// The digest of the zip that workers with this configuration serve; configurations of before the operator wrote it there
/// have none.
fn digest<'a>(accepted: &Accepted<'a>, index: usize, model: &str, config: &str) -> Option<&'a str> {
    let wanted = match &accepted.desired.models[index] {
        Model::Served(children) => Some(&children.config_map.body),
        Model::Blocked(_) => None,
    };
    let children = accepted.observed.children.iter();
    let observed = children.filter(|child| child.kind == Kind::ConfigMap);
    let bodies = wanted.into_iter().chain(observed.map(|child| &child.body));
    let mut digests = bodies.filter_map(|body: &Value| {
        let metadata = &body["metadata"];
        let same = metadata["labels"][labels::MODEL] == model
            && metadata["annotations"][labels::CONFIG] == config;
        same.then(|| metadata["annotations"][labels::DIGEST].as_str())?
    });
    digests.next()
}
