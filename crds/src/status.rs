//! What the operator reports of a runtime: status, condition types and reasons.
//!
//! Nothing that moves fast stands here; queue depths are metrics.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most characters of the message of a model or a port; the API server refuses a longer one.
pub const MAX_MESSAGE: usize = 4096;

/// Most characters of a condition's message; the API server refuses a longer one.
pub const MAX_CONDITION_MESSAGE: usize = 8192;

/// The state of a runtime as last observed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuntimeStatus {
    /// The generation of the spec that this status is about; -1 until the operator has seen it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Accepted, ModelsReady, Exposed, Ready, Reconciling, Stalled.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// Ready models and all models, such as `1/2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models_summary: Option<String>,
    /// Exposed ports, such as `38080`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposed_summary: Option<String>,
    /// The models, in the order of the spec.
    #[serde(default)]
    pub models: Vec<ModelStatus>,
    /// The exposed ports, in the order of the spec.
    #[serde(default)]
    pub expose: Vec<ExposeStatus>,
}

/// One aspect of the state, as in all Kubernetes objects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Which aspect, one of the types in [`condition`].
    pub r#type: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Why, in one word.
    pub reason: String,
    /// Why, for people.
    pub message: String,
    /// When `status` last changed (RFC 3339).
    pub last_transition_time: String,
    /// The generation of the spec that this condition is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// The state of one model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelStatus {
    /// The model's name in the spec.
    pub name: String,
    /// Whether all its workers serve with this spec.
    pub ready: bool,
    /// Why, in one word; where a worker says why it does not serve, its own word.
    pub reason: String,
    /// Why, for people.
    #[serde(default)]
    pub message: String,
    /// Its Deployment, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// The digest that its zip must have, such as `sha256:...` or `md5:...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// The state of one exposed port.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExposeStatus {
    /// Its name in the spec.
    pub name: String,
    /// The port that the spec asks for.
    pub requested_port: u16,
    /// The port that is in effect; absent while there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Its Service, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Why, in one word.
    pub reason: String,
    /// Why, for people.
    #[serde(default)]
    pub message: String,
}

/// Condition types.
pub mod condition {
    /// The spec makes sense.
    pub const ACCEPTED: &str = "Accepted";
    /// Every model serves with this spec.
    pub const MODELS_READY: &str = "ModelsReady";
    /// Every exposed port is in effect.
    pub const EXPOSED: &str = "Exposed";
    /// All of the above.
    pub const READY: &str = "Ready";
    /// The operator or the cluster is still at work (kstatus).
    pub const RECONCILING: &str = "Reconciling";
    /// Nothing more will happen until somebody acts (kstatus).
    pub const STALLED: &str = "Stalled";
}

/// Reasons of conditions, models and ports. A worker's own reasons (`ChecksumMismatch`, ...) come
/// besides, and so do Kubernetes' for pods (`ImagePullBackOff`, `Unschedulable`, ...).
pub mod reason {
    /// The spec makes sense.
    pub const VALID: &str = "Valid";
    /// The spec has problems; the message lists them.
    pub const INVALID_SPEC: &str = "InvalidSpec";
    /// The runtime has the annotation `edgemodel.io/paused`.
    pub const PAUSED: &str = "Paused";
    /// Everything is as it should be.
    pub const READY: &str = "Ready";
    /// All models serve.
    pub const ALL_READY: &str = "AllReady";
    /// There is nothing to expose.
    pub const NOTHING_EXPOSED: &str = "NothingExposed";
    /// The port is in effect.
    pub const EXPOSED: &str = "Exposed";
    /// A rollout is under way.
    pub const ROLLING_OUT: &str = "RollingOut";
    /// The model has no workers because `replicas` is 0.
    pub const SCALED_TO_ZERO: &str = "ScaledToZero";
    /// Workers run but do not serve.
    pub const NOT_READY: &str = "NotReady";
    /// An object with the child's name is not ours.
    pub const NAME_CONFLICT: &str = "NameConflict";
    /// Children of a runtime of the same name that was deleted are still there.
    pub const WAITING_FOR_DELETION: &str = "WaitingForDeletion";
    /// A child had what cannot be changed; it was deleted and is made again.
    pub const REPLACED: &str = "Replaced";
    /// The API server does not give this port to Services.
    pub const PORT_OUT_OF_RANGE: &str = "PortOutOfRange";
    /// Another Service has the port.
    pub const PORT_TAKEN: &str = "PortTaken";
    /// A Secret is not there.
    pub const SECRET_NOT_FOUND: &str = "SecretNotFound";
    /// A Secret lacks a key.
    pub const SECRET_KEY_MISSING: &str = "SecretKeyMissing";
    /// The operator may not do what is needed.
    pub const FORBIDDEN: &str = "Forbidden";
    /// The cluster refuses the object.
    pub const REFUSED: &str = "Refused";
    /// The namespace is being deleted: nothing is made in it any more. An API server gives the same word as a cause.
    pub const NAMESPACE_TERMINATING: &str = "NamespaceTerminating";
    /// A call to the API server failed and is tried again.
    pub const API_ERROR: &str = "ApiError";
    /// The cluster does not have the kind that is asked for.
    pub const API_ABSENT: &str = "ApiAbsent";
    /// The operator and the cluster are at work.
    pub const PROGRESSING: &str = "Progressing";
    /// Nothing is left to do.
    pub const SETTLED: &str = "Settled";
}
