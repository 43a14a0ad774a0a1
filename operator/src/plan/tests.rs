//! Decisions as tables: what is there, what should be there, and what is done.

mod children;
mod pruning;
mod services;

use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::{Action, plan, prune};
use crate::api::Failure;
use crate::desired::{Blocked, Child, Desired, Identity, Model, ModelChildren, Port, labels};
use crate::kind::Kind;
use crate::observe::{Observation, Observed};
use crate::outcome::{ApplyError, Outcome, Outcomes, Part};

fn identity() -> Identity {
    Identity {
        name: "line".to_owned(),
        namespace: "plant".to_owned(),
        uid: "uid".to_owned(),
    }
}

/// The owner reference of children.
fn owned() -> Value {
    json!([{ "controller": true, "uid": "uid", "kind": "EdgeModelRuntime", "name": "line" }])
}

fn child(kind: Kind, name: &str, body: Value) -> Child {
    let name = name.to_owned();
    Child { kind, name, body }
}

/// A model `name` with the configuration `config`.
fn model(name: &str, config: &str, autoscaler: bool) -> Model {
    let template = json!({ "metadata": { "annotations": { labels::CONFIG: config } } });
    let deployment = json!({ "metadata": {}, "spec": { "template": template } });
    let scaler = child(
        Kind::HorizontalPodAutoscaler,
        name,
        json!({ "metadata": {}, "spec": { "max": 4 } }),
    );
    Model::Served(Box::new(ModelChildren {
        config_map: child(
            Kind::ConfigMap,
            &format!("{name}-{config}"),
            json!({ "metadata": {}, "data": { "c": "" } }),
        ),
        deployment: child(Kind::Deployment, name, deployment),
        autoscaler: autoscaler.then_some(scaler),
        replicas: (!autoscaler).then_some(1),
        digest: Some(format!("digest of {name}")),
    }))
}

fn blocked() -> Model {
    Model::Blocked(Blocked {
        reason: crds::Reason::InvalidDigest,
        message: String::new(),
        passing: false,
    })
}

fn desired(models: Vec<Model>) -> Desired {
    Desired {
        models,
        ports: Vec::new(),
        workers: None,
        blocked: Vec::new(),
    }
}

/// A port of the Service `name`.
fn port(name: &str, node_port: u16) -> Port {
    let body = json!({ "metadata": {}, "spec": { "type": "NodePort", "ports": [{ "port": 80, "nodePort": node_port }] } });
    Port {
        service: Some(child(Kind::Service, name, body)),
        out_port: node_port,
    }
}

/// An object of the runtime, with fields that replace those of `body`.
fn object(kind: Kind, name: &str, mut body: Value) -> Observed {
    let metadata = &mut body["metadata"];
    metadata["ownerReferences"] = owned();
    Observed {
        kind,
        name: name.to_owned(),
        uid: format!("uid of {name}"),
        body,
    }
}

/// The Deployment of a model as an earlier plan has applied it, with the digest of another's zip if it says so.
fn deployment(name: &str, config: &str, digest: &str, ready: bool) -> Observed {
    let count = u8::from(ready);
    let body = json!({
        "metadata": {
            "generation": 1,
            "labels": { labels::MODEL: name },
            "annotations": { labels::NAME: name, labels::DIGEST: format!("digest of {digest}") },
        },
        "spec": { "replicas": 1, "template": { "metadata": { "annotations": { labels::CONFIG: config } } } },
        "status": {
            "observedGeneration": 1, "replicas": 1, "updatedReplicas": count, "availableReplicas": count,
        },
    });
    object(Kind::Deployment, name, body)
}

fn config_map(model: &str, config: &str) -> Observed {
    let body = json!({
        "metadata": {
            "labels": { labels::MODEL: model },
            "annotations": { labels::NAME: model, labels::CONFIG: config },
        },
        "data": { "c": "" },
    });
    object(Kind::ConfigMap, &format!("{model}-{config}"), body)
}

fn pod(model: &str, config: &str) -> Pod {
    let pod = json!({ "metadata": {
        "labels": { labels::MODEL: model }, "annotations": { labels::CONFIG: config },
    } });
    serde_json::from_value(pod).unwrap()
}

fn observed(children: Vec<Observed>) -> Observation {
    Observation {
        children,
        ..Observation::default()
    }
}

fn failure(code: u16, message: &str) -> Failure {
    let mut status = kube::core::Status::failure(message, "");
    status.code = code;
    Failure::Refused(Box::new(status))
}

/// An action in words, as `apply Deployment a`.
fn words(action: &Action<'_>) -> String {
    let of =
        |verb: &str, object: &Observed| format!("{verb} {} {}", object.kind.as_str(), object.name);
    match action {
        Action::Apply(write) => format!("apply {} {}", write.kind.as_str(), write.name),
        Action::ReleasePort(write) => format!("release {}", write.name),
        Action::Keep(object) => of("keep", object),
        Action::Delete(object) => of("delete", object),
        Action::Replace(object) => of("replace", object),
        Action::Hold(hold) => format!("hold {hold:?}"),
        Action::Block(error) => format!("block {:?}", error.reason()),
    }
}

#[track_caller]
fn plans(desired: &Desired, observed: &Observation, expected: &[&str]) {
    let steps = plan(&identity(), desired, observed);
    let steps: Vec<_> = steps.iter().map(|step| words(&step.action)).collect();
    assert_eq!(steps, expected);
}

/// The outcomes of models, as `Some(Ok(Deployment))`.
fn outcomes(models: Vec<Option<Result<Observed, ApplyError>>>) -> Outcomes {
    let mut outcomes = Outcomes::default();
    for (index, model) in models.into_iter().enumerate() {
        outcomes.push(
            Part::Model(index),
            match model {
                Some(Ok(deployment)) => Outcome::Applied(deployment),
                Some(Err(error)) => Outcome::Blocked(error),
                None => Outcome::Skipped,
            },
        );
    }
    outcomes
}

#[track_caller]
fn prunes(desired: &Desired, observed: &Observation, outcomes: &Outcomes, expected: &[&str]) {
    let steps = prune(desired, observed, outcomes);
    let steps: Vec<_> = steps.iter().map(|step| words(&step.action)).collect();
    assert_eq!(steps, expected);
}
