//! Images, placement and the model cache.

use serde_json::json;

use crate::case::{Case, case};

pub(crate) fn cases() -> Vec<Case> {
    vec![images(), pull_secrets(), placement(), model_cache()]
}

fn images() -> Case {
    case("/image")
        .accepts(["registry.example.com:5000/edgemodel/worker:1@sha256:00"])
        .refuses(["a b", "a\n"], &["spec.image", "without blanks"])
}

fn pull_secrets() -> Case {
    case("/imagePullSecrets")
        .accepts([json!(["registry-login"])])
        .refuses([json!(["A"])], &["spec.imagePullSecrets[0]", "lower case"])
}

/// Tolerations are as Kubernetes takes them.
fn placement() -> Case {
    let toleration = |one| json!({ "tolerations": [one] });
    let at = "spec.placement.tolerations[0]";
    case("/placement")
        .accepts([
            toleration(json!({ "operator": "Exists" })),
            toleration(
                json!({ "key": "a", "value": "b", "effect": "NoExecute", "tolerationSeconds": 0 }),
            ),
            json!({ "edge": true, "hostNetwork": true, "nodeSelector": { "site": "三" } }),
        ])
        .refuses(
            [toleration(json!({ "value": "b" }))],
            &[at, "needs the operator Exists"],
        )
        .refuses(
            [toleration(
                json!({ "key": "a", "operator": "Exists", "value": "b" }),
            )],
            &[at, "leave value out"],
        )
        .refuses(
            [toleration(json!({ "key": "a", "tolerationSeconds": 1 }))],
            &[at, "NoExecute"],
        )
        .refuses(
            [
                json!({ "nodeSelector": { ("a".repeat(318)): "b" } }),
                json!({ "nodeSelector": { "": "b" } }),
            ],
            &["spec.placement.nodeSelector", "317"],
        )
}

/// Models are kept in one place.
fn model_cache() -> Case {
    let path = |text: &str| json!({ "hostPath": text });
    let size = |text: &str| json!({ "sizeLimit": text });
    case("/modelCache")
        .accepts([
            path("/var/lib/edgemodel"),
            json!({ "claimName": "models" }),
            size("2Gi"),
            json!({}),
        ])
        .refuses(
            [json!({ "hostPath": "/a", "claimName": "b" })],
            &["spec.modelCache", "leave one out"],
        )
        .refuses(
            ["var/lib", "/a/../b", "/..", "."].map(path),
            &["spec.modelCache.hostPath", "absolute path"],
        )
        .refuses(
            [json!({ "claimName": "Models" })],
            &["spec.modelCache.claimName", "lower case"],
        )
        .refuses(
            ["0", "much", "-1Gi"].map(size),
            &["spec.modelCache.sizeLimit", "2Gi"],
        )
}
