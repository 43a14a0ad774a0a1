//! What scales the workers of a model: how many messages wait in them, and how busy the model is (ADR 15).

use crds::cluster_runtime::{ClusterModel, Scaling, Targets};
use crds::contract::metric::{MODEL_UTILIZATION, QUEUE_DEPTH};
use serde_json::{Value, json};

use super::{Child, Identity, labels, names};
use crate::kind::Kind;

pub(super) fn build(identity: &Identity, func: &ClusterModel) -> Option<Child> {
    let name = names::deployment(&identity.name, &func.name);
    let target = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": name });
    let (Scaling::Hpa(targets) | Scaling::Keda(targets, _)) = &func.scaling else {
        return None;
    };
    let Targets {
        min_replicas: min,
        max_replicas: max,
        queue_depth: depth,
        utilization: percent,
    } = *targets;
    // Given several metrics, both kinds use the one that asks for more workers.
    let (kind, version, spec) = match &func.scaling {
        Scaling::Fixed(_) | Scaling::External => return None,
        Scaling::Hpa(_) => (
            Kind::HorizontalPodAutoscaler,
            "autoscaling/v2",
            json!({
                "scaleTargetRef": target,
                "minReplicas": min,
                "maxReplicas": max,
                "metrics": [
                    pods_metric(QUEUE_DEPTH, &depth.to_string()),
                    pods_metric(MODEL_UTILIZATION, &format!("{}m", u32::from(percent) * 10)),
                ],
            }),
        ),
        Scaling::Keda(_, prometheus) => {
            let trigger = |metric, threshold: String| {
                json!({
                    "type": "prometheus",
                    "metadata": {
                        "serverAddress": prometheus,
                        "query": query(metric, identity, &func.name),
                        "threshold": threshold,
                    },
                })
            };
            (
                Kind::ScaledObject,
                "keda.sh/v1alpha1",
                json!({
                    "scaleTargetRef": target,
                    "minReplicaCount": min,
                    "maxReplicaCount": max,
                    "triggers": [
                        trigger(QUEUE_DEPTH, depth.to_string()),
                        trigger(MODEL_UTILIZATION, format!("0.{percent:02}")),
                    ],
                }),
            )
        }
    };
    let labels = labels::of_model(identity, &func.name);
    let annotations = json!({ labels::NAME: func.name });
    let body = json!({
        "apiVersion": version,
        "kind": kind.as_str(),
        "metadata": labels::metadata(identity, &name, &labels, &annotations),
        "spec": spec,
    });
    Some(Child::new(kind, name, body))
}

fn pods_metric(name: &str, average: &str) -> Value {
    json!({
        "type": "Pods",
        "pods": {
            "metric": { "name": name },
            "target": { "type": "AverageValue", "averageValue": average },
        },
    })
}

/// The sum of a metric over the workers of a model; KEDA divides it by the threshold. The model's name is quoted as
/// PromQL has it; the runtime's needs no quoting.
fn query(metric: &str, identity: &Identity, model: &str) -> String {
    let model = model.replace('\\', "\\\\").replace('"', "\\\"");
    let Identity {
        namespace, name, ..
    } = identity;
    format!("sum({metric}{{namespace=\"{namespace}\",runtime=\"{name}\",model=\"{model}\"}})")
}
