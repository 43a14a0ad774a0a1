//! Brokers, rules and ports.

use serde_json::{Value, json};

use crate::case::{Case, case};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = names();
    cases.extend(brokers());
    cases.extend(rules());
    cases.extend(topics());
    cases.extend(time_spans());
    cases.extend(ports());
    cases
}

fn names() -> Vec<Case> {
    let broker = json!({ "name": "plant", "broker": "tcp://h" });
    let func = json!({ "modelName": "m", "modelAddress": "http://h/m.zip" });
    let port = |port: u16, protocol: &str| json!({ "name": "a", "protocolPort": protocol, "outPort": port });
    let ports = json!([port(30001, "http://:1"), port(30002, "http://:2")]);
    // docs/faults.md: OP-40.
    let mut cases = vec![
        case("/mqtts").refuses(
            [json!([broker, broker])],
            &["spec.mqtts[1]", "Duplicate", "plant"],
        ),
        case("/funcs").refuses([json!([func, func])], &["spec.funcs[1]", "Duplicate", "m"]),
        case("/expose").refuses([ports], &["spec.expose[1]", "Duplicate"]),
        case("/mqtts/0/brokr").refuses([1], &["unknown field", "spec.mqtts[0].brokr"]),
        case("/funcs/0/devices/0/x").refuses([1], &["unknown field", "spec.funcs[0].devices[0].x"]),
    ];
    // docs/faults.md: OP-48.
    for (path, field) in [
        ("/mqtts/0/name", "name"),
        ("/mqtts/0/broker", "broker"),
        ("/rules/0/sub/topic", "topic"),
        ("/rules/0/pub/topic", "topic"),
        ("/funcs/0/modelName", "modelName"),
        ("/funcs/0/modelAddress", "modelAddress"),
        ("/funcs/0/devices/0/deviceName", "deviceName"),
        (
            "/funcs/0/devices/0/deviceAttr/0/attrExpression",
            "attrExpression",
        ),
        ("/expose/0/name", "name"),
    ] {
        let empty = case(path).refuses([""], &[field, "should be at least 1 chars long"]);
        cases.push(empty.refuses([Value::Null], &[field]));
    }
    for path in [
        "/mqtts/0/name",
        "/funcs/0/modelName",
        "/expose/0/name",
        "/rules/0/sub/clientId",
        "/rules/0/pub/clientId",
    ] {
        let mut case = case(path).refuses(
            [" \u{3000}", "a\tb", "a\u{0}"],
            &["blank or has control characters", "write some visible text"],
        );
        if path != "/mqtts/0/name" {
            case = case.accepts(["三厂 a/b", "it's \"it\""]);
        }
        cases.push(case);
    }
    cases
}

fn brokers() -> Vec<Case> {
    let files = ["caFile", "certFile", "keyFile"].map(|name| json!({ name: "/a" }));
    let secret = |name: &str| json!({ "name": name });
    vec![
        // docs/faults.md: OP-14.
        case("/mqtts/0/broker")
            .accepts([
                "tcp://h",
                "MQTT://h:1/",
                "tcp://[fe80::1]:1883",
                "ws://h/mqtt?a",
                "wss://h",
                "tcp://设备",
            ])
            .refuses(
                [
                    "h:1883",
                    "http://h",
                    "tcp://",
                    "tcp://h/x",
                    "tcp://a b",
                    "tcp:///h",
                    "tcp://h:",
                ],
                &["spec.mqtts[0].broker", "write it as tcp://host:1883"],
            )
            .refuses(
                ["tcp://u:secret@h"],
                &["the address is not", "without user and password"],
            ),
        case("/mqtts/0/tls").refuses([json!({})], &["spec.mqtts[0]", "write ssl://"]),
        // docs/faults.md: OP-42.
        case("/mqtts/0/qos").accepts([0, 1, 2]).refuses(
            [json!(-1), json!(3), json!(1.5), json!("1")],
            &["spec.mqtts[0].qos"],
        ),
        // Files in a worker's pod are not the user's to name, and many people may read a spec.
        case("/mqtts/1/credentialsSecretRef")
            .accepts([secret("broker-login")])
            .refuses(
                [secret("Broker Login")],
                &["name of an object", "lower case"],
            )
            .refuses([json!({})], &["credentialsSecretRef.name", "Required"]),
        case("/mqtts/1/tls")
            .accepts([json!({ "secretRef": { "name": "ca" }, "serverName": "h" })])
            .refuses(
                [json!({ "secretRef": { "name": "-ca" } })],
                &["tls.secretRef.name", "lower case"],
            )
            .refuses(files, &["spec.mqtts[1].tls", "secretRef"]),
        case("/mqtts/1/auth").refuses(
            [json!({ "username": "u", "password": "p" })],
            &["spec.mqtts[1]", "credentialsSecretRef"],
        ),
    ]
}

/// What rules say of brokers and of one another.
fn rules() -> Vec<Case> {
    let rule = |sub: &str, topic: &str, dead: &str| {
        json!([{ "sub": { "name": "plant", "topic": "telemetry" },
            "pub": { "name": sub, "topic": topic, "deadLetterTopic": dead } }])
    };
    let again = "choose a topic that no rule subscribes to";
    vec![
        case("/rules/0/sub")
            .accepts([
                json!({ "name": "plant", "topic": "telemetry" }),
                json!({ "name": "plant", "topics": ["line/1", "line/2"] }),
            ])
            .refuses(
                [
                    json!({ "name": "plant" }),
                    json!({ "name": "plant", "topics": [] }),
                ],
                &["spec.rules[0].sub", "give topic, or topics"],
            ),
        // docs/faults.md: OP-41.
        case("/rules/0/sub/name").refuses(
            ["paris"],
            &[
                "spec.rules",
                "a sub.name is not the name of an entry in mqtts; use one",
            ],
        ),
        case("/rules/0/pub/name").refuses(
            ["paris"],
            &[
                "spec.rules",
                "a pub.name is not the name of an entry in mqtts; use one",
            ],
        ),
        case("/mqtts").refuses([json!([])], &["spec.rules", "add that broker to mqtts"]),
        // docs/faults.md: OP-49: such results would come back as telemetry, without end.
        case("/rules")
            .accepts([
                rule("cloud", "telemetry", "dead"),
                rule("plant", "results", "dead"),
            ])
            .refuses(
                [rule("plant", "telemetry", "dead")],
                &["spec.rules", "pub.topic", again],
            )
            .refuses(
                [rule("plant", "results", "telemetry")],
                &["pub.deadLetterTopic", again],
            )
            .refuses(
                [rule("plant", "same", "same")],
                &["spec.rules[0].pub", "of its own"],
            ),
    ]
}

/// docs/faults.md: OP-52, OP-20: wildcards are for subscriptions.
fn topics() -> Vec<Case> {
    vec![
        case("/rules/0/pub/topic")
            .accepts(["a", "a/b/", "/设备", "a$b"])
            .refuses(
                ["a/+", "#", "$SYS/x", "a\n", "$share/g/a"],
                &["spec.rules[0].pub.topic", "leave out wildcards"],
            ),
        case("/rules/0/pub/deadLetterTopic").refuses(["a/#"], &["deadLetterTopic", "wildcards"]),
        case("/rules/0/sub/topic")
            .accepts([
                "a",
                "+",
                "#",
                "a/#",
                "+/+/#",
                "/",
                "a//b",
                "$share/g/a/+",
                "$SYS/#",
            ])
            .refuses(
                [
                    "a+",
                    "a/#/b",
                    "a#",
                    "$share/g",
                    "$share/g/",
                    "$share//a",
                    "a\u{7}",
                ],
                &["spec.rules[0].sub.topic", "whole level"],
            ),
    ]
}

/// docs/faults.md: OP-21.
fn time_spans() -> Vec<Case> {
    let fields = [
        ("/rules/0/pub/timeout", "spec.rules[0].pub.timeout"),
        ("/funcs/0/timeout", "spec.funcs[0].timeout"),
        ("/funcs/0/startTimeout", "spec.funcs[0].startTimeout"),
        ("/funcs/0/retry/backoff", "spec.funcs[0].retry.backoff"),
        ("/funcs/0/batch/wait", "spec.funcs[0].batch.wait"),
    ];
    let case = |(path, field)| {
        case(path)
            .accepts([1, 100, 3600])
            .accepts(["500ms", "10s", "2.5 m", "7"])
            .refuses([0, -1, 3601], &[field, "write whole seconds"])
            .refuses(["1h", "ten", "1e9"], &[field, "write whole seconds"])
            .refuses([""], &[field])
    };
    fields.map(case).into()
}

fn ports() -> Vec<Case> {
    vec![
        // docs/faults.md: OP-43, OP-31.
        case("/expose/0/outPort")
            .accepts([30001, 59999])
            .refuses(
                [30000, 60000, 0, -1, 70000, 1_000_000_000],
                &["spec.expose[0].outPort", "should be"],
            )
            .refuses(
                [32901],
                &["spec.expose", "same outPort", "give each its own"],
            ),
        // docs/faults.md: OP-26, OP-38.
        case("/expose/0/protocolPort")
            .accepts(["http://:1", "tcp://:65535", "http://0.0.0.0:80"])
            .refuses(
                [
                    "http://:0",
                    "http://:65536",
                    "udp://:1",
                    "http://h:1",
                    ":8080",
                    "http://:",
                    "http://:x",
                ],
                &["spec.expose[0].protocolPort", "write http://:8080"],
            )
            .refuses(
                ["http://:2901"],
                &["spec.expose", "same port in protocolPort"],
            ),
        case("/expose").accepts([json!([])]),
        case("/exposeMode")
            .accepts(["NodePort", "HostPort", "ClusterIP"])
            .refuses(["LoadBalancer"], &["spec.exposeMode", "\"ClusterIP\""]),
    ]
}
