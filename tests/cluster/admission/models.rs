//! Models, devices and scaling.

use serde_json::json;

use super::{accepts, rejects};

/// docs/faults.md: OP-44: a digest that cannot be read is shown in the status of its model alone.
#[tokio::test]
async fn any_digest_is_accepted() -> anyhow::Result<()> {
    let right = [
        "pZ4DJ+YhYM9ppHD+VhLi+A==",
        "a59e0327e62160cf69a470fe5612e2f8",
        "pZ4DJ+YhYM9ppHD+VhLi+A=1",
        "pZ4DJ+YhYM9ppHD+VhLi+A=",
        "pZ4DJ+YhYM9ppHD+VhLi+A===",
        "",
    ];
    accepts("/funcs/0/modelMd5", right.map(|text| json!(text))).await
}

/// docs/faults.md: OP-45.
#[tokio::test]
async fn addresses_are_http_with_host_and_path_and_without_credentials() -> anyhow::Result<()> {
    let path = "/funcs/0/modelAddress";
    let right = [
        "http://10.200.60.18:9000/group1/M00/49/04/C.zip",
        "https://h/m.zip?a=b",
        "HTTP://h/a@b",
        "http://[fe80::1]/m.zip",
        "http://设备/m.zip",
    ];
    accepts(path, right.map(|text| json!(text))).await?;
    let wrong = [
        "file:///m.zip",
        "ftp://h/m.zip",
        "http:///m.zip",
        "http://h",
        "http://[::1]",
        "m.zip",
        "http://h/a b",
        "http://h/",
        "http://:80/m.zip",
    ];
    let remedy = "write it as http://host/path/model.zip";
    rejects(
        path,
        wrong.map(|text| json!(text)),
        &["spec.funcs[0].modelAddress", remedy],
    )
    .await?;
    rejects(
        path,
        [json!("http://u:secret@h/m.zip")],
        &["the address is not", "without user and password"],
    )
    .await?;
    let long = format!("http://h/{}", "a".repeat(3000));
    rejects(path, [json!(long)], &["spec.funcs[0].modelAddress", "2048"]).await
}

/// docs/faults.md: OP-46, OP-11.
#[tokio::test]
async fn expressions_are_of_the_grammar() -> anyhow::Result<()> {
    let path = "/funcs/0/devices/0/deviceAttr/0/attrExpression";
    let right = [
        "== data_to_dict['deviceInfo']['deviceName']",
        "in data_to_dict",
        "not in data_to_dict[\"a\"]",
        "<=data_to_dict['a'][ -1 ]",
        " >\tdata_to_dict [0] ['设备'] ",
        "!= data_to_dict['it\\'s']",
    ];
    for text in right {
        crds::expression::parse(text)?;
        accepts(path, [json!(text)]).await?;
    }
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
    for text in wrong {
        assert!(crds::expression::parse(text).is_err(), "{text}");
        rejects(
            path,
            [json!(text)],
            &["attrExpression", "should match", "data_to_dict"],
        )
        .await?;
    }
    let long = format!("== data_to_dict['{}']", "a".repeat(1 << 20));
    rejects(path, [json!(long)], &["attrExpression", "512"]).await
}

/// docs/faults.md: OP-47: names of children and paths are derived from what people call a model.
#[tokio::test]
async fn models_have_any_name() -> anyhow::Result<()> {
    let right = [
        "a/b",
        "..",
        "it's \"it\"",
        "设备",
        "1",
        "class",
        &"m".repeat(128),
        "-",
        "A.b_c",
    ];
    accepts("/funcs/0/modelName", right.map(|text| json!(text))).await
}

/// docs/faults.md: OP-12, OP-10.
#[tokio::test]
async fn attributes_have_any_value() -> anyhow::Result<()> {
    let path = "/funcs/0/devices/0/deviceAttr/0/attrValue";
    accepts(
        path,
        ["设备2", &"a".repeat(1024), "'\"", "a\nb", ""].map(|text| json!(text)),
    )
    .await?;
    accepts("/funcs/0/devices/0/deviceAttr", [json!([])]).await?;
    accepts("/funcs/0/devices", [json!([])]).await?;
    let path = "/funcs/0/devices/0/deviceName";
    accepts(
        path,
        ["三厂-pyboot测试设备2", "a b"].map(|text| json!(text)),
    )
    .await?;
    rejects(
        path,
        [json!(" "), json!("a\nb")],
        &["spec.funcs[0].devices[0].deviceName"],
    )
    .await
}

/// docs/faults.md: OP-22, OP-23.
#[tokio::test]
async fn scaling_makes_sense() -> anyhow::Result<()> {
    accepts("/funcs/0/replicas", [json!(0), json!(1), json!(64)]).await?;
    rejects(
        "/funcs/0/replicas",
        [json!(-1), json!(65)],
        &["spec.funcs[0].replicas"],
    )
    .await?;
    let path = "/funcs/0/autoscaling";
    let prometheus = "http://prometheus.monitoring:9090";
    accepts(
        path,
        [
            json!({ "class": "none" }),
            json!({ "class": "hpa", "minReplicas": 2, "maxReplicas": 2 }),
            json!({ "class": "keda", "prometheusAddress": prometheus }),
            json!({ "class": "external" }),
            json!({ "class": "hpa", "targetUtilization": 1 }),
            json!({ "class": "hpa", "targetUtilization": 90 }),
        ],
    )
    .await?;
    rejects(
        path,
        [0, 91].map(|target| json!({ "class": "hpa", "targetUtilization": target })),
        &["spec.funcs[0].autoscaling.targetUtilization"],
    )
    .await?;
    let upside_down = [
        json!({ "minReplicas": 3, "maxReplicas": 2 }),
        json!({ "minReplicas": 5 }),
    ];
    rejects(
        path,
        upside_down,
        &["spec.funcs[0].autoscaling", "raise maxReplicas"],
    )
    .await?;
    rejects(
        path,
        [json!({ "class": "keda" })],
        &["autoscaling", "needs prometheusAddress"],
    )
    .await?;
    rejects(path, [json!({ "class": "vpa" })], &["class", "\"hpa\""]).await
}

#[tokio::test]
async fn resources_are_quantities() -> anyhow::Result<()> {
    let path = "/funcs/0/resources";
    let both = |request: &str, limit: &str| json!({ "requests": { "memory": request }, "limits": { "memory": limit } });
    accepts(
        path,
        [
            both("256Mi", "1Gi"),
            json!({ "limits": { "cpu": "0.5" } }),
            json!({}),
        ],
    )
    .await?;
    rejects(
        path,
        [both("2Gi", "1Gi")],
        &["spec.funcs[0].resources", "more than its limit"],
    )
    .await?;
    rejects(
        path,
        [both("-1", "1"), both("ten", "1"), both("0", "1")],
        &["resources.requests", "500m"],
    )
    .await?;
    rejects(
        path,
        [json!({ "limits": { "gpu": "1" } })],
        &["resources.limits", "give cpu, memory"],
    )
    .await
}
