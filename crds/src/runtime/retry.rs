//! How a call that raises is repeated.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Timeout;

/// How a call that raises is repeated, before its message fails.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retry {
    /// How often a message is tried in all. Default 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 100))]
    pub attempts: Option<u16>,
    /// The pause before the second attempt: seconds, or text such as `500ms`. It doubles with each attempt, up to one minute.
    /// Default 1 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff: Option<Timeout>,
}
