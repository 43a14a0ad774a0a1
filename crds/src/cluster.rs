//! The parts of the configuration that only a cluster uses: exposure, placement, resources and scaling.
//!
//! A worker on a laptop accepts and ignores them, so that one file serves both. Like
//! [`crate::runtime`], these are shapes and documentation; nothing is checked here.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::constraint::rule::{CelRule, object_name, quoting, rule};
use crate::constraint::{each, list, map, name, path, quantity, text};

/// How exposed ports are reached from outside the cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ExposeMode {
    /// `outPort` on every node, by a Service of type NodePort; it must lie in the API server's range.
    #[default]
    NodePort,
    /// `outPort` on the node that the worker runs on, without a Service; for KubeEdge, where there is
    /// no NodePort. The port must be free on the node.
    HostPort,
    /// Inside the cluster only, by a Service.
    ClusterIP,
}

/// A Secret in the namespace of the runtime.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretReference {
    /// The Secret's name.
    #[schemars(transform = name, transform = object_name)]
    pub name: String,
}

/// The nodes on which workers run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Placement {
    /// Whether workers run on edge nodes only, those with the label `node-role.kubernetes.io/edge`.
    /// Default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge: Option<bool>,
    /// Labels that a node must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(
        transform = map(16),
        transform = each(text(0, 63)),
        transform = rule(
            "self.all(k, k.size() >= 1 && k.size() <= 317)",
            "a label has a key of 1 to 317 characters",
        )
    )]
    pub node_selector: BTreeMap<String, String>,
    /// Taints that workers tolerate besides `not-ready` and `unreachable`, which they always tolerate: an
    /// edge node that loses its cloud keeps working.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = list(16))]
    pub tolerations: Vec<Toleration>,
    /// Whether workers use the node's own network, as is usual for a broker at `tcp://127.0.0.1:1883`.
    /// Default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_network: Option<bool>,
}

/// A taint that workers tolerate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(
    transform = rule(
        "(has(self.key) && self.key != '') || (has(self.operator) && self.operator == 'Exists')",
        "without a key a toleration takes all taints, and that needs the operator Exists",
    ),
    transform = rule(
        "!has(self.operator) || self.operator != 'Exists' || !has(self.value) || self.value == ''",
        "the operator Exists compares no value; leave value out, or use the operator Equal",
    ),
    transform = rule(
        "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
        "tolerationSeconds is for the effect NoExecute alone; set that, or leave tolerationSeconds out",
    )
)]
pub struct Toleration {
    /// The taint's key; empty, with the operator `Exists`, tolerates all taints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    // A prefix of 253 characters, a slash and a name of 63.
    #[schemars(transform = text(0, 317))]
    pub key: Option<String>,
    /// Whether the taint's value must equal `value` or its key need only exist. Default `Equal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<TolerationOperator>,
    /// The taint's value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = text(0, 63))]
    pub value: Option<String>,
    /// The taint's effect; without it, all effects are tolerated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<TaintEffect>,
    /// How many seconds a `NoExecute` taint is tolerated; without it, forever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub toleration_seconds: Option<i64>,
}

/// How a toleration compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TolerationOperator {
    /// Key and value are equal.
    Equal,
    /// The key exists.
    Exists,
}

/// What a taint does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TaintEffect {
    /// No new pods.
    NoSchedule,
    /// New pods only when no other node is available.
    PreferNoSchedule,
    /// Pods are removed.
    NoExecute,
}

/// Where verified models are kept on a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = rule(
    "!has(self.hostPath) || !has(self.claimName)",
    "hostPath and claimName are both given; models are kept in one place, so leave one out",
))]
pub struct ModelCache {
    /// A directory of the node. It outlives the pod, so that workers start even when the node restarts
    /// without network; needs a namespace whose Pod Security allows hostPath. Without it or a claim, models
    /// live as long as their pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        transform = path,
        transform = quoting(
            r"self.startsWith('/') && !self.matches('(^|/)[.][.](/|$)|\\p{Cc}')",
            "is not an absolute path; write it as /var/lib/edgemodel, without ..",
        )
    )]
    pub host_path: Option<String>,
    /// Name of a PersistentVolumeClaim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = name, transform = object_name)]
    pub claim_name: Option<String>,
    /// Maximum size of the models on the node when they live as long as their pod, such as `2Gi`.
    /// Default `1Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        transform = quantity,
        transform = quoting(
            "isQuantity(self) && quantity(self).isGreaterThan(quantity('0'))",
            "is not a quantity; write it as 500Mi or 2Gi",
        )
    )]
    pub size_limit: Option<String>,
}

/// CPU and memory of a worker, in Kubernetes' notation: `500m`, `256Mi`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = rule(
    "!has(self.requests) || !has(self.limits) || self.requests.all(k, !(k in self.limits) || !isQuantity(self.requests[k]) || !isQuantity(self.limits[k]) || quantity(self.requests[k]).compareTo(quantity(self.limits[k])) <= 0)",
    "a request is more than its limit; raise the limit or lower the request",
))]
pub struct Resources {
    /// What the node reserves, by `cpu`, `memory` or `ephemeral-storage`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = map(3), transform = each(quantity), transform = amounts())]
    pub requests: BTreeMap<String, String>,
    /// The most a worker may use.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = map(3), transform = each(quantity), transform = amounts())]
    pub limits: BTreeMap<String, String>,
}

/// Who sets the number of workers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(
    transform = fewest_before_most(),
    transform = rule(
        "!has(self.class) || self.class != 'keda' || has(self.prometheusAddress)",
        "class keda needs prometheusAddress; write the address of the Prometheus that KEDA asks, as http://prometheus.monitoring:9090",
    )
)]
pub struct Autoscaling {
    /// Who scales. Default `none`: the number is `replicas`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<AutoscalingClass>,
    /// Fewest workers. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub min_replicas: Option<u16>,
    /// Most workers. Default 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub max_replicas: Option<u16>,
    /// Messages that may wait in a worker's queues on average before another worker is added.
    /// Default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub target_queue_depth: Option<u32>,
    /// How busy a model's processes may be on average, in percent, before another worker is added. Queues alone do
    /// not show a slow model when the broker holds its messages back. Above 90 the autoscaler treats 100 % as within
    /// tolerance. Default 80.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 90))]
    pub target_utilization: Option<u8>,
    /// Address of the Prometheus that KEDA queries; required by the class `keda`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        transform = text(1, 1024),
        transform = quoting(
            r"self.matches('^(?i)https?://([^\\s/?#@:\\[\\]]+|\\[[0-9a-f:.]+\\])(:[0-9]{1,5})?(/[^\\s]*)?$')",
            "is not an address; write it as http://prometheus.monitoring:9090",
        )
    )]
    pub prometheus_address: Option<String>,
}

impl Autoscaling {
    /// The default of [`Self::min_replicas`].
    pub const MIN_REPLICAS: u16 = 1;
    /// The default of [`Self::max_replicas`].
    pub const MAX_REPLICAS: u16 = 4;
    /// The default of [`Self::target_queue_depth`].
    pub const TARGET_QUEUE_DEPTH: u32 = 100;
    /// The default of [`Self::target_utilization`].
    pub const TARGET_UTILIZATION: u8 = 80;
}

/// Who scales the workers of a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AutoscalingClass {
    /// No autoscaler: the number is `replicas`.
    #[default]
    None,
    /// A HorizontalPodAutoscaler on the pods' metrics `edgemodel_queue_depth` and
    /// `edgemodel_model_utilization`; needs an adapter that serves custom metrics.
    Hpa,
    /// A ScaledObject of KEDA with the sums of these two metrics in Prometheus.
    Keda,
    /// Another program: the operator leaves the number alone.
    External,
}

/// Quantities of CPU, memory and storage.
fn amounts() -> CelRule {
    rule(
        "self.all(k, k in ['cpu', 'memory', 'ephemeral-storage'] && isQuantity(self[k]) && quantity(self[k]).isGreaterThan(quantity('0')))",
        "give cpu, memory or ephemeral-storage, each with a quantity above 0 such as 500m or 256Mi",
    )
}

fn fewest_before_most() -> CelRule {
    const MIN: u16 = Autoscaling::MIN_REPLICAS;
    const MAX: u16 = Autoscaling::MAX_REPLICAS;
    rule(
        format!(
            "(has(self.minReplicas) ? self.minReplicas : {MIN}) <= (has(self.maxReplicas) ? self.maxReplicas : {MAX})"
        ),
        format!(
            "minReplicas (default {MIN}) is more than maxReplicas (default {MAX}); raise maxReplicas or lower minReplicas"
        ),
    )
}
