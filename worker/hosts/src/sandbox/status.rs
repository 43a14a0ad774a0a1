//! What `/status` says of the sandbox of a running host.

use crds::validated::SandboxMode;

use super::kernel::Part;

/// What the sandbox of a running host is, for `/status`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SandboxStatus {
    /// Whether the configuration has switched it off.
    pub mode: SandboxMode,
    /// What the kernel lacks for it.
    pub missing: Vec<Part>,
}
