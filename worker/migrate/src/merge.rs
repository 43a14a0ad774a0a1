//! One entry for each model: older generations repeat a model for each of its devices.

use serde_json::{Value as Json, json};

use crate::document::Reader;

/// Merges entries of the same name, and gives the place of each old entry in the new list.
pub(crate) fn models(config: &mut Json, reader: &mut Reader<'_>) -> Vec<usize> {
    let Some(funcs) = config["funcs"].as_array_mut() else {
        return Vec::new();
    };
    let mut merged: Vec<Json> = Vec::new();
    let mut places = Vec::new();
    for (index, mut func) in std::mem::take(funcs).into_iter().enumerate() {
        let name = func["modelName"].as_str().unwrap_or_default().to_owned();
        let same = merged
            .iter()
            .position(|other| func["modelName"].is_string() && same_model(other, &func));
        if let Some(place) = same {
            append(&mut merged[place], &mut func);
            places.push(place);
            continue;
        }
        let taken = |name: &str| merged.iter().any(|other| other["modelName"] == name);
        if func["modelName"].is_string() && taken(&name) {
            let free = (2..merged.len() + 3)
                .map(|number| format!("{name}-{number}"))
                .find(|name| !taken(name));
            let free = free.unwrap_or_default();
            let message = format!(
                "{name:?} is written as {free:?}: it names another zip than before, of which pyboot ran the one that it downloaded last"
            );
            reader.note(format!("funcs[{index}].modelName"), message);
            func["modelName"] = json!(free);
        }
        places.push(merged.len());
        merged.push(func);
    }
    *funcs = merged;
    places
}

fn same_model(one: &Json, other: &Json) -> bool {
    ["modelName", "modelAddress", "modelMd5", "modelSha256"]
        .iter()
        .all(|field| one[field] == other[field])
}

fn append(into: &mut Json, from: &mut Json) {
    let Some(more) = from["devices"].as_array_mut() else {
        return;
    };
    match into["devices"].as_array_mut() {
        Some(devices) => devices.append(more),
        None => into["devices"] = json!(more),
    }
}
