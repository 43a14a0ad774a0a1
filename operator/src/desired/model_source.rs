//! What a model's Deployment and its pods are built from.

use std::collections::BTreeMap;

use crds::RuntimeSpec;
use crds::cluster_runtime::ClusterModel;
use crds::worker_config::ReadKeys;

use super::Inputs;

/// A model of a runtime, with what was made of it so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct ModelSource<'a> {
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) func: &'a ClusterModel,
    /// The configuration of the workers.
    pub(super) config: &'a RuntimeSpec,
    /// A digest of what in it workers are restarted for.
    pub(super) restart_digest: &'a str,
    /// The Secrets that the workers read.
    pub(super) secrets: &'a BTreeMap<&'a str, ReadKeys>,
    /// The digest that the model's zip must have.
    pub(super) digest: Option<&'a str>,
}
