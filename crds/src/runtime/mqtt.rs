//! An MQTT broker: address, credentials, TLS.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::SecretReference;
use crate::constraint::rule::{CelRule, rule, visible};
use crate::constraint::{name, path, text, topic};

/// An MQTT broker.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(
    transform = rule(
        "!has(self.auth)",
        "auth is for a worker outside a cluster; put username and password into a Secret and name it in credentialsSecretRef",
    ),
    transform = rule(
        "!has(self.tls) || self.broker.matches('^(?i)(ssl|tls|mqtts|wss)://')",
        "tls is given, but broker does not use it; write ssl:// or wss:// in broker, or leave tls out",
    ),
)]
pub struct Mqtt {
    /// The name that rules use for this broker; unique.
    #[schemars(title = "MQTT服务名", transform = name, transform = visible)]
    pub name: String,
    /// The broker's address: `tcp://host:1883`, `ssl://host:8883` (or `mqtts://`), `ws://host/path`,
    /// `wss://host/path`.
    #[schemars(title = "MQTT服务地址", transform = topic, transform = broker_address())]
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
    /// The largest message that a model gets, in bytes. Default 1 MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1024, max = 268_435_455))]
    pub max_message_bytes: Option<u32>,
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
    #[schemars(transform = text(0, 256))]
    pub username: Option<String>,
    /// File that holds the user name, instead of `username` (a trailing newline is ignored).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = path)]
    pub username_file: Option<String>,
    /// Password in clear text; prefer `passwordFile`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "password"), transform = text(0, 256))]
    pub password: Option<String>,
    /// File that holds the password (a trailing newline is ignored).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = path)]
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
#[schemars(transform = rule(
    "!has(self.caFile) && !has(self.certFile) && !has(self.keyFile)",
    "caFile, certFile and keyFile are for a worker outside a cluster; put ca.crt, tls.crt and tls.key into a Secret and name it in secretRef",
))]
pub struct Tls {
    /// PEM file of the certificate authorities to trust, instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = path)]
    pub ca_file: Option<String>,
    /// PEM file of the client's certificate chain (mutual TLS; needs `keyFile`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = path)]
    pub cert_file: Option<String>,
    /// PEM file of the client's private key (needs `certFile`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = path)]
    pub key_file: Option<String>,
    /// The name to expect in the broker's certificate, if it is not the host of `broker`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = name)]
    pub server_name: Option<String>,
    /// In a cluster: the Secret whose keys `ca.crt`, `tls.crt` and `tls.key` stand for the three files;
    /// a key that is absent leaves its file out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretReference>,
}

/// An address; only WebSockets have a path in theirs.
fn broker_address() -> CelRule {
    const ADDRESS: &str =
        r"self.matches('^(?i)((tcp|mqtt|ssl|tls|mqtts)://HOST/?|wss?://HOST([/?][^\\s#]*)?)$')";
    const HOST: &str = r"([^\\s/?#@:\\[\\]]+|\\[[0-9a-f:.]+\\])(:[0-9]{1,5})?";
    rule(
        ADDRESS.replace("HOST", HOST),
        "write it as tcp://host:1883, ssl://host:8883, ws://host/path or wss://host/path",
    )
    // The address is not repeated where it may hold a password.
    .saying(
        r#"(self.contains('@') ? 'the address' : '"' + self + '"') + ' is not the address of a broker; write it as tcp://host:1883, ssl://host:8883, ws://host/path or wss://host/path, without user and password'"#,
    )
}
