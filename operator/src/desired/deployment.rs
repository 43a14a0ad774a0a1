//! The Deployment of a model.

use serde_json::{Map, Value, json};

use super::model_source::ModelSource;
use super::{Child, labels, names, pod};
use crate::kind::Kind;

/// How long a rollout may take before Kubernetes calls it stuck: a model's download, over a slow line, and its
/// import belong to it.
const PROGRESS_DEADLINE_SECONDS: u32 = 600;

/// Old ReplicaSets that are kept: one to go back to by hand.
const REVISION_HISTORY: u32 = 1;

pub(super) fn build(source: &ModelSource<'_>) -> Child {
    let identity = source.inputs.identity;
    let name = names::deployment(&identity.name, &source.func.name);
    let labels = labels::of_model(identity, &source.func.name);
    let mut annotations = Map::new();
    annotations.insert(labels::NAME.to_owned(), source.func.name.clone().into());
    annotations.insert(labels::CONFIG.to_owned(), source.restart_digest.into());
    let class = json!(source.func.scaling.class());
    annotations.insert(labels::AUTOSCALING.to_owned(), class);
    if let Some(digest) = source.digest {
        annotations.insert(labels::DIGEST.to_owned(), digest.into());
    }
    let mut spec = json!({
        "revisionHistoryLimit": REVISION_HISTORY,
        "progressDeadlineSeconds": PROGRESS_DEADLINE_SECONDS,
        "selector": { "matchLabels": labels::model_selector(identity, &source.func.name) },
        "strategy": strategy(source.inputs.runtime.exposes_once()),
        "template": pod::template(source, &labels),
    });
    if let Some(replicas) = source.func.scaling.replicas() {
        spec["replicas"] = replicas.into();
    }
    let body = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": labels::metadata(identity, &name, &labels, &annotations.into()),
        "spec": spec,
    });
    Child::new(Kind::Deployment, name, body)
}

/// A new worker takes the MQTT session over when it is ready, and only then does the old one go; where
/// both would need the same port of a node, the old one must go first.
fn strategy(exposes_once: bool) -> Value {
    if exposes_once {
        json!({ "type": "Recreate" })
    } else {
        json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 } })
    }
}
