//! What is read from outcomes, and what errors say.

use serde_json::json;

use super::{ApplyError, Hold, Outcome, Outcomes, Part};
use crate::api::Failure;
use crate::kind::Kind;
use crate::observe::Observed;

fn object(kind: Kind, name: &str) -> Observed {
    Observed {
        kind,
        name: name.to_owned(),
        uid: String::new(),
        body: json!({}),
    }
}

fn blocked(kind: Kind) -> Outcome {
    Outcome::Blocked(ApplyError::of(kind, "n", Failure::TimedOut))
}

/// What the model of the index 0 comes to: its Deployment's name, `blocked` by a kind, or nothing.
#[track_caller]
fn check(steps: Vec<Outcome>, expected: Option<&str>) {
    let mut outcomes = Outcomes::default();
    outcomes.push(Part::Model(1), blocked(Kind::Service));
    for step in steps {
        outcomes.push(Part::Model(0), step);
    }
    let model = outcomes.model(0).map(|model| match model {
        Ok(deployment) => deployment.name.clone(),
        Err(ApplyError::Failure { kind, .. }) => format!("blocked by {}", kind.as_str()),
        Err(error) => error.reason().to_string(),
    });
    assert_eq!(model.as_deref(), expected);
}

#[test]
fn a_model_is_its_deployment_unless_something_of_it_is_blocked() {
    let applied = |kind, name| Outcome::Applied(object(kind, name));
    let config = || applied(Kind::ConfigMap, "c");
    let deployment = || Outcome::Unchanged(object(Kind::Deployment, "d"));
    check(vec![config(), deployment()], Some("d"));
    check(
        vec![config(), blocked(Kind::Deployment)],
        Some("blocked by Deployment"),
    );
    check(
        vec![blocked(Kind::ConfigMap), Outcome::Skipped],
        Some("blocked by ConfigMap"),
    );
    let scaler = blocked(Kind::HorizontalPodAutoscaler);
    check(
        vec![config(), deployment(), scaler],
        Some("blocked by HorizontalPodAutoscaler"),
    );
    check(vec![Outcome::Skipped, Outcome::Skipped], None);
    check(Vec::new(), None);
}

#[test]
fn of_two_errors_the_later_counts() {
    let replaced = Outcome::Blocked(ApplyError::Replaced {
        kind: Kind::Deployment,
        name: "d".to_owned(),
    });
    check(vec![blocked(Kind::Deployment), replaced], Some("Replaced"));
}

#[test]
fn something_waits_if_anything_is_held() {
    let mut outcomes = Outcomes::default();
    outcomes.push(Part::Rest, blocked(Kind::Service));
    assert!(!outcomes.is_pending());
    outcomes.push(Part::Rest, Outcome::Held(Hold::InUse));
    assert!(outcomes.is_pending());
}

#[test]
fn steps_follow_what_succeeded_or_waits() {
    let success = [
        (Outcome::Applied(object(Kind::Service, "s")), true),
        (Outcome::Unchanged(object(Kind::Service, "s")), true),
        (Outcome::Deleted, true),
        (Outcome::Held(Hold::LoneWorker), true),
        (blocked(Kind::Service), false),
        (Outcome::Skipped, false),
    ];
    for (outcome, expected) in success {
        assert_eq!(outcome.is_success(), expected, "{outcome:?}");
    }
}

#[track_caller]
fn reason(kind: Kind, code: u16, expected: &str, transient: bool) {
    let mut status = kube::core::Status::failure("no", "");
    status.code = code;
    let error = ApplyError::of(kind, "n", Failure::Refused(Box::new(status)));
    assert_eq!(
        (error.reason().as_str(), error.is_transient()),
        (expected, transient)
    );
}

#[test]
fn a_kind_that_is_not_there_is_told_from_other_failures() {
    reason(Kind::ScaledObject, 404, "ApiAbsent", false);
    reason(Kind::Deployment, 404, "Refused", false);
    reason(Kind::ScaledObject, 403, "Refused", false);
    reason(Kind::Service, 429, "ApiError", true);
    reason(Kind::Service, 500, "ApiError", true);
}
