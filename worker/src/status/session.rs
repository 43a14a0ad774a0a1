//! A session for `/status`.

use serde::Serialize;

use crate::audience::Audience;

/// See the module's description.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    /// Index of the rule.
    pub rule: usize,
    /// `sub` or `pub`.
    pub role: &'static str,
    /// Host and port.
    pub broker: String,
    /// Topic or filter.
    pub topic: String,
    /// Client id; whoever has it can take the session over, so only the authenticated see it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_id: String,
    /// Connected, and for `sub` subscribed.
    pub ready: bool,
    /// Why not, if it is known.
    pub error: Option<String>,
    /// For `sub`: the quality of service at which the broker delivers, once it has granted the subscription.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub granted_qos: Option<u8>,
    /// What the broker does otherwise than asked, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl SessionView {
    /// As this audience may see it.
    pub(super) fn shown(&self, audience: Audience) -> Self {
        let mut shown = self.clone();
        if audience == Audience::Anyone {
            shown.client_id.clear();
        }
        shown
    }
}
