//! What is said about many bad configurations, frozen: as a file, and as the spec of a runtime.
//!
//! With UPDATE set, the golden file is written; review the difference.

use std::fmt::Write as _;
use std::path::Path;

use super::SEED;
use crate::RuntimeSpec;
use crate::validate::{load, spec};

const SMALL: &str = "\
mqtts: [{name: a, broker: tcp://h}]
rules: [{sub: {name: a, topic: in}, pub: {name: a, topic: out}}]
funcs: [{modelName: m, modelAddress: file:///m.zip, devices: [{deviceName: d, deviceAttr: [{attrValue: v, attrExpression: == data_to_dict}]}]}]
expose: [{name: e, protocolPort: 'http://:8080', outPort: 30001}]
";

/// A part of [`SMALL`], and what stands there instead.
const EDITS: &[(&str, &str)] = &[
    // Lists and their names.
    ("mqtts: [{name: a, broker: tcp://h}]", ""),
    ("mqtts: [{name: a, broker: tcp://h}]", "mqtts: []"),
    ("mqtts: [{name: a, broker: tcp://h}]", "mqtts: a"),
    (
        "mqtts: [{name: a, broker: tcp://h}]",
        "mqtts: [{name: a, broker: tcp://h}, {name: a, broker: tcp://i}]",
    ),
    (
        "mqtts: [{name: a, broker: tcp://h}]",
        "mqtts: [{name: ab, broker: tcp://h}, {name: bb, broker: tcp://i}]",
    ),
    ("mqtts:", "mqtt:"),
    ("{name: a, broker: tcp://h}", "{name: '', broker: tcp://h}"),
    (
        "{name: a, broker: tcp://h}",
        "{name: \"a\\nb\", broker: tcp://h}",
    ),
    ("{name: a, broker: tcp://h}", "null"),
    ("rules: [", "rules: [7, "),
    ("funcs: [", "funcs: [{}, "),
    ("modelName: m", "modelName: ' '"),
    (
        "expose: [",
        "expose: [{name: e, protocolPort: 'tcp://:8080', outPort: 30001}, ",
    ),
    // Brokers.
    ("tcp://h", "h:1883"),
    ("tcp://h", "http://h"),
    ("tcp://h", "tcp://"),
    ("tcp://h", "'tcp://h:'"),
    ("tcp://h", "tcp://h:0"),
    ("tcp://h", "tcp://h/path"),
    ("tcp://h", "tcp://user:secret@h"),
    ("tcp://h", "'tcp://a b'"),
    ("tcp://h", "17"),
    ("broker: tcp://h", "broker: tcp://h, qos: 3"),
    ("broker: tcp://h", "broker: tcp://h, qos: 1.5"),
    ("broker: tcp://h", "broker: tcp://h, qos: '1'"),
    ("broker: tcp://h", "broker: tcp://h, retain: 'yes'"),
    ("broker: tcp://h", "broker: tcp://h, version: '4'"),
    ("broker: tcp://h", "broker: tcp://h, keepAlive: 4"),
    ("broker: tcp://h", "broker: tcp://h, maxPacketSize: 1000"),
    ("broker: tcp://h", "broker: tcp://h, auth: {}"),
    (
        "broker: tcp://h",
        "broker: tcp://h, auth: {username: u, usernameFile: f, password: p, passwordFile: f}",
    ),
    (
        "broker: tcp://h",
        "broker: tcp://h, auth: {username: u, password: 12345}",
    ),
    (
        "broker: tcp://h",
        "broker: tcp://h, auth: {username: u}, credentialsSecretRef: {name: s}",
    ),
    (
        "broker: tcp://h",
        "broker: tcp://h, credentialsSecretRef: {}",
    ),
    ("broker: tcp://h", "broker: tcp://h, tls: {}"),
    ("broker: tcp://h", "broker: ssl://h, tls: {certFile: c}"),
    (
        "broker: tcp://h",
        "broker: ssl://h, tls: {caFile: c, secretRef: {name: s}}",
    ),
    // Rules.
    ("sub: {name: a, topic: in}", "sub: {name: b, topic: in}"),
    ("sub: {name: a, topic: in}", "sub: {name: a}"),
    ("sub: {name: a, topic: in}", "sub: {name: a, topic: a/#/b}"),
    (
        "sub: {name: a, topic: in}",
        "sub: {name: a, topic: $share/g}",
    ),
    ("sub: {name: a, topic: in}", "sub: {name: a, topic: '#'}"),
    (
        "sub: {name: a, topic: in}",
        "sub: {name: a, topic: in, clientId: ''}",
    ),
    ("topic: out", "topic: out/+"),
    ("topic: out", "topic: $SYS/x"),
    ("topic: out", "topic: ''"),
    ("topic: out", "topic: \"a\\0\""),
    ("topic: out", "topic: out, deadLetterTopic: out"),
    ("topic: out", "topic: out, deadLetterTopic: in"),
    ("topic: out", "topic: out, timeout: 0"),
    ("topic: out", "topic: out, timeout: soon"),
    ("topic: out", "topic: out, timeout: 2h"),
    ("topic: out", "topic: out, timeout: 3601"),
    ("topic: out", "topic: out, timeout: true"),
    // Models.
    ("file:///m.zip", "m.zip"),
    ("file:///m.zip", "ftp://h/m.zip"),
    ("file:///m.zip", "file://m.zip"),
    ("file:///m.zip", "http://user:secret@h/m.zip"),
    ("modelName: m", "modelName: m, modelMd5: x, hosts: 0"),
    (
        "modelName: m",
        "modelName: m, timeout: 1e9, startTimeout: -1s",
    ),
    (
        "modelName: m",
        "modelName: m, preQueueSize: 0, postQueueSize: 1000001",
    ),
    (
        "file:///m.zip",
        "'https://h/m.zip', modelCredentials: {tokenFile: /t, usernameFile: /u}",
    ),
    (
        "file:///m.zip",
        "'https://h/m.zip', modelCredentials: {headerFile: /h, tokenFile: /t}",
    ),
    (
        "file:///m.zip",
        "'https://h/m.zip', modelCredentials: {passwordFile: /p, certFile: /c}",
    ),
    (
        "file:///m.zip",
        "'http://h/m.zip', modelCredentials: {tokenFile: /t, caFile: /c}",
    ),
    (
        "modelName: m",
        "modelName: m, modelCredentials: {tokenFile: /t}",
    ),
    ("file:///m.zip", "'https://h/m.zip', modelCredentials: {}"),
    (
        "file:///m.zip",
        "'https://h/m.zip', modelCredentials: {token: secret}",
    ),
    (
        "file:///m.zip",
        "'https://h/m.zip', modelCredentials: {tokenFile: /t}, modelCredentialsSecretRef: {name: s}",
    ),
    ("modelName: m", "modelName: m, onFull: dropoldest"),
    (
        "modelName: m",
        "modelName: m, replicas: 65, autoscaling: {class: hpaa, targetUtilization: 91}",
    ),
    ("modelName: m", "modelName: m, modelAdress: x"),
    ("deviceName: d", "deviceName: ''"),
    ("deviceName: d", "deviceName: 5"),
    ("attrValue: v", "attrValue: 5"),
    ("== data_to_dict", "== print(1)"),
    ("== data_to_dict", "is data_to_dict"),
    ("== data_to_dict", "'== data_to_dict[''a'''"),
    ("== data_to_dict", "''"),
    // Ports and what only a cluster uses.
    ("http://:8080", "udp://:1"),
    ("http://:8080", "http://:0"),
    ("outPort: 30001", "outPort: 30000"),
    ("outPort: 30001", "outPort: '30001'"),
    ("expose:", "exposeMode: NodPort\nexpose:"),
    (
        "expose:",
        "placement: {edge: 'true', tolerations: [{operator: Equals, tolerationSeconds: -1}]}\nexpose:",
    ),
    // Many at once, in the order of the text.
    (
        "name: a, broker: tcp://h",
        "name: '', broker: h, qos: 3, tls: {}",
    ),
    (
        "expose: [{name: e",
        "modelCache: {sizeLimit: 5}\nexpose: [{name: e, outport: 1",
    ),
    (
        "{name: a, broker: tcp://h}",
        "{qos: 9, tls: {certFile: c}, broker: 'h', nam: a}",
    ),
];

/// What is said about `text`, as a file and as a spec.
fn said(text: &str) -> String {
    let mut said = match load(text, "file") {
        Ok(_) => "file: valid\n".to_owned(),
        Err(problems) => format!("{problems}\n"),
    };
    let json: Option<serde_json::Value> = serde_saphyr::from_str(text).ok();
    match json.and_then(|json| serde_json::from_value::<RuntimeSpec>(json).ok()) {
        None => said.push_str("spec: not of its type\n"),
        Some(read) => match spec(&read, "spec") {
            Ok(_) => said.push_str("spec: valid\n"),
            Err(problems) => said.push_str(&format!("{problems}\n")),
        },
    }
    said
}

#[test]
fn nothing_else_is_said_than_before() {
    let mut text = String::new();
    for (from, to) in EDITS {
        assert!(SMALL.contains(from), "{from:?} is not in the configuration");
        let _ = write!(
            text,
            "# {from:?} -> {to:?}\n{}\n",
            said(&SMALL.replacen(from, to, 1))
        );
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = root.join("../tests/fuzz/corpus/config");
    let mut files: Vec<_> = std::fs::read_dir(corpus)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let content = std::fs::read_to_string(&file).unwrap();
        let _ = write!(text, "# {name}\n{}\n", said(&content));
    }
    // A damaged line of the seed, each in its turn.
    for (index, line) in SEED.lines().enumerate() {
        if let Some((key, _)) = line.split_once(": ") {
            let damaged = SEED.replacen(line, &format!("{key}: 7"), 1);
            let _ = write!(
                text,
                "# line {} of the seed\n{}\n",
                index + 1,
                said(&damaged)
            );
        }
    }
    let path = root.join("golden/problems.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(root.join("golden")).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    for (now, before) in std::iter::zip(text.split("\n\n"), expected.split("\n\n")) {
        assert_eq!(now, before, "set UPDATE=1 and review the difference");
    }
    assert_eq!(
        text.len(),
        expected.len(),
        "set UPDATE=1 and review the difference"
    );
}
