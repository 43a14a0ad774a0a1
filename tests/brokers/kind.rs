//! The brokers that are tried: how each is started, and what it does not promise.

mod mosquitto;

use crds::validated::MqttVersion;

use crate::broker::{Launch, Place};
use crate::scenario::Scenario;
pub(crate) use mosquitto::MOSQUITTO;

/// A broker.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Its name for `build.sh`.
    pub(crate) script_name: &'static str,
    pub(crate) versions: &'static [MqttVersion],
    /// Why it has no shared subscriptions, if it has none.
    pub(crate) not_shared: Option<&'static str>,
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

/// What may be wrong with messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Lost,
    Repeated,
    Disordered,
}

impl Kind {
    /// Whether the broker can do what a scenario takes.
    pub(crate) fn has(&self, scenario: Scenario, version: MqttVersion) -> bool {
        self.versions.contains(&version) && !(scenario.is_shared() && self.not_shared.is_some())
    }

    pub(crate) fn limit(&self, scenario: Scenario, what: Fault) -> Option<&'static Limit> {
        let mut limits = self.limits.iter();
        limits.find(|limit| limit.what == what && limit.scenarios.contains(&scenario))
    }
}
