//! What scales the workers of a model, on the depth of their queues.

use crds::cluster::{Autoscaling, AutoscalingClass};
use crds::runtime::Func;
use serde_json::json;

use super::{Child, Identity, autoscaling_class, labels, names};
use crate::kind::Kind;

const MIN_REPLICAS: u16 = 1;
const MAX_REPLICAS: u16 = 4;
const TARGET_QUEUE_DEPTH: u32 = 100;

pub(super) fn build(identity: &Identity, func: &Func) -> Option<Child> {
    let scaling = func.autoscaling.as_ref()?;
    let name = names::deployment(&identity.name, &func.model_name);
    let target = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": name });
    let (kind, version, spec) = match autoscaling_class(func) {
        AutoscalingClass::None | AutoscalingClass::External => return None,
        AutoscalingClass::Hpa => (
            Kind::HorizontalPodAutoscaler,
            "autoscaling/v2",
            json!({
                "scaleTargetRef": target,
                "minReplicas": scaling.min_replicas.unwrap_or(MIN_REPLICAS),
                "maxReplicas": scaling.max_replicas.unwrap_or(MAX_REPLICAS),
                "metrics": [{
                    "type": "Pods",
                    "pods": {
                        "metric": { "name": "edgemodel_queue_depth" },
                        "target": { "type": "AverageValue", "averageValue": depth(scaling).to_string() },
                    },
                }],
            }),
        ),
        AutoscalingClass::Keda => (
            Kind::ScaledObject,
            "keda.sh/v1alpha1",
            json!({
                "scaleTargetRef": target,
                "minReplicaCount": scaling.min_replicas.unwrap_or(MIN_REPLICAS),
                "maxReplicaCount": scaling.max_replicas.unwrap_or(MAX_REPLICAS),
                "triggers": [{
                    "type": "prometheus",
                    "metadata": {
                        "serverAddress": scaling.prometheus_address.as_deref().unwrap_or_default(),
                        "query": query(identity, &func.model_name),
                        "threshold": depth(scaling).to_string(),
                    },
                }],
            }),
        ),
    };
    let labels = labels::of_model(identity, &func.model_name);
    let annotations = json!({ labels::NAME: func.model_name });
    let body = json!({
        "apiVersion": version,
        "kind": kind.as_str(),
        "metadata": labels::metadata(identity, &name, &labels, &annotations),
        "spec": spec,
    });
    Some(Child::new(kind, name, body))
}

fn depth(scaling: &Autoscaling) -> u32 {
    scaling.target_queue_depth.unwrap_or(TARGET_QUEUE_DEPTH)
}

/// The messages that wait for a model in a namespace. The name is quoted as PromQL has it.
fn query(identity: &Identity, model: &str) -> String {
    let model = model.replace('\\', "\\\\").replace('"', "\\\"");
    format!(
        "sum(edgemodel_queue_depth{{namespace=\"{}\",model=\"{model}\"}})",
        identity.namespace
    )
}
