//! Which pod's fault reaches the status.

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::desired::labels;
use crate::kind::Kind;
use crate::observe::Observed;
use crate::status::pods::trouble;

fn deployment() -> Observed {
    let annotations = json!({ labels::CONFIG: "new", labels::SECRETS: "s" });
    Observed {
        kind: Kind::Deployment,
        name: "d".to_owned(),
        uid: "u".to_owned(),
        body: json!({
            "metadata": { "labels": { labels::MODEL: "m" } },
            "spec": { "template": { "metadata": { "annotations": annotations } } },
        }),
    }
}

/// A pod of the Deployment's present template.
fn pod(name: &str, status: &Value) -> Pod {
    let pod = json!({
        "metadata": {
            "name": name,
            "labels": { labels::MODEL: "m" },
            "annotations": { labels::CONFIG: "new", labels::SECRETS: "s" },
        },
        "status": status,
    });
    serde_json::from_value(pod).unwrap()
}

fn container(more: &Value) -> Value {
    let mut status =
        json!({ "name": "worker", "ready": false, "restartCount": 3, "image": "", "imageID": "" });
    for (key, value) in more.as_object().unwrap() {
        status[key] = value.clone();
    }
    json!({ "containerStatuses": [status] })
}

#[track_caller]
fn pods(pods: &[Pod], expected: Option<(&str, &str)>) {
    let now = Timestamp::from_second(1000).unwrap();
    let found = trouble(pods, &deployment(), now);
    let found = found
        .as_ref()
        .map(|(reason, message)| (reason.as_str(), message.as_str()));
    assert_eq!(found, expected);
}

#[track_caller]
fn check(more: &Value, expected: Option<(&str, &str)>) {
    pods(&[pod("a", &container(more))], expected);
}

fn ended(message: &str) -> Value {
    json!({ "terminated": { "exitCode": 2, "reason": "Error", "message": message } })
}

const NOT_READY: &str = "the worker runs but is not ready: it is connecting to its broker or loading its model; see its log or /status";

const SAID: &str = r#"{"reason":"ChecksumMismatch","message":"another zip"}"#;

#[test]
fn a_worker_that_ended_says_why_itself() {
    let expected = Some(("ChecksumMismatch", "another zip"));
    check(&json!({ "state": ended(SAID) }), expected);
    // While it waits to be restarted, and while it starts.
    let waiting = json!({ "waiting": { "reason": "CrashLoopBackOff" } });
    check(
        &json!({ "state": waiting, "lastState": ended(SAID) }),
        expected,
    );
    let running = json!({ "running": { "startedAt": "1970-01-01T00:16:00Z" } });
    check(
        &json!({ "state": running, "lastState": ended(SAID) }),
        expected,
    );
}

/// The exit may be hours old; what keeps the worker from serving now is something else.
#[test]
fn a_worker_that_has_run_for_a_minute_is_judged_by_what_it_is_now() {
    let running = json!({ "running": { "startedAt": "1970-01-01T00:15:39Z" } });
    check(
        &json!({ "state": running, "lastState": ended(SAID) }),
        Some(("NotReady", NOT_READY)),
    );
}

#[test]
fn an_end_that_the_node_knows_nothing_of_is_no_reason() {
    let unknown = || json!({ "terminated": { "exitCode": 255, "reason": "Unknown" } });
    let running = json!({ "running": { "startedAt": "1970-01-01T00:16:00Z" } });
    check(&json!({ "state": running, "lastState": unknown() }), None);
    check(&json!({ "state": unknown() }), None);
    let waiting = json!({ "waiting": { "reason": "ImagePullBackOff", "message": "why" } });
    check(
        &json!({ "state": waiting, "lastState": unknown() }),
        Some(("ImagePullBackOff", "why")),
    );
}

/// What the control plane makes of the pods of a node that doesn't report.
#[test]
fn a_lost_node_is_told_with_its_name_and_since_when() {
    let on = |ready: &str, containers: &str| {
        let condition = |kind: &str, status: &str| json!({ "type": kind, "status": status, "lastTransitionTime": "1970-01-01T00:10:00Z" });
        let conditions = [
            condition("Ready", ready),
            condition("ContainersReady", containers),
        ];
        let mut pod = pod("a", &json!({ "conditions": conditions }));
        pod.spec = serde_json::from_value(json!({ "nodeName": "n7", "containers": [] })).unwrap();
        [pod]
    };
    let message = "node \"n7\" hasn't reported to the cluster since 1970-01-01T00:10:00Z; its worker may be running, \
                   and isn't replaced";
    pods(&on("False", "True"), Some(("NodeLost", message)));
    pods(&on("False", "False"), None);
    pods(&on("True", "True"), None);
}

#[test]
fn what_a_ready_worker_said_before_is_over() {
    let running = json!({ "running": { "startedAt": "1970-01-01T00:00:00Z" } });
    check(
        &json!({ "ready": true, "state": running, "lastState": ended(SAID) }),
        None,
    );
}

#[test]
fn other_last_words_do_not_become_a_reason() {
    let message = "the worker exited with code 2 and was restarted 3 times";
    check(&json!({ "state": ended("") }), Some(("Error", message)));
    let panic = format!("{message}; panicked at main.rs");
    check(
        &json!({ "state": ended("panicked at main.rs") }),
        Some(("Error", &panic)),
    );
    let forged = r#"{"reason":"not a word","message":"m"}"#;
    check(
        &json!({ "state": ended(forged) }),
        Some(("Error", &format!("{message}; {forged}"))),
    );
}

#[test]
fn a_worker_that_was_killed_has_the_nodes_reason() {
    let killed = json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled" } });
    let message = "the worker exited with code 137 and was restarted 3 times";
    check(&json!({ "state": killed }), Some(("OOMKilled", message)));
}

#[test]
fn a_container_that_waits_has_the_nodes_words_but_for_a_start() {
    let waiting =
        |reason: &str| json!({ "state": { "waiting": { "reason": reason, "message": "why" } } });
    check(
        &waiting("ImagePullBackOff"),
        Some(("ImagePullBackOff", "why")),
    );
    check(
        &waiting("CreateContainerConfigError"),
        Some(("CreateContainerConfigError", "why")),
    );
    check(&waiting("ContainerCreating"), None);
    check(&waiting("PodInitializing"), None);
    check(&waiting(""), None);
}

#[test]
fn a_worker_may_take_a_minute_to_be_ready() {
    let since = |time: &str| json!({ "state": { "running": { "startedAt": time } } });
    check(&since("1970-01-01T00:15:40Z"), None);
    check(
        &since("1970-01-01T00:15:39Z"),
        Some(("NotReady", NOT_READY)),
    );
}

#[test]
fn a_pod_without_a_node_has_the_schedulers_words() {
    let scheduled = |status: &str, reason: Option<&str>| {
        let condition = json!({ "type": "PodScheduled", "status": status, "reason": reason, "message": "no node" });
        [pod("a", &json!({ "conditions": [condition] }))]
    };
    pods(
        &scheduled("False", Some("Unschedulable")),
        Some(("Unschedulable", "no node")),
    );
    pods(&scheduled("False", None), Some(("Progressing", "no node")));
    pods(&scheduled("True", None), None);
}

#[test]
fn only_pods_of_the_present_template_count() {
    let trouble = || container(&json!({ "state": ended(SAID) }));
    let with = |change: fn(&mut Pod)| {
        let mut pod = pod("a", &trouble());
        change(&mut pod);
        [pod]
    };
    let annotate = |pod: &mut Pod, name: &str| {
        let annotations = pod.metadata.annotations.get_or_insert_default();
        annotations.insert(name.to_owned(), "old".to_owned());
    };
    let mut old = pod("a", &trouble());
    annotate(&mut old, labels::CONFIG);
    pods(&[old], None);
    let mut old = pod("a", &trouble());
    annotate(&mut old, labels::SECRETS);
    pods(&[old], None);
    pods(&with(|pod| pod.metadata.labels = None), None);
    let deleted = |pod: &mut Pod| {
        pod.metadata.deletion_timestamp =
            serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
    };
    pods(&with(deleted), None);
}

/// A status that changes with the order of a list would be written without end.
#[test]
fn the_first_pod_by_name_counts() {
    let waiting = |reason: &str| {
        container(&json!({ "state": { "waiting": { "reason": reason, "message": "m" } } }))
    };
    let (a, b) = (
        pod("a", &waiting("ErrImagePull")),
        pod("b", &waiting("ImagePullBackOff")),
    );
    pods(&[a.clone(), b.clone()], Some(("ErrImagePull", "m")));
    pods(&[b.clone(), a], Some(("ErrImagePull", "m")));
    pods(&[pod("a", &json!({})), b], Some(("ImagePullBackOff", "m")));
}
