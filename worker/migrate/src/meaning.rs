//! Fields whose meaning differs from pyboot's.

use serde_json::{Value as Json, json};

use crate::document::Reader;
use crate::generation::Generation;

/// Longest time span that edgemodel accepts, in seconds.
const LONGEST: f64 = 3600.0;

/// Records the changes, and rewrites fields whose form differs.
pub(crate) fn note(config: &mut Json, generation: Generation, reader: &mut Reader<'_>) {
    for (index, mqtt) in list(config, "mqtts").iter_mut().enumerate() {
        broker(mqtt, &format!("mqtts[{index}]"), reader);
    }
    rules(list(config, "rules"), reader);
    for (index, func) in list(config, "funcs").iter_mut().enumerate() {
        model(func, generation, &format!("funcs[{index}]"), reader);
    }
    whole(config, generation, reader);
}

fn list<'a>(config: &'a mut Json, name: &str) -> &'a mut [Json] {
    config
        .get_mut(name)
        .and_then(Json::as_array_mut)
        .map_or(&mut [], Vec::as_mut_slice)
}

fn broker(mqtt: &mut Json, path: &str, reader: &mut Reader<'_>) {
    if mqtt["qos"].is_null() {
        let message = "qos is absent: pyboot took 0, which loses messages in flight at a restart; edgemodel takes 1; write qos: 0 for pyboot's";
        reader.note(path, message);
    }
    // paho's name for a WebSocket, and its path.
    let address = mqtt["broker"]
        .as_str()
        .and_then(|address| address.strip_prefix("websockets://"));
    if let Some(address) = address {
        mqtt["broker"] = json!(format!("ws://{address}/mqtt"));
    }
}

fn rules(rules: &mut [Json], reader: &mut Reader<'_>) {
    let (mut ids, mut timeouts) = (None, None);
    for (index, rule) in rules.iter_mut().enumerate() {
        for end in ["sub", "pub"] {
            if !rule[end]["clientId"].is_null() {
                ids.get_or_insert(format!("rules[{index}].{end}.clientId"));
            }
        }
        let timeout = &rule["pub"]["timeout"];
        if timeout.is_null() {
            continue;
        }
        let path = format!("rules[{index}].pub.timeout");
        if timeout
            .as_f64()
            .is_some_and(|seconds| !(0.0..=LONGEST).contains(&seconds) || seconds == 0.0)
        {
            let message = format!(
                "{timeout} s is left out, so that 10 s apply: pyboot did not use it, and edgemodel takes up to one hour"
            );
            reader.note(path, message);
            if let Some(end) = rule["pub"].as_object_mut() {
                end.remove("timeout");
            }
        } else {
            timeouts.get_or_insert(path);
        }
    }
    if let Some(path) = ids {
        let message = "pyboot connected with client ids of its own making and kept no session; edgemodel uses those that are written, and the broker keeps messages for them while the worker is away";
        reader.note(path, message);
    }
    if let Some(path) = timeouts {
        let message = "pyboot read it and did not use it; now a publication that takes longer counts as failed";
        reader.note(path, message);
    }
}

fn model(func: &mut Json, generation: Generation, path: &str, reader: &mut Reader<'_>) {
    if func["modelMd5"] == "" {
        func.as_object_mut().map(|fields| fields.remove("modelMd5"));
    }
    if func["modelMd5"].is_null() && func["modelSha256"].is_null() {
        reader.note(path, "has no digest: edgemodel refuses a model from the network without one; write what `edgemodel pack` or sha256sum prints into modelSha256");
    }
    let devices = func["devices"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    if devices.is_empty() {
        reader.note(path, "has no devices and gets no messages");
    }
    if generation != Generation::Attributes {
        return;
    }
    let attributes = |device: &Json| device["deviceAttr"].as_array().map_or(0, Vec::len);
    let several = devices
        .iter()
        .filter(|device| attributes(device) > 1)
        .count();
    if several > 0 {
        let message = format!(
            "pyboot let the last attribute alone decide, edgemodel wants all of a device to hold; {several} of {} devices have several",
            devices.len()
        );
        reader.note(format!("{path}.devices"), message);
    }
    let without: Vec<_> = devices
        .iter()
        .enumerate()
        .filter(|(_, device)| attributes(device) == 0)
        .collect();
    if let Some((index, _)) = without.first() {
        let message = format!(
            "pyboot never found a device without attributes, edgemodel takes deviceInfo.deviceName; {} of {} devices have none",
            without.len(),
            devices.len()
        );
        reader.note(format!("{path}.devices[{index}]"), message);
    }
}

fn whole(config: &Json, generation: Generation, reader: &mut Reader<'_>) {
    let funcs = config["funcs"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    if generation != Generation::Attributes && funcs.len() > 1 {
        reader.note("", "pyboot published the result of the last model alone that a message belonged to; edgemodel publishes that of each");
    }
    let devices = |func: &Json| func["devices"].as_array().map_or(0, Vec::len);
    if funcs.iter().any(|func| devices(func) > 1) {
        reader.note("", "pyboot called a model once for each device that matched; edgemodel calls it once for a message");
    }
    reader.note("", "a message on which an expression raised an exception (a missing key, a value of another type) ended one of pyboot's ten threads; now it does not match, and is counted");
    reader.note("", "pyboot published the text of a model's exception as its result; edgemodel counts and logs it, and publishes the message to deadLetterTopic if there is one");
}
