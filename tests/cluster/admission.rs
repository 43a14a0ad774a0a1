//! What only an API server can say of the CRD: that it takes it with all its rules, that they stay within its
//! limits of cost and etcd's of size, and what it says of a refused runtime.
//!
//! What is accepted and what is refused, field by field, is tested in process in `crds/tests/admission`.

use anyhow::Context as _;
use crds::EdgeModelRuntime;
use kube::Resource as _;
use serde_json::{Value, json};
use tests::operator::cluster;

/// One of each kind of constraint: a structural schema's and those of rules with a fixed message, a quoted value,
/// a path within and a library of Kubernetes.
#[tokio::test]
async fn what_a_constraint_refuses_is_named_with_a_remedy() -> anyhow::Result<()> {
    for (path, value, words) in [
        (
            "/mqtts/0/brokr",
            json!(1),
            ["unknown field", "spec.mqtts[0].brokr"],
        ),
        (
            "/mqtts/1/name",
            json!("plant"),
            ["spec.mqtts[1]", "Duplicate"],
        ),
        (
            "/funcs/0/modelName",
            json!(""),
            ["spec.funcs[0].modelName", "at least 1 chars long"],
        ),
        (
            "/funcs/0/devices/0/deviceAttr/0/attrExpression",
            json!("== data_to_dict[a]"),
            ["attrExpression", "should match"],
        ),
        ("/mqtts/0/tls", json!({}), ["spec.mqtts[0]", "write ssl://"]),
        (
            "/rules/0/pub/topic",
            json!("a/#"),
            [
                "spec.rules[0].pub.topic",
                "\"a/#\" is not a topic to publish to",
            ],
        ),
        (
            "/rules/0/sub/name",
            json!("paris"),
            ["spec.rules", "add that broker to mqtts"],
        ),
        (
            "/modelCache",
            json!({ "sizeLimit": "much" }),
            ["spec.modelCache.sizeLimit", "2Gi"],
        ),
    ] {
        let mut spec = spec();
        let (parent, field) = path.rsplit_once('/').context("not a path")?;
        let parent = spec.pointer_mut(parent).context("no such object")?;
        parent[field] = value;
        let said = create("r", &spec).await?.expect_err(path);
        for word in words {
            assert!(said.contains(word), "{path}: no {word:?} in {said}");
        }
    }
    Ok(())
}

/// pyboot's users move by putting `spec:` above what they have; its second digest is not base64, which
/// the status tells of that model alone.
#[tokio::test]
async fn pyboots_configuration_unchanged() -> anyhow::Result<()> {
    let control_plane = cluster().await?;
    let namespace = control_plane.namespace("sample").await?;
    let sample = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../deploy/samples/edgemodel.yaml"
    );
    for more in [
        &["--server-side=false"][..],
        &["--server-side", "--force-conflicts"],
    ] {
        let mut arguments = vec!["apply", "-n", &namespace, "--validate=strict", "-f", sample];
        arguments.extend(more);
        control_plane.kubectl(&arguments).await?;
    }
    let path = "jsonpath={.status.observedGeneration}";
    let arguments = ["get", "emr", "edgemodel", "-n", &namespace, "-o", path];
    assert_eq!(control_plane.kubectl(&arguments).await?, "-1");
    Ok(())
}

/// docs/faults.md: OP-51.
#[tokio::test]
async fn a_name_of_253_characters() -> anyhow::Result<()> {
    assert_eq!(create(&"a".repeat(253), &spec()).await?, Ok(()));
    Ok(())
}

/// As many devices as the rule on their sum allows, though each of their texts is short; what is more
/// says so instead of running into etcd's limit.
#[tokio::test]
async fn many_devices() -> anyhow::Result<()> {
    let device = |index: usize| {
        json!({
            "deviceName": format!("三厂-pyboot测试设备{index}"),
            "deviceAttr": [
                { "attrName": "deviceName", "attrValue": format!("三厂-pyboot测试设备{index}"),
                  "attrExpression": "== data_to_dict['deviceInfo']['deviceName']" },
                { "attrName": "pointName", "attrValue": "RC_cylinder1_1P_d_dispPeak",
                  "attrExpression": "in data_to_dict['telemetry']" },
            ],
        })
    };
    let spec = |funcs: usize| {
        let mut spec = spec();
        let devices: Vec<_> = (0..450).map(device).collect();
        let func = |index: usize| json!({ "modelName": format!("m{index}"), "modelAddress": "http://h/m.zip", "devices": devices });
        spec["funcs"] = (0..funcs).map(func).collect();
        spec
    };
    assert_eq!(create("r", &spec(2)).await?, Ok(()));
    for funcs in [3, 15] {
        let said = create("r", &spec(funcs)).await?.unwrap_err();
        assert!(
            said.contains("spec.funcs") && said.contains("divide"),
            "{said}"
        );
    }
    Ok(())
}

/// docs/faults.md: EN-12: as much as is accepted, in characters that take six bytes each in etcd, is also kept; what
/// is more is refused by field.
#[tokio::test]
async fn the_largest_runtime_is_kept() -> anyhow::Result<()> {
    let attribute = json!({ "attrName": "<".repeat(253), "attrValue": "<".repeat(1024),
        "attrExpression": "== data_to_dict" });
    let device = json!({ "deviceName": "d", "deviceAttr": vec![attribute; 8] });
    let spec = |devices| {
        let mut spec = spec();
        spec["funcs"][0]["devices"] = vec![device.clone(); devices].into();
        spec
    };
    let said = create("r", &spec(20)).await?.unwrap_err();
    assert!(
        said.contains("spec.funcs") && said.contains("divide"),
        "{said}"
    );
    let control_plane = cluster().await?;
    let namespace = control_plane.namespace("largest").await?;
    let object = json!({ "apiVersion": "edgemodel.io/v1alpha1", "kind": "EdgeModelRuntime",
        "metadata": { "name": "largest" }, "spec": spec(19) });
    let arguments = ["create", "-n", &namespace, "-f", "-"];
    control_plane
        .kubectl_with_input(&arguments, &object.to_string())
        .await?;
    Ok(())
}

/// What creating a runtime with `spec` comes to: the API server's words if it refuses. Nothing is kept.
async fn create(name: &str, spec: &Value) -> anyhow::Result<Result<(), String>> {
    let control_plane = cluster().await?;
    let (group, version) = (EdgeModelRuntime::group(&()), EdgeModelRuntime::version(&()));
    let plural = EdgeModelRuntime::plural(&());
    let address = format!(
        "/apis/{group}/{version}/namespaces/default/{plural}?dryRun=All&fieldValidation=Strict"
    );
    let object = json!({
        "apiVersion": format!("{group}/{version}"),
        "kind": EdgeModelRuntime::kind(&()),
        "metadata": { "name": name },
        "spec": spec,
    });
    let request = http::Request::post(address)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(serde_json::to_vec(&object)?)?;
    match control_plane.client()?.request::<Value>(request).await {
        Ok(_) => Ok(Ok(())),
        Err(kube::Error::Api(status)) => Ok(Err(status.message.clone())),
        Err(error) => Err(error.into()),
    }
}

/// A runtime with two brokers, a rule, a model and two ports.
fn spec() -> Value {
    let text = include_str!("../fixtures/admission/spec.json");
    serde_json::from_str(text).unwrap_or_default()
}
