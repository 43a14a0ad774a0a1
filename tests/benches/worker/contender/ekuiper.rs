//! eKuiper: a stream, a rule, and the model as a function of a portable plugin in Python.

use std::path::Path;

use serde_json::json;
use tests::mosquitto::free_port;
use tests::peers::script;

use super::entrant::Entrant;
use super::recipe::{Program, Site};
use crate::load;

/// Lays its folders out as eKuiper expects them.
pub(super) fn prepare(entrant: &Entrant, site: &Site<'_>) -> anyhow::Result<Program> {
    let base = site.home.join("ekuiper");
    let plugin = base.join("plugins/portable/bench");
    for folder in ["data", "log", "etc"] {
        std::fs::create_dir_all(base.join(folder))?;
    }
    std::fs::create_dir_all(&plugin)?;
    let manifest = json!({
        "version": "v1.0.0", "language": "python", "executable": "model.py",
        "sources": [], "sinks": [], "functions": ["bench_model"],
    });
    std::fs::write(plugin.join("bench.json"), manifest.to_string())?;
    std::fs::copy(script("ekuiper/model.py"), plugin.join("model.py"))?;
    settings(&entrant.folder.join("etc"), &base.join("etc"), site)?;
    std::fs::write(base.join("data/init.json"), ruleset(site).to_string())?;
    let port = free_port()?.to_string();
    Ok(Program {
        path: entrant.folder.join("ekuiper"),
        arguments: Vec::new(),
        variables: vec![
            ("KuiperBaseKey", base.into()),
            ("KUIPER__BASIC__LOGLEVEL", "error".into()),
            ("KUIPER__BASIC__PPROF", "false".into()),
            ("KUIPER__BASIC__RESTIP", "127.0.0.1".into()),
            ("KUIPER__BASIC__RESTPORT", port.into()),
            ("KUIPER__PORTABLE__PYTHONBIN", entrant.python.clone().into()),
            ("BENCH_MODEL", site.model().into()),
        ],
    })
}

/// Its own files, and one with the broker.
fn settings(own: &Path, etc: &Path, site: &Site<'_>) -> anyhow::Result<()> {
    const MQTT: &str = "mqtt_source.yaml";
    for entry in std::fs::read_dir(own)? {
        let entry = entry?;
        if entry.file_name() != MQTT {
            std::os::unix::fs::symlink(entry.path(), etc.join(entry.file_name()))?;
        }
    }
    let mqtt = json!({
        "default": {
            "server": site.broker.url(), "protocolVersion": "3.1.1", "qos": site.qos,
            "clientid": "bench-sub", "enableClientSession": true,
        },
    });
    // JSON is YAML, too.
    Ok(std::fs::write(etc.join(MQTT), mqtt.to_string())?)
}

/// What it imports at its first start.
fn ruleset(site: &Site<'_>) -> serde_json::Value {
    let stream = format!(
        "CREATE STREAM bench () WITH (TYPE=\"mqtt\", FORMAT=\"json\", DATASOURCE=\"{}\")",
        load::IN
    );
    let sql = format!(
        "SELECT bench_model(deviceInfo, telemetry) AS result FROM bench \
         WHERE deviceInfo->deviceName = \"{}\" AND isNull(telemetry->RC_cylinder1_1P_d_dispPeak) = false",
        load::device(0)
    );
    let rule = json!({
        "id": "bench", "sql": sql,
        "actions": [{ "mqtt": {
            "server": site.broker.url(), "clientid": "bench-pub", "topic": load::OUT, "qos": site.qos, "sendSingle": true,
        }}],
        "options": { "qos": site.qos, "disableBufferFullDiscard": true },
    });
    json!({
        "streams": { "bench": stream },
        "tables": {},
        "rules": { "bench": rule.to_string() },
    })
}
