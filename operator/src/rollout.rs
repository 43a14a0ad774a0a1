//! Where a Deployment's rollout is, by what its controller says.

use crate::observe::Observed;

/// Where a Deployment's rollout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rollout {
    /// Whether its controller has seen its spec.
    pub observed: bool,
    /// Pods that it should have.
    pub wanted: u64,
    /// Pods that it has.
    pub total: u64,
    /// Pods of its present template.
    pub updated: u64,
    /// Pods that serve.
    pub available: u64,
}

impl Rollout {
    /// Whether all pods are of the present template and serve, and no others are left.
    pub fn is_complete(&self) -> bool {
        self.observed
            && self.updated == self.wanted
            && self.total == self.wanted
            && self.available == self.wanted
    }

    /// Where the rollout of a Deployment is.
    pub fn of(deployment: &Observed) -> Self {
        let status = &deployment.body["status"];
        let count = |name: &str| status[name].as_u64().unwrap_or(0);
        let generation = deployment.body["metadata"]["generation"].as_u64();
        let observed = status["observedGeneration"].as_u64();
        Self {
            observed: observed >= generation && observed.is_some(),
            wanted: deployment.body["spec"]["replicas"].as_u64().unwrap_or(1),
            total: count("replicas"),
            updated: count("updatedReplicas"),
            available: count("availableReplicas"),
        }
    }
}
