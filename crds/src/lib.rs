//! edgemodel's configuration: its types, validation, the matching grammar and the schemas that are
//! generated from them.
//!
//! No I/O, no async and no Kubernetes client here (ARCHITECTURE, invariant 1): text goes in,
//! validated values or a full list of [`Problem`]s come out.

pub mod client_id;
pub mod cluster;
pub mod cluster_runtime;
mod constraint;
pub mod contract;
pub mod custom_resource;
pub mod digest;
pub mod expression;
mod flow;
pub mod nearest;
pub mod node;
mod operand;
pub mod problem;
pub mod pyyaml;
pub mod reason;
pub mod runtime;
pub mod schema;
pub mod status;
pub mod template;
pub mod termination;
pub mod topic;
pub mod validate;
pub mod validated;
pub mod warning;
pub mod worker_config;
pub mod yaml;

pub use cluster_runtime::ClusterRuntime;
pub use nearest::nearest;
pub use problem::{Problem, Problems};
pub use reason::Reason;
pub use runtime::{EdgeModelRuntime, RuntimeSpec};
pub use validated::ValidatedRuntime;
pub use warning::{Warning, warnings};

/// Reads, checks and resolves a configuration file.
///
/// `source` names the text in messages (a file name, or `<stdin>`).
///
/// # Errors
/// Every problem of the text at once, each with its path, position, value and remedy.
pub fn load(text: &str, source: &str) -> Result<ValidatedRuntime, Problems> {
    validate::load(text, source)
}
