//! What the operator reports of a runtime: its status and condition types.
//!
//! Nothing that moves fast stands here; queue depths are metrics.

mod version;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::constraint::{list, list_by, name, text, word};
use crate::reason::ReasonText;

pub use version::{Ended, Serving, Version};

/// Most entries of a model's history.
pub const MAX_HISTORY: usize = 5;

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
    /// Accepted, ModelsReady, Exposed, Ready, Reconciling, Stalled; Warning where there is something to warn of.
    #[serde(default)]
    #[schemars(transform = list_by("type", 16))]
    pub conditions: Vec<Condition>,
    /// Ready models and all models, such as `1/2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = text(0, 64))]
    pub models_summary: Option<String>,
    /// Exposed ports, such as `38080`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = text(0, 256))]
    pub exposed_summary: Option<String>,
    /// The beginnings of the digests in `models[].wanted`, in the order of the spec; `-` for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = text(0, 256))]
    pub wanted_summary: Option<String>,
    /// The beginnings of the digests in `models[].serving`, in the order of the spec; `-` for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = text(0, 256))]
    pub serving_summary: Option<String>,
    /// The nodes in `models[].serving`, each once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = text(0, 256))]
    pub nodes_summary: Option<String>,
    /// The models, in the order of the spec.
    #[serde(default)]
    #[schemars(transform = list_by("name", 64))]
    pub models: Vec<ModelStatus>,
    /// The exposed ports, in the order of the spec.
    #[serde(default)]
    #[schemars(transform = list_by("name", 16))]
    pub expose: Vec<ExposeStatus>,
}

/// One aspect of the state, as in all Kubernetes objects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Which aspect, one of the types in [`condition`].
    #[schemars(transform = word)]
    pub r#type: String,
    /// `True`, `False` or `Unknown`.
    #[schemars(transform = word)]
    pub status: String,
    /// Why, in one word.
    pub reason: ReasonText,
    /// Why, for people.
    #[schemars(transform = text(0, MAX_CONDITION_MESSAGE))]
    pub message: String,
    /// When `status` last changed (RFC 3339).
    #[schemars(transform = text(1, 64))]
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
    #[schemars(transform = name)]
    pub name: String,
    /// Whether all its workers serve with this spec.
    pub ready: bool,
    /// Why, in one word; where a worker says why it does not serve, its own word.
    pub reason: ReasonText,
    /// Why, for people.
    #[serde(default)]
    #[schemars(transform = text(0, MAX_MESSAGE))]
    pub message: String,
    /// Its Deployment, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = name)]
    pub deployment: Option<String>,
    /// The digest that the spec asks for, such as `sha256:...` or `md5:...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = text(1, 256))]
    pub wanted: Option<String>,
    /// What a worker serves; absent while none is known to be ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serving: Option<Serving>,
    /// What was served or refused before, the latest first. An entry without `ended` was served last, while nothing is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = list(MAX_HISTORY))]
    pub history: Vec<Version>,
}

/// The state of one exposed port.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExposeStatus {
    /// Its name in the spec.
    #[schemars(transform = name)]
    pub name: String,
    /// The port that the spec asks for.
    pub requested_port: u16,
    /// The port that is in effect; absent while there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Its Service, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = name)]
    pub service: Option<String>,
    /// Why, in one word.
    pub reason: ReasonText,
    /// Why, for people.
    #[serde(default)]
    #[schemars(transform = text(0, MAX_MESSAGE))]
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
    /// The spec works, but maybe not as intended; absent where there is nothing to warn of.
    pub const WARNING: &str = "Warning";
}
