use super::load;
use crate::problem::Position;
use crate::validated::{ExposeProtocol, Qos};

const SEED: &str = include_str!("../../../tests/fixtures/seed/config.yaml");

/// The seed with `from` replaced by `to`, and the one line of its only problem.
#[track_caller]
fn rejects(from: &str, to: &str, expected: &str) {
    assert!(SEED.contains(from), "{from:?} is not in the seed");
    let problems = load(&SEED.replacen(from, to, 1), "c.yaml").expect_err("it was accepted");
    let lines: Vec<_> = problems.to_string().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(
        lines[0].contains(expected),
        "{:?} does not contain {expected:?}",
        lines[0]
    );
}

#[track_caller]
fn accepts(from: &str, to: &str) {
    assert!(SEED.contains(from), "{from:?} is not in the seed");
    if let Err(problems) = load(&SEED.replacen(from, to, 1), "c.yaml") {
        panic!("{problems}");
    }
}

#[test]
fn accepts_the_seed_and_refuses_its_second_model_alone() {
    let runtime = load(SEED, "config.yaml").unwrap();
    assert_eq!(
        runtime.funcs[0]
            .digest
            .as_ref()
            .unwrap()
            .md5
            .unwrap()
            .to_string(),
        "pZ4DJ+YhYM9ppHD+VhLi+A=="
    );
    let refusal = runtime.funcs[1].digest.as_ref().unwrap_err();
    assert_eq!(refusal.reason, "InvalidDigest");
    assert!(
        refusal
            .message
            .contains("funcs[1].modelMd5: \"pZ4DJ+YhYM9ppHD+VhLi+A=1\""),
        "{refusal}"
    );
    assert_eq!(runtime.funcs[0].devices[0].conditions.len(), 2);
    assert_eq!(runtime.mqtts[0].qos, Qos::AtLeastOnce);
    assert_eq!(runtime.rules[0].pub_timeout.as_secs(), 100);
    assert_eq!(
        (runtime.expose[0].protocol, runtime.expose[0].port),
        (ExposeProtocol::Http, 8080)
    );
}

#[test]
fn every_problem_is_reported_in_one_pass() {
    let text = "\
mqtts:
- name: a
  broker: 'localhost:1883'
  qos: 3
- name: a
  broker: tcp://localhost
  retain: 'yes'
rules:
- sub: {name: b, topic: a/#/b}
  pub: {name: a, topic: a/+, timeout: 0}
funcs:
- modelName: m
  modelAdress: http://x/y.zip
  devices:
  - deviceName: d
    deviceAttr:
    - {attrValue: v, attrExpression: == print(1)}
expose:
- {name: e, protocolPort: 'udp://:1', outPort: 30000}
";
    let problems = load(text, "c.yaml").unwrap_err();
    let found: Vec<_> = problems
        .list
        .iter()
        .map(|problem| (problem.path.as_str(), problem.position.unwrap()))
        .collect();
    let at = |line, column| Position { line, column };
    assert_eq!(
        found,
        [
            ("mqtts[0].broker", at(3, 11)),
            ("mqtts[0].qos", at(4, 8)),
            ("mqtts[1].name", at(5, 9)),
            ("mqtts[1].retain", at(7, 11)),
            ("rules[0].sub.name", at(9, 15)),
            ("rules[0].sub.topic", at(9, 25)),
            ("rules[0].pub.topic", at(10, 25)),
            ("rules[0].pub.timeout", at(10, 39)),
            ("funcs[0].modelAddress", at(12, 3)),
            ("funcs[0].modelAdress", at(13, 3)),
            (
                "funcs[0].devices[0].deviceAttr[0].attrExpression",
                at(17, 38)
            ),
            ("expose[0].protocolPort", at(19, 27)),
            ("expose[0].outPort", at(19, 48)),
        ],
        "{problems}"
    );
}

#[test]
fn rejects_an_unknown_field_with_the_nearest_name() {
    rejects(
        "retain:",
        "retian:",
        "mqtts[0].retian: there is no such field; did you mean \"retain\"?",
    );
}

#[test]
fn rejects_out_ports_outside_of_the_open_range() {
    for port in ["30000", "60000", "70000", "-1"] {
        let expected = format!(
            "expose[0].outPort: {port} is out of range; choose a number above 30000 and below 60000"
        );
        rejects("outPort: 38080", &format!("outPort: {port}"), &expected);
    }
    accepts("outPort: 38080", "outPort: 30001");
    accepts("outPort: 38080", "outPort: 59999");
}

#[test]
fn rejects_expressions_that_are_code() {
    rejects(
        "== data_to_dict['deviceInfo']['deviceName']",
        "== __import__('os').system('id')",
        "'_' is not allowed at character 4; write data_to_dict after the operator",
    );
}

#[test]
fn rejects_results_that_come_back_as_telemetry() {
    let from =
        "topic: cloud/edge-data-access-a60c2306-1644570929743-e54d4620-8b1a-11ec-9969-df2a36238047";
    rejects(from, "topic: cloud/#", "so results would go round");
    rejects(from, "topic: $share/g/cloud/+", "so results would go round");
    accepts(from, "topic: $share/g/site/+/#");
}

#[test]
fn accepts_every_form_of_broker_address() {
    let from = "tcp://192.168.241.1:1883";
    for (to, host, port, path) in [
        ("mqtts://broker", "broker", 8883, ""),
        ("'tcp://[::1]:80'", "::1", 80, ""),
        ("ws://broker", "broker", 80, "/mqtt"),
        ("wss://broker:9/a/b", "broker", 9, "/a/b"),
    ] {
        let runtime = load(&SEED.replacen(from, to, 1), "c.yaml").unwrap();
        let url = &runtime.mqtts[0].broker;
        assert_eq!(
            (url.host.as_str(), url.port, url.path.as_str()),
            (host, port, path)
        );
    }
}

#[test]
fn rejects_credentials_in_addresses_without_showing_them() {
    let problems = load(&SEED.replacen("tcp://192", "tcp://u:secret@192", 1), "c").unwrap_err();
    let text = problems.to_string();
    assert!(
        text.contains("belong in auth") && !text.contains("secret"),
        "{text}"
    );
}

#[test]
fn rejects_text_that_is_not_yaml_with_its_place() {
    let problems = load("mqtts: [", "c.yaml").unwrap_err();
    assert_eq!(problems.list.len(), 1);
    assert!(problems.list[0].position.is_some(), "{problems}");
    assert!(load("", "c.yaml").is_err());
    assert!(load("mqtts: 1\nmqtts: 2\n", "c.yaml").is_err());
}

proptest::proptest! {
    /// A damaged file is refused or accepted, but never ends the program.
    #[test]
    fn damaged_seeds_never_panic(at in 0..SEED.chars().count(), cut in 0_usize..30, put in ".{0,4}") {
        let damaged: String = SEED.chars().take(at).chain(put.chars())
            .chain(SEED.chars().skip(at + cut)).collect();
        let _ = load(&damaged, "c.yaml");
    }
}
