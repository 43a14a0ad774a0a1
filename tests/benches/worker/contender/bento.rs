//! Bento: a pipeline of MQTT, the model as a subprocess, and MQTT.

use serde_json::json;
use tests::peers::script;

use super::entrant::Entrant;
use super::recipe::{Program, Site};
use crate::load;

pub(super) fn prepare(entrant: &Entrant, site: &Site<'_>) -> anyhow::Result<Program> {
    let urls = [site.broker.url()];
    let config = json!({
        "http": { "enabled": false },
        "logger": { "level": "OFF" },
        "input": { "mqtt": {
            "urls": urls, "client_id": "bench-sub", "topics": [load::IN], "qos": site.qos, "clean_session": false,
        }},
        "pipeline": { "processors": [{ "subprocess": {
            "name": entrant.python,
            "args": [script("bento/model.py"), site.settings()?],
            // A message may have line breaks.
            "codec_send": "length_prefixed_uint32_be",
            "codec_recv": "length_prefixed_uint32_be",
        }}]},
        "output": { "mqtt": { "urls": urls, "client_id": "bench-pub", "topic": load::OUT, "qos": site.qos }},
    });
    let file = site.home.join("bento.json");
    std::fs::write(&file, config.to_string())?;
    Ok(Program {
        path: entrant.folder.join("bento"),
        arguments: vec!["-c".into(), file.into()],
        variables: Vec::new(),
    })
}
