//! The brokers that are tried: how each is started, and what it does not promise.

mod hivemq;
mod mochi;
mod mosquitto;
mod rabbitmq;

use crds::validated::MqttVersion;

use crate::broker::{Launch, Place};
use crate::scenario::Scenario;
pub(crate) use hivemq::HIVEMQ;
pub(crate) use mochi::MOCHI;
pub(crate) use mosquitto::MOSQUITTO;
pub(crate) use rabbitmq::RABBITMQ;

/// A broker.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Its name for `build.sh`.
    pub(crate) script_name: &'static str,
    pub(crate) versions: &'static [MqttVersion],
    /// What cannot be tried with it.
    pub(crate) omitted: &'static [Omitted],
    /// Where it breaks a promise of the worker's.
    pub(crate) limits: &'static [Limit],
    /// Writes its configuration.
    pub(crate) configure: fn(&Place) -> anyhow::Result<()>,
    /// What to start, the broker's own process last.
    pub(crate) programs: fn(&Place) -> anyhow::Result<Vec<Launch>>,
}

/// A promise that cannot be kept with a broker.
#[derive(Debug)]
pub(crate) struct Limit {
    pub(crate) scenarios: &'static [Scenario],
    pub(crate) what: Fault,
    pub(crate) why: &'static str,
}

/// What a broker cannot do, or does not end.
#[derive(Debug)]
pub(crate) struct Omitted {
    pub(crate) scenarios: &'static [Scenario],
    pub(crate) why: &'static str,
}

/// What may be wrong with messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Lost,
    Repeated,
    Disordered,
}

impl Kind {
    /// Whether a scenario is tried with the broker.
    pub(crate) fn has(&self, scenario: Scenario, version: MqttVersion) -> bool {
        let omitted = |omitted: &Omitted| omitted.scenarios.contains(&scenario);
        self.versions.contains(&version) && !self.omitted.iter().any(omitted)
    }

    pub(crate) fn limit(&self, scenario: Scenario, what: Fault) -> Option<&'static Limit> {
        let mut limits = self.limits.iter();
        limits.find(|limit| limit.what == what && limit.scenarios.contains(&scenario))
    }
}
