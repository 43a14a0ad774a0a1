//! The table of a broker, and which promises it breaks.

use std::collections::BTreeMap;

use crds::validated::{MqttVersion, Qos};

use crate::kind::{Fault, Kind};
use crate::scenario::Scenario;
use crate::tally::Counts;
use crate::{QOS, VERSIONS, text};

/// What was counted with a broker.
#[derive(Debug)]
pub(crate) struct Table {
    kind: &'static Kind,
    version: String,
    cells: BTreeMap<String, (Scenario, Qos, Counts)>,
}

fn cell(scenario: Scenario, version: MqttVersion, qos: Qos) -> String {
    format!("{scenario:?}, QoS {}, {version:?}", qos as u8)
}

impl Table {
    pub(crate) fn new(kind: &'static Kind, version: &str) -> Self {
        Self {
            kind,
            version: version.to_owned(),
            cells: BTreeMap::new(),
        }
    }

    pub(crate) fn add(
        &mut self,
        scenario: Scenario,
        version: MqttVersion,
        qos: Qos,
        counts: Counts,
    ) {
        let cell = cell(scenario, version, qos);
        self.cells.insert(cell, (scenario, qos, counts));
    }

    /// As Markdown.
    pub(crate) fn text(&self) -> String {
        let mut table = format!("\n### {} {}\n\n| |", self.kind.name, self.version);
        let columns = VERSIONS.map(|version| QOS.map(|qos| (version, qos)));
        let columns = columns.as_flattened();
        for (version, qos) in columns {
            table += &format!(" {}, QoS {} |", text(*version), *qos as u8);
        }
        table += &format!("\n|---|{}\n", "---|".repeat(columns.len()));
        for scenario in Scenario::ALL {
            table += &format!("| {} |", scenario.title());
            for (version, qos) in columns {
                match self.cells.get(&cell(scenario, *version, *qos)) {
                    Some((_, _, counts)) => {
                        let Counts {
                            lost,
                            repeated,
                            disordered,
                        } = counts;
                        table += &format!(" {lost} / {repeated} / {disordered} |");
                    }
                    None => table += " - |",
                }
            }
            table.push('\n');
        }
        let limits = self.kind.limits.iter().map(|limit| limit.why);
        let omitted = self.kind.omitted.iter().map(|omitted| omitted.why);
        for note in limits.chain(omitted) {
            table += &format!("\n- {note}");
        }
        table
    }

    /// What the worker promises, and what came instead; without what the broker is known not to promise.
    pub(crate) fn broken_promises(&self) -> Vec<String> {
        let mut broken = Vec::new();
        for (cell, (scenario, qos, counts)) in &self.cells {
            for (fault, count) in [
                (Fault::Lost, counts.lost),
                (Fault::Repeated, counts.repeated),
                (Fault::Disordered, counts.disordered),
            ] {
                if count > 0
                    && promised(*scenario, *qos, fault)
                    && self.kind.limit(*scenario, fault).is_none()
                {
                    broken.push(format!("{}: {cell}: {count} {fault:?}", self.kind.name));
                }
            }
        }
        broken
    }
}

/// Whether the worker promises that this does not happen.
fn promised(scenario: Scenario, qos: Qos, fault: Fault) -> bool {
    match fault {
        Fault::Lost => qos != Qos::AtMostOnce,
        Fault::Repeated => qos == Qos::AtMostOnce || !scenario.may_repeat(),
        Fault::Disordered => !scenario.is_shared(),
    }
}

#[test]
fn a_promise_is_broken_only_where_it_was_given() {
    let counts = |lost, repeated, disordered| Counts {
        lost,
        repeated,
        disordered,
    };
    let table = [
        (Scenario::Undisturbed, Qos::AtMostOnce, counts(9, 0, 0), 0),
        (Scenario::Undisturbed, Qos::AtMostOnce, counts(0, 1, 1), 2),
        (Scenario::Undisturbed, Qos::AtLeastOnce, counts(9, 9, 9), 3),
        (Scenario::WorkerKilled, Qos::AtLeastOnce, counts(0, 9, 0), 0),
        (Scenario::WorkerKilled, Qos::ExactlyOnce, counts(1, 9, 1), 2),
        (Scenario::WorkerEnded, Qos::AtLeastOnce, counts(0, 1, 0), 1),
        (Scenario::Shared, Qos::AtLeastOnce, counts(0, 0, 9), 0),
        // mosquitto's limit.
        (Scenario::BrokerKilled, Qos::AtLeastOnce, counts(9, 9, 0), 0),
        (
            Scenario::BrokerRestarted,
            Qos::AtLeastOnce,
            counts(1, 9, 0),
            1,
        ),
    ];
    for (scenario, qos, counts, expected) in table {
        let mut table = Table::new(&crate::kind::MOSQUITTO, "2");
        table.add(scenario, MqttVersion::V5, qos, counts);
        let broken = table.broken_promises();
        assert_eq!(broken.len(), expected, "{scenario:?}: {broken:?}");
    }
}
