//! The objects of a runtime, whole, as they are applied: a change of one of them replaces workers at an upgrade.

use serde_json::{Value, json};

use super::bed::{Bed, golden, sample, two_models};

async fn check(name: &str, spec: Value) {
    let bed = Bed::new(&spec);
    secret(
        &bed,
        "user",
        &json!({ "username": "ZWRnZQ==", "password": "c2VjcmV0" }),
    );
    secret(
        &bed,
        "tls",
        &json!({ "ca.crt": "YQ==", "tls.crt": "Yg==", "tls.key": "Yw==" }),
    );
    bed.reconcile_after(0).await;
    let plurals = [
        "configmaps",
        "deployments",
        "services",
        "horizontalpodautoscalers",
        "scaledobjects",
    ];
    let objects: Vec<_> = plurals.iter().flat_map(|kind| bed.api.all(kind)).collect();
    golden(
        &format!("objects/{name}.yaml"),
        &json!({ "writes": bed.api.writes(), "objects": objects }),
    );
}

fn secret(bed: &Bed, name: &str, data: &Value) {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name, "namespace": "plant" }, "data": data,
    });
    bed.api.put("secrets", secret);
}

#[tokio::test]
async fn the_sample() {
    check("sample", sample(|_| {})).await;
}

#[tokio::test]
async fn two_models_and_two_ports() {
    let spec = two_models(|spec| {
        let port = json!({ "name": "results", "protocolPort": "tcp://:2901", "outPort": 39001 });
        spec["expose"].as_array_mut().unwrap().push(port);
    });
    check("two-models", spec).await;
}

#[tokio::test]
async fn the_nodes_network() {
    let spec = two_models(|spec| {
        spec["placement"] = json!({ "hostNetwork": true, "edge": true });
    });
    check("host-network", spec).await;
}

#[tokio::test]
async fn ports_of_the_node() {
    check(
        "host-port",
        two_models(|spec| spec["exposeMode"] = "HostPort".into()),
    )
    .await;
}

#[tokio::test]
async fn ports_inside_the_cluster() {
    check(
        "cluster-ip",
        sample(|spec| spec["exposeMode"] = "ClusterIP".into()),
    )
    .await;
}

#[tokio::test]
async fn several_workers() {
    check(
        "replicas",
        sample(|spec| spec["funcs"][0]["replicas"] = 3.into()),
    )
    .await;
}

#[tokio::test]
async fn an_autoscaler() {
    let spec = sample(|spec| {
        spec["funcs"][0]["autoscaling"] = json!({ "class": "hpa", "targetQueueDepth": 7 });
    });
    check("hpa", spec).await;
}

#[tokio::test]
async fn keda() {
    let spec = sample(|spec| {
        spec["funcs"][0]["autoscaling"] = json!({
            "class": "keda", "minReplicas": 2, "maxReplicas": 9, "targetUtilization": 5,
            "prometheusAddress": "http://prometheus:9090",
        });
    });
    check("keda", spec).await;
}

#[tokio::test]
async fn another_autoscaler() {
    let spec = sample(|spec| spec["funcs"][0]["autoscaling"] = json!({ "class": "external" }));
    check("external", spec).await;
}

#[tokio::test]
async fn secrets() {
    let spec = sample(|spec| {
        spec["mqtts"][0]["broker"] = "ssl://10.0.0.1:8883".into();
        spec["mqtts"][0]["credentialsSecretRef"] = json!({ "name": "user" });
        spec["mqtts"][0]["tls"] = json!({ "secretRef": { "name": "tls" }, "serverName": "broker" });
    });
    check("secrets", spec).await;
}

#[tokio::test]
async fn a_cache_on_the_node_and_placement() {
    let spec = sample(|spec| {
        spec["modelCache"] = json!({ "hostPath": "/var/lib/models" });
        spec["placement"] = json!({
            "edge": true,
            "nodeSelector": { "hall": "1" },
            "tolerations": [{ "key": "dedicated", "operator": "Exists" }],
        });
        spec["image"] = "registry.example/worker:2".into();
        spec["imagePullSecrets"] = json!(["pull"]);
        spec["funcs"][0]["resources"] =
            json!({ "requests": { "cpu": "500m" }, "limits": { "memory": "1Gi" } });
    });
    check("cache-and-placement", spec).await;
}

#[tokio::test]
async fn a_cache_in_a_volume() {
    let spec = sample(|spec| spec["modelCache"] = json!({ "claimName": "models" }));
    check("cache-claim", spec).await;
}

#[tokio::test]
async fn a_runtime_without_models() {
    check("empty", json!({ "mqtts": [], "rules": [], "funcs": [] })).await;
}
