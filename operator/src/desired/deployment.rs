//! The Deployment of a model.

use crds::runtime::RuntimeSpec;
use serde_json::{Map, Value, json};

use super::context::Context;
use super::{Child, exposes_once, labels, names, pod};
use crate::kind::Kind;

/// How long a rollout may take before Kubernetes calls it stuck: a model's download, over a slow line, and its
/// import belong to it.
const PROGRESS_DEADLINE_SECONDS: u32 = 600;

/// Old ReplicaSets that are kept: one to go back to by hand.
const REVISION_HISTORY: u32 = 1;

pub(super) fn build(ctx: &Context<'_>) -> Child {
    let identity = ctx.inputs.identity;
    let name = names::deployment(&identity.name, &ctx.func.model_name);
    let labels = labels::of_model(identity, &ctx.func.model_name);
    let mut annotations = Map::new();
    annotations.insert(labels::NAME.to_owned(), ctx.func.model_name.clone().into());
    annotations.insert(labels::CONFIG.to_owned(), ctx.rollout.into());
    let class = json!(super::autoscaling_class(ctx.func));
    annotations.insert(labels::AUTOSCALING.to_owned(), class);
    if let Some(digest) = ctx.digest {
        annotations.insert(labels::DIGEST.to_owned(), digest.into());
    }
    let mut spec = json!({
        "revisionHistoryLimit": REVISION_HISTORY,
        "progressDeadlineSeconds": PROGRESS_DEADLINE_SECONDS,
        "selector": { "matchLabels": labels::model_selector(identity, &ctx.func.model_name) },
        "strategy": strategy(ctx.inputs.spec),
        "template": pod::template(ctx, &labels),
    });
    if let Some(replicas) = ctx.replicas {
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
fn strategy(spec: &RuntimeSpec) -> Value {
    if exposes_once(spec) {
        json!({ "type": "Recreate" })
    } else {
        json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 } })
    }
}
