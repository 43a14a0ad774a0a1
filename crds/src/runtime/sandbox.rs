//! What a model may do besides computing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::constraint::{each, list, path, pattern, quantity};

/// What a model may do besides computing. Its own files, its interpreter's and the system's it can always read, and it can
/// always write to a folder for temporary files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sandbox {
    /// Whether the model is confined. Default `enforce`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<SandboxMode>,
    /// Whom the model may connect to. Default `all`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<SandboxNetwork>,
    /// Further files and folders that the model may read, by absolute paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = list(32), transform = each(path), transform = each(pattern(ABSOLUTE)))]
    pub read: Vec<String>,
    /// Further files and folders that the model may read and write, by absolute paths. They must exist when it starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = list(32), transform = each(path), transform = each(pattern(ABSOLUTE)))]
    pub write: Vec<String>,
    /// Most processes that one of the model's hosts may have, itself included; with more it is replaced. Default 256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub processes: Option<u16>,
    /// Most resident memory that the processes of one of the model's hosts may hold together, such as `500Mi` or `2Gi`; with more it
    /// is replaced. Default: no limit but the pod's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = quantity, transform = pattern(AMOUNT))]
    pub memory: Option<String>,
    /// Whether the model is refused where the kernel lacks a part of the sandbox. Default false: what is lacking is logged, and
    /// shown in `/status` and metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
}

/// Whether a model is confined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SandboxMode {
    /// As far as the kernel can.
    #[default]
    Enforce,
    /// It can use all files that the worker can, and make all system calls.
    Off,
}

/// Whom a model may connect to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SandboxNetwork {
    /// Everyone.
    #[default]
    All,
    /// No one: it has sockets within the machine alone.
    None,
}

/// An absolute path.
const ABSOLUTE: &str = "^/";

/// An amount of memory.
const AMOUNT: &str = "^[1-9][0-9]{0,8}(Ki|Mi|Gi|k|M|G)?$";
