//! A port on which a worker serves metrics or results.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::constraint::rule::{CelRule, quoting, rule, visible};
use crate::constraint::{name, text};

/// A port for people and machines outside.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expose {
    /// Name of the port; unique.
    #[schemars(title = "暴露端口名称", transform = name, transform = visible)]
    pub name: String,
    /// Protocol and port of the worker: `http://:8080` serves metrics and status, `tcp://:2901` a
    /// stream of results.
    #[schemars(
        title = "集群协议端口",
        extend("examples" = ["http://:8080", "tcp://:2901"]),
        transform = text(1, 32),
        transform = protocol_port()
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
    #[schemars(title = "暴露端口描述", transform = text(0, 1024))]
    pub desc: Option<String>,
}

fn protocol_port() -> CelRule {
    quoting(
        r"self.matches('^(http|tcp)://(0[.]0[.]0[.]0)?:[0-9]{1,5}$') && int(self.substring(self.lastIndexOf(':') + 1)) >= 1 && int(self.substring(self.lastIndexOf(':') + 1)) <= 65535",
        "is not a protocol and port; write http://:8080 or tcp://:2901, with a port from 1 to 65535",
    )
}

/// No two entries of the list have the same port in `protocolPort`.
pub(super) fn ports_differ() -> CelRule {
    let port = |entry: &str| {
        format!("{entry}.protocolPort.substring({entry}.protocolPort.lastIndexOf(':') + 1)")
    };
    rule(
        format!(
            "self.all(a, self.exists_one(b, {} == {}))",
            port("a"),
            port("b")
        ),
        "two entries have the same port in protocolPort; give each its own",
    )
}

/// No two entries of the list have the same `outPort`.
pub(super) fn out_ports_differ() -> CelRule {
    rule(
        "self.all(a, self.exists_one(b, a.outPort == b.outPort))",
        "two entries have the same outPort; give each its own",
    )
}
