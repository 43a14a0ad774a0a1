//! Conditions from the statuses of models and ports, and from outcomes.

use crds::status::{Condition, ExposeStatus, ModelStatus, RuntimeStatus};
use crds::{ClusterRuntime, Reason};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::Failure;
use crate::kind::Kind;
use crate::outcome::{ApplyError, Hold, Outcome, Outcomes, Part};
use crate::status::{OfModel, OfPort, Progress, conditions};

const SAMPLE: &str = include_str!("../../../../deploy/samples/edgemodel.yaml");

fn model(name: &str, reason: Reason, progress: Progress) -> OfModel {
    let status = ModelStatus {
        name: name.to_owned(),
        reason: reason.into(),
        ready: progress == Progress::Done,
        ..ModelStatus::default()
    };
    (status, progress)
}

fn port(name: &str, reason: Reason, progress: Progress) -> OfPort {
    let status = ExposeStatus {
        name: name.to_owned(),
        reason: reason.into(),
        message: "why".to_owned(),
        ..ExposeStatus::default()
    };
    (status, progress)
}

fn done() -> OfModel {
    model("m", Reason::Ready, Progress::Done)
}

fn exposed() -> OfPort {
    port("p", Reason::Exposed, Progress::Done)
}

fn outcome(outcome: Outcome) -> Outcomes {
    let mut outcomes = Outcomes::default();
    outcomes.push(Part::Rest, outcome);
    outcomes
}

fn blocked() -> Outcomes {
    let failure = Failure::TimedOut;
    outcome(Outcome::Blocked(ApplyError::of(
        Kind::Service,
        "workers",
        failure,
    )))
}

/// pyboot's sample with these changes.
fn runtime(change: impl FnOnce(&mut Value)) -> ClusterRuntime {
    let mut object = serde_saphyr::from_str::<Value>(SAMPLE).unwrap();
    change(&mut object["spec"]);
    ClusterRuntime::new(serde_json::from_value(object["spec"].take()).unwrap()).unwrap()
}

fn of_accepted(models: &[OfModel], ports: &[OfPort], outcomes: &Outcomes) -> Vec<Condition> {
    conditions::of_accepted(&runtime(|_| {}), models, ports, outcomes)
}

/// The conditions as `Type=Status/Reason`, in their order.
#[track_caller]
fn check(models: &[OfModel], ports: &[OfPort], outcomes: &Outcomes, expected: [&str; 5]) {
    let conditions = of_accepted(models, ports, outcomes);
    let words = |kind: &str| {
        let condition = conditions.iter().find(|one| one.r#type == kind).unwrap();
        format!("{}/{}", condition.status, condition.reason)
    };
    let kinds = ["ModelsReady", "Exposed", "Ready", "Reconciling", "Stalled"];
    assert_eq!(kinds.map(words), expected);
    assert_eq!(words("Accepted"), "True/Valid");
}

#[test]
fn everything_serves() {
    check(
        &[done()],
        &[exposed()],
        &Outcomes::default(),
        [
            "True/AllReady",
            "True/Exposed",
            "True/Ready",
            "False/Settled",
            "False/Settled",
        ],
    );
}

#[test]
fn nothing_is_wanted() {
    check(
        &[],
        &[],
        &Outcomes::default(),
        [
            "True/AllReady",
            "True/NothingExposed",
            "True/Ready",
            "False/Settled",
            "False/Settled",
        ],
    );
}

#[test]
fn a_model_on_its_way_is_reconciled() {
    let working = model("n", Reason::RollingOut, Progress::Working);
    check(
        &[done(), working],
        &[exposed()],
        &Outcomes::default(),
        [
            "False/RollingOut",
            "True/Exposed",
            "False/RollingOut",
            "True/RollingOut",
            "False/Settled",
        ],
    );
}

#[test]
fn a_model_that_needs_a_person_is_stalled() {
    let stuck = model("n", Reason::InvalidDigest, Progress::Stuck);
    check(
        &[done(), stuck],
        &[],
        &Outcomes::default(),
        [
            "False/InvalidDigest",
            "True/NothingExposed",
            "False/InvalidDigest",
            "False/Settled",
            "True/InvalidDigest",
        ],
    );
}

/// The worst fault wins, whatever the order: a person is needed, and hears it while the rest still moves.
#[test]
fn what_needs_a_person_is_not_hidden_by_what_moves() {
    let stuck = || model("a", Reason::InvalidDigest, Progress::Stuck);
    let working = || model("b", Reason::RollingOut, Progress::Working);
    for models in [[stuck(), working()], [working(), stuck()]] {
        check(
            &models,
            &[],
            &Outcomes::default(),
            [
                "False/InvalidDigest",
                "True/NothingExposed",
                "False/InvalidDigest",
                "True/RollingOut",
                "True/InvalidDigest",
            ],
        );
        let conditions = of_accepted(&models, &[], &Outcomes::default());
        let ready = conditions.iter().find(|one| one.r#type == "Ready").unwrap();
        assert_eq!(ready.message, "a: InvalidDigest; b: RollingOut");
    }
}

/// kstatus takes the first of the two that is true.
#[test]
fn stalled_comes_before_reconciling() {
    let conditions = of_accepted(&[done()], &[], &Outcomes::default());
    let place = |kind: &str| conditions.iter().position(|one| one.r#type == kind);
    assert!(place("Stalled") < place("Reconciling"));
}

#[test]
fn a_port_that_needs_a_person_comes_before_a_model_that_moves() {
    let working = model("m", Reason::RollingOut, Progress::Working);
    let stuck = port("p", Reason::PortOutOfRange, Progress::Stuck);
    check(
        &[working],
        &[stuck],
        &Outcomes::default(),
        [
            "False/RollingOut",
            "False/PortOutOfRange",
            "False/PortOutOfRange",
            "True/RollingOut",
            "True/PortOutOfRange",
        ],
    );
}

#[test]
fn a_node_port_on_edge_nodes_is_warned_of() {
    let warned = |change: fn(&mut Value)| {
        let conditions =
            conditions::of_accepted(&runtime(change), &[done()], &[], &Outcomes::default());
        let mut all = conditions.into_iter();
        let found = all.find(|one| one.r#type == "Warning")?;
        Some((found.status, found.reason.to_string()))
    };
    let expected = Some(("True".to_owned(), "NodePortOnEdge".to_owned()));
    assert_eq!(
        warned(|spec| spec["placement"] = json!({ "edge": true })),
        expected
    );
    assert_eq!(warned(|_| {}), None);
    assert_eq!(
        warned(|spec| {
            spec["placement"] = json!({ "edge": true });
            spec["exposeMode"] = "HostPort".into();
        }),
        None
    );
    assert_eq!(
        warned(|spec| {
            spec["placement"] = json!({ "edge": true });
            spec["expose"] = json!([]);
        }),
        None
    );
}

#[test]
fn a_port_that_is_out_of_range_is_stalled() {
    let stuck = port("p", Reason::PortOutOfRange, Progress::Stuck);
    check(
        &[done()],
        &[stuck],
        &Outcomes::default(),
        [
            "True/AllReady",
            "False/PortOutOfRange",
            "False/PortOutOfRange",
            "False/Settled",
            "True/PortOutOfRange",
        ],
    );
}

#[test]
fn models_come_before_ports_in_the_reason() {
    let working = model("m", Reason::RollingOut, Progress::Working);
    let stuck = port("p", Reason::PortTaken, Progress::Working);
    check(
        &[working],
        &[stuck],
        &Outcomes::default(),
        [
            "False/RollingOut",
            "False/PortTaken",
            "False/RollingOut",
            "True/RollingOut",
            "False/Settled",
        ],
    );
}

#[test]
fn what_blocks_the_rest_is_told_where_nothing_else_is() {
    check(
        &[done()],
        &[],
        &blocked(),
        [
            "True/AllReady",
            "True/NothingExposed",
            "False/ApiError",
            "True/ApiError",
            "False/Settled",
        ],
    );
    let working = model("m", Reason::RollingOut, Progress::Working);
    check(
        &[working],
        &[],
        &blocked(),
        [
            "False/RollingOut",
            "True/NothingExposed",
            "False/RollingOut",
            "True/RollingOut",
            "False/Settled",
        ],
    );
}

#[test]
fn what_is_being_removed_is_progress_of_a_ready_runtime() {
    check(
        &[done()],
        &[],
        &outcome(Outcome::Held(Hold::InUse)),
        [
            "True/AllReady",
            "True/NothingExposed",
            "True/Ready",
            "True/Progressing",
            "False/Settled",
        ],
    );
}

#[test]
fn a_message_lists_each_part_that_is_not_as_it_should_be() {
    let models = [model("a", Reason::RollingOut, Progress::Working), done()];
    let ports = [port("p", Reason::PortTaken, Progress::Working), exposed()];
    let conditions = of_accepted(&models, &ports, &Outcomes::default());
    let message = |kind: &str| {
        let mut all = conditions.iter();
        all.find(|one| one.r#type == kind).unwrap().message.clone()
    };
    assert_eq!(message("ModelsReady"), "a: RollingOut");
    assert_eq!(message("Exposed"), "p: PortTaken: why");
}

/// The time of a condition of this type and status, where it was before as given.
#[track_caller]
fn transition(before: Option<(&str, &str)>, expected: &str) {
    let condition = |status: &str, time: &str| Condition {
        r#type: "Ready".to_owned(),
        status: status.to_owned(),
        last_transition_time: time.to_owned(),
        ..Condition::default()
    };
    let before = RuntimeStatus {
        conditions: before
            .map(|(status, time)| condition(status, time))
            .into_iter()
            .collect(),
        ..RuntimeStatus::default()
    };
    let now = Timestamp::from_second(0).unwrap();
    let after = conditions::transitions(vec![condition("True", "")], 7, &before, now);
    assert_eq!(after[0].last_transition_time, expected);
    assert_eq!(after[0].observed_generation, Some(7));
}

#[test]
fn the_time_of_a_condition_changes_with_its_status_alone() {
    transition(None, "1970-01-01T00:00:00Z");
    transition(Some(("True", "before")), "before");
    transition(Some(("False", "before")), "1970-01-01T00:00:00Z");
    transition(Some(("True", "")), "1970-01-01T00:00:00Z");
}
