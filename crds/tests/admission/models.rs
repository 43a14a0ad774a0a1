//! Models, devices and scaling.

use serde_json::{Value, json};

use crate::case::{Case, case};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = models();
    cases.extend(sandboxes());
    cases.extend(devices());
    cases.push(expressions());
    cases.extend(stores());
    cases.extend(scaling());
    cases
}

fn sandboxes() -> Vec<Case> {
    vec![
        case("/funcs/0/sandbox").accepts([
            json!({}),
            json!({ "mode": "off" }),
            json!({ "network": "none", "read": ["/data"], "write": ["/var/lib/plant"], "required": true }),
        ]),
        case("/funcs/0/sandbox/network").refuses(
            [json!(["10.0.0.1"]), json!("some")],
            &["spec.funcs[0].sandbox.network"],
        ),
        case("/funcs/0/sandbox/processes")
            .accepts([1, 65_535])
            .refuses([0, 65_536], &["spec.funcs[0].sandbox.processes"]),
        case("/funcs/0/sandbox/memory")
            .accepts(["500Mi", "2Gi", "1000000"])
            .refuses(["1.5Gi", "0", "-1Mi", "2 Gi"], &["spec.funcs[0].sandbox.memory"]),
        case("/funcs/0/sandbox/write").refuses(
            [json!(["data"]), json!([""])],
            &["spec.funcs[0].sandbox.write[0]"],
        ),
    ]
}

fn models() -> Vec<Case> {
    let long = "m".repeat(128);
    let names = [
        "a/b",
        "..",
        "it's \"it\"",
        "设备",
        "1",
        "class",
        &long,
        "-",
        "A.b_c",
    ];
    vec![
        case("/funcs").accepts([json!([])]),
        case("/funcs/0/modelCredentials").refuses(
            [
                json!({ "tokenFile": "/run/token" }),
                json!({ "usernameFile": "/run/user", "passwordFile": "/run/password" }),
                json!({}),
            ],
            &["spec.funcs[0]", "name it in modelCredentialsSecretRef"],
        ),
        case("/funcs/0/modelCredentials/token").refuses(
            ["secret"],
            &["unknown field", "spec.funcs[0].modelCredentials.token"],
        ),
        case("/funcs/0/modelCredentialsSecretRef")
            .accepts([json!({ "name": "store" })])
            .refuses(
                [json!({ "name": "A" })],
                &[
                    "modelCredentialsSecretRef.name",
                    "is not the name of an object",
                ],
            ),
        case("/funcs/0/batch").accepts([json!({}), json!({ "max": 256, "wait": "50ms" })]),
        case("/funcs/0/batch/max")
            .accepts([1, 256])
            .refuses([0, 257], &["spec.funcs[0].batch.max", "should be"]),
        case("/funcs/0/retry").accepts([json!({}), json!({ "attempts": 2 })]),
        case("/funcs/0/retry/attempts")
            .accepts([2, 100])
            .refuses([0, 1, 101], &["spec.funcs[0].retry.attempts", "should be"]),
        // docs/faults.md: OP-47: names of children and paths are derived from a model's name.
        case("/funcs/0/modelName").accepts(names),
        // docs/faults.md: OP-44: a digest that cannot be read is shown in the status of its model alone.
        case("/funcs/0/modelMd5").accepts([
            "pZ4DJ+YhYM9ppHD+VhLi+A==",
            "a59e0327e62160cf69a470fe5612e2f8",
            "pZ4DJ+YhYM9ppHD+VhLi+A=1",
            "pZ4DJ+YhYM9ppHD+VhLi+A=",
            "pZ4DJ+YhYM9ppHD+VhLi+A===",
            "",
        ]),
        // docs/faults.md: OP-45.
        case("/funcs/0/modelAddress")
            .accepts([
                "http://10.200.60.18:9000/group1/M00/49/04/C.zip",
                "https://h/m.zip?a=b",
                "HTTP://h/a@b",
                "http://[fe80::1]/m.zip",
                "http://设备/m.zip",
                "s3://models/line-1/m.zip",
                "S3://my.models/%23.zip",
            ])
            .refuses(
                [
                    "file:///m.zip",
                    "ftp://h/m.zip",
                    "http:///m.zip",
                    "http://h",
                    "http://[::1]",
                    "m.zip",
                    "http://h/a b",
                    "http://h/",
                    "http://:80/m.zip",
                    "s3://models",
                    "s3://models/",
                    "s3://m/k",
                    "s3:///m.zip",
                    "s3://models:9000/m.zip",
                    "s3://models/m.zip?versionId=1",
                ],
                &[
                    "spec.funcs[0].modelAddress",
                    "write it as http://host/path/model.zip",
                ],
            )
            .refuses(
                ["http://u:secret@h/m.zip", "s3://key:secret@models/m.zip"],
                &["the address is not", "without user and password"],
            )
            .refuses(
                [format!("http://h/{}", "a".repeat(3000))],
                &["spec.funcs[0].modelAddress", "2048"],
            ),
    ]
}

/// docs/faults.md: OP-12, OP-10.
fn devices() -> Vec<Case> {
    let attribute = json!({ "attrName": "<".repeat(253), "attrValue": "<".repeat(1024),
        "attrExpression": "== data_to_dict" });
    let device = json!({ "deviceName": "d", "deviceAttr": vec![attribute; 8] });
    let devices = |count| Value::from(vec![device.clone(); count]);
    let func = |index: usize| {
        json!({ "modelName": format!("m{index}"), "modelAddress": "http://h/m.zip",
        "devices": devices(10) })
    };
    vec![
        case("/funcs/0/devices/0/deviceAttr/0/attrValue").accepts([
            "设备2",
            &"a".repeat(1024),
            "'\"",
            "a\nb",
            "",
        ]),
        case("/funcs/0/devices/0/deviceAttr").accepts([json!([])]),
        case("/funcs/0/devices")
            .accepts([json!([]), devices(19)])
            .refuses([devices(20)], &["spec.funcs", "divide"]),
        case("/funcs").refuses(
            [(0..2).map(func).collect::<Value>()],
            &["spec.funcs", "divide"],
        ),
        case("/funcs/0/devices/0/deviceName")
            .accepts(["三厂-pyboot测试设备2", "a b"])
            .refuses([" ", "a\nb"], &["spec.funcs[0].devices[0].deviceName"]),
    ]
}

/// docs/faults.md: OP-46, OP-11: the CRD's pattern and [`crds::expression`] are one grammar.
fn expressions() -> Case {
    let right = [
        "== data_to_dict['deviceInfo']['deviceName']",
        "in data_to_dict",
        "not in data_to_dict[\"a\"]",
        "<=data_to_dict['a'][ -1 ]",
        " >\tdata_to_dict [0] ['设备'] ",
        "!= data_to_dict['it\\'s']",
    ];
    let wrong = [
        "== data_to_dict.get('a')",
        "== data_to_dict['a'].b",
        "== __import__('os')",
        "== data_to_dict['a'](1)",
        "== data_to_dict['a'b']",
        "== data_to_dict[a]",
        "= data_to_dict",
        "== data",
        "data_to_dict == 1",
        "indata_to_dict",
        "== data_to_dict['a'] or True",
        "== data_to_dict['a",
        "== data_to_dict[1.5]",
        "not data_to_dict",
        "== data_to_dicts",
        "== data_to_dict[f'a']",
    ];
    for (text, grammatical) in right
        .map(|text| (text, true))
        .into_iter()
        .chain(wrong.map(|text| (text, false)))
    {
        assert_eq!(crds::expression::parse(text).is_ok(), grammatical, "{text}");
    }
    let long = format!("== data_to_dict['{}']", "a".repeat(1 << 20));
    case("/funcs/0/devices/0/deviceAttr/0/attrExpression")
        .accepts(right)
        .refuses(wrong, &["attrExpression", "should match", "data_to_dict"])
        .refuses([long], &["attrExpression", "512"])
}

/// docs/faults.md: OP-22, OP-23.
fn scaling() -> Vec<Case> {
    let both = |request: &str, limit: &str| json!({ "requests": { "memory": request }, "limits": { "memory": limit } });
    let prometheus = |address: &str| json!({ "class": "keda", "prometheusAddress": address });
    vec![
        case("/funcs/0/replicas")
            .accepts([0, 1, 64])
            .refuses([-1, 65], &["spec.funcs[0].replicas"]),
        case("/funcs/0/autoscaling")
            .accepts([
                json!({ "class": "none" }),
                json!({ "class": "hpa", "minReplicas": 2, "maxReplicas": 2 }),
                json!({ "class": "external" }),
                json!({ "class": "hpa", "targetUtilization": 1 }),
                json!({ "class": "hpa", "targetUtilization": 90 }),
                prometheus("http://prometheus.monitoring:9090"),
                prometheus("https://h/prefix"),
            ])
            .refuses(
                [0, 91].map(|target| json!({ "class": "hpa", "targetUtilization": target })),
                &["spec.funcs[0].autoscaling.targetUtilization"],
            )
            .refuses(
                [
                    json!({ "minReplicas": 3, "maxReplicas": 2 }),
                    json!({ "minReplicas": 5 }),
                ],
                &["spec.funcs[0].autoscaling", "raise maxReplicas"],
            )
            .refuses(
                [json!({ "class": "keda" })],
                &["autoscaling", "needs prometheusAddress"],
            )
            .refuses(
                ["prometheus:9090", "http://", "http://a b"].map(prometheus),
                &[
                    "autoscaling.prometheusAddress",
                    "write it as http://prometheus.monitoring:9090",
                ],
            )
            .refuses([json!({ "class": "vpa" })], &["class", "\"hpa\""]),
        case("/funcs/0/resources")
            .accepts([
                both("256Mi", "1Gi"),
                json!({ "limits": { "cpu": "0.5" } }),
                json!({}),
            ])
            .refuses(
                [both("2Gi", "1Gi")],
                &["spec.funcs[0].resources", "more than its limit"],
            )
            .refuses(
                [both("-1", "1"), both("ten", "1"), both("0", "1")],
                &["resources.requests", "500m"],
            )
            .refuses(
                [json!({ "limits": { "gpu": "1" } })],
                &["resources.limits", "give cpu, memory"],
            ),
    ]
}

fn stores() -> Vec<Case> {
    vec![
        case("/funcs/0/modelS3").refuses(
            [json!({}), json!({ "region": "eu-west-1" })],
            &["spec.funcs[0]", "write s3://bucket/key in modelAddress"],
        ),
        case("/funcs/0").accepts([
            of_s3(&json!({})),
            of_s3(&json!({ "endpoint": "https://minio:9000/s3", "region": "eu-west-1", "pathStyle": false })),
            of_s3(&json!({ "endpoint": "http://[::1]:9000" })),
        ])
        .refuses(
            ["minio:9000", "s3://minio", "https://u:p@minio", "https://minio?a", "https://"]
                .map(|endpoint| of_s3(&json!({ "endpoint": endpoint }))),
            &["spec.funcs[0].modelS3.endpoint", "write it as https://host:9000"],
        )
        .refuses(
            ["us east", "-a", "a/b"].map(|region| of_s3(&json!({ "region": region }))),
            &["spec.funcs[0].modelS3.region", "write it as us-east-1"],
        ),
    ]
}

/// A model in an S3 store.
fn of_s3(s3: &Value) -> Value {
    json!({ "modelName": "m", "modelAddress": "s3://models/m.zip", "modelS3": s3 })
}
