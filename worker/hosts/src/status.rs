//! What `/status` says of a host.

use serde::Serialize;

use crate::program::HostKind;
use crate::sandbox::status::SandboxStatus;

/// One host process, for `/status`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HostStatus {
    /// Process id while it runs.
    pub pid: Option<u32>,
    /// Which of the two model hosts it is, while it runs.
    pub host: Option<HostKind>,
    /// Implementation and version of its Python while it runs, such as `cpython 3.11.7`.
    pub python: Option<String>,
    /// What it may do, while it runs.
    pub sandbox: Option<SandboxStatus>,
    /// Resident memory in bytes, if it is known.
    pub resident_bytes: Option<u64>,
    /// How often it was replaced.
    pub restarts: u64,
    /// How often its `handler_batch` failed.
    pub batch_failures: u64,
    /// Why it failed last.
    pub batch_error: Option<String>,
    /// Devices that are quarantined, since their messages repeatedly ended hosts.
    pub quarantined: Vec<String>,
}
