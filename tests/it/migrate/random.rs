//! Random configurations of pyboot's three generations, and messages that concern them.

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Value, json};

const NAMES: [&str; 5] = ["a", "b", "设备2", "it's", "5"];
const POINTS: [&str; 5] = ["p", "q", "OPC温度", "", "5"];
const MODELS: [&str; 3] = ["m", "n", "o"];

fn pick<'a>(random: &mut StdRng, from: &[&'a str]) -> &'a str {
    from.choose(random).copied().unwrap_or_default()
}

/// A generation and its configuration.
pub(super) fn configuration(random: &mut StdRng) -> (&'static str, Value) {
    let generation = ["flat", "expressions", "attributes"][random.random_range(0..3)];
    let funcs: Vec<_> = (0..random.random_range(1..4))
        .map(|_| func(random, generation))
        .collect();
    let config = json!({
        "mqtts": [{"name": "b", "broker": "tcp://h:1883", "qos": 0, "retain": false}],
        "rules": [{"sub": {"name": "b", "topic": "in"}, "pub": {"name": "b", "topic": "out"}}],
        "funcs": funcs,
    });
    (generation, config)
}

fn func(random: &mut StdRng, generation: &str) -> Value {
    let name = pick(random, &MODELS);
    let address = format!("http://h/{name}.zip");
    let md5 = "00000000000000000000000000000000";
    if generation == "flat" {
        let mut func = json!({"modelName": name, "model_address": address, "model_md5": md5, "deviceName": pick(random, &NAMES)});
        if random.random_bool(0.8) {
            func["pointName"] = pick(random, &POINTS).into();
        }
        return func;
    }
    let devices: Vec<_> = (0..random.random_range(1..4))
        .map(|_| device(random, generation))
        .collect();
    if generation == "expressions" {
        return json!({"modelName": name, "model_address": address, "model_md5": md5, "device": devices});
    }
    json!({"modelName": name, "modelAddress": address, "modelMd5": md5, "devices": devices})
}

fn device(random: &mut StdRng, generation: &str) -> Value {
    let name = pick(random, &NAMES);
    if generation == "expressions" {
        let mut device = json!({"deviceName": name, "deviceParseExpression": expression(random)});
        if random.random_bool(0.6) {
            device["pointName"] = pick(random, &POINTS).into();
            device["pointParseExpression"] = expression(random).into();
        }
        return device;
    }
    let mut attributes = Vec::new();
    for _ in 0..random.random_range(0..4) {
        let value = if random.random_bool(0.9) {
            pick(random, &NAMES)
        } else {
            pick(random, &["", "a\\x62", "\\", "p' or 'p"])
        };
        attributes.push(
            json!({"attrName": "n", "attrValue": value, "attrExpression": expression(random)}),
        );
    }
    json!({"deviceName": name, "deviceAttr": attributes})
}

/// Mostly what pyboot's users write, at times what its Python took besides, or refused.
fn expression(random: &mut StdRng) -> String {
    let place = place(random);
    let operator = pick(
        random,
        &["==", "==", "==", "in", "in", "!=", "not in", "<", ">="],
    );
    match random.random_range(0..40) {
        0..=25 => format!("{operator} {place}"),
        26 => "== data_to_dict.get('deviceInfo', {}).get('deviceName')".to_owned(),
        27 => "in data_to_dict.get('telemetry', {})".to_owned(),
        28 => "in data_to_dict['telemetry'].keys()".to_owned(),
        29..=31 => format!("{operator} {place} and 'p' in data_to_dict['telemetry']"),
        32 => "== str(data_to_dict['id'])".to_owned(),
        33 => format!("= {place}"),
        34 => format!("== {place}]"),
        35 => "== data_to_dict[‘id’]".to_owned(),
        36 => "== name".to_owned(),
        37 => format!("== {place} and data_to_dict['id'] > 4"),
        38 => format!("== {place} or True"),
        _ => format!("== {place} + ''"),
    }
}

fn place(random: &mut StdRng) -> &'static str {
    [
        "data_to_dict['deviceInfo']['deviceName']",
        "data_to_dict['deviceInfo']['deviceName']",
        "data_to_dict['telemetry']",
        "data_to_dict[\"telemetry\"]",
        "data_to_dict['id']",
        "data_to_dict['telemetry']['p']",
        "data_to_dict['list'][0]",
        "data_to_dict",
    ][random.random_range(0..8)]
}

/// A message with most of the places.
pub(super) fn message(random: &mut StdRng) -> String {
    let mut message = json!({});
    if random.random_bool(0.85) {
        message["deviceInfo"] = match random.random_range(0..12) {
            0 => json!({}),
            1 => json!({"deviceName": 5}),
            2 => json!("a"),
            3 => Value::Null,
            _ => json!({"deviceName": pick(random, &NAMES)}),
        };
    }
    if random.random_bool(0.85) {
        message["telemetry"] = match random.random_range(0..12) {
            0 => json!(["p", 5]),
            1 => json!("p q"),
            2 => json!(7),
            _ => {
                let mut points = json!({});
                for point in POINTS {
                    if random.random_bool(0.4) {
                        points[point] = value(random);
                    }
                }
                points
            }
        };
    }
    if random.random_bool(0.6) {
        message["id"] = value(random);
    }
    if random.random_bool(0.3) {
        message["list"] = json!([value(random), value(random)]);
    }
    let text = message.to_string();
    match random.random_range(0..40) {
        0 => format!("\u{feff}{text}"),
        1 => text[..text.floor_char_boundary(text.len() / 2)].to_owned() + "!",
        2 => "[]".to_owned(),
        3 => text.replace("\"id\"", "\"id\": 0, \"id\""),
        _ => text,
    }
}

fn value(random: &mut StdRng) -> Value {
    match random.random_range(0..7) {
        0 => json!(5),
        1 => json!(5.0),
        2 => json!("5"),
        3 => json!(true),
        4 => Value::Null,
        5 => serde_json::from_str("123456789012345678901234567890").unwrap_or(Value::Null),
        _ => json!(pick(random, &NAMES)),
    }
}
