//! The parts of the configuration that only a cluster uses: exposure, placement, resources and scaling.
//!
//! A worker on a laptop accepts and ignores them, so that one file serves both. Like
//! [`crate::runtime`], these are shapes and documentation; nothing is checked here.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    pub node_selector: BTreeMap<String, String>,
    /// Taints that workers tolerate, besides `not-ready` and `unreachable`, which they always do: an
    /// edge node that loses its cloud goes on working.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    /// Whether workers use the node's own network, as is usual for a broker at `tcp://127.0.0.1:1883`.
    /// Default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_network: Option<bool>,
}

/// A taint that workers tolerate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Toleration {
    /// The taint's key; empty tolerates all, with the operator `Exists`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether `value` must be equal or the key need only exist. Default `Equal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<TolerationOperator>,
    /// The taint's value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The taint's effect; absent tolerates all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<TaintEffect>,
    /// How many seconds a `NoExecute` taint is tolerated; absent is without limit.
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
    /// New pods only when there is no other place.
    PreferNoSchedule,
    /// Pods are removed.
    NoExecute,
}

/// Where verified models are kept on a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelCache {
    /// A directory of the node, which outlives the pod and serves when the node restarts without
    /// network; needs a namespace whose Pod Security allows hostPath. Without it or a claim, models
    /// live as long as their pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_path: Option<String>,
    /// Name of a PersistentVolumeClaim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_name: Option<String>,
    /// The most that models may take on the node when they live as long as their pod, such as `2Gi`.
    /// Default `1Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_limit: Option<String>,
}

/// Processor and memory of a worker, as Kubernetes has them: `500m`, `256Mi`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resources {
    /// What is set aside on the node, by `cpu`, `memory` or `ephemeral-storage`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub requests: BTreeMap<String, String>,
    /// What a worker may use at most.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, String>,
}

/// Who decides the number of workers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
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
    /// How busy a model's processes may be on average, in percent, before another worker is added: a broker may hold
    /// back what a model is too slow for, so that no queue shows it. Above 90 an autoscaler would take always busy for
    /// near enough. Default 80.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 90))]
    pub target_utilization: Option<u8>,
    /// Address of the Prometheus that KEDA asks; needed by the class `keda`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prometheus_address: Option<String>,
}

impl Autoscaling {
    /// What [`Self::min_replicas`] is by default.
    pub const MIN_REPLICAS: u16 = 1;
    /// What [`Self::max_replicas`] is by default.
    pub const MAX_REPLICAS: u16 = 4;
    /// What [`Self::target_queue_depth`] is by default.
    pub const TARGET_QUEUE_DEPTH: u32 = 100;
    /// What [`Self::target_utilization`] is by default.
    pub const TARGET_UTILIZATION: u8 = 80;
}

/// Who scales the workers of a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AutoscalingClass {
    /// Nobody: `replicas` holds.
    #[default]
    None,
    /// A HorizontalPodAutoscaler on the pods' metrics `edgemodel_queue_depth` and
    /// `edgemodel_model_utilization`; needs an adapter that serves custom metrics.
    Hpa,
    /// A ScaledObject of KEDA with the sums of these two metrics in Prometheus.
    Keda,
    /// Somebody else: the operator leaves the number alone.
    External,
}
