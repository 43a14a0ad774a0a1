//! The configuration as people write it: pyboot's `funcs`, `mqtts`, `rules` and `expose`, and what
//! edgemodel adds to them.
//!
//! The doc comments are the users' documentation: they go into the JSON Schema and, from there, into
//! the reference page. The Chinese titles are those of pyboot's form panel. Nothing is checked here
//! beyond shapes; [`crate::validate`] turns this into [`crate::ValidatedRuntime`].

mod batch;
mod database;
mod expose;
mod func;
mod model_server;
mod mqtt;
mod retry;
mod rule;
mod sandbox;
mod timeout;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::{ExposeMode, ModelCache, Placement};
use crate::constraint::rule::{CelRule, object_name, quoting, rule};
use crate::constraint::{each, list, list_by, name, text};

pub use batch::Batch;
pub use database::Database;
pub use expose::Expose;
pub use func::{AttrType, Device, DeviceAttr, Format, Func, HostChoice, OnFull};
pub use model_server::{ModelCredentials, ModelS3};
pub use mqtt::{Auth, Mqtt, MqttVersion, Tls};
pub use retry::Retry;
pub use rule::{Pub, Rule, Sub};
pub use sandbox::{Sandbox, SandboxMode, SandboxNetwork};
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
#[schemars(
    transform = known_broker("sub"),
    transform = known_broker("pub"),
    transform = database::known_database(),
    transform = devices_fit()
)]
pub struct RuntimeSpec {
    /// The MQTT brokers that the rules refer to by name; a file needs at least one.
    #[serde(default)]
    #[schemars(title = "MQTT", transform = list_by("name", 32))]
    pub mqtts: Vec<Mqtt>,
    /// Where telemetry comes from and where results go; a file needs at least one.
    #[serde(default)]
    #[schemars(
        title = "MQTT规则",
        transform = list(64),
        transform = not_subscribed("topic", "results"),
        transform = not_subscribed("deadLetterTopic", "dead letters")
    )]
    pub rules: Vec<Rule>,
    /// The models, and the devices each of them is for; a file needs at least one.
    #[serde(default)]
    #[schemars(title = "调用模型", transform = list_by("modelName", 64))]
    pub funcs: Vec<Func>,
    /// The databases that models may use; each model names its own in `funcs[].databases`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = list_by("name", 32))]
    pub databases: Vec<Database>,
    /// Ports on which metrics and results are served.
    #[serde(default)]
    #[schemars(
        transform = list_by("name", 16),
        transform = expose::ports_differ(),
        transform = expose::out_ports_differ()
    )]
    pub expose: Vec<Expose>,
    /// In a cluster: how the ports in `expose` are reached from outside. Default `NodePort`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expose_mode: Option<ExposeMode>,
    /// In a cluster: the workers' image, instead of the operator's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        transform = text(1, 1024),
        transform = quoting(
            r"!self.matches('[\\s\\p{Cc}]')",
            "is not an image; write it as registry/name:tag, without blanks",
        )
    )]
    pub image: Option<String>,
    /// In a cluster: names of Secrets with which the image is pulled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = list(8), transform = each(name), transform = each(object_name))]
    pub image_pull_secrets: Vec<String>,
    /// In a cluster: the nodes on which workers run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    /// In a cluster: where verified models are kept, so that a worker starts without network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_cache: Option<ModelCache>,
}

/// Every `sub` or `pub` names a broker.
fn known_broker(end: &str) -> CelRule {
    rule(
        format!("!has(self.rules) || self.rules.all(r, has(self.mqtts) && self.mqtts.exists(m, m.name == r.{end}.name))"),
        format!("a {end}.name is not the name of an entry in mqtts; use one that is, or add that broker to mqtts"),
    )
    .about(".rules")
}

/// No rule subscribes to what another one publishes to `topic`.
fn not_subscribed(topic: &str, what: &str) -> CelRule {
    rule(
        format!(
            "self.all(r, !has(r.pub.{topic}) || !self.exists(o, has(o.sub.topic) && o.sub.topic == r.pub.{topic} && o.sub.name == r.pub.name))"
        ),
        format!(
            "a pub.{topic} is also a sub.topic on the same broker, so {what} would loop forever; choose a topic that no rule subscribes to"
        ),
    )
}

/// The product of the largest numbers of devices, attributes and characters would be too much for etcd:
/// this bounds their sum to about 1000 devices of pyboot's kind, which is less than etcd takes even when
/// each character is six bytes there.
fn devices_fit() -> CelRule {
    const MOST: u32 = 200_000;
    const DEVICE: u32 = 15;
    const ATTRIBUTE: u32 = 20;
    rule(
        format!("!has(self.funcs) || self.funcs.map(f, has(f.devices) ? f.devices.map(d, d.deviceName.size() + {DEVICE} + (has(d.deviceAttr) ? d.deviceAttr.map(a, (has(a.attrName) ? a.attrName.size() : 0) + a.attrValue.size() + a.attrExpression.size() + (has(a.attrType) ? {ATTRIBUTE} : 0) + {ATTRIBUTE}).sum() : 0)).sum() : 0).sum() <= {MOST}"),
        format!("the devices of all models are too much for one object: names, values and expressions together may have {MOST} characters, where each device counts {DEVICE} more and each attribute {ATTRIBUTE} more; divide the models among several runtimes"),
    )
    .about(".funcs")
}
