//! One file of each generation, and what changes in it.

use serde_json::json;

use super::*;

mod expressions;

const FLAT: &str = include_str!("../../../tests/fixtures/pyboot/flat.yaml");
const EXPRESSIONS: &str = include_str!("../../../tests/fixtures/pyboot/expressions.yaml");
const ATTRIBUTES: &str = include_str!("../../../tests/fixtures/pyboot/attributes.yaml");
const MESSAGES: &str = include_str!("../../../tests/fixtures/pyboot/messages.jsonl");
const SEED: &str = include_str!("../../../tests/fixtures/seed/config.yaml");

#[track_caller]
fn migrated(text: &str) -> Migrated {
    let migrated = migrate(text, "old.yaml").unwrap();
    if let Err(problems) = &migrated.runtime {
        panic!("{problems}");
    }
    migrated
}

/// Whether a change of `path` says `part`.
#[track_caller]
fn notes(migrated: &Migrated, path: &str, part: &str) {
    let changes = &migrated.changes;
    let found = changes
        .iter()
        .any(|change| change.path == path && change.message.contains(part));
    assert!(found, "{path}: {part}: {changes:#?}");
}

/// The differences as line, model, before and now.
fn differences(migrated: &Migrated, messages: &str) -> Vec<(usize, String, usize, usize)> {
    let compared = compare(migrated, messages.lines().map(str::as_bytes)).unwrap();
    let differences = compared.differences.into_iter();
    differences
        .map(|one| (one.line, one.model, one.before, one.now))
        .collect()
}

#[test]
fn the_first_generation_becomes_devices_of_one_entry_for_each_model() {
    let migrated = migrated(FLAT);
    assert_eq!(migrated.generation, Generation::Flat);
    let condition = |name: &str, value: &str, expression: &str| json!({"attrName": name, "attrValue": value, "attrExpression": expression});
    let device = |name: &str, point: &str| {
        let mut attributes = vec![condition(
            "deviceName",
            name,
            "== data_to_dict['deviceInfo']['deviceName']",
        )];
        if !point.is_empty() {
            attributes.push(condition(
                "pointName",
                point,
                "in data_to_dict['telemetry']",
            ));
        }
        json!({"deviceName": name, "deviceAttr": attributes})
    };
    assert_eq!(
        migrated.config,
        json!({
            "mqtts": [{"name": "b1", "broker": "tcp://192.168.241.1:1883", "qos": 0, "retain": false}],
            "rules": [{
                "sub": {"name": "b1", "clientId": "5555", "topic": "/plant/telemetry/in"},
                "pub": {"name": "b1", "clientId": "6666", "timeout": "10s", "topic": "/plant/telemetry/out"},
            }],
            "funcs": [
                {
                    "modelAddress": "http://10.200.60.18:9000/group1/M00/trend.zip",
                    "modelMd5": "pZ4DJ+YhYM9ppHD+VhLi+A==",
                    "modelName": "trend",
                    "devices": [device("设备2", "OPC温度"), device("设备3", "OPC湿度")],
                },
                {
                    "modelAddress": "http://10.200.60.18:9000/group1/M00/alarm.zip",
                    "modelMd5": "pZ4DJ+YhYM9ppHD+VhLi+A==",
                    "modelName": "alarm",
                    "devices": [device("设备2", "")],
                },
            ],
        })
    );
    notes(&migrated, "rules[0].name", "is left out");
    notes(&migrated, "rules[0].sub.clientId", "client ids of its own");
    notes(&migrated, "", "the last model alone");
    // The alarm's result replaced the trend's; without telemetry or JSON the thread ended.
    assert_eq!(
        differences(&migrated, MESSAGES),
        [(1, "trend".to_owned(), 0, 1)]
    );
}

#[test]
fn the_second_generation_keeps_its_expressions() {
    let migrated = migrated(EXPRESSIONS);
    assert_eq!(migrated.generation, Generation::Expressions);
    let devices = &migrated.config["funcs"][0]["devices"];
    assert_eq!(
        devices[0]["deviceAttr"][1]["attrExpression"],
        "in data_to_dict[\"telemetry\"]"
    );
    assert_eq!(
        devices[1],
        json!({
            "deviceName": "86",
            "deviceAttr": [{
                "attrName": "deviceName",
                "attrValue": "86",
                "attrExpression": "== data_to_dict['deviceInfo']['id']",
                "attrType": "number",
            }],
        })
    );
    let path = "funcs[0].devices[1].deviceAttr[0].attrExpression";
    notes(
        &migrated,
        path,
        "is written as 86 == data_to_dict['deviceInfo']['id'] (attrType: number)",
    );
    notes(&migrated, "mqtts[0]", "qos is absent");
    assert_eq!(differences(&migrated, MESSAGES), []);
}

#[test]
fn the_last_generation_changes_only_where_it_must() {
    let migrated = migrated(ATTRIBUTES);
    assert_eq!(migrated.generation, Generation::Attributes);
    let config = &migrated.config;
    let devices = &config["funcs"][0]["devices"];
    assert_eq!(devices[0]["deviceName"], "设备2");
    assert_eq!(devices[1]["deviceAttr"][1]["attrValue"], "rpm");
    assert_eq!(
        devices[1]["deviceAttr"][1]["attrExpression"],
        "in data_to_dict['telemetry']"
    );
    assert_eq!(config["mqtts"][0]["retain"], false);
    assert_eq!(config["rules"][0]["sub"]["clientId"], "7");
    assert!(config["rules"][0]["pub"]["timeout"].is_null());
    notes(
        &migrated,
        "rules[0].sub.clientId",
        "007 is written as \"7\"",
    );
    notes(&migrated, "rules[0].pub.timeout", "7200 s is left out");
    notes(&migrated, "funcs[0].devices", "1 of 3 devices have several");
    notes(
        &migrated,
        "funcs[0].devices[2]",
        "never found a device without attributes",
    );
    // Line 2 has the point of another device; 3 is of a device without attributes.
    assert_eq!(
        differences(&migrated, MESSAGES),
        [
            (2, "industry".to_owned(), 1, 0),
            (3, "industry".to_owned(), 0, 1)
        ]
    );
    let compared = compare(&migrated, MESSAGES.lines().map(str::as_bytes)).unwrap();
    let ended = Ended {
        line: 4,
        model: "industry".to_owned(),
        exception: "KeyError",
    };
    assert_eq!((compared.messages, compared.ended), (5, vec![ended]));
}

#[test]
fn the_seed_stays_as_it_is() {
    let migrated = migrated(SEED);
    let lines: Vec<_> = SEED.lines().collect();
    let seed = Reader::new(&lines).document(&yaml::parse(SEED).unwrap());
    assert_eq!(migrated.config, seed);
    let written = write(&migrated.config).unwrap();
    let again = super::migrate(&written, "again").unwrap();
    assert_eq!(again.config, migrated.config);
}

#[test]
fn scalars_are_taken_as_pyboot_took_them() {
    let change = |from: &str, to: &str| {
        assert!(SEED.contains(from), "{from}");
        migrated(&SEED.replacen(from, to, 1))
    };
    let value = |migrated: &Migrated| {
        migrated.config["funcs"][1]["devices"][0]["deviceAttr"][1]["attrValue"].clone()
    };
    for (written, taken) in [
        ("86", "86"),
        ("yes", "True"),
        ("'yes'", "yes"),
        ("0x10", "16"),
        ("1.50", "1.5"),
        ("false", "False"),
    ] {
        let migrated = change("attrValue: pyboot2", &format!("attrValue: {written}"));
        assert_eq!(value(&migrated), taken, "{written}");
        let noted = migrated
            .changes
            .iter()
            .any(|change| change.path.ends_with("deviceAttr[1].attrValue"));
        assert_eq!(noted, !matches!(written, "86" | "'yes'"), "{written}");
    }
    let migrated = change("retain: false", "retain: 'yes'\n  qos: '2'");
    assert_eq!(migrated.config["mqtts"][0]["retain"], true);
    assert_eq!(migrated.config["mqtts"][0]["qos"], 2);
    let migrated = change(
        "tcp://192.168.241.1:1883",
        "websockets://192.168.241.1:9001",
    );
    assert_eq!(
        migrated.config["mqtts"][0]["broker"],
        "ws://192.168.241.1:9001/mqtt"
    );
}

#[test]
fn a_name_for_two_zips_becomes_two_names() {
    let text = FLAT.replacen("trend.zip", "other.zip", 1);
    let migrated = migrated(&text);
    let names: Vec<_> = migrated.config["funcs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|func| &func["modelName"])
        .collect();
    assert_eq!(names, ["trend", "trend-2", "alarm"]);
    notes(
        &migrated,
        "funcs[1].modelName",
        "\"trend\" is written as \"trend-2\"",
    );
    assert_eq!(migrated.models, [0, 1, 2]);
}

#[test]
fn what_is_no_configuration_of_pyboot_is_refused_with_a_remedy() {
    let mixed = FLAT.replacen(
        "  deviceName: 设备3\n  pointName: OPC湿度\n",
        "  devices:\n  - deviceName: a\n    deviceAttr: []\n",
        1,
    );
    for (text, expected) in [
        (
            "edge:\n- pre_broker: h\n",
            "old.yaml:2:3: edge: is of pyboot's prototype",
        ),
        (
            "mqtts: []\n",
            "funcs: names no model; give a configuration of pyboot",
        ),
        ("a: [", "document:"),
        (
            mixed.as_str(),
            "funcs[1]: is of pyboot's last generation (deviceAttr), but funcs[0] is of pyboot's first",
        ),
    ] {
        let problems = migrate(text, "old.yaml").unwrap_err().to_string();
        assert!(problems.contains(expected), "{problems}");
    }
}

#[test]
fn a_name_of_an_object_is_one_that_kubernetes_takes() {
    for (file, name) in [
        ("Plant_1.old", "plant-1-old"),
        ("设备", "models"),
        ("--a--", "a"),
    ] {
        assert_eq!(object_name(file), name);
    }
}
