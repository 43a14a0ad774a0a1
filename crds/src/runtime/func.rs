//! A model and the devices it is for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::database::once;
use super::{Batch, ModelCredentials, ModelS3, Retry, Sandbox, Timeout};
use crate::cluster::{Autoscaling, Resources, SecretReference};
use crate::constraint::rule::{CelRule, rule, visible};
use crate::constraint::{each, list, name, path, pattern, text};

/// A model and the devices it is for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(
    transform = rule(
        "!has(self.modelCredentials)",
        "modelCredentials is for a worker outside a cluster; put username and password, token, header, accessKey and secretKey, ca.crt or tls.crt and tls.key into a Secret and name it in modelCredentialsSecretRef",
    ),
    transform = rule(
        "!has(self.modelS3) || self.modelAddress.matches('^(?i)s3://')",
        "modelS3 is given, but modelAddress does not use it; write s3://bucket/key in modelAddress, or leave modelS3 out",
    ),
)]
pub struct Func {
    /// Address of the model's zip: `http://`, `https://`, `s3://bucket/key` or `file://`.
    #[schemars(title = "模型压缩包地址", transform = text(1, 2048), transform = model_address())]
    pub model_address: String,
    /// MD5 of the zip, base64 of its 16 bytes or hex: a check against corruption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    // Longer than any digest: one that cannot be read refuses its model alone, in the status.
    #[schemars(title = "模型压缩包md5", transform = text(0, 128))]
    pub model_md5: Option<String>,
    /// SHA-256 of the zip in hex: preferred, since it also guards against forgery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = text(0, 128))]
    pub model_sha256: Option<String>,
    /// How the store of an `s3://` address is reached. Default: Amazon S3 in `us-east-1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_s3: Option<ModelS3>,
    /// Outside a cluster: files with what the model's server asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_credentials: Option<ModelCredentials>,
    /// In a cluster: the Secret with what the model's server asks for: keys `username` and `password`, or `token`, or
    /// `header`, for `s3://` `accessKey`, `secretKey` and `sessionToken`, and for certificates `ca.crt`, `tls.crt` and `tls.key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_credentials_secret_ref: Option<SecretReference>,
    /// The model's name; unique.
    #[schemars(title = "模型名称", transform = name, transform = visible)]
    pub model_name: String,
    /// The devices whose telemetry the model gets.
    #[serde(default)]
    #[schemars(title = "设备", transform = list(512))]
    pub devices: Vec<Device>,
    /// The place that names the device of a message, such as `data_to_dict['id']` or `topic[2]`: for order, processes,
    /// quarantine, `context.device` and `{device}`. Default: the name of the first of `devices` that matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = text(1, 512), transform = pattern(PLACE))]
    pub device_key: Option<String>,
    /// What the payload of a message is. Default `json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decode: Option<Format>,
    /// How results are written; bytes are published as they are. Default `json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encode: Option<Format>,
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
    /// How a call that raises is repeated, in order for its device, before its message fails. Default: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// How messages are put together for `handler_batch`, which the model must have. Default: what has queued up, at most 256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Batch>,
    /// The Python interpreter to run the model with. Default: `EDGEMODEL_PYTHON`, else `python3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = path)]
    pub python: Option<String>,
    /// Which model host runs the model in that interpreter. Default `auto`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostChoice>,
    /// What the model may do besides computing: files, connections and system calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<Sandbox>,
    /// Names of the databases that the model may use by `context.database(name)`. Default none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = list(8), transform = each(name), transform = once())]
    pub databases: Vec<String>,
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

/// What bytes say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Format {
    /// JSON.
    #[default]
    Json,
    /// A text in UTF-8.
    Text,
    /// Nothing in particular: bytes as they are. Devices match by the topic.
    Bytes,
    /// CBOR (RFC 8949).
    Cbor,
    /// MessagePack.
    Msgpack,
    /// Comma-separated values: one line is a list of its fields, several lines are a list of such lists.
    Csv,
}

/// Which model host runs a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum HostChoice {
    /// The native host where the interpreter loads it, else the portable one.
    #[default]
    Auto,
    /// The native host, for CPython 3.10 or later; the model is refused where it does not load.
    Native,
    /// The portable host, for any Python from 3.6 on; slower.
    Portable,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Json,
        Self::Text,
        Self::Bytes,
        Self::Cbor,
        Self::Msgpack,
        Self::Csv,
    ];

    /// Its name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Cbor => "cbor",
            Self::Msgpack => "msgpack",
            Self::Csv => "csv",
        }
    }
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
    #[schemars(title = "设备名称", transform = name, transform = pattern(VISIBLE))]
    pub device_name: String,
    /// Conditions on the message; all must hold.
    #[serde(default)]
    #[schemars(title = "设备属性", transform = list(8))]
    pub device_attr: Vec<DeviceAttr>,
}

/// A condition on the message, read as `'<attrValue>' <attrExpression>`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeviceAttr {
    /// A name for people.
    #[serde(default)]
    #[schemars(title = "属性名称", transform = text(0, 253))]
    pub attr_name: String,
    /// The text on the left of the operator, or the number if `attrType` is `number`.
    #[schemars(title = "属性值", transform = text(0, 1024))]
    pub attr_value: String,
    /// Operator and place: `==`, `!=`, `in`, `not in`, `<`, `<=`, `>` or `>=`, then `data_to_dict`
    /// with any number of `['key']` or `[index]`, or `topic`, or a level of the topic, `topic[index]`.
    #[schemars(title = "对应数据解析表达式", transform = text(1, 512), transform = pattern(EXPRESSION))]
    pub attr_expression: String,
    /// What `attrValue` is compared as. Default `text`, which a number in a message never equals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attr_type: Option<AttrType>,
}

/// The type of an attribute's value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AttrType {
    /// A text, as in pyboot.
    #[default]
    Text,
    /// A number.
    Number,
}

/// The grammar of [`crate::expression`], except digits after a backslash: a rule in CEL would cost too
/// much on half a million attributes. Named groups tell what is expected where.
const EXPRESSION: &str = r#"^[ \t\f]*(?P<operator>==|!=|<=|>=|<|>|((not[ \t\f]+)?in[ \t\f]))[ \t\f]*(data_to_dict([ \t\f]*\[\s*(?P<key_or_index>'([^'\\\n\r]|\\[^N\r])*'|"([^"\\\n\r]|\\[^N\r])*"|[+-]?\s*[0-9]{1,19})\s*\])*|topic([ \t\f]*\[\s*[+-]?\s*[0-9]{1,19}\s*\])?)[ \t\f]*$"#;

/// A place alone, in the same grammar.
const PLACE: &str = r#"^[ \t\f]*(data_to_dict([ \t\f]*\[\s*(?P<key_or_index>'([^'\\\n\r]|\\[^N\r])*'|"([^"\\\n\r]|\\[^N\r])*"|[+-]?\s*[0-9]{1,19})\s*\])*|topic([ \t\f]*\[\s*[+-]?\s*[0-9]{1,19}\s*\])?)[ \t\f]*$"#;

/// As [`visible`] says, for as many devices as there may be.
const VISIBLE: &str = r"^\P{Cc}*[^\s\p{Z}\p{Cc}]\P{Cc}*$";

fn model_address() -> CelRule {
    const ADDRESS: &str = r"self.matches('^(?i)(https?://HOST/[^\\s]+|s3://BUCKET/[^\\s?#]+)$')";
    const HOST: &str = r"([^\\s/?#@:\\[\\]]+|\\[[0-9a-f:.]+\\])(:[0-9]{1,5})?";
    const BUCKET: &str = "[a-z0-9][a-z0-9._-]*[a-z0-9]";
    rule(
        ADDRESS.replace("HOST", HOST).replace("BUCKET", BUCKET),
        "write it as http://host/path/model.zip, https://host/path/model.zip or s3://bucket/path/model.zip, without user and password",
    )
    // The address is not repeated where it may hold a password.
    .saying(
        r#"(self.contains('@') ? 'the address' : '"' + self + '"') + ' is not one that workers can load from; write it as http://host/path/model.zip, https://host/path/model.zip or s3://bucket/path/model.zip, without user and password'"#,
    )
}
