//! What is accepted and what is refused, most of it as changes to pyboot's own sample.

mod databases;
mod frozen;
mod meaning;
mod normative;
mod payloads;
mod placement;
mod sandbox;
mod shape;
mod text;

use super::load;
use crate::Reason;
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
    assert_eq!(refusal.reason, Reason::InvalidDigest);
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
                at(17, 41)
            ),
            ("expose[0].protocolPort", at(19, 27)),
            ("expose[0].outPort", at(19, 48)),
        ],
        "{problems}"
    );
}

#[test]
fn no_message_shows_a_password() {
    for (from, to) in [
        ("retain: false", "auth: {username: u, password: 5551234}"),
        ("retain: false", "auth: u:5551234"),
        ("retain: false", "auth: {username: u, passwrd: 5551234}"),
        (
            "retain: false",
            "auth: {username: u, password: '5551234', passwordFile: f}",
        ),
        ("tcp://192", "tcp://u:5551234@192"),
        ("tcp://192.168.241.1:1883", "u:5551234@h"),
        ("http://10.200.60.18:9000", "http://u:5551234@h"),
        ("http://10.200.60.18:9000", "http://u:5551234@h:99999"),
        ("http://10.200.60.18:9000", "ftp://u:5551234@h"),
    ] {
        assert!(SEED.contains(from), "{from}");
        let problems = load(&SEED.replacen(from, to, 1), "c")
            .unwrap_err()
            .to_string();
        assert!(!problems.contains("5551234"), "{problems}");
    }
}

proptest::proptest! {
    /// No text at all ends the program either.
    #[test]
    fn arbitrary_texts_never_panic(text in "(?s).{0,200}") {
        let _ = load(&text, "c.yaml");
    }

    /// Lines of the seed in another order and depth are still mostly YAML.
    #[test]
    fn shuffled_seeds_never_panic(
        lines in proptest::collection::vec((proptest::sample::select(SEED.lines().collect::<Vec<_>>()), 0_usize..6), 0..40),
    ) {
        let text: String = lines.iter().map(|(line, indent)| format!("{}{line}\n", " ".repeat(*indent))).collect();
        let _ = load(&text, "c.yaml");
    }

    /// A damaged file is refused or accepted, but never ends the program.
    #[test]
    fn damaged_seeds_never_panic(at in 0..SEED.chars().count(), cut in 0_usize..30, put in ".{0,4}") {
        let damaged: String = SEED.chars().take(at).chain(put.chars())
            .chain(SEED.chars().skip(at + cut)).collect();
        let _ = load(&damaged, "c.yaml");
    }
}
