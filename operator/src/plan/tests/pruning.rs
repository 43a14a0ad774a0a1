//! What is removed after the plan, and what waits.

use super::*;

#[test]
fn an_old_configuration_is_deleted_when_no_pod_reads_it() {
    let wanted = desired(vec![model("a", "2", false)]);
    let new = || outcomes(vec![Some(Ok(deployment("a", "2", "a", false)))]);
    let children = || {
        vec![
            config_map("a", "1"),
            config_map("a", "2"),
            deployment("a", "1", "a", true),
        ]
    };
    prunes(
        &wanted,
        &observed(children()),
        &new(),
        &["delete ConfigMap a-1"],
    );
    let read = Observation {
        pods: vec![pod("a", "1")],
        ..observed(children())
    };
    prunes(&wanted, &read, &new(), &["hold InUse"]);
    let other = Observation {
        pods: vec![pod("b", "1")],
        ..observed(children())
    };
    prunes(&wanted, &other, &new(), &["delete ConfigMap a-1"]);
}

/// An edge node that starts the pod again would find none.
#[test]
fn the_configuration_of_a_deployment_that_could_not_be_applied_stays() {
    let wanted = desired(vec![model("a", "2", false)]);
    let there = observed(vec![config_map("a", "1"), deployment("a", "1", "a", true)]);
    let error = ApplyError::of(Kind::Deployment, "a", failure(403, "exceeded quota"));
    prunes(
        &wanted,
        &there,
        &outcomes(vec![Some(Err(error))]),
        &["hold InUse"],
    );
    prunes(&wanted, &there, &outcomes(vec![None]), &["hold InUse"]);
}

#[test]
fn a_configuration_that_carries_no_digest_stays() {
    let mut unlabelled = config_map("a", "1");
    unlabelled.body["metadata"]["annotations"] = json!({});
    let there = observed(vec![unlabelled]);
    prunes(
        &desired(Vec::new()),
        &there,
        &Outcomes::default(),
        &["hold InUse"],
    );
}

#[test]
fn a_removed_model_goes_with_its_configuration() {
    let there = observed(vec![config_map("a", "1"), deployment("a", "1", "a", true)]);
    let gone = ["delete Deployment a", "delete ConfigMap a-1"];
    prunes(&desired(Vec::new()), &there, &Outcomes::default(), &gone);
}

/// A renamed model: the same zip under another name.
#[track_caller]
fn renamed(successor: Option<Result<Observed, ApplyError>>, expected: &[&str]) {
    let mut successor = successor;
    if let Some(Ok(deployment)) = &mut successor {
        deployment.name = "after".to_owned();
    }
    let mut wanted = model("after", "1", false);
    if let Model::Served(children) = &mut wanted {
        children.digest = Some("digest of zip".to_owned());
    }
    let there = observed(vec![deployment("before", "1", "zip", true)]);
    prunes(
        &desired(vec![wanted]),
        &there,
        &outcomes(vec![successor]),
        expected,
    );
}

#[test]
fn a_renamed_model_serves_until_its_successor_does() {
    let ready = |ready| Some(Ok(deployment("after", "1", "zip", ready)));
    renamed(ready(false), &["hold SuccessorNotReady"]);
    renamed(ready(true), &["delete Deployment before"]);
    let error = ApplyError::of(Kind::Deployment, "after", failure(500, "overloaded"));
    renamed(Some(Err(error)), &["hold SuccessorNotReady"]);
    renamed(None, &["hold SuccessorNotReady"]);
}

#[test]
fn a_blocked_models_children_go_on() {
    let mut wanted = desired(vec![blocked()]);
    wanted.blocked = vec!["a".to_owned()];
    let there = observed(vec![config_map("a", "1"), deployment("a", "1", "a", true)]);
    plans(&wanted, &there, &[]);
    prunes(&wanted, &there, &Outcomes::default(), &[]);
}

/// By its Deployment an autoscaler is found again.
#[test]
fn a_deployment_whose_autoscaler_could_not_be_deleted_stays() {
    let there = observed(vec![config_map("a", "1"), deployment("a", "1", "a", true)]);
    let mut outcomes = Outcomes::default();
    let error = |name| ApplyError::of(Kind::HorizontalPodAutoscaler, name, failure(500, ""));
    outcomes.push(Part::Rest, Outcome::Blocked(error("a")));
    prunes(&desired(Vec::new()), &there, &outcomes, &["hold InUse"]);
    let mut outcomes = Outcomes::default();
    outcomes.push(Part::Rest, Outcome::Blocked(error("another")));
    let gone = ["delete Deployment a", "delete ConfigMap a-1"];
    prunes(&desired(Vec::new()), &there, &outcomes, &gone);
}

#[test]
fn what_is_being_deleted_is_not_deleted_again() {
    let going = |mut object: Observed| {
        object.body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        object
    };
    let there = observed(vec![
        going(config_map("a", "1")),
        going(deployment("a", "1", "a", true)),
        going(object(Kind::Service, "s", json!({ "metadata": {} }))),
    ]);
    plans(&desired(Vec::new()), &there, &[]);
    prunes(&desired(Vec::new()), &there, &Outcomes::default(), &[]);
}

/// What is done about a child whose apply failed like this.
#[track_caller]
fn failed(kind: Kind, code: u16, message: &str, expected: &[&str]) {
    let wanted = desired(vec![model("a", "1", false)]);
    let mut there = observed(vec![config_map("a", "1"), deployment("a", "1", "a", true)]);
    there.children.push(object(
        Kind::Service,
        "a",
        json!({ "metadata": {}, "spec": { "clusterIP": "None" } }),
    ));
    let name = if kind == Kind::ConfigMap { "a-1" } else { "a" };
    let error = ApplyError::of(kind, name, failure(code, message));
    prunes(&wanted, &there, &outcomes(vec![Some(Err(error))]), expected);
}

#[test]
fn what_cannot_be_changed_is_replaced() {
    let immutable = "spec.selector: field is immutable";
    failed(Kind::Deployment, 422, immutable, &["replace Deployment a"]);
    let address = "spec.clusterIPs[0]: may not change once set";
    failed(Kind::Service, 422, address, &["replace Service a"]);
}

#[test]
fn what_is_refused_for_another_cause_is_not_replaced() {
    failed(Kind::Deployment, 422, "spec.replicas: Invalid value", &[]);
    failed(Kind::Deployment, 409, "field is immutable", &[]);
}

/// A pod may still need it.
#[test]
fn a_configuration_is_never_replaced() {
    failed(
        Kind::ConfigMap,
        422,
        "data: field is immutable when `immutable` is set",
        &[],
    );
}
