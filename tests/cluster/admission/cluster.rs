//! Images, placement and the model cache.

use serde_json::json;

use super::{accepts, rejects};

#[tokio::test]
async fn tolerations_are_as_kubernetes_takes_them() -> anyhow::Result<()> {
    let path = "/placement";
    let tolerations = |one| json!({ "tolerations": [one] });
    accepts(
        path,
        [
            tolerations(json!({ "operator": "Exists" })),
            tolerations(
                json!({ "key": "a", "value": "b", "effect": "NoExecute", "tolerationSeconds": 0 }),
            ),
            json!({ "edge": true, "hostNetwork": true, "nodeSelector": { "site": "三" } }),
        ],
    )
    .await?;
    let wrong = [
        (json!({ "value": "b" }), "needs the operator Exists"),
        (
            json!({ "key": "a", "operator": "Exists", "value": "b" }),
            "leave value out",
        ),
        (json!({ "key": "a", "tolerationSeconds": 1 }), "NoExecute"),
    ];
    for (one, words) in wrong {
        rejects(
            path,
            [tolerations(one)],
            &["spec.placement.tolerations[0]", words],
        )
        .await?;
    }
    let long = json!({ "nodeSelector": { ("a".repeat(318)): "b" } });
    rejects(path, [long], &["spec.placement.nodeSelector", "317"]).await
}

#[tokio::test]
async fn models_are_kept_in_one_place() -> anyhow::Result<()> {
    let path = "/modelCache";
    accepts(
        path,
        [
            json!({ "hostPath": "/var/lib/edgemodel" }),
            json!({ "claimName": "models" }),
            json!({ "sizeLimit": "2Gi" }),
            json!({}),
        ],
    )
    .await?;
    let both = json!({ "hostPath": "/a", "claimName": "b" });
    rejects(path, [both], &["spec.modelCache", "leave one out"]).await?;
    let paths = ["var/lib", "/a/../b", "/..", "."].map(|text| json!({ "hostPath": text }));
    rejects(path, paths, &["spec.modelCache.hostPath", "absolute path"]).await?;
    let sizes = ["0", "much", "-1Gi"].map(|text| json!({ "sizeLimit": text }));
    rejects(path, sizes, &["spec.modelCache.sizeLimit", "2Gi"]).await
}

#[tokio::test]
async fn images_have_no_blanks() -> anyhow::Result<()> {
    accepts(
        "/image",
        [json!(
            "registry.example.com:5000/edgemodel/worker:1@sha256:00"
        )],
    )
    .await?;
    rejects(
        "/image",
        [json!("a b"), json!("a\n")],
        &["spec.image", "without blanks"],
    )
    .await?;
    rejects(
        "/imagePullSecrets",
        [json!(["A"])],
        &["spec.imagePullSecrets[0]", "lower case"],
    )
    .await?;
    accepts(
        "/exposeMode",
        ["NodePort", "HostPort", "ClusterIP"].map(|text| json!(text)),
    )
    .await?;
    rejects(
        "/exposeMode",
        [json!("LoadBalancer")],
        &["spec.exposeMode", "\"ClusterIP\""],
    )
    .await
}
