//! What is accepted as it is.

use serde_json::json;
use tests::operator::cluster;

use super::{accepts, create, spec};

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

#[tokio::test]
async fn a_runtime_without_anything() -> anyhow::Result<()> {
    assert_eq!(create("r", &json!({})).await?, Ok(()));
    accepts("/funcs", [json!([])]).await?;
    accepts("/expose", [json!([])]).await
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
