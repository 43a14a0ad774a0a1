//! The server of a model's zip: what it asks for, in files, and how an S3 store is reached.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::constraint::rule::{CelRule, quoting, rule};
use crate::constraint::{path, text};

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
    /// File that holds the access key of an `s3://` address (a trailing newline is ignored; needs `secretKeyFile`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = path)]
    pub access_key_file: Option<String>,
    /// File that holds the secret key (a trailing newline is ignored; needs `accessKeyFile`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = path)]
    pub secret_key_file: Option<String>,
    /// File that holds the session token of temporary keys (a trailing newline is ignored; needs `accessKeyFile`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = path)]
    pub session_token_file: Option<String>,
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

/// How the store of an `s3://` address is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelS3 {
    /// The store's address, such as `https://minio.plant:9000`. Default: that of Amazon S3 in the region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = text(1, 1024), transform = endpoint())]
    pub endpoint: Option<String>,
    /// The store's region. Default `us-east-1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = text(1, 64), transform = quoting(
        "self.matches('^[A-Za-z0-9]([-_A-Za-z0-9]*[A-Za-z0-9])?$')",
        "is not a region; write it as us-east-1",
    ))]
    pub region: Option<String>,
    /// Whether the bucket is in the path (`https://endpoint/bucket/key`) instead of the host
    /// (`https://bucket.endpoint/key`). Default: true with an `endpoint`, as MinIO expects, and for a bucket that no host
    /// name can have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_style: Option<bool>,
}

fn endpoint() -> CelRule {
    rule(
        r"self.matches('^(?i)https?://([^\\s/?#@:\\[\\]]+|\\[[0-9a-f:.]+\\])(:[0-9]{1,5})?(/[^\\s?#]*)?$')",
        "write it as https://host:9000, without user and password",
    )
    // It is not repeated where it may hold a password.
    .saying(
        r#"(self.contains('@') ? 'the endpoint' : '"' + self + '"') + ' is not the address of a store; write it as https://host:9000, without user and password'"#,
    )
}
