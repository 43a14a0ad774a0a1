//! The status of a model: its rollout, and where that does not end, what its workers or the cluster say.

use crds::status::{ModelStatus, reason};

use super::{Accepted, OfModel, Progress, pods};
use crate::desired::{Model, ModelChildren};
use crate::observe::Live;
use crate::rollout::{Rollout, rollout};

pub(super) fn status(accepted: &Accepted<'_>, index: usize) -> OfModel {
    let name = accepted.spec.funcs[index].model_name.clone();
    let mut status = ModelStatus {
        name,
        ..ModelStatus::default()
    };
    let children = match &accepted.desired.models[index] {
        Model::Served(children) => children,
        Model::Withheld(withheld) => {
            withheld.reason.clone_into(&mut status.reason);
            status.message.clone_from(&withheld.message);
            let progress = if withheld.passing {
                Progress::Working
            } else {
                Progress::Stuck
            };
            return (status, progress);
        }
    };
    status.deployment = Some(children.deployment.name.clone());
    status.digest.clone_from(&children.digest);
    let (ready, progress, reason, message) = match &accepted.applied.models[index] {
        Some(Ok(live)) => of_deployment(accepted, children, live),
        Some(Err(obstacle)) => {
            let progress = match obstacle.reason() {
                reason::NAME_CONFLICT | reason::REFUSED => Progress::Stuck,
                _ => Progress::Working,
            };
            (
                false,
                progress,
                obstacle.reason().to_owned(),
                obstacle.to_string(),
            )
        }
        None => (
            false,
            Progress::Working,
            reason::PROGRESSING.to_owned(),
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
    live: &Live,
) -> (bool, Progress, String, String) {
    let rollout = rollout(live);
    // Fewer than the spec asks for, while workers that share their subscriptions take the place of one that did not.
    let held = children
        .replicas
        .is_some_and(|wanted| u64::from(wanted) > rollout.wanted);
    if rollout.is_complete() && !held {
        let reason = if rollout.wanted == 0 && children.replicas == Some(0) {
            reason::SCALED_TO_ZERO
        } else {
            reason::READY
        };
        return (true, Progress::Done, reason.to_owned(), String::new());
    }
    if let Some((reason, message)) = pods::trouble(&accepted.observed.pods, live, accepted.now) {
        return (false, Progress::Working, reason, message);
    }
    if let Some((reason, message)) = failed_condition(live, &rollout) {
        return (false, Progress::Stuck, reason, message);
    }
    // No counts: what moves fast is no status.
    let message = "workers with this spec are being started; those before them serve until then";
    (
        false,
        Progress::Working,
        reason::ROLLING_OUT.to_owned(),
        message.to_owned(),
    )
}

/// What a Deployment says that keeps it from its pods: quota, Pod Security, or no progress for long.
fn failed_condition(live: &Live, rollout: &Rollout) -> Option<(String, String)> {
    if !rollout.observed {
        return None;
    }
    let conditions = live.body["status"]["conditions"].as_array()?;
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let is = |one: &&serde_json::Value, kind: &str, status: &str| {
        one["type"] == kind && one["status"] == status
    };
    let mut all = conditions.iter();
    let failed = all.find(|one| is(one, "ReplicaFailure", "True"));
    let failed = failed.or_else(|| {
        let mut all = conditions.iter();
        all.find(|one| is(one, "Progressing", "False"))
    })?;
    Some((text(&failed["reason"]), text(&failed["message"])))
}
