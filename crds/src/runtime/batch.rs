//! How messages are put together for `handler_batch`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Timeout;

/// How messages are put together for `handler_batch`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Batch {
    /// Most messages in one call. Default 256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 256))]
    pub max: Option<u16>,
    /// How long a message waits for others, until there are `max`: seconds, or text such as `50ms`. Default: not at all; a call gets
    /// what has queued up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Timeout>,
}
