//! What a model's Deployment and its pods are built from.

use crds::runtime::{Func, RuntimeSpec};

use super::Inputs;

/// A model of a runtime, with what was made of it so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) func: &'a Func,
    /// The configuration of the workers.
    pub(super) config: &'a RuntimeSpec,
    /// Its digest.
    pub(super) rollout: &'a str,
    /// The digest that the model's zip must have.
    pub(super) digest: Option<&'a str>,
    /// The number of workers, if the spec decides it.
    pub(super) replicas: Option<u16>,
    /// Whether workers share their subscriptions.
    pub(super) shared: bool,
}
