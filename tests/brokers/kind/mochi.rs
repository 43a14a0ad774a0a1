//! mochi-mqtt/server, a Go module, with its store of sessions.

use super::{Fault, Kind, Limit, Omitted};
use crate::VERSIONS;
use crate::broker::Launch;
use crate::scenario::Scenario;

const DISTURBED: [Scenario; 4] = [
    Scenario::BrokerRestarted,
    Scenario::BrokerKilled,
    Scenario::WorkerEnded,
    Scenario::WorkerKilled,
];

pub(crate) const MOCHI: Kind = Kind {
    name: "mochi-mqtt/server",
    script_name: "mochi",
    versions: &VERSIONS,
    omitted: &[Omitted {
        scenarios: &[Scenario::Takeover],
        why: "When two clients connect under one client id at the same moment, as workers that contend for a session may, mochi sometimes keeps both connections ([MQTT-3.1.4-2] wants the first closed), and one of them gets nothing. Plain clients without code of ours see the same, in 2 of 100 tries.",
    }],
    limits: &[
        Limit {
            scenarios: &DISTURBED,
            what: Fault::Lost,
            why: "mochi loses part of what comes for a session while its client is away.",
        },
        Limit {
            scenarios: &DISTURBED,
            what: Fault::Disordered,
            why: "mochi sends what a session has waiting out of order when its client comes back.",
        },
    ],
    configure: |_| Ok(()),
    programs: |place| {
        Ok(vec![Launch {
            program: place.files.join("mochi"),
            arguments: vec![
                place.port.to_string().into(),
                place.folder.join("data").into(),
            ],
        }])
    },
};
