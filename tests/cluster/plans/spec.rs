//! Runtimes that workloads begin and end with.

use serde_json::{Value, json};

/// A number that stands for the n-th port of a run: each run has ports of its own.
pub(crate) fn port(number: u16) -> Value {
    format!("PORT{number}").into()
}

/// Two models, one rule, one port.
pub(crate) fn base() -> Value {
    json!({
        "mqtts": [{ "name": "plant", "broker": "tcp://10.0.0.1:1883" }],
        "rules": [{
            "sub": { "name": "plant", "topic": "telemetry/#", "clientId": "edge-sub" },
            "pub": { "name": "plant", "topic": "results", "clientId": "edge-pub" },
        }],
        "funcs": [func("alpha", 1), func("beta", 2)],
        "expose": [expose("monitor", 8080, 1)],
    })
}

pub(crate) fn func(name: &str, digest: u8) -> Value {
    json!({
        "modelName": name,
        "modelAddress": format!("http://models.example/{name}.zip"),
        "modelMd5": format!("{digest:032x}"),
        "devices": [{ "deviceName": format!("device-{name}"), "deviceAttr": [] }],
    })
}

pub(crate) fn expose(name: &str, target: u16, number: u16) -> Value {
    json!({ "name": name, "protocolPort": format!("http://:{target}"), "outPort": port(number) })
}

/// `base` with changes.
pub(crate) fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut spec = base();
    change(&mut spec);
    spec
}

/// Takes an item out of a list.
pub(crate) fn remove(list: &mut Value, index: usize) {
    if let Some(items) = list.as_array_mut() {
        items.remove(index);
    }
}

/// Puts an item at the end of a list.
pub(crate) fn push(list: &mut Value, item: Value) {
    if let Some(items) = list.as_array_mut() {
        items.push(item);
    }
}
