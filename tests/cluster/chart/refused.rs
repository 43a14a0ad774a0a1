//! Wrong values: refused before anything is changed, with the name of the key.

use serde_json::{Value, json};
use tests::operator::cluster;

use super::render;

/// What is refused, and what is said of it.
#[expect(clippy::too_many_lines, reason = "a plain table")]
fn cases() -> Vec<(Value, &'static [&'static str])> {
    vec![
        // Names that are not there, at every depth.
        (json!({ "replica": 1 }), &["replica"]),
        (json!({ "image": { "tga": "1" } }), &["/image", "tga"]),
        (json!({ "crds": { "enable": true } }), &["/crds", "enable"]),
        (
            json!({ "monitoring": { "serviceMonitor": { "enable": true } } }),
            &["/monitoring/serviceMonitor", "enable"],
        ),
        (
            json!({ "monitoring": { "grafana": {} } }),
            &["/monitoring", "grafana"],
        ),
        (
            json!({ "networkPolicy": { "apiServer": { "cidr": [] } } }),
            &["/networkPolicy/apiServer", "cidr"],
        ),
        (
            json!({ "networkPolicy": { "from": [{ "podSelektor": {} }] } }),
            &["/networkPolicy/from/0", "podSelektor"],
        ),
        (
            json!({ "tolerations": [{ "kye": "a" }] }),
            &["/tolerations/0", "kye"],
        ),
        (
            json!({ "affinity": { "nodeAffinities": {} } }),
            &["/affinity", "nodeAffinities"],
        ),
        (
            json!({ "affinity": { "nodeAffinity": { "required": {} } } }),
            &["/affinity/nodeAffinity", "required"],
        ),
        (
            json!({ "extraEnv": [{ "name": "A", "value": "b", "valueFrom": {} }] }),
            &["/extraEnv/0", "valueFrom"],
        ),
        (
            json!({ "resources": { "request": {} } }),
            &["/resources", "request"],
        ),
        (
            json!({ "admissionPolicy": { "allowedHosts": [] } }),
            &["/admissionPolicy", "allowedHosts"],
        ),
        // Types.
        (json!({ "replicas": "two" }), &["/replicas"]),
        (json!({ "replicas": 1.5 }), &["/replicas"]),
        (json!({ "createNamespace": "yes" }), &["/createNamespace"]),
        (json!({ "image": "edgemodel-operator:1" }), &["/image"]),
        (json!({ "image": { "tag": 1 } }), &["/image/tag"]),
        (
            json!({ "imagePullSecrets": [{ "name": "pull" }] }),
            &["/imagePullSecrets/0"],
        ),
        (
            json!({ "podAnnotations": { "a": 1 } }),
            &["/podAnnotations/a"],
        ),
        (json!({ "extraArgs": "--resync=1" }), &["/extraArgs"]),
        (json!({ "crds": true }), &["/crds"]),
        // Bounds.
        (json!({ "replicas": -1 }), &["/replicas"]),
        (json!({ "replicas": 6 }), &["/replicas"]),
        (json!({ "resync": 0 }), &["/resync"]),
        (json!({ "resync": 3601 }), &["/resync"]),
        (json!({ "concurrency": 0 }), &["/concurrency"]),
        (json!({ "concurrency": 257 }), &["/concurrency"]),
        (
            json!({ "networkPolicy": { "apiServer": { "ports": [0] } } }),
            &["/networkPolicy/apiServer/ports/0"],
        ),
        (
            json!({ "networkPolicy": { "apiServer": { "ports": [] } } }),
            &["/networkPolicy/apiServer/ports"],
        ),
        // Texts.
        (json!({ "watchNamespace": "Plant" }), &["/watchNamespace"]),
        (json!({ "watchNamespace": "a,b" }), &["/watchNamespace"]),
        (
            json!({ "image": { "repository": "" } }),
            &["/image/repository"],
        ),
        (
            json!({ "image": { "repository": "a b" } }),
            &["/image/repository"],
        ),
        (json!({ "image": { "tag": "a:b" } }), &["/image/tag"]),
        (
            json!({ "image": { "digest": "md5:1" } }),
            &["/image/digest"],
        ),
        (
            json!({ "image": { "pullPolicy": "Sometimes" } }),
            &["/image/pullPolicy"],
        ),
        (
            json!({ "workerImage": { "pullPolicy": "Always" } }),
            &["/workerImage", "pullPolicy"],
        ),
        (
            json!({ "resources": { "limits": { "memory": "256 MB" } } }),
            &["/resources/limits/memory"],
        ),
        (
            json!({ "podDisruptionBudget": { "maxUnavailable": "half" } }),
            &["/podDisruptionBudget/maxUnavailable"],
        ),
        (
            json!({ "networkPolicy": { "apiServer": { "cidrs": ["10.0.0.1"] } } }),
            &["/networkPolicy/apiServer/cidrs/0"],
        ),
        (
            json!({ "monitoring": { "podMonitor": { "interval": "30" } } }),
            &["/monitoring/podMonitor/interval"],
        ),
        (
            json!({ "monitoring": { "prometheusRule": { "disabled": ["Watchdog"] } } }),
            &["/monitoring/prometheusRule/disabled/0"],
        ),
        (
            json!({ "monitoring": { "prometheusRule": { "runbookUrl": "wiki" } } }),
            &["/monitoring/prometheusRule/runbookUrl"],
        ),
        (
            json!({ "admissionPolicy": { "allowedModelHosts": ["http://models"] } }),
            &["/admissionPolicy/allowedModelHosts/0"],
        ),
        (
            json!({ "admissionPolicy": { "allowedModelHosts": ["Models"] } }),
            &["/admissionPolicy/allowedModelHosts/0"],
        ),
        (
            json!({ "admissionPolicy": { "actions": [] } }),
            &["/admissionPolicy/actions"],
        ),
        (
            json!({ "admissionPolicy": { "actions": ["Refuse"] } }),
            &["/admissionPolicy/actions/0"],
        ),
        // What takes two values to be wrong.
        (
            json!({ "replicas": 2, "leaderElection": { "enabled": false } }),
            &["replicas", "leaderElection.enabled"],
        ),
        (
            json!({ "serviceAccount": { "create": false } }),
            &["serviceAccount.name", "serviceAccount.create"],
        ),
        (
            json!({ "admissionPolicy": { "enabled": true } }),
            &[
                "admissionPolicy.allowedModelHosts",
                "admissionPolicy.requireSha256",
            ],
        ),
    ]
}

#[tokio::test]
async fn wrong_values_are_refused_with_their_keys() -> anyhow::Result<()> {
    let control_plane = cluster().await?;
    for (values, words) in cases() {
        let Err(error) = render(control_plane, "default", &values).await else {
            anyhow::bail!("taken: {values}");
        };
        let said = error.to_string();
        for word in words {
            assert!(
                said.contains(word),
                "{word} is not in what is said of {values}: {said}"
            );
        }
    }
    Ok(())
}
