//! What is read from a running model at scrape.

use hosts::HostStatus;
use message::Level;

/// Values read from a running model at scrape.
pub trait Probe: Send + std::fmt::Debug {
    /// Its hosts.
    fn hosts(&self) -> Vec<HostStatus>;
    /// Whether at least one of them has a process that serves.
    fn runs(&self) -> bool;
    /// The queues of its messages.
    fn queues(&self) -> Queues;
    /// Recent utilization of its hosts, from 0 to 1.
    fn utilization(&self) -> f64;
}

/// Queued messages of a model.
#[derive(Debug, Clone, Copy, Default)]
pub struct Queues {
    /// In the worker, for the model.
    pub pre: Level,
    /// In the model's hosts. Bounded by bytes as well, so it has no capacity.
    pub host: usize,
    /// In the worker, for the broker.
    pub post: Level,
}

impl Queues {
    /// All messages that wait for the model.
    pub fn for_model(&self) -> usize {
        self.pre.depth + self.host
    }
}
