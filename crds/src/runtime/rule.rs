//! A rule: where telemetry comes from and where results are published.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Timeout;

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
