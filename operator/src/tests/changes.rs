//! Changes of a runtime, one after the other, to their end.

use serde_json::{Value, json};

use super::bed::{Bed, two_models};

/// The reason of the condition `Ready`.
fn ready(bed: &Bed) -> String {
    let runtime = &bed.api.all("edgemodelruntimes")[0];
    let conditions = runtime["status"]["conditions"].as_array().unwrap();
    let mut conditions = conditions.iter();
    let ready = conditions.find(|one| one["type"] == "Ready").unwrap();
    ready["reason"].as_str().unwrap().to_owned()
}

/// Reconciles until the runtime is settled.
async fn settle(bed: &Bed) {
    for _ in 0..3 {
        bed.reconcile_after(1).await;
        bed.roll_out();
    }
    assert_eq!(bed.reconcile_after(1).await, "again after 180 s");
    assert_eq!(ready(bed), "Ready");
}

#[tokio::test]
async fn a_spec_that_was_changed_while_paused_is_applied_afterwards() {
    let bed = Bed::new(&two_models(|_| {}));
    settle(&bed).await;
    let pause = |value: &str| {
        bed.api.change("edgemodelruntimes", "edgemodel", |runtime| {
            runtime["metadata"]["annotations"]["edgemodel.io/paused"] = value.into();
        });
    };
    pause("true");
    bed.respec(|spec| spec["funcs"][0]["modelName"] = "renamed".into());
    bed.api.writes();
    bed.reconcile_after(0).await;
    assert_eq!(ready(&bed), "Paused");
    assert_eq!(
        bed.api.writes(),
        ["apply edgemodelruntimes/edgemodel/status"]
    );
    bed.reconcile_after(0).await;
    assert!(bed.api.writes().is_empty());
    pause("false");
    settle(&bed).await;
    bed.deployment("edgemodel-renamed");
}

#[tokio::test]
async fn no_service_is_left_when_the_mode_of_exposure_changes() {
    let bed = Bed::new(&two_models(|_| {}));
    for (mode, services, port) in [
        ("NodePort", 2, "38080"),
        ("HostPort", 1, "38080"),
        ("ClusterIP", 2, "8080"),
        ("NodePort", 2, "38080"),
    ] {
        bed.respec(|spec| spec["exposeMode"] = mode.into());
        settle(&bed).await;
        assert_eq!(bed.api.all("services").len(), services, "{mode}");
        let status = bed.api.all("edgemodelruntimes")[0]["status"].take();
        assert_eq!(status["exposedSummary"], port, "{mode}");
    }
}

#[tokio::test]
async fn a_secret_is_waited_for_and_its_contents_are_never_shown() {
    let bed = Bed::new(&two_models(|spec| {
        spec["mqtts"][0]["credentialsSecretRef"] = json!({ "name": "broker" });
    }));
    let put = |data: Value| {
        let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "broker" }, "data": data });
        bed.api.put("secrets", secret);
    };
    assert_eq!(bed.reconcile_after(0).await, "again after 5 s");
    assert_eq!(ready(&bed), "SecretNotFound");
    put(json!({ "username": "ZWRnZQ==" }));
    assert_eq!(bed.reconcile_after(0).await, "again after 5 s");
    assert_eq!(ready(&bed), "SecretKeyMissing");
    // hunter2
    put(json!({ "username": "ZWRnZQ==", "password": "aHVudGVyMg==" }));
    settle(&bed).await;
    let kinds = ["edgemodelruntimes", "configmaps", "deployments", "services"];
    let shown: Vec<_> = kinds.iter().flat_map(|kind| bed.api.all(kind)).collect();
    let shown = json!(shown).to_string();
    assert!(!shown.contains("hunter2") && !shown.contains("aHVudGVyMg=="));
}

/// It would keep setting the number of workers, against the spec; also if its model is removed.
#[tokio::test]
async fn an_autoscaler_that_cannot_be_deleted_at_first_goes_later() {
    let removals: [fn(&mut Value); 2] = [
        |spec| spec["funcs"][0]["autoscaling"] = json!({ "class": "none" }),
        |spec| drop(spec["funcs"].as_array_mut().unwrap().remove(0)),
    ];
    for remove in removals {
        let bed = Bed::new(&two_models(|spec| {
            spec["funcs"][0]["autoscaling"] = json!({ "class": "hpa" });
        }));
        settle(&bed).await;
        bed.respec(remove);
        bed.api.refuse("delete", "", 500, "overloaded");
        bed.reconcile_after(1).await;
        bed.reconcile_after(1).await;
        assert_eq!(bed.api.all("horizontalpodautoscalers").len(), 1);
        bed.api.accept();
        settle(&bed).await;
        assert!(bed.api.all("horizontalpodautoscalers").is_empty());
    }
}

#[tokio::test]
async fn a_renamed_port_keeps_its_number() {
    let bed = Bed::new(&two_models(|_| {}));
    settle(&bed).await;
    bed.api.writes();
    bed.respec(|spec| spec["expose"][0]["name"] = "renamed".into());
    bed.reconcile_after(0).await;
    let writes = bed.api.writes();
    let services: Vec<_> = writes
        .iter()
        .filter(|write| write.contains(" services/"))
        .collect();
    assert!(
        services[0].starts_with("delete services/edgemodel-monitor"),
        "{services:?}"
    );
    assert!(
        services[1].starts_with("apply services/edgemodel-renamed"),
        "{services:?}"
    );
}
