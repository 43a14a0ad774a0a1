//! The configuration as people write it: pyboot's `funcs`, `mqtts`, `rules` and `expose`, and what
//! edgemodel adds to them.
//!
//! The doc comments are the users' documentation: they go into the JSON Schema and, from there, into
//! the reference page. The Chinese titles are those of pyboot's form panel. Nothing is checked here
//! beyond shapes; [`crate::validate`] turns this into [`crate::ValidatedRuntime`].

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::{Autoscaling, ExposeMode, ModelCache, Placement, Resources, SecretReference};

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

/// An MQTT broker.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mqtt {
    /// The name that rules use for this broker; unique.
    #[schemars(title = "MQTT服务名")]
    pub name: String,
    /// The broker's address: `tcp://host:1883`, `ssl://host:8883` (or `mqtts://`), `ws://host/path`,
    /// `wss://host/path`.
    #[schemars(title = "MQTT服务地址")]
    pub broker: String,
    /// Quality of service of subscriptions and results: 0 at most once, 1 at least once, 2 exactly
    /// once between the broker and the worker. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "QoS等级", range(min = 0, max = 2))]
    pub qos: Option<u8>,
    /// Whether the broker keeps the last result of a topic for later subscribers. Default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "是否开启遗嘱消息")]
    pub retain: Option<bool>,
    /// Protocol version. Default `3.1.1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<MqttVersion>,
    /// User and password, if the broker asks for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// In a cluster: the Secret whose keys `username` and `password` the broker asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_secret_ref: Option<SecretReference>,
    /// TLS settings for `ssl://`, `mqtts://` and `wss://`; the system's certificates by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// Keep-alive in seconds. Default 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 5, max = 3600))]
    pub keep_alive: Option<u16>,
    /// The largest MQTT packet that is taken or sent, in bytes. Default 16 MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1024, max = 268_435_455))]
    pub max_packet_size: Option<u32>,
}

/// MQTT protocol versions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MqttVersion {
    /// MQTT 3.1.1 (OASIS, 2014).
    #[default]
    #[serde(rename = "3.1.1")]
    V3_1_1,
    /// MQTT 5.0 (OASIS, 2019).
    #[serde(rename = "5")]
    V5,
}

/// A broker's credentials.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Auth {
    /// User name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// File that holds the user name, instead of `username` (a trailing newline is ignored).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username_file: Option<String>,
    /// Password in clear text; prefer `passwordFile`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "password"))]
    pub password: Option<String>,
    /// File that holds the password (a trailing newline is ignored).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<String>,
}

impl std::fmt::Debug for Auth {
    /// Never shows the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Auth")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// TLS towards a broker. Paths are read when the worker starts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tls {
    /// PEM file of the certificate authorities to trust, instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// PEM file of the client's certificate chain (mutual TLS; needs `keyFile`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_file: Option<String>,
    /// PEM file of the client's private key (needs `certFile`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<String>,
    /// The name to expect in the broker's certificate, if it is not the host of `broker`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// In a cluster: the Secret whose keys `ca.crt`, `tls.crt` and `tls.key` stand for the three files;
    /// a key that is absent leaves its file out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretReference>,
}

/// Telemetry comes in by `sub`, results go out by `pub`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Where telemetry comes from.
    #[schemars(title = "订阅者")]
    pub sub: Sub,
    /// Where results go.
    #[schemars(title = "发布者")]
    pub r#pub: Pub,
}

/// A subscription.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sub {
    /// Name of an entry in `mqtts`.
    #[schemars(title = "MQTT服务名")]
    pub name: String,
    /// MQTT client id; derived from the host's name and the rule if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "MQTT客户端ID")]
    pub client_id: Option<String>,
    /// Topic filter; `+`, `#` and `$share/group/filter` are allowed.
    #[schemars(title = "MQTT订阅Topic")]
    pub topic: String,
}

/// Where results are published.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pub {
    /// Name of an entry in `mqtts`.
    #[schemars(title = "MQTT服务名")]
    pub name: String,
    /// MQTT client id; derived from the host's name and the rule if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "MQTT客户端ID")]
    pub client_id: Option<String>,
    /// How long a publish may take before it counts as failed: seconds, or text such as `500ms` or
    /// `10s`. Default 10 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "MQTT发布超时时间")]
    pub timeout: Option<Timeout>,
    /// Topic of the results; no wildcards.
    #[schemars(title = "MQTT发布Topic")]
    pub topic: String,
    /// Topic for messages that a model could not process; without it they are counted and logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter_topic: Option<String>,
}

/// A time span: a bare number of seconds, or text with a unit (`ms`, `s`, `m`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Timeout {
    /// Seconds.
    Seconds(f64),
    /// A number with a unit: `500ms`, `10s`, `2m`.
    Text(String),
}

/// A model and the devices it is for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Func {
    /// Address of the model's zip: `http://`, `https://` or `file://`.
    #[schemars(title = "模型压缩包地址")]
    pub model_address: String,
    /// MD5 of the zip, base64 of its 16 bytes or hex: a check against corruption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "模型压缩包md5")]
    pub model_md5: Option<String>,
    /// SHA-256 of the zip in hex: preferred, since it also guards against forgery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_sha256: Option<String>,
    /// The model's name; unique.
    #[schemars(title = "模型名称")]
    pub model_name: String,
    /// The devices whose telemetry the model gets.
    #[serde(default)]
    #[schemars(title = "设备")]
    pub devices: Vec<Device>,
    /// Number of processes that run this model; a device always goes to the same one. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub hosts: Option<u16>,
    /// How long one call of the model may take before its process is replaced: seconds, or text such
    /// as `500ms`. Default 10 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Timeout>,
    /// How long the model may take to import before it counts as failed. Default 60 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_timeout: Option<Timeout>,
    /// The Python interpreter to run the model with. Default: `EDGEMODEL_PYTHON`, else `python3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<String>,
    /// How many messages may wait for the model. Default 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub pre_queue_size: Option<u32>,
    /// How many results may wait for the broker. Default 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub post_queue_size: Option<u32>,
    /// What happens to a message when the model's queue is full. Default `block`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_full: Option<OnFull>,
    /// In a cluster: number of workers of this model; more than one share the subscriptions. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 64))]
    pub replicas: Option<u16>,
    /// In a cluster: who decides the number of workers instead of `replicas`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,
    /// In a cluster: processor and memory of each worker of this model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
}

/// What happens to a message when its queue is full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OnFull {
    /// Stop reading from the broker, which then holds the messages; nothing is lost.
    #[default]
    Block,
    /// Drop the message that has waited longest, and count it.
    DropOldest,
    /// Drop the message that just came, and count it.
    DropNewest,
}

/// A device: telemetry is its own when **all** its attributes match.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Device {
    /// The device's name; without attributes it is compared with `deviceInfo.deviceName`.
    #[schemars(title = "设备名称")]
    pub device_name: String,
    /// Conditions on the message; all must hold.
    #[serde(default)]
    #[schemars(title = "设备属性")]
    pub device_attr: Vec<DeviceAttr>,
}

/// A condition on the message, read as `'<attrValue>' <attrExpression>`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeviceAttr {
    /// A name for people.
    #[serde(default)]
    #[schemars(title = "属性名称")]
    pub attr_name: String,
    /// The text on the left of the operator.
    #[schemars(title = "属性值")]
    pub attr_value: String,
    /// Operator and place: `==`, `!=`, `in`, `not in`, `<`, `<=`, `>` or `>=`, then `data_to_dict`
    /// with any number of `['key']` or `[index]`.
    #[schemars(title = "对应数据解析表达式")]
    pub attr_expression: String,
}

/// A port for people and machines outside.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expose {
    /// Name of the port; unique.
    #[schemars(title = "暴露端口名称")]
    pub name: String,
    /// Protocol and port of the worker: `http://:8080` serves metrics and status, `tcp://:2901` a
    /// stream of results.
    #[schemars(
        title = "集群协议端口",
        extend("examples" = ["http://:8080", "tcp://:2901"])
    )]
    pub protocol_port: String,
    /// Port on the cluster's nodes, above 30000 and below 60000.
    #[schemars(
        title = "集群外部端口",
        extend("exclusiveMinimum" = 30000, "exclusiveMaximum" = 60000)
    )]
    pub out_port: u16,
    /// A description for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "暴露端口描述")]
    pub desc: Option<String>,
}

impl JsonSchema for Timeout {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timeout".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["number", "string"] })
    }
}
