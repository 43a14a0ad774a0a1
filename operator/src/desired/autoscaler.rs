//! What scales the workers of a model: how many messages wait in them, and how busy the model is (ADR 15).

use crds::cluster::AutoscalingClass;
use crds::runtime::Func;
use serde_json::{Value, json};

use super::{Child, Identity, autoscaling_class, labels, names};
use crate::kind::Kind;

const MIN_REPLICAS: u16 = 1;
const MAX_REPLICAS: u16 = 4;
const TARGET_QUEUE_DEPTH: u32 = 100;
const TARGET_UTILIZATION: u8 = 80;

/// Metrics of a worker.
const QUEUE_DEPTH: &str = "edgemodel_queue_depth";
const UTILIZATION: &str = "edgemodel_model_utilization";

pub(super) fn build(identity: &Identity, func: &Func) -> Option<Child> {
    let scaling = func.autoscaling.as_ref()?;
    let name = names::deployment(&identity.name, &func.model_name);
    let target = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": name });
    let min = scaling.min_replicas.unwrap_or(MIN_REPLICAS);
    let max = scaling.max_replicas.unwrap_or(MAX_REPLICAS);
    let depth = scaling.target_queue_depth.unwrap_or(TARGET_QUEUE_DEPTH);
    let percent = scaling.target_utilization.unwrap_or(TARGET_UTILIZATION);
    // Of several metrics both kinds take the one that asks for more workers.
    let (kind, version, spec) = match autoscaling_class(func) {
        AutoscalingClass::None | AutoscalingClass::External => return None,
        AutoscalingClass::Hpa => (
            Kind::HorizontalPodAutoscaler,
            "autoscaling/v2",
            json!({
                "scaleTargetRef": target,
                "minReplicas": min,
                "maxReplicas": max,
                "metrics": [
                    pods_metric(QUEUE_DEPTH, &depth.to_string()),
                    pods_metric(UTILIZATION, &format!("{}m", u32::from(percent) * 10)),
                ],
            }),
        ),
        AutoscalingClass::Keda => {
            let prometheus = scaling.prometheus_address.as_deref().unwrap_or_default();
            let trigger = |metric, threshold: String| {
                json!({
                    "type": "prometheus",
                    "metadata": {
                        "serverAddress": prometheus,
                        "query": query(metric, identity, &func.model_name),
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
                        trigger(UTILIZATION, format!("0.{percent:02}")),
                    ],
                }),
            )
        }
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
