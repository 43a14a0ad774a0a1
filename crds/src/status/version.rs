//! The versions of a model, by the digests of their zips: which one is served, and which were before.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::constraint::{name, text};
use crate::reason::ReasonText;

/// The version that a worker serves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Serving {
    /// The digest of its zip, such as `sha256:...` or `md5:...`.
    #[schemars(transform = text(1, 256))]
    pub digest: String,
    /// When a worker first served it after the version before (RFC 3339).
    #[schemars(transform = text(1, 64))]
    pub since: String,
    /// The node of its worker; of several workers, that of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = name)]
    pub node: Option<String>,
}

/// A version that was served, or refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// The digest of its zip, such as `sha256:...` or `md5:...`.
    #[schemars(transform = text(1, 256))]
    pub digest: String,
    /// When a worker first served it (RFC 3339); absent if none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = text(1, 64))]
    pub since: Option<String>,
    /// When it ended (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = text(1, 64))]
    pub until: Option<String>,
    /// Who ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// Why the workers refused it, in their own word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonText>,
}

/// Who ended a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Ended {
    /// A new version took its place.
    Replaced,
    /// Its workers refused it, so that it never served, and the spec now asks for another.
    Refused,
    /// An earlier version took its place.
    RolledBack,
}
