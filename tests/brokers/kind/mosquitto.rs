//! mosquitto, from Debian.

use tests::mosquitto::{configuration, program};

use super::{Fault, Kind, Limit};
use crate::VERSIONS;
use crate::broker::Launch;
use crate::scenario::Scenario;

pub(crate) const MOSQUITTO: Kind = Kind {
    name: "mosquitto",
    script_name: "mosquitto",
    versions: &VERSIONS,
    omitted: &[],
    limits: &[Limit {
        scenarios: &[Scenario::BrokerKilled],
        what: Fault::Lost,
        why: "Killed, mosquitto has lost what it acknowledged since it last saved its sessions, which it does every `autosave_interval` and when it ends.",
    }],
    configure: |place| {
        let text = configuration(&place.folder, place.port);
        Ok(std::fs::write(place.folder.join("mosquitto.conf"), text)?)
    },
    programs: |place| {
        let file = place.folder.join("mosquitto.conf");
        Ok(vec![Launch {
            program: program(),
            arguments: vec!["-c".into(), file.into()],
        }])
    },
};
