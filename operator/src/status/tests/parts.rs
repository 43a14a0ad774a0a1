//! The status of a model and of a port from their outcomes.

use crds::ClusterRuntime;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::Failure;
use crate::desired::{Child, Desired, Model, ModelChildren, Port};
use crate::kind::Kind;
use crate::observe::{Observation, Observed};
use crate::outcome::{ApplyError, Outcome, Outcomes, Part, PortHolder};
use crate::status::{Accepted, Progress, model, port};

const SAMPLE: &str = include_str!("../../../../deploy/samples/edgemodel.yaml");

/// pyboot's sample with another mode of exposure.
fn runtime(mode: &str) -> ClusterRuntime {
    let mut object = serde_saphyr::from_str::<Value>(SAMPLE).unwrap();
    object["spec"]["exposeMode"] = mode.into();
    ClusterRuntime::new(serde_json::from_value(object["spec"].take()).unwrap()).unwrap()
}

fn child(kind: Kind, name: &str) -> Child {
    let (name, body) = (name.to_owned(), json!({}));
    Child { kind, name, body }
}

fn desired(replicas: Option<u16>) -> Desired {
    Desired {
        models: vec![Model::Served(Box::new(ModelChildren {
            config_map: child(Kind::ConfigMap, "c"),
            deployment: child(Kind::Deployment, "d"),
            autoscaler: None,
            replicas,
            digest: None,
        }))],
        ports: vec![Port {
            service: Some(child(Kind::Service, "s")),
            out_port: 38_080,
        }],
        workers: None,
        blocked: Vec::new(),
    }
}

fn object(kind: Kind, name: &str, body: Value) -> Observed {
    let (name, uid) = (name.to_owned(), String::new());
    Observed {
        kind,
        name,
        uid,
        body,
    }
}

/// A Deployment with the given numbers of desired, existing, updated and available pods.
fn deployment(wanted: u8, [total, updated, available]: [u8; 3]) -> Value {
    json!({
        "metadata": { "generation": 2 },
        "spec": { "replicas": wanted },
        "status": {
            "observedGeneration": 2, "replicas": total, "updatedReplicas": updated, "availableReplicas": available,
        },
    })
}

fn failure(code: u16) -> Failure {
    let mut status = kube::core::Status::failure("no", "");
    status.code = code;
    Failure::Refused(Box::new(status))
}

fn accepted<T>(
    mode: &str,
    replicas: Option<u16>,
    part: Part,
    outcome: Outcome,
    of: impl FnOnce(&Accepted<'_>) -> T,
) -> T {
    let mut outcomes = Outcomes::default();
    outcomes.push(part, outcome);
    let service = json!({ "spec": { "ports": [{ "port": 8080, "nodePort": 30_001 }] } });
    let observed = Observation {
        children: vec![object(Kind::Service, "s", service)],
        ..Observation::default()
    };
    of(&Accepted {
        runtime: &runtime(mode),
        desired: &desired(replicas),
        outcomes: &outcomes,
        observed: &observed,
        now: Timestamp::from_second(0).unwrap(),
    })
}

#[track_caller]
fn a_model(replicas: Option<u16>, outcome: Outcome, expected: (&str, Progress)) {
    let (status, progress) = accepted("NodePort", replicas, Part::Model(0), outcome, |all| {
        model::status(all, 0)
    });
    assert_eq!((status.reason.as_str(), progress), expected);
    assert_eq!(status.ready, progress == Progress::Done);
    assert_eq!(status.deployment.as_deref(), Some("d"));
}

#[track_caller]
fn rolled(replicas: Option<u16>, body: Value, expected: (&str, Progress)) {
    a_model(
        replicas,
        Outcome::Applied(object(Kind::Deployment, "d", body.clone())),
        expected,
    );
    a_model(
        replicas,
        Outcome::Unchanged(object(Kind::Deployment, "d", body)),
        expected,
    );
}

const ROLLING: (&str, Progress) = ("RollingOut", Progress::Working);
const READY: (&str, Progress) = ("Ready", Progress::Done);

#[test]
fn a_model_is_ready_when_all_its_pods_are_new_and_serve() {
    rolled(Some(1), deployment(1, [1, 1, 1]), READY);
    rolled(Some(2), deployment(2, [2, 2, 2]), READY);
    rolled(Some(1), deployment(1, [2, 1, 2]), ROLLING);
    rolled(Some(1), deployment(1, [1, 0, 1]), ROLLING);
    rolled(Some(1), deployment(1, [1, 1, 0]), ROLLING);
    rolled(Some(1), deployment(1, [0, 0, 0]), ROLLING);
}

#[test]
fn what_the_controller_has_not_seen_is_not_ready() {
    let mut body = deployment(1, [1, 1, 1]);
    body["status"]["observedGeneration"] = 1.into();
    rolled(Some(1), body.clone(), ROLLING);
    body["status"] = json!({});
    rolled(Some(1), body, ROLLING);
}

/// With a port of the node, or in its network, the earlier worker stops first.
#[test]
fn the_message_of_a_rollout_says_whether_the_earlier_worker_serves() {
    let message = |strategy: &str| {
        let mut body = deployment(1, [1, 0, 0]);
        body["spec"]["strategy"] = json!({ "type": strategy });
        let outcome = Outcome::Applied(object(Kind::Deployment, "d", body));
        let of = |all: &Accepted<'_>| model::status(all, 0).0.message;
        accepted("NodePort", Some(1), Part::Model(0), outcome, of)
    };
    assert!(message("RollingUpdate").ends_with("the earlier ones serve until then"));
    assert!(message("Recreate").contains("had to stop first"));
}

#[test]
fn a_model_without_workers_is_done_if_that_is_asked_for() {
    rolled(
        Some(0),
        deployment(0, [0, 0, 0]),
        ("ScaledToZero", Progress::Done),
    );
    rolled(None, deployment(0, [0, 0, 0]), READY);
}

#[test]
fn fewer_workers_than_the_spec_asks_for_are_not_ready() {
    rolled(Some(3), deployment(1, [1, 1, 1]), ROLLING);
    rolled(None, deployment(1, [1, 1, 1]), READY);
    // Kubernetes has more for a while, or another has scaled it up.
    rolled(Some(1), deployment(3, [3, 3, 3]), READY);
}

#[test]
fn a_deployment_that_does_not_go_on_needs_a_person() {
    let with = |kind: &str, status: &str, reason: &str| {
        let mut body = deployment(1, [0, 0, 0]);
        body["status"]["conditions"] =
            json!([{ "type": kind, "status": status, "reason": reason, "message": "" }]);
        body
    };
    let failed = with("ReplicaFailure", "True", "FailedCreate");
    rolled(Some(1), failed, ("FailedCreate", Progress::Stuck));
    let late = with("Progressing", "False", "ProgressDeadlineExceeded");
    rolled(Some(1), late, ("ProgressDeadlineExceeded", Progress::Stuck));
    rolled(
        Some(1),
        with("Progressing", "True", "ReplicaSetUpdated"),
        ROLLING,
    );
}

fn errors() -> [(ApplyError, &'static str, Progress); 6] {
    let name = || "n".to_owned();
    let conflict = ApplyError::NameConflict {
        kind: Kind::Deployment,
        name: name(),
        owner: "another's".to_owned(),
    };
    let terminating = ApplyError::Terminating {
        kind: Kind::Deployment,
        name: name(),
        owner: "this runtime",
    };
    let replaced = ApplyError::Replaced {
        kind: Kind::Deployment,
        name: name(),
    };
    let call = |code| ApplyError::of(Kind::Deployment, "n", failure(code));
    [
        (conflict, "NameConflict", Progress::Stuck),
        (terminating, "WaitingForDeletion", Progress::Working),
        (replaced, "Replaced", Progress::Working),
        (call(422), "Refused", Progress::Stuck),
        (call(409), "ApiError", Progress::Working),
        (call(503), "ApiError", Progress::Working),
    ]
}

#[test]
fn what_blocks_a_model_is_its_reason() {
    for (error, reason, progress) in errors() {
        a_model(Some(1), Outcome::Blocked(error), (reason, progress));
    }
}

#[test]
fn a_model_that_was_not_tried_is_in_progress() {
    a_model(
        Some(1),
        Outcome::Skipped,
        ("Progressing", Progress::Working),
    );
}

#[track_caller]
fn a_port(mode: &str, outcome: Outcome, expected: (&str, Progress, Option<u16>)) {
    let (status, progress) = accepted(mode, None, Part::Port(0), outcome, |all| {
        port::status(all, 0)
    });
    assert_eq!((status.reason.as_str(), progress, status.port), expected);
    assert_eq!(status.requested_port, 38_080);
}

#[test]
fn the_port_in_effect_depends_on_the_mode() {
    let service = json!({ "spec": { "ports": [{ "port": 8080, "nodePort": 38_080 }] } });
    let applied = || Outcome::Applied(object(Kind::Service, "s", service.clone()));
    a_port(
        "NodePort",
        applied(),
        ("Exposed", Progress::Done, Some(38_080)),
    );
    a_port(
        "ClusterIP",
        applied(),
        ("Exposed", Progress::Done, Some(8080)),
    );
}

/// It has no Service: the worker's pod has the port, once there is one.
#[test]
fn a_port_of_the_node_is_in_effect_while_a_worker_is_available() {
    let check = |available: u8, expected: (&str, Progress, Option<u16>)| {
        let body = deployment(1, [1, 1, available]);
        let outcome = Outcome::Applied(object(Kind::Deployment, "d", body));
        let (status, progress) = accepted("HostPort", None, Part::Model(0), outcome, |all| {
            port::status(all, 0)
        });
        assert_eq!((status.reason.as_str(), progress, status.port), expected);
    };
    check(1, ("Exposed", Progress::Done, Some(38_080)));
    check(0, ("Progressing", Progress::Working, None));
    let skipped = ("Progressing", Progress::Working, None);
    a_port("HostPort", Outcome::Skipped, skipped);
}

#[test]
fn a_blocked_port_shows_the_older_one_that_still_serves() {
    for (error, reason, progress) in errors() {
        a_port(
            "NodePort",
            Outcome::Blocked(error),
            (reason, progress, Some(30_001)),
        );
    }
    let out_of_range = ApplyError::PortOutOfRange {
        port: 38_080,
        range: "30000-32767".to_owned(),
    };
    let expected = ("PortOutOfRange", Progress::Stuck, Some(30_001));
    a_port("NodePort", Outcome::Blocked(out_of_range), expected);
    let taken = ApplyError::PortTaken {
        port: 38_080,
        holder: PortHolder::Hidden,
    };
    let expected = ("PortTaken", Progress::Working, Some(30_001));
    a_port("NodePort", Outcome::Blocked(taken), expected);
}
