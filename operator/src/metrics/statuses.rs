//! What the statuses of the runtimes say, as gauges: their series come and go with the runtimes, models and ports.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crds::Reason;
use crds::status::RuntimeStatus;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{IntGaugeVec, Opts};

/// Namespace and name of a runtime.
type Key = (String, String);

/// Whether the runtime of a namespace and name is still there.
type Exists = Box<dyn Fn(&str, &str) -> bool + Send>;

/// The statuses, as last computed.
#[derive(Debug, Clone, Default)]
pub(super) struct Statuses(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    runtimes: BTreeMap<Key, RuntimeStatus>,
    exists: Option<Exists>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.runtimes.fmt(formatter)
    }
}

impl Statuses {
    pub(super) fn put(&self, namespace: &str, name: &str, status: &RuntimeStatus) {
        let key = (namespace.to_owned(), name.to_owned());
        self.inner().runtimes.insert(key, status.clone());
    }

    pub(super) fn follow(&self, exists: impl Fn(&str, &str) -> bool + Send + 'static) {
        self.inner().exists = Some(Box::new(exists));
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The families, without a series.
struct Families {
    conditions: IntGaugeVec,
    models: IntGaugeVec,
    ports: IntGaugeVec,
}

impl Families {
    #[expect(
        clippy::expect_used,
        reason = "names and labels are constants, tested by every start"
    )]
    fn new() -> Self {
        let family = |name, help, label| {
            let labels = ["namespace", "runtime", label];
            IntGaugeVec::new(Opts::new(name, help), &labels).expect("the name and labels are legal")
        };
        Self {
            conditions: family(
                "edgemodel_operator_runtime_condition",
                "1 while a condition of a runtime is True, else 0.",
                "type",
            ),
            models: family(
                "edgemodel_operator_model_ready",
                "1 while all workers of a model serve with the present spec, else 0.",
                "model",
            ),
            ports: family(
                "edgemodel_operator_port_exposed",
                "1 while an exposed port is in effect, else 0; the port by its name in the spec.",
                "port",
            ),
        }
    }
}

impl Collector for Statuses {
    fn desc(&self) -> Vec<&Desc> {
        static FAMILIES: std::sync::LazyLock<Families> = std::sync::LazyLock::new(Families::new);
        let Families {
            conditions,
            models,
            ports,
        } = &*FAMILIES;
        let all = [conditions, models, ports];
        all.into_iter().flat_map(Collector::desc).collect()
    }

    /// Built at each scrape, so that no series outlives what it is about.
    fn collect(&self) -> Vec<MetricFamily> {
        let families = Families::new();
        let Inner { runtimes, exists } = &mut *self.inner();
        if let Some(exists) = exists {
            runtimes.retain(|(namespace, name), _| exists(namespace, name));
        }
        for ((namespace, name), status) in runtimes {
            let set = |family: &IntGaugeVec, label: &str, value: bool| {
                let labels = [namespace.as_str(), name, label];
                family.with_label_values(&labels).set(value.into());
            };
            for condition in &status.conditions {
                let value = condition.status == "True";
                set(&families.conditions, &condition.r#type, value);
            }
            for model in &status.models {
                set(&families.models, &model.name, model.ready);
            }
            for port in &status.expose {
                let value = port.reason == Reason::Exposed;
                set(&families.ports, &port.name, value);
            }
        }
        let Families {
            conditions,
            models,
            ports,
        } = families;
        let all = [conditions, models, ports];
        all.iter().flat_map(Collector::collect).collect()
    }
}
