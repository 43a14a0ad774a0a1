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
            json!({ "extraEnv": [{ "name": "A", "valueFrom": { "secretRef": {} } }] }),
            &["/extraEnv/0/valueFrom", "secretRef"],
        ),
        (
            json!({ "extraVolumes": [{ "name": "a", "hostPath": { "path": "/" } }] }),
            &["/extraVolumes/0", "hostPath"],
        ),
        (
            json!({ "extraVolumeMounts": [{ "name": "a", "path": "/a" }] }),
            &["/extraVolumeMounts/0", "path"],
        ),
        (
            json!({ "topologySpreadConstraints": [{ "maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "Never" }] }),
            &["/topologySpreadConstraints/0/whenUnsatisfiable"],
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
        (json!({ "watchNamespace": "plant" }), &["watchNamespace"]),
        (
            json!({ "watchNamespaces": ["Plant"] }),
            &["/watchNamespaces/0"],
        ),
        (
            json!({ "watchNamespaces": ["a,b"] }),
            &["/watchNamespaces/0"],
        ),
        (
            json!({ "watchNamespaces": ["a", "a"] }),
            &["/watchNamespaces"],
        ),
        (json!({ "watchNamespaces": "plant" }), &["/watchNamespaces"]),
        (
            json!({ "imageRegistry": "https://r.example" }),
            &["/imageRegistry"],
        ),
        (
            json!({ "commonAnnotations": { "a": true } }),
            &["/commonAnnotations/a"],
        ),
        (
            json!({ "extraObjects": [{ "kind": "ConfigMap" }] }),
            &["/extraObjects/0", "apiVersion", "metadata"],
        ),
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
        // What takes two values to be wrong: the field, what is wrong, and the remedy.
        (
            json!({ "imageRegistry": "r.example", "workerImage": { "repository": "other.example/worker" } }),
            &[
                "workerImage.repository: \"other.example/worker\" names a registry",
                "leave the registry out",
            ],
        ),
        (
            json!({ "extraEnv": [{ "name": "A", "value": "b", "valueFrom": { "fieldRef": { "fieldPath": "spec.nodeName" } } }] }),
            &["extraEnv[0] (A): has both", "keep exactly one"],
        ),
        (
            json!({ "extraEnv": [{ "name": "A" }] }),
            &["extraEnv[0] (A): has neither", "keep exactly one"],
        ),
        (
            json!({ "extraEnv": [{ "name": "EDGEMODEL_LOG", "value": "debug" }] }),
            &[
                "extraEnv[0].name: the chart sets EDGEMODEL_LOG",
                "set log instead",
            ],
        ),
        (
            json!({ "extraEnv": [{ "name": "POD_NAME", "value": "a" }] }),
            &["extraEnv[0].name: POD_NAME is set already", "remove it"],
        ),
        (
            json!({ "extraEnv": [{ "name": "A", "value": "b" }, { "name": "A", "value": "c" }] }),
            &["extraEnv[1].name: A is set already", "remove it"],
        ),
        (
            json!({ "extraArgs": ["--namespace=plant"] }),
            &[
                "extraArgs: --namespace is set by the chart",
                "set watchNamespaces instead",
            ],
        ),
        (
            json!({ "extraVolumes": [{ "name": "a", "emptyDir": {} }, { "name": "a", "emptyDir": {} }] }),
            &["extraVolumes[1].name: \"a\" is there twice", "rename one"],
        ),
        (
            json!({ "extraVolumeMounts": [{ "name": "ca", "mountPath": "/ca" }] }),
            &[
                "extraVolumeMounts[0].name: no volume \"ca\"",
                "add it to extraVolumes",
            ],
        ),
        (
            json!({ "extraObjects": ["kind: ConfigMap"] }),
            &["extraObjects[0]: not one object", "write one object"],
        ),
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
                "admissionPolicy.requireSecretAccess",
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
