//! Children of models: applied, kept, blocked, and in which order.

use super::*;

const APPLY: [&str; 2] = ["apply ConfigMap a-1", "apply Deployment a"];

#[test]
fn a_configuration_comes_before_what_reads_it() {
    plans(
        &desired(vec![model("a", "1", false)]),
        &observed(Vec::new()),
        &APPLY,
    );
    plans(
        &desired(vec![model("a", "1", true)]),
        &observed(Vec::new()),
        &[APPLY[0], APPLY[1], "apply HorizontalPodAutoscaler a"],
    );
}

#[test]
fn what_is_as_it_should_be_is_kept() {
    let there = vec![config_map("a", "1"), deployment("a", "1", "a", true)];
    let keep = ["keep ConfigMap a-1", "keep Deployment a"];
    plans(
        &desired(vec![model("a", "1", false)]),
        &observed(there),
        &keep,
    );
}

#[test]
fn what_differs_is_applied_under_the_uid_that_was_seen() {
    let there = observed(vec![config_map("a", "1"), deployment("a", "0", "a", true)]);
    let desired = desired(vec![model("a", "1", false)]);
    let steps = plan(&identity(), &desired, &there);
    let Action::Apply(write) = &steps[1].action else {
        panic!("{steps:?}");
    };
    assert_eq!(write.body["metadata"]["uid"], "uid of a");
    assert!(write.exists);
}

#[test]
fn a_model_without_children_has_no_steps() {
    plans(&desired(vec![blocked()]), &observed(Vec::new()), &[]);
}

#[test]
fn a_child_needs_the_one_before_it() {
    let desired = desired(vec![model("a", "1", true), model("b", "1", false)]);
    let there = observed(Vec::new());
    let steps = plan(&identity(), &desired, &there);
    let needs: Vec<_> = steps.iter().map(|step| step.needs.clone()).collect();
    assert_eq!(needs, [vec![], vec![0], vec![1], vec![], vec![3]]);
}

#[test]
fn an_autoscaler_must_be_gone_before_its_model_has_a_number_again() {
    let scaler = object(
        Kind::HorizontalPodAutoscaler,
        "a",
        json!({ "metadata": {} }),
    );
    let desired = desired(vec![model("a", "1", false), model("b", "1", false)]);
    let there = observed(vec![scaler]);
    let steps = plan(&identity(), &desired, &there);
    assert_eq!(words(&steps[0].action), "delete HorizontalPodAutoscaler a");
    let needs: Vec<_> = steps.iter().map(|step| step.needs.clone()).collect();
    assert_eq!(needs, [vec![], vec![0], vec![1], vec![], vec![3]]);
}

/// What is done about the Deployment `a` where this is there, found by its name.
#[track_caller]
fn found(metadata: &Value, expected: &str) {
    let found = Observed {
        kind: Kind::Deployment,
        name: "a".to_owned(),
        uid: "other".to_owned(),
        body: json!({ "metadata": metadata }),
    };
    let mut there = observed(Vec::new());
    there
        .named
        .insert((Kind::Deployment, "a".to_owned()), Ok(Some(found)));
    plans(
        &desired(vec![model("a", "1", false)]),
        &there,
        &[APPLY[0], expected],
    );
}

fn owner(uid: &str, kind: &str, name: &str, controller: bool) -> Value {
    json!({ "ownerReferences": [{ "controller": controller, "uid": uid, "kind": kind, "name": name }] })
}

#[test]
fn a_child_that_lost_its_labels_is_ours_by_its_owner() {
    found(&owner("uid", "EdgeModelRuntime", "line", true), APPLY[1]);
}

#[test]
fn an_object_of_another_is_a_conflict() {
    found(&json!({}), "block NameConflict");
    found(
        &owner("uid", "EdgeModelRuntime", "line", false),
        "block NameConflict",
    );
    found(
        &owner("x", "Application", "line", true),
        "block NameConflict",
    );
    found(
        &owner("x", "EdgeModelRuntime", "another", true),
        "block NameConflict",
    );
}

#[test]
fn a_child_of_a_deleted_runtime_of_the_same_name_is_waited_for() {
    found(
        &owner("before", "EdgeModelRuntime", "line", true),
        "block WaitingForDeletion",
    );
}

#[test]
fn a_child_that_is_being_deleted_is_waited_for() {
    let mut going = deployment("a", "1", "a", true);
    going.body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    let desired = desired(vec![model("a", "1", false)]);
    plans(
        &desired,
        &observed(vec![going]),
        &[APPLY[0], "block WaitingForDeletion"],
    );
}

#[test]
fn a_child_that_cannot_be_read_blocks_itself_alone() {
    let mut there = observed(Vec::new());
    let unread = Err(failure(500, "overloaded"));
    there
        .named
        .insert((Kind::Deployment, "a".to_owned()), unread);
    plans(
        &desired(vec![model("a", "1", false), model("b", "1", false)]),
        &there,
        &[
            APPLY[0],
            "block ApiError",
            "apply ConfigMap b-1",
            "apply Deployment b",
        ],
    );
}

/// The number that is applied where the live one is 7, ours is unset and these managers own the field.
#[track_caller]
fn scale(managers: &[&str], expected: &Value) {
    let mut live = deployment("a", "0", "a", true);
    live.body["spec"]["replicas"] = 7.into();
    let managers = managers.iter().map(
        |manager| json!({ "manager": manager, "fieldsV1": { "f:spec": { "f:replicas": {} } } }),
    );
    live.body["metadata"]["managedFields"] = managers.collect();
    let (desired, there) = (desired(vec![model("a", "1", true)]), observed(vec![live]));
    let steps = plan(&identity(), &desired, &there);
    let Action::Apply(write) = &steps[1].action else {
        panic!("{steps:?}");
    };
    assert_eq!(
        write.body["spec"].get("replicas").unwrap_or(&Value::Null),
        expected
    );
}

/// Giving the field up would set the number to one.
#[test]
fn the_number_is_kept_until_an_autoscaler_has_written_its_own() {
    scale(&[labels::OPERATOR], &json!(7));
    scale(&[], &json!(7));
    scale(&[labels::OPERATOR, "kube-controller-manager"], &Value::Null);
}
