//! What a contender needs on this machine, and which versions that has.

use std::path::PathBuf;

use tests::peers::Peer;
use tests::python;

use super::kind::Kind;

/// A contender that can be started.
#[derive(Debug)]
pub(crate) struct Entrant {
    pub(crate) kind: Kind,
    /// The interpreter that runs the model.
    pub(crate) python: PathBuf,
    /// With the program of a peer.
    pub(crate) folder: PathBuf,
    /// For people.
    pub(crate) version: String,
}

impl Entrant {
    /// Installs what it needs.
    pub(crate) fn new(kind: Kind) -> anyhow::Result<Self> {
        let libraries: &[&str] = match kind {
            Kind::Broker | Kind::Worker | Kind::Bento => &[],
            Kind::Plain => &["paho-mqtt"],
            Kind::Tuned => &["gmqtt", "uvloop", "orjson"],
            Kind::Ekuiper => &["ekuiper", "pynng"],
        };
        let python = match kind {
            Kind::Ekuiper => python::ekuiper()?,
            _ => python::baselines()?,
        };
        let with = python::versions(&python, libraries)?;
        let (folder, version) = match kind {
            Kind::Broker | Kind::Plain | Kind::Tuned => (PathBuf::new(), with),
            Kind::Worker => {
                let version = env!("CARGO_PKG_VERSION");
                (PathBuf::new(), format!("edgemodel {version}, {with}"))
            }
            Kind::Ekuiper => {
                let Peer { folder, version } = Peer::build("ekuiper")?;
                (folder, format!("eKuiper {version}; its library {with}"))
            }
            Kind::Bento => {
                let Peer { folder, version } = Peer::build("bento")?;
                (folder, format!("Bento {version}, {with}"))
            }
        };
        Ok(Self {
            kind,
            python,
            folder,
            version,
        })
    }
}
