//! How each contender is started on a broker, as often as it has to be.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json;
use tests::mosquitto::Mosquitto;
use tests::running::Running;
use tests::site::{Models, file_url};
use tokio::process::Command;

use super::entrant::Entrant;
use super::kind::Kind;
use super::process::{Family, Process};
use super::{bento, ekuiper};
use crate::load;

/// What a contender has to do, and where it may keep files.
pub(crate) struct Site<'a> {
    pub(crate) broker: &'a Mosquitto,
    pub(crate) qos: u8,
    pub(crate) devices: usize,
    /// A folder of its own.
    pub(crate) home: &'a Path,
}

impl Site<'_> {
    /// The model's file.
    pub(crate) fn model(&self) -> PathBuf {
        self.home.join("bench/index.py")
    }

    /// Writes a file with what the contenders in Python are told.
    pub(crate) fn settings(&self) -> anyhow::Result<PathBuf> {
        let device = |number| {
            json!([
                { "operator": "==", "value": load::device(number), "path": ["deviceInfo", "deviceName"] },
                { "operator": "in", "value": "RC_cylinder1_1P_d_dispPeak", "path": ["telemetry"] },
            ])
        };
        let devices: Vec<_> = (0..self.devices).map(device).collect();
        let settings = json!({
            "port": self.broker.port(), "qos": self.qos, "in": load::IN, "out": load::OUT, "model": self.model(),
            "devices": devices,
        });
        let file = self.home.join("settings.json");
        std::fs::write(&file, settings.to_string())?;
        Ok(file)
    }
}

/// A command.
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) variables: Vec<(&'static str, OsString)>,
}

/// What starts a contender.
pub(crate) enum Recipe {
    /// The worker with a configuration.
    Worker(String),
    Program(Program),
}

impl Recipe {
    /// Prepares a contender.
    pub(super) fn of(
        entrant: &Entrant,
        site: &Site<'_>,
        packed: &packages::Packed,
    ) -> anyhow::Result<Self> {
        let script = |name: &str| -> anyhow::Result<Program> {
            let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/python/");
            Ok(Program {
                path: entrant.python.clone(),
                arguments: vec![format!("{scripts}{name}").into(), site.settings()?.into()],
                variables: Vec::new(),
            })
        };
        let program = match entrant.kind {
            Kind::Broker => anyhow::bail!("nothing to start"),
            Kind::Worker => {
                let config = configuration(site, packed, &entrant.python)?;
                return Ok(Self::Worker(config.to_string()));
            }
            Kind::Plain => script("plain_worker.py")?,
            Kind::Tuned => script("tuned_worker.py")?,
            Kind::Ekuiper => ekuiper::prepare(entrant, site)?,
            Kind::Bento => bento::prepare(entrant, site)?,
        };
        Ok(Self::Program(program))
    }

    pub(super) async fn start(&self, home: &Models) -> anyhow::Result<Process> {
        match self {
            Self::Worker(config) => {
                let worker = Running::start(config, &home.installed()).await?;
                Ok(Process::Worker(worker))
            }
            Self::Program(program) => {
                let child = Command::new(&program.path)
                    .args(&program.arguments)
                    .envs(program.variables.iter().map(|(name, value)| (name, value)))
                    .current_dir(home.path())
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .kill_on_drop(true)
                    .spawn()?;
                Ok(Process::Program(Family(child)))
            }
        }
    }
}

/// The worker's.
pub(super) fn configuration(
    site: &Site<'_>,
    packed: &packages::Packed,
    python: &Path,
) -> anyhow::Result<serde_json::Value> {
    let device = |number| {
        let name = load::device(number);
        json!({ "deviceName": name, "deviceAttr": [
            { "attrName": "name", "attrValue": name, "attrExpression": "== data_to_dict['deviceInfo']['deviceName']" },
            { "attrName": "point", "attrValue": "RC_cylinder1_1P_d_dispPeak", "attrExpression": "in data_to_dict['telemetry']" },
        ]})
    };
    let devices: Vec<_> = (0..site.devices).map(device).collect();
    Ok(json!({
        "mqtts": [{ "name": "m", "broker": site.broker.url(), "qos": site.qos }],
        "rules": [{
            "sub": { "name": "m", "topic": load::IN, "clientId": "bench-sub" },
            "pub": { "name": "m", "topic": load::OUT, "clientId": "bench-pub", "deadLetterTopic": load::DEAD },
        }],
        "funcs": [{
            "modelName": "bench", "modelAddress": file_url(&packed.path)?,
            "modelMd5": packed.md5.to_string(), "devices": devices,
            "python": python,
        }],
    }))
}
