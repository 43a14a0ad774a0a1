//! A port on which a worker serves metrics or results.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A port for people and machines outside.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expose {
    /// Name of the port; unique.
    #[schemars(title = "暴露端口名称")]
    pub name: String,
    /// Protocol and port of the worker: `http://:8080` serves metrics and status, `tcp://:2901` a
    /// stream of results.
    #[schemars(
        title = "集群协议端口",
        extend("examples" = ["http://:8080", "tcp://:2901"])
    )]
    pub protocol_port: String,
    /// Port on the cluster's nodes, above 30000 and below 60000.
    #[schemars(
        title = "集群外部端口",
        extend("exclusiveMinimum" = 30000, "exclusiveMaximum" = 60000)
    )]
    pub out_port: u16,
    /// A description for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "暴露端口描述")]
    pub desc: Option<String>,
}
