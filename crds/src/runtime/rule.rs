//! A rule: where telemetry comes from and where results are published.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Timeout;
use crate::constraint::rule::{CelRule, quoting, rule, visible};
use crate::constraint::{each, list, name, pattern, topic};

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
#[schemars(transform = rule(
    "has(self.topic) || (has(self.topics) && self.topics.size() > 0)",
    "there is no topic; give topic, or topics for several filters",
))]
pub struct Sub {
    /// Name of an entry in `mqtts`.
    #[schemars(title = "MQTT服务名", transform = name)]
    pub name: String,
    /// MQTT client id; derived from the host's name and the rule if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "MQTT客户端ID", transform = name, transform = visible)]
    pub client_id: Option<String>,
    /// Topic filter; `+`, `#` and `$share/group/filter` are allowed. Give this, `topics`, or both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "MQTT订阅Topic", transform = topic, transform = topic_filter())]
    pub topic: Option<String>,
    /// Several topic filters, which may not overlap: brokers may deliver a message for each that it matches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = list(16), transform = each(topic), transform = each(pattern(FILTER)))]
    pub topics: Vec<String>,
    /// Whether retained messages are only acknowledged and counted, not processed. Default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore_retained: Option<bool>,
}

/// Where results are published.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = rule(
    "!has(self.deadLetterTopic) || self.deadLetterTopic != self.topic",
    "deadLetterTopic is the topic of the results; choose a topic of its own for dead letters",
))]
pub struct Pub {
    /// Name of an entry in `mqtts`.
    #[schemars(title = "MQTT服务名", transform = name)]
    pub name: String,
    /// MQTT client id; derived from the host's name and the rule if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "MQTT客户端ID", transform = name, transform = visible)]
    pub client_id: Option<String>,
    /// How long a publish may take before it counts as failed: seconds, or text such as `500ms` or
    /// `10s`. Default 10 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "MQTT发布超时时间")]
    pub timeout: Option<Timeout>,
    /// Topic of the results; no wildcards. `{device}`, `{model}` and `{topic[n]}`, a level of the message's topic, are
    /// replaced for each message.
    #[schemars(title = "MQTT发布Topic", transform = topic, transform = plain_topic())]
    pub topic: String,
    /// Topic for messages that a model could not process; without it they are counted and logged. It may have the
    /// placeholders of `topic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = topic, transform = plain_topic())]
    pub dead_letter_topic: Option<String>,
}

/// As [`topic_filter`] says, for as many filters as there may be.
const FILTER: &str = r"^([$]share/[^/+#]+/)?(#|([^+#/]*|[+])(/([^+#/]*|[+]))*(/#)?)$";

fn topic_filter() -> CelRule {
    quoting(
        r"self.matches('^([$]share/[^/+#]+/)?(#|([^+#/]*|[+])(/([^+#/]*|[+]))*(/#)?)$') && (!self.startsWith('$share/') || self.matches('^[$]share/[^/]+/.')) && !self.matches('\\p{Cc}')",
        "is not a topic filter; + must be a whole level, # the last one, and a shared subscription $share/group/filter",
    )
}

/// A topic to publish to.
fn plain_topic() -> CelRule {
    quoting(
        r"!self.matches('[+#\\p{Cc}]|^[$]')",
        "is not a topic to publish to; leave out wildcards (+ and #), control characters and a leading $",
    )
}
