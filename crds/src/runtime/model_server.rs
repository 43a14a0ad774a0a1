//! What the server of a model's zip asks for, in files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::constraint::path;

/// Files with what the server of a model's zip asks for. They are read at each download, so a rotated token or
/// certificate needs no restart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelCredentials {
    /// File that holds the user name (a trailing newline is ignored).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = path)]
    pub username_file: Option<String>,
    /// File that holds the password (a trailing newline is ignored; needs `usernameFile`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = path)]
    pub password_file: Option<String>,
    /// File that holds a bearer token (a trailing newline is ignored).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = path)]
    pub token_file: Option<String>,
    /// File that holds one header, such as `PRIVATE-TOKEN: glpat-1234` (a trailing newline is ignored).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = path)]
    pub header_file: Option<String>,
    /// PEM file of the certificate authorities to trust, instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = path)]
    pub ca_file: Option<String>,
    /// PEM file of the client's certificate chain (mutual TLS; needs `keyFile`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = path)]
    pub cert_file: Option<String>,
    /// PEM file of the client's private key (needs `certFile`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = path)]
    pub key_file: Option<String>,
}
