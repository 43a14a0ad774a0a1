//! The status of a model: its rollout, and where that does not end, what its workers or the cluster say.

use crds::Reason;
use crds::reason::ReasonText;
use crds::status::ModelStatus;

use super::{Accepted, OfModel, Progress, pods};
use crate::desired::{Model, ModelChildren, digest_text};
use crate::observe::Observed;
use crate::rollout::Rollout;

pub(super) fn status(accepted: &Accepted<'_>, index: usize) -> OfModel {
    let func = &accepted.runtime.models[index];
    let digests = func.digest.as_ref().ok();
    let mut status = ModelStatus {
        name: func.name.clone(),
        wanted: digests.and_then(digest_text),
        ..ModelStatus::default()
    };
    let children = match &accepted.desired.models[index] {
        Model::Served(children) => children,
        Model::Blocked(blocked) => {
            status.reason = blocked.reason.into();
            status.message.clone_from(&blocked.message);
            let progress = if blocked.passing {
                Progress::Working
            } else {
                Progress::Stuck
            };
            return (status, progress);
        }
    };
    status.deployment = Some(children.deployment.name.clone());
    let (ready, progress, reason, message) = match accepted.outcomes.model(index) {
        Some(Ok(live)) => of_deployment(accepted, children, live),
        Some(Err(error)) => {
            let progress = if error.reason().is_permanent() {
                Progress::Stuck
            } else {
                Progress::Working
            };
            (false, progress, error.reason().into(), error.to_string())
        }
        None => (
            false,
            Progress::Working,
            Reason::Progressing.into(),
            String::new(),
        ),
    };
    status.ready = ready;
    status.reason = reason;
    status.message = message;
    (status, progress)
}

fn of_deployment(
    accepted: &Accepted<'_>,
    children: &ModelChildren,
    live: &Observed,
) -> (bool, Progress, ReasonText, String) {
    let rollout = Rollout::of(live);
    // Fewer than the spec asks for, while workers that share their subscriptions take the place of one that did not.
    let held = children
        .replicas
        .is_some_and(|wanted| u64::from(wanted) > rollout.wanted);
    if rollout.is_complete() && !held {
        let reason = if rollout.wanted == 0 && children.replicas == Some(0) {
            Reason::ScaledToZero
        } else {
            Reason::Ready
        };
        return (true, Progress::Done, reason.into(), String::new());
    }
    if let Some((reason, message)) = pods::trouble(&accepted.observed.pods, live, accepted.now) {
        return (false, Progress::Working, reason, message);
    }
    if let Some((reason, message)) = failed_condition(live, &rollout) {
        return (false, Progress::Stuck, reason, message);
    }
    // No counts: a status doesn't show what changes every second.
    let message = if live.body["spec"]["strategy"]["type"] == "Recreate" {
        "the worker with this spec is starting; the earlier one had to stop first, and the broker holds its messages"
    } else {
        "workers with this spec are starting; the earlier ones serve until then"
    };
    (
        false,
        Progress::Working,
        Reason::RollingOut.into(),
        message.to_owned(),
    )
}

/// What a Deployment says that keeps it from its pods: quota, Pod Security, or no progress for long.
fn failed_condition(live: &Observed, rollout: &Rollout) -> Option<(ReasonText, String)> {
    if !rollout.observed {
        return None;
    }
    let conditions = live.body["status"]["conditions"].as_array()?;
    let is = |one: &&serde_json::Value, kind: &str, status: &str| {
        one["type"] == kind && one["status"] == status
    };
    let mut all = conditions.iter();
    let failed = all.find(|one| is(one, "ReplicaFailure", "True"));
    let failed = failed.or_else(|| {
        let mut all = conditions.iter();
        all.find(|one| is(one, "Progressing", "False"))
    })?;
    let text = |name: &str| failed[name].as_str().unwrap_or_default();
    Some((text("reason").into(), text("message").to_owned()))
}
