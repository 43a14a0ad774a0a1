//! Conditions from the statuses of models and ports, and from outcomes.

use crds::Reason;
use crds::status::{Condition, ExposeStatus, ModelStatus, RuntimeStatus};
use k8s_openapi::jiff::Timestamp;

use crate::api::Failure;
use crate::kind::Kind;
use crate::outcome::{ApplyError, Hold, Outcome, Outcomes, Part};
use crate::status::{OfModel, OfPort, Progress, conditions};

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

/// The conditions as `Type=Status/Reason`, in their order.
#[track_caller]
fn check(models: &[OfModel], ports: &[OfPort], outcomes: &Outcomes, expected: [&str; 5]) {
    let conditions = conditions::of_accepted(models, ports, outcomes);
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

/// kstatus: a tool goes on to wait while anything moves.
#[test]
fn nothing_is_stalled_while_something_moves() {
    let stuck = model("a", Reason::InvalidDigest, Progress::Stuck);
    let working = model("b", Reason::RollingOut, Progress::Working);
    check(
        &[stuck, working],
        &[],
        &Outcomes::default(),
        [
            "False/InvalidDigest",
            "True/NothingExposed",
            "False/InvalidDigest",
            "True/InvalidDigest",
            "False/Settled",
        ],
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
    let conditions = conditions::of_accepted(&models, &ports, &Outcomes::default());
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
