//! The conditions: each a pure function of the parts, with the time of its last change.

use crds::Reason;
use crds::reason::ReasonText;
use crds::status::{Condition, RuntimeStatus, condition};
use k8s_openapi::jiff::Timestamp;

use super::{OfModel, OfPort, Progress};
use crate::api::Failure;
use crate::outcome::Outcomes;
use crate::status::text::shortened;

pub(super) fn of_accepted(
    models: &[OfModel],
    ports: &[OfPort],
    outcomes: &Outcomes,
) -> Vec<Condition> {
    let unready = models
        .iter()
        .filter(|(_, progress)| *progress != Progress::Done);
    let unready: Vec<_> = unready
        .map(|(model, _)| (&model.name, &model.reason, &model.message))
        .collect();
    let models_ready = part(
        condition::MODELS_READY,
        Reason::AllReady,
        &format!("all {} models serve", models.len()),
        &unready,
    );
    let unexposed = ports
        .iter()
        .filter(|(_, progress)| *progress != Progress::Done);
    let unexposed: Vec<_> = unexposed
        .map(|(port, _)| (&port.name, &port.reason, &port.message))
        .collect();
    let exposed = if ports.is_empty() {
        condition(
            condition::EXPOSED,
            true,
            Reason::NothingExposed,
            "expose is empty",
        )
    } else {
        let all = format!("all {} ports are in effect", ports.len());
        part(condition::EXPOSED, Reason::Exposed, &all, &unexposed)
    };
    let other = outcomes.rest().next();
    let ready = [&models_ready, &exposed]
        .into_iter()
        .find(|one| one.status == "False");
    let ready = match (ready, other) {
        (Some(unready), _) => condition(
            condition::READY,
            false,
            unready.reason.clone(),
            &unready.message,
        ),
        (None, Some(other)) => {
            condition(condition::READY, false, other.reason(), &other.to_string())
        }
        (None, None) => condition(
            condition::READY,
            true,
            Reason::Ready,
            "all models serve, all ports are in effect",
        ),
    };
    let progress = models.iter().map(|(_, progress)| *progress);
    let progress: Vec<_> = progress
        .chain(ports.iter().map(|(_, progress)| *progress))
        .collect();
    let working = outcomes.is_pending() || other.is_some() || progress.contains(&Progress::Working);
    let stuck = !working && progress.contains(&Progress::Stuck);
    let mut conditions = vec![
        condition(
            condition::ACCEPTED,
            true,
            Reason::Valid,
            "the spec is valid",
        ),
        models_ready,
        exposed,
    ];
    conditions.extend(kstatus(&ready, working, stuck));
    conditions.push(ready);
    conditions
}

pub(super) fn of_refused(message: &str) -> Vec<Condition> {
    let no = |kind| condition(kind, false, Reason::InvalidSpec, message);
    let ready = no(condition::READY);
    let mut conditions = vec![
        no(condition::ACCEPTED),
        no(condition::MODELS_READY),
        no(condition::EXPOSED),
    ];
    conditions.extend(kstatus(&ready, false, true));
    conditions.push(ready);
    conditions
}

pub(super) fn of_paused() -> Vec<Condition> {
    let message = "the annotation edgemodel.io/paused is true; the operator changes nothing";
    vec![condition(
        condition::RECONCILING,
        false,
        Reason::Paused,
        message,
    )]
}

/// Workers run with the earlier spec; nothing is known about the new one until the runtime is resumed.
pub(super) fn of_paused_and_changed() -> Vec<Condition> {
    let message = "the spec was changed while the annotation edgemodel.io/paused is true; workers keep running \
                   with the earlier spec; remove the annotation to apply this one";
    let of = |kind, is| condition(kind, is, Reason::Paused, message);
    let unknown = |kind| Condition {
        status: "Unknown".to_owned(),
        ..of(kind, false)
    };
    let mut conditions = of_paused();
    conditions.extend([
        unknown(condition::ACCEPTED),
        unknown(condition::MODELS_READY),
        unknown(condition::EXPOSED),
        of(condition::STALLED, true),
        of(condition::READY, false),
    ]);
    conditions
}

pub(super) fn of_unread(failure: &Failure) -> Vec<Condition> {
    let message = format!("failed to read the objects of the runtime: {failure}");
    let of = |kind, is| condition(kind, is, failure.reason(), &message);
    vec![
        of(condition::RECONCILING, true),
        of(condition::READY, false),
    ]
}

pub(super) fn of_namespace_terminating() -> Vec<Condition> {
    let message = "the namespace is being deleted; nothing can be created in it";
    let of = |kind, is| condition(kind, is, Reason::NamespaceTerminating, message);
    vec![
        of(condition::RECONCILING, false),
        of(condition::STALLED, true),
        of(condition::READY, false),
    ]
}

/// Gives each condition its generation, and the time of its last change.
pub(super) fn transitions(
    mut conditions: Vec<Condition>,
    generation: i64,
    before: &RuntimeStatus,
    now: Timestamp,
) -> Vec<Condition> {
    for condition in &mut conditions {
        let same = before
            .conditions
            .iter()
            .find(|old| (&old.r#type, &old.status) == (&condition.r#type, &condition.status));
        let time = same
            .map(|old| old.last_transition_time.clone())
            .filter(|time| !time.is_empty());
        condition.last_transition_time = time.unwrap_or_else(|| now.to_string());
        condition.observed_generation = Some(generation);
    }
    conditions
}

fn kstatus(ready: &Condition, working: bool, stuck: bool) -> [Condition; 2] {
    let of = |kind, is: bool| {
        if is {
            condition(kind, true, ready.reason.clone(), &ready.message)
        } else {
            condition(kind, false, Reason::Settled, "")
        }
    };
    let reconciling = if working && ready.status == "True" {
        let message = "objects that are no longer needed are being deleted";
        condition(condition::RECONCILING, true, Reason::Progressing, message)
    } else {
        of(condition::RECONCILING, working)
    };
    [reconciling, of(condition::STALLED, stuck)]
}

/// A condition over several parts; `missing` are name, reason and message of those that are not as they should be.
fn part(
    kind: &str,
    good: Reason,
    all: &str,
    missing: &[(&String, &ReasonText, &String)],
) -> Condition {
    let Some((_, reason, _)) = missing.first() else {
        return condition(kind, true, good, all);
    };
    let each = missing.iter().map(|(name, reason, message)| {
        if message.is_empty() {
            format!("{name}: {reason}")
        } else {
            format!("{name}: {reason}: {message}")
        }
    });
    condition(
        kind,
        false,
        (*reason).clone(),
        &each.collect::<Vec<_>>().join("; "),
    )
}

fn condition(kind: &str, is: bool, reason: impl Into<ReasonText>, message: &str) -> Condition {
    Condition {
        r#type: kind.to_owned(),
        status: if is { "True" } else { "False" }.to_owned(),
        reason: reason.into(),
        message: shortened(message),
        ..Condition::default()
    }
}
