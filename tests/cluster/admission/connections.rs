//! Brokers, rules and ports.

use serde_json::json;

use super::{accepts, rejects};

/// docs/faults.md: OP-40.
#[tokio::test]
async fn names_are_unique() -> anyhow::Result<()> {
    let broker = json!({ "name": "plant", "broker": "tcp://h" });
    rejects(
        "/mqtts",
        [json!([broker, broker])],
        &["spec.mqtts[1]", "Duplicate", "plant"],
    )
    .await?;
    let func = json!({ "modelName": "m", "modelAddress": "http://h/m.zip" });
    rejects(
        "/funcs",
        [json!([func, func])],
        &["spec.funcs[1]", "Duplicate", "m"],
    )
    .await?;
    let port = |port: u16, protocol: &str| json!({ "name": "a", "protocolPort": protocol, "outPort": port });
    let ports = json!([port(30001, "http://:1"), port(30002, "http://:2")]);
    rejects("/expose", [ports], &["spec.expose[1]", "Duplicate"]).await
}

/// docs/faults.md: OP-41.
#[tokio::test]
async fn rules_refer_to_brokers() -> anyhow::Result<()> {
    for end in ["sub", "pub"] {
        let words = [
            "spec.rules",
            &format!("a {end}.name is not the name of an entry in mqtts; use one"),
        ];
        rejects(&format!("/rules/0/{end}/name"), [json!("paris")], &words).await?;
    }
    rejects(
        "/mqtts",
        [json!([])],
        &["spec.rules", "add that broker to mqtts"],
    )
    .await
}

/// docs/faults.md: OP-42.
#[tokio::test]
async fn qos_is_0_to_2() -> anyhow::Result<()> {
    accepts("/mqtts/0/qos", [json!(0), json!(1), json!(2)]).await?;
    let wrong = [json!(-1), json!(3), json!(1.5), json!("1")];
    rejects("/mqtts/0/qos", wrong, &["spec.mqtts[0].qos"]).await
}

/// docs/faults.md: OP-43, OP-31.
#[tokio::test]
async fn out_ports_are_between_30000_and_60000_and_used_once() -> anyhow::Result<()> {
    let path = "/expose/0/outPort";
    accepts(path, [json!(30001), json!(59999)]).await?;
    let wrong = [30000, 60000, 0, -1, 70000, 1_000_000_000];
    rejects(
        path,
        wrong.map(|port| json!(port)),
        &["spec.expose[0].outPort", "should be"],
    )
    .await?;
    rejects(
        path,
        [json!(32901)],
        &["spec.expose", "same outPort", "give each its own"],
    )
    .await
}

/// docs/faults.md: OP-26, OP-38.
#[tokio::test]
async fn protocol_ports_are_http_or_tcp_and_used_once() -> anyhow::Result<()> {
    let path = "/expose/0/protocolPort";
    accepts(
        path,
        ["http://:1", "tcp://:65535", "http://0.0.0.0:80"].map(|text| json!(text)),
    )
    .await?;
    let wrong = [
        "http://:0",
        "http://:65536",
        "udp://:1",
        "http://h:1",
        ":8080",
        "http://:",
        "http://:x",
    ];
    rejects(
        path,
        wrong.map(|text| json!(text)),
        &["spec.expose[0].protocolPort", "write http://:8080"],
    )
    .await?;
    rejects(
        path,
        [json!("http://:2901")],
        &["spec.expose", "same port in protocolPort"],
    )
    .await
}

/// docs/faults.md: OP-49: results that come back as telemetry go round for ever.
#[tokio::test]
async fn results_are_not_subscribed_to() -> anyhow::Result<()> {
    let rule = |sub: &str, topic: &str, dead: &str| {
        json!([{ "sub": { "name": "plant", "topic": "telemetry" },
            "pub": { "name": sub, "topic": topic, "deadLetterTopic": dead } }])
    };
    accepts(
        "/rules",
        [
            rule("cloud", "telemetry", "dead"),
            rule("plant", "results", "dead"),
        ],
    )
    .await?;
    let again = "choose a topic that no rule subscribes to";
    rejects(
        "/rules",
        [rule("plant", "telemetry", "dead")],
        &["spec.rules", "pub.topic", again],
    )
    .await?;
    rejects(
        "/rules",
        [rule("plant", "results", "telemetry")],
        &["pub.deadLetterTopic", again],
    )
    .await?;
    rejects(
        "/rules",
        [rule("plant", "same", "same")],
        &["spec.rules[0].pub", "of its own"],
    )
    .await
}

/// docs/faults.md: OP-52, OP-20.
#[tokio::test]
async fn wildcards_are_for_subscriptions() -> anyhow::Result<()> {
    let path = "/rules/0/pub/topic";
    accepts(path, ["a", "a/b/", "/设备", "a$b"].map(|text| json!(text))).await?;
    let wrong = ["a/+", "#", "$SYS/x", "a\n", "$share/g/a"];
    rejects(
        path,
        wrong.map(|text| json!(text)),
        &["spec.rules[0].pub.topic", "leave out wildcards"],
    )
    .await?;
    rejects(
        "/rules/0/pub/deadLetterTopic",
        [json!("a/#")],
        &["deadLetterTopic", "wildcards"],
    )
    .await?;
    let path = "/rules/0/sub/topic";
    let right = [
        "a",
        "+",
        "#",
        "a/#",
        "+/+/#",
        "/",
        "a//b",
        "$share/g/a/+",
        "$SYS/#",
    ];
    accepts(path, right.map(|text| json!(text))).await?;
    let wrong = [
        "a+",
        "a/#/b",
        "a#",
        "$share/g",
        "$share/g/",
        "$share//a",
        "a\u{7}",
    ];
    rejects(
        path,
        wrong.map(|text| json!(text)),
        &["spec.rules[0].sub.topic", "whole level"],
    )
    .await
}

/// docs/faults.md: OP-14.
#[tokio::test]
async fn brokers_have_addresses() -> anyhow::Result<()> {
    let path = "/mqtts/0/broker";
    let right = [
        "tcp://h",
        "MQTT://h:1/",
        "tcp://[fe80::1]:1883",
        "ws://h/mqtt?a",
        "wss://h",
        "tcp://设备",
    ];
    accepts(path, right.map(|text| json!(text))).await?;
    let wrong = [
        "h:1883",
        "http://h",
        "tcp://",
        "tcp://h/x",
        "tcp://a b",
        "tcp:///h",
        "tcp://h:",
    ];
    rejects(
        path,
        wrong.map(|text| json!(text)),
        &["spec.mqtts[0].broker", "write it as tcp://host:1883"],
    )
    .await?;
    rejects(
        path,
        [json!("tcp://u:secret@h")],
        &["the address is not", "without user and password"],
    )
    .await?;
    rejects(
        "/mqtts/0/tls",
        [json!({})],
        &["spec.mqtts[0]", "write ssl://"],
    )
    .await
}

/// Files in a worker's pod are not the user's to name, and a password in a spec is everybody's to read.
#[tokio::test]
async fn credentials_come_from_secrets() -> anyhow::Result<()> {
    let path = "/mqtts/1/credentialsSecretRef";
    accepts(path, [json!({ "name": "broker-login" })]).await?;
    rejects(
        path,
        [json!({ "name": "Broker Login" })],
        &["name of an object", "lower case"],
    )
    .await?;
    rejects(
        path,
        [json!({})],
        &["credentialsSecretRef.name", "Required"],
    )
    .await?;
    accepts(
        "/mqtts/1/tls",
        [json!({ "secretRef": { "name": "ca" }, "serverName": "h" })],
    )
    .await?;
    let auth = json!({ "username": "u", "password": "p" });
    rejects(
        "/mqtts/1/auth",
        [auth],
        &["spec.mqtts[1]", "credentialsSecretRef"],
    )
    .await?;
    let files = ["caFile", "certFile", "keyFile"].map(|name| json!({ name: "/a" }));
    rejects("/mqtts/1/tls", files, &["spec.mqtts[1].tls", "secretRef"]).await
}

/// docs/faults.md: OP-48.
#[tokio::test]
async fn required_texts_are_there() -> anyhow::Result<()> {
    for path in [
        "/mqtts/0/name",
        "/mqtts/0/broker",
        "/rules/0/sub/topic",
        "/rules/0/pub/topic",
        "/funcs/0/modelName",
        "/funcs/0/modelAddress",
        "/funcs/0/devices/0/deviceName",
        "/funcs/0/devices/0/deviceAttr/0/attrExpression",
        "/expose/0/name",
    ] {
        let field = path.rsplit('/').next().unwrap_or_default();
        rejects(
            path,
            [json!("")],
            &[field, "should be at least 1 chars long"],
        )
        .await?;
        rejects(path, [json!(null)], &[field]).await?;
    }
    for path in [
        "/mqtts/0/name",
        "/funcs/0/modelName",
        "/expose/0/name",
        "/rules/0/sub/clientId",
    ] {
        let blank = [json!(" \u{3000}"), json!("a\tb"), json!("a\u{0}")];
        rejects(
            path,
            blank,
            &["blank or has control characters", "write some visible text"],
        )
        .await?;
    }
    let unknown = [json!(1)];
    rejects(
        "/mqtts/0/brokr",
        unknown.clone(),
        &["unknown field", "spec.mqtts[0].brokr"],
    )
    .await?;
    rejects(
        "/funcs/0/devices/0/x",
        unknown,
        &["unknown field", "spec.funcs[0].devices[0].x"],
    )
    .await
}

/// docs/faults.md: OP-21.
#[tokio::test]
async fn time_spans_have_units_and_ends() -> anyhow::Result<()> {
    let right = [
        json!(1),
        json!(100),
        json!(3600),
        json!("500ms"),
        json!("10s"),
        json!("2.5 m"),
        json!("7"),
    ];
    let wrong = [
        json!(0),
        json!(-1),
        json!(3601),
        json!("1h"),
        json!(""),
        json!("ten"),
        json!("1e9"),
    ];
    for path in [
        "/rules/0/pub/timeout",
        "/funcs/0/timeout",
        "/funcs/0/startTimeout",
    ] {
        accepts(path, right.clone()).await?;
        rejects(path, wrong.clone(), &["imeout"]).await?;
    }
    rejects(
        "/funcs/0/timeout",
        [json!("1h"), json!(0)],
        &["spec.funcs[0].timeout", "write whole seconds"],
    )
    .await
}
