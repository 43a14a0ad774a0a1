//! The configuration after validation: real types, defaults filled in, names resolved.
//!
//! Nothing downstream parses text again.

mod model_server;

use std::time::Duration;

pub use model_server::{LoginFiles, ModelServerFiles, S3Object};

pub use crate::digest::{Md5, Sha256};
pub use crate::expression::{Expression, Operator, Path, Place, Step};
pub use crate::operand::{Number, Operand};
pub use crate::runtime::{Format, HostChoice, MqttVersion, OnFull, SandboxMode, SandboxNetwork};
pub use crate::template::Template;

/// A checked [`crate::RuntimeSpec`].
#[derive(Debug, Clone, PartialEq)]
pub struct ValidatedRuntime {
    /// Brokers, in the order of the file.
    pub mqtts: Vec<ValidatedMqtt>,
    /// Rules, in the order of the file.
    pub rules: Vec<ValidatedRule>,
    /// Models, in the order of the file; some may be refused ([`ValidatedFunc::digest`]).
    pub funcs: Vec<ValidatedFunc>,
    /// Databases, in the order of the file.
    pub databases: Vec<ValidatedDatabase>,
    /// Ports, in the order of the file.
    pub expose: Vec<ValidatedExpose>,
}

/// A broker.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidatedMqtt {
    /// Its name in the configuration.
    pub name: String,
    /// Its address.
    pub broker: BrokerUrl,
    /// Quality of service of subscriptions and results.
    pub qos: Qos,
    /// Whether results are retained.
    pub retain: bool,
    /// Protocol version.
    pub version: MqttVersion,
    /// Credentials.
    pub auth: Option<ValidatedAuth>,
    /// The Secret that holds the credentials; only a cluster has Secrets.
    pub credentials_secret: Option<String>,
    /// TLS settings; `None` means the defaults.
    pub tls: Option<crate::runtime::Tls>,
    /// Keep-alive.
    pub keep_alive: Duration,
    /// Largest packet in bytes, both ways.
    pub max_packet_size: u32,
    /// A message with a larger payload, in bytes, is a dead letter unread.
    pub max_message_bytes: u32,
}

/// Credentials with one source for the password.
#[derive(Clone, PartialEq)]
pub struct ValidatedAuth {
    /// Where the user name comes from.
    pub username: Credential,
    /// Where the password comes from.
    pub password: Option<Credential>,
}

impl std::fmt::Debug for ValidatedAuth {
    /// Never shows the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ValidatedAuth").finish_non_exhaustive()
    }
}

/// Where a user name or password comes from.
#[derive(Clone, PartialEq)]
pub enum Credential {
    /// The text itself.
    Text(String),
    /// A file, read when the worker starts.
    File(String),
}

/// A broker's address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BrokerUrl {
    /// How the broker is reached.
    pub transport: Transport,
    /// Host name, IPv4 address, or IPv6 address without brackets.
    pub host: String,
    /// TCP port; the scheme's default was filled in (1883, 8883, 80, 443).
    pub port: u16,
    /// Path of a WebSocket (`/mqtt` if none was given); empty for the others.
    pub path: String,
}

impl BrokerUrl {
    /// Host and port as a URL has them, an IPv6 address in brackets.
    pub fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// How a broker is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// `tcp://`, `mqtt://`
    Tcp,
    /// `ssl://`, `tls://`, `mqtts://`
    Tls,
    /// `ws://`
    WebSocket,
    /// `wss://`
    WebSocketTls,
}

/// MQTT quality of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Qos {
    /// 0: at most once.
    AtMostOnce,
    /// 1: at least once.
    AtLeastOnce,
    /// 2: exactly once.
    ExactlyOnce,
}

impl Qos {
    /// As a number.
    pub fn level(self) -> u8 {
        match self {
            Self::AtMostOnce => 0,
            Self::AtLeastOnce => 1,
            Self::ExactlyOnce => 2,
        }
    }
}

/// A database.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidatedDatabase {
    /// Its name in the configuration.
    pub name: String,
    /// Its address as SQLAlchemy writes it, without credentials.
    pub url: String,
    /// File with the user name, read when the worker starts.
    pub username_file: Option<String>,
    /// File with the password, read when the worker starts.
    pub password_file: Option<String>,
    /// The Secret that holds the credentials, of which only a cluster knows.
    pub credentials_secret: Option<String>,
}

/// A rule with its brokers resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidatedRule {
    /// Index of the subscription's broker in [`ValidatedRuntime::mqtts`].
    pub sub_mqtt: usize,
    /// Topic filters of the subscription; at least one.
    pub sub_topics: Vec<String>,
    /// Whether retained messages are left out.
    pub ignore_retained: bool,
    /// Client id of the subscription, if the configuration gives one.
    pub sub_client_id: Option<String>,
    /// Index of the results' broker in [`ValidatedRuntime::mqtts`].
    pub pub_mqtt: usize,
    /// Topic of the results.
    pub pub_topic: Template,
    /// Client id of the publisher, if the configuration gives one.
    pub pub_client_id: Option<String>,
    /// How long a publish may take before it counts as failed.
    pub pub_timeout: Duration,
    /// Topic of the dead letters.
    pub dead_letter_topic: Option<Template>,
}

/// A model and its devices.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidatedFunc {
    /// The model's name, any text without control characters.
    pub name: String,
    /// Where its zip comes from.
    pub address: url::Url,
    /// What an `s3://` address leads to.
    pub s3: Option<S3Object>,
    /// Files with what its server asks for.
    pub credentials: Option<ModelServerFiles>,
    /// The Secret that holds what its server asks for; only a cluster has Secrets.
    pub credentials_secret: Option<String>,
    /// What the zip must be, or why this model alone is refused.
    pub digest: Result<Digests, Refusal>,
    /// Its devices.
    pub devices: Vec<ValidatedDevice>,
    /// The place that names the device of a message, if it is not the first that matches.
    pub device_key: Option<Place>,
    /// What payloads are.
    pub decode: Format,
    /// What results are written as.
    pub encode: Format,
    /// Number of host processes.
    pub hosts: u16,
    /// Longest time of one call.
    pub timeout: Duration,
    /// Longest time of the import.
    pub start_timeout: Duration,
    /// How a call that raises is repeated, if it is.
    pub retry: Option<ValidatedRetry>,
    /// How messages are put together for `handler_batch`, if the configuration says.
    pub batch: Option<ValidatedBatch>,
    /// Interpreter, if the configuration names one.
    pub python: Option<String>,
    /// Which host runs the model.
    pub host: HostChoice,
    /// What it may do.
    pub sandbox: ValidatedSandbox,
    /// Indices of its databases in [`ValidatedRuntime::databases`].
    pub databases: Vec<usize>,
    /// Bound of the queue before the model, in messages.
    pub pre_queue_size: usize,
    /// Bound of the queue after the model, in messages.
    pub post_queue_size: usize,
    /// What happens when the queue is full.
    pub on_full: OnFull,
}

/// How a call that raises is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValidatedRetry {
    /// How often a message is tried in all.
    pub attempts: u16,
    /// The pause before the second attempt.
    pub backoff: Duration,
}

/// How messages are put together for `handler_batch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValidatedBatch {
    /// Most messages in one call.
    pub max: u16,
    /// How long a message waits for others, if at all.
    pub wait: Option<Duration>,
}

/// What a model may do besides computing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatedSandbox {
    /// Whether it is confined.
    pub mode: SandboxMode,
    /// Whom it may connect to.
    pub network: SandboxNetwork,
    /// What else it may read, by absolute paths.
    pub read: Vec<String>,
    /// What else it may read and write, by absolute paths.
    pub write: Vec<String>,
    /// Most processes of a host, itself included.
    pub processes: u16,
    /// Most resident memory of a host's processes together, in bytes.
    pub memory: Option<u64>,
    /// Whether it is refused where the kernel lacks a part.
    pub required: bool,
}

impl Default for ValidatedSandbox {
    fn default() -> Self {
        Self {
            mode: SandboxMode::default(),
            network: SandboxNetwork::default(),
            read: Vec::new(),
            write: Vec::new(),
            processes: PROCESSES,
            memory: None,
            required: false,
        }
    }
}

/// Enough for pools on machines with many processors.
const PROCESSES: u16 = 256;

impl ValidatedSandbox {
    /// No confinement.
    pub fn off() -> Self {
        Self {
            mode: SandboxMode::Off,
            ..Self::default()
        }
    }
}

/// The digests that a zip must have. Both may be absent for a `file://` address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Digests {
    /// MD5, if given.
    pub md5: Option<Md5>,
    /// SHA-256, if given.
    pub sha256: Option<Sha256>,
}

/// Why one model is refused while the others run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Why, in one word: `InvalidDigest` or `DigestMissing`.
    pub reason: crate::Reason,
    /// One sentence with the field, the value and the remedy.
    pub message: String,
}

/// A device.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidatedDevice {
    /// Its name.
    pub name: String,
    /// Its conditions; never empty: a device without attributes gets the one on
    /// `deviceInfo.deviceName`.
    pub conditions: Vec<Condition>,
}

/// `'<value>' <expression>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The attribute's name, for people.
    pub name: String,
    /// What is on the left.
    pub value: Operand,
    /// Operator and place.
    pub expression: Expression,
}

/// A port.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidatedExpose {
    /// Its name.
    pub name: String,
    /// What the worker serves there.
    pub protocol: ExposeProtocol,
    /// The worker's port.
    pub port: u16,
    /// The port on the cluster's nodes.
    pub out_port: u16,
    /// Description.
    pub desc: Option<String>,
}

/// What the worker serves on an exposed port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExposeProtocol {
    /// Metrics and status.
    Http,
    /// A stream of results, one JSON text per line.
    Tcp,
}

impl ExposeProtocol {
    /// The scheme that `protocolPort` names it by.
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tcp => "tcp",
        }
    }
}
