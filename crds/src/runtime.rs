//! The configuration as people write it: pyboot's `funcs`, `mqtts`, `rules` and `expose`, and what
//! edgemodel adds to them.
//!
//! The doc comments are the users' documentation: they go into the JSON Schema and, from there, into
//! the reference page. The Chinese titles are those of pyboot's form panel. Nothing is checked here
//! beyond shapes; [`crate::validate`] turns this into [`crate::ValidatedRuntime`].

mod expose;
mod func;
mod mqtt;
mod rule;
mod timeout;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::{ExposeMode, ModelCache, Placement};

pub use expose::Expose;
pub use func::{Device, DeviceAttr, Func, OnFull};
pub use mqtt::{Auth, Mqtt, MqttVersion, Tls};
pub use rule::{Pub, Rule, Sub};
pub use timeout::Timeout;

/// One runtime: which models serve which devices, and over which brokers.
#[derive(CustomResource, Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "edgemodel.io",
    version = "v1alpha1",
    kind = "EdgeModelRuntime",
    plural = "edgemodelruntimes",
    shortname = "emr",
    category = "edgemodel",
    namespaced,
    status = "crate::status::RuntimeStatus",
    schema = "disabled"
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RuntimeSpec {
    /// The MQTT brokers that the rules refer to by name; a file needs at least one.
    #[serde(default)]
    #[schemars(title = "MQTT")]
    pub mqtts: Vec<Mqtt>,
    /// Where telemetry comes from and where results go; a file needs at least one.
    #[serde(default)]
    #[schemars(title = "MQTT规则")]
    pub rules: Vec<Rule>,
    /// The models, and the devices each of them is for; a file needs at least one.
    #[serde(default)]
    #[schemars(title = "调用模型")]
    pub funcs: Vec<Func>,
    /// Ports on which metrics and results are served.
    #[serde(default)]
    pub expose: Vec<Expose>,
    /// In a cluster: how the ports in `expose` are reached from outside. Default `NodePort`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expose_mode: Option<ExposeMode>,
    /// In a cluster: the workers' image, instead of the operator's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// In a cluster: names of Secrets with which the image is pulled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub image_pull_secrets: Vec<String>,
    /// In a cluster: the nodes on which workers run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    /// In a cluster: where verified models are kept, so that a worker starts without network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_cache: Option<ModelCache>,
}
