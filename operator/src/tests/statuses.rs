//! What is done and reported in each situation, whole.

use serde_json::{Value, json};

use super::bed::{Bed, sample, two_models};
use super::fake_api::failure;

fn spec() -> Value {
    two_models(|_| {})
}

/// A runtime that serves.
async fn serving(spec: &Value) -> Bed {
    let bed = Bed::new(spec);
    bed.reconcile_after(0).await;
    bed.roll_out();
    bed.reconcile_after(0).await;
    bed.api.writes();
    bed
}

#[tokio::test]
async fn the_sample_rolls_out_but_for_its_second_model() {
    Bed::new(&sample(|_| {})).report("sample-rolling-out").await;
}

#[tokio::test]
async fn everything_serves() {
    let bed = Bed::new(&spec());
    bed.reconcile_after(0).await;
    bed.roll_out();
    bed.api.writes();
    bed.report("all-ready").await;
    bed.api.reads();
    bed.report("nothing-to-do").await;
    let mut reads = bed.api.reads();
    reads.sort_unstable();
    let lists =
        ["configmaps", "deployments", "pods", "services"].map(|kind| format!("list {kind}"));
    assert_eq!(reads[0], "get edgemodelruntimes/edgemodel");
    assert_eq!(reads[1..], lists);
}

#[tokio::test]
async fn nothing_is_wanted() {
    Bed::new(&json!({ "mqtts": [], "rules": [], "funcs": [] }))
        .report("empty")
        .await;
}

#[tokio::test]
async fn a_spec_makes_no_sense() {
    let bed = serving(&spec()).await;
    bed.respec(|spec| {
        spec["rules"][0]["sub"]["name"] = "another".into();
        spec["expose"][0]["protocolPort"] = "ftp://:1".into();
        spec["funcs"][0]["timeout"] = "1h5x".into();
        spec["funcs"][1]["devices"][0]["deviceAttr"][0]["attrExpression"] = "like x".into();
    });
    bed.report("invalid-spec").await;
    bed.respec(|spec| spec["unknown"] = 1.into());
    bed.report("unknown-field").await;
}

#[tokio::test]
async fn it_is_paused() {
    let bed = serving(&spec()).await;
    bed.api.change("edgemodelruntimes", "edgemodel", |runtime| {
        runtime["metadata"]["annotations"] = json!({ "edgemodel.io/paused": "true" });
    });
    bed.report("paused").await;
    bed.respec(|spec| spec["funcs"][0]["replicas"] = 2.into());
    bed.report("paused-and-changed").await;
}

#[tokio::test]
async fn it_is_gone_or_goes() {
    let bed = serving(&spec()).await;
    bed.api.change("edgemodelruntimes", "edgemodel", |runtime| {
        runtime["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    });
    assert_eq!(bed.reconcile_after(0).await, "gone");
    assert!(bed.api.writes().is_empty());
}

#[tokio::test]
async fn its_children_cannot_be_read() {
    let bed = serving(&spec()).await;
    let message = "deployments.apps is forbidden: User \"a\" cannot list resource \"deployments\"";
    bed.api.refuse("list", "deployments", 403, message);
    bed.report("unread").await;
}

#[tokio::test]
async fn its_children_cannot_be_read_now() {
    let bed = serving(&spec()).await;
    bed.api.refuse("list", "deployments", 503, "no leader");
    bed.report("unread-now").await;
}

#[tokio::test]
async fn its_namespace_is_being_deleted() {
    let config_map = Bed::new(&spec()).first_config_map().await.unwrap();
    let mut status = failure(403, "namespace plant is being terminated");
    status["details"] =
        json!({ "causes": [{ "reason": "NamespaceTerminating", "message": "", "field": "" }] });
    let bed = Bed::new(&spec());
    // Statuses can still be written.
    bed.api.refuse_with("apply", &config_map, status);
    bed.report("namespace-terminating").await;
}

impl Bed {
    /// The name of the first ConfigMap that is tried.
    async fn first_config_map(&self) -> Option<String> {
        self.reconcile_after(0).await;
        let writes = self.api.writes();
        let first = writes.first()?.split_whitespace().nth(1)?;
        Some(first.to_owned())
    }
}

#[tokio::test]
async fn a_child_is_refused() {
    let bed = Bed::new(&spec());
    let deployment = bed.deployment_name().await;
    let bed = Bed::new(&spec());
    let message = "deployments.apps is forbidden: exceeded quota";
    bed.api.refuse("apply", &deployment, 403, message);
    bed.report("deployment-refused").await;
}

#[tokio::test]
async fn a_child_cannot_be_applied_now() {
    let bed = Bed::new(&spec());
    let deployment = bed.deployment_name().await;
    let bed = Bed::new(&spec());
    bed.api.refuse("apply", &deployment, 500, "overloaded");
    bed.report_after("deployment-fails-once", 0).await;
    bed.report_after("deployment-fails-again", 1).await;
}

#[tokio::test]
async fn a_child_cannot_be_looked_up() {
    let bed = Bed::new(&spec());
    let deployment = bed.deployment_name().await;
    let bed = Bed::new(&spec());
    bed.api.refuse("get", &deployment, 500, "overloaded");
    bed.report("deployment-not-looked-up").await;
}

#[tokio::test]
async fn a_child_had_what_cannot_be_changed() {
    let bed = serving(&spec()).await;
    let deployment = bed.deployment("edgemodel-industry");
    let name = deployment["metadata"]["name"].as_str().unwrap();
    bed.api.change("deployments", name, |live| {
        live["spec"]["selector"]["matchLabels"]["edgemodel.io/model"] = "x".into();
    });
    let message = "Deployment.apps is invalid: spec.selector: field is immutable";
    bed.api.refuse("apply", name, 422, message);
    bed.report("replaced").await;
}

#[tokio::test]
async fn the_name_of_a_child_is_taken() {
    let bed = Bed::new(&spec());
    let path = bed.deployment_name().await;
    let name = path.trim_start_matches("deployments/");
    let stranger = |owner: Value| {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": { "name": name, "uid": "other", "ownerReferences": [owner] },
        })
    };
    let bed = Bed::new(&spec());
    bed.api
        .put("deployments", stranger(json!({ "controller": false })));
    bed.report("name-taken").await;
    let bed = Bed::new(&spec());
    let owner = json!({ "controller": true, "uid": "x", "kind": "Application", "name": "app" });
    bed.api.put("deployments", stranger(owner));
    bed.report("name-taken-by-another").await;
    let bed = Bed::new(&spec());
    let owner = json!({ "controller": true, "uid": "before", "kind": "EdgeModelRuntime", "name": "edgemodel" });
    bed.api.put("deployments", stranger(owner));
    bed.report("runtime-before-is-leaving").await;
}

#[tokio::test]
async fn a_child_lost_its_labels() {
    let bed = serving(&spec()).await;
    let deployment = bed.deployment("edgemodel-industry");
    let name = deployment["metadata"]["name"].as_str().unwrap();
    bed.api.change("deployments", name, |live| {
        live["metadata"]["labels"] = json!({});
    });
    bed.report("labels-lost").await;
}

#[tokio::test]
async fn a_child_is_on_its_way_out() {
    let bed = serving(&spec()).await;
    let deployment = bed.deployment("edgemodel-industry");
    let name = deployment["metadata"]["name"].as_str().unwrap();
    bed.api.change("deployments", name, |live| {
        live["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    });
    bed.report("child-terminating").await;
}

#[tokio::test]
async fn a_model_is_renamed() {
    let bed = serving(&spec()).await;
    bed.respec(|spec| spec["funcs"][0]["modelName"] = "renamed".into());
    bed.report("renamed-first").await;
    bed.roll_out();
    bed.report("renamed-then").await;
    bed.report("renamed-at-last").await;
}

#[tokio::test]
async fn a_model_and_its_port_are_removed() {
    let bed = serving(&spec()).await;
    let deployment = bed.deployment("edgemodel-test");
    bed.put_pod("test-1", &deployment, json!({}));
    bed.respec(|spec| {
        spec["funcs"].as_array_mut().unwrap().remove(1);
        spec["expose"] = json!([]);
    });
    bed.report("removed-with-a-pod-left").await;
}

#[tokio::test]
async fn a_model_is_withheld_and_goes_on() {
    let bed = serving(&spec()).await;
    bed.respec(|spec| spec["funcs"][1]["modelMd5"] = "x".into());
    bed.report("withheld-goes-on").await;
}

#[tokio::test]
async fn a_configuration_changes() {
    let bed = serving(&spec()).await;
    let deployment = bed.deployment("edgemodel-industry");
    bed.put_pod("industry-1", &deployment, json!({}));
    bed.respec(|spec| spec["rules"][0]["sub"]["topic"] = "another".into());
    bed.report("reconfigured").await;
}

#[tokio::test]
async fn a_secret_is_missing() {
    let secured = two_models(|spec| {
        spec["mqtts"][0]["credentialsSecretRef"] = json!({ "name": "user" });
    });
    let bed = Bed::new(&secured);
    bed.report("secret-missing").await;
    bed.api.put(
        "secrets",
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "user" }, "data": { "username": "YQ==" } }),
    );
    bed.report("secret-key-missing").await;
}

#[tokio::test]
async fn ports_are_swapped() {
    let two = two_models(|spec| {
        let port = json!({ "name": "results", "protocolPort": "tcp://:2901", "outPort": 39001 });
        spec["expose"].as_array_mut().unwrap().push(port);
    });
    let bed = serving(&two).await;
    bed.respec(|spec| {
        spec["expose"][0]["outPort"] = 39001.into();
        spec["expose"][1]["outPort"] = 38080.into();
    });
    bed.report("ports-swapped").await;
}

#[tokio::test]
async fn a_port_cannot_be_had() {
    let service = "services/edgemodel-monitor";
    let bed = Bed::new(&spec());
    let name = bed.service_name(service).await;
    let bed = Bed::new(&spec());
    let range = "spec.ports[0].nodePort: Invalid value: 38080: provided port is not in the valid range. The range of \
                 valid ports is 30000-32767";
    bed.api.refuse("apply", &name, 422, range);
    bed.report("port-out-of-range").await;
    let bed = Bed::new(&spec());
    let taken = "spec.ports[0].nodePort: Invalid value: 38080: provided port is already allocated";
    bed.api.refuse("apply", &name, 422, taken);
    bed.report("port-taken-by-none").await;
    bed.api.put(
        "services",
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web", "namespace": "shop" },
            "spec": { "ports": [{ "port": 80, "nodePort": 38080 }] },
        }),
    );
    bed.report("port-taken").await;
}

#[tokio::test]
async fn ports_of_other_kinds() {
    let host = two_models(|spec| spec["exposeMode"] = "HostPort".into());
    Bed::new(&host).report("host-port").await;
    let inside = two_models(|spec| spec["exposeMode"] = "ClusterIP".into());
    Bed::new(&inside).report("cluster-ip").await;
}

#[tokio::test]
async fn one_worker_becomes_several() {
    let bed = serving(&spec()).await;
    let deployment = bed.deployment("edgemodel-industry");
    bed.put_pod("industry-1", &deployment, json!({}));
    bed.respec(|spec| spec["funcs"][0]["replicas"] = 3.into());
    bed.report("scaled-held").await;
    bed.roll_out();
    bed.report("scaled-held-while-old-one-stays").await;
    let deployment = bed.deployment("edgemodel-industry");
    bed.put_pod("industry-1", &deployment, json!({}));
    bed.report("scaled").await;
}

#[tokio::test]
async fn an_autoscaler_comes_and_goes() {
    let bed = serving(&spec()).await;
    bed.respec(|spec| spec["funcs"][0]["autoscaling"] = json!({ "class": "hpa" }));
    bed.report("autoscaler-comes").await;
    bed.respec(|spec| spec["funcs"][0]["autoscaling"] = json!({ "class": "none" }));
    bed.api.refuse(
        "delete",
        &bed.name_of("horizontalpodautoscalers"),
        403,
        "no",
    );
    bed.report("autoscaler-stays").await;
}

#[tokio::test]
async fn keda_is_not_there() {
    let keda = two_models(|spec| {
        spec["funcs"][0]["autoscaling"] =
            json!({ "class": "keda", "prometheusAddress": "http://prometheus:9090" });
    });
    let bed = Bed::new(&keda);
    bed.reconcile_after(0).await;
    let name = format!("scaledobjects/{}", bed.name_of("scaledobjects"));
    let bed = Bed::new(&keda);
    bed.api.refuse(
        "list",
        "scaledobjects",
        404,
        "the server could not find the requested resource",
    );
    bed.api.refuse(
        "get",
        &name,
        404,
        "the server could not find the requested resource",
    );
    bed.api.refuse(
        "apply",
        &name,
        404,
        "the server could not find the requested resource",
    );
    bed.report("keda-absent").await;
}

#[tokio::test]
async fn workers_do_not_serve() {
    let trouble = |name: &'static str, status: Value| async move {
        let bed = Bed::new(&spec());
        bed.reconcile_after(0).await;
        bed.api.writes();
        let deployment = bed.deployment("edgemodel-industry");
        bed.put_pod("industry-1", &deployment, status);
        bed.report(name).await;
    };
    let container = |state: Value| {
        json!({ "containerStatuses": [{
            "name": "worker", "ready": false, "restartCount": 3, "image": "", "imageID": "", "state": state,
        }] })
    };
    let ended = json!({ "terminated": {
        "exitCode": 2, "reason": "Error",
        "message": r#"{"reason":"ChecksumMismatch","message":"the zip is another"}"#,
    } });
    trouble("pod-refuses", container(ended)).await;
    let killed = json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled" } });
    trouble("pod-killed", container(killed)).await;
    let waiting =
        json!({ "waiting": { "reason": "ImagePullBackOff", "message": "no such image" } });
    trouble("pod-without-image", container(waiting)).await;
    let late = json!({ "running": { "startedAt": "2026-01-01T00:00:00Z" } });
    trouble("pod-late", container(late)).await;
    let unscheduled = json!({ "conditions": [{
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no node",
    }] });
    trouble("pod-unscheduled", unscheduled).await;
}

#[tokio::test]
async fn a_deployment_does_not_go_on() {
    let bed = Bed::new(&spec());
    bed.reconcile_after(0).await;
    bed.api.writes();
    let deployment = bed.deployment("edgemodel-industry");
    let name = deployment["metadata"]["name"].as_str().unwrap();
    bed.api.change("deployments", name, |live| {
        live["status"] = json!({
            "observedGeneration": live["metadata"]["generation"],
            "conditions": [{
                "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "late",
            }],
        });
    });
    bed.report("deployment-stuck").await;
}

impl Bed {
    async fn deployment_name(&self) -> String {
        self.reconcile_after(0).await;
        let deployment = self.deployment("edgemodel-industry");
        let name = deployment["metadata"]["name"].as_str().unwrap();
        format!("deployments/{name}")
    }

    async fn service_name(&self, start: &str) -> String {
        self.reconcile_after(0).await;
        let writes = self.api.writes();
        let mut calls = writes.iter().filter_map(|call| call.strip_prefix("apply "));
        calls
            .find(|call| call.starts_with(start))
            .unwrap()
            .to_owned()
    }

    fn name_of(&self, plural: &str) -> String {
        let name = self.api.all(plural)[0]["metadata"]["name"].clone();
        name.as_str().unwrap().to_owned()
    }
}
