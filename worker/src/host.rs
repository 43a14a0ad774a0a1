//! Model hosts: the processes that run a model's Python.

use serde::Serialize;

/// One host process, for `/status`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HostStatus {
    /// Process id while it runs.
    pub pid: Option<u32>,
    /// Resident memory in bytes, if it is known.
    pub resident_bytes: Option<u64>,
    /// How often it was replaced.
    pub restarts: u64,
}
