//! The conditions: each a pure function of the parts, with the time of its last change.

use crds::cluster::ExposeMode;
use crds::reason::ReasonText;
use crds::status::{Condition, RuntimeStatus, condition};
use crds::{ClusterRuntime, Reason};
use k8s_openapi::jiff::Timestamp;

use super::{OfModel, OfPort, Progress};
use crate::api::Failure;
use crate::outcome::Outcomes;
use crate::status::text::shortened;

pub(super) fn of_accepted(
    runtime: &ClusterRuntime,
    models: &[OfModel],
    ports: &[OfPort],
    outcomes: &Outcomes,
) -> Vec<Condition> {
    let models = Parts::of(models.iter().map(|(model, progress)| Part {
        name: &model.name,
        reason: &model.reason,
        message: &model.message,
        progress: *progress,
    }));
    let models_ready = models.condition(
        condition::MODELS_READY,
        Reason::AllReady,
        &format!("all {} models serve", models.count),
    );
    let ports = Parts::of(ports.iter().map(|(port, progress)| Part {
        name: &port.name,
        reason: &port.reason,
        message: &port.message,
        progress: *progress,
    }));
    let exposed = if ports.count == 0 {
        condition(
            condition::EXPOSED,
            true,
            Reason::NothingExposed,
            "expose is empty",
        )
    } else {
        let all = format!("all {} ports are in effect", ports.count);
        ports.condition(condition::EXPOSED, Reason::Exposed, &all)
    };
    let other = outcomes.rest().next();
    let stuck = models.is(Progress::Stuck) || ports.is(Progress::Stuck);
    let working = outcomes.is_pending()
        || other.is_some()
        || models.is(Progress::Working)
        || ports.is(Progress::Working);
    // The worst fault wins: a port that waits for a person comes before a model that is rolling out.
    let summary = if ports.is(Progress::Stuck) && !models.is(Progress::Stuck) {
        [&exposed, &models_ready]
    } else {
        [&models_ready, &exposed]
    };
    let unready = summary.into_iter().find(|one| one.status == "False");
    let ready = match (unready, other) {
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
    // What moves is told by its own reason, not by that of the fault that waits for a person.
    let moving = [&models, &ports].into_iter().find_map(Parts::moving);
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
    let moving = moving.unwrap_or_else(|| (ready.reason.clone(), ready.message.clone()));
    conditions.extend(kstatus(&ready, working.then_some(&moving), stuck));
    conditions.push(ready);
    conditions.extend(warning(runtime));
    conditions
}

/// What works, and may not be what the user expects.
fn warning(runtime: &ClusterRuntime) -> Option<Condition> {
    let on_edge = runtime.nodes.edge
        && runtime.expose_mode == ExposeMode::NodePort
        && !runtime.ports().is_empty();
    on_edge.then(|| {
        let message = "exposeMode is NodePort and placement.edge is true: a NodePort needs kube-proxy or EdgeMesh on the \
                       node, which KubeEdge doesn't bring along; set exposeMode: HostPort to reach the ports on the \
                       worker's node";
        condition(condition::WARNING, true, Reason::NodePortOnEdge, message)
    })
}

pub(super) fn of_refused(message: &str) -> Vec<Condition> {
    let no = |kind| condition(kind, false, Reason::InvalidSpec, message);
    let ready = no(condition::READY);
    let mut conditions = vec![
        no(condition::ACCEPTED),
        no(condition::MODELS_READY),
        no(condition::EXPOSED),
    ];
    conditions.extend(kstatus(&ready, None, true));
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

/// Stalled comes first: kstatus takes the first of the two that is true, and who waits for a runtime that needs a person
/// should hear so while other parts still move.
fn kstatus(
    ready: &Condition,
    moving: Option<&(ReasonText, String)>,
    stuck: bool,
) -> [Condition; 2] {
    let stalled = if stuck {
        condition(
            condition::STALLED,
            true,
            ready.reason.clone(),
            &ready.message,
        )
    } else {
        condition(condition::STALLED, false, Reason::Settled, "")
    };
    let reconciling = match moving {
        Some(_) if ready.status == "True" => {
            let message = "objects that are no longer needed are being deleted";
            condition(condition::RECONCILING, true, Reason::Progressing, message)
        }
        Some((reason, message)) => condition(condition::RECONCILING, true, reason.clone(), message),
        None => condition(condition::RECONCILING, false, Reason::Settled, ""),
    };
    [stalled, reconciling]
}

/// A model or a port, as far as conditions need it.
struct Part<'a> {
    name: &'a str,
    reason: &'a ReasonText,
    message: &'a str,
    progress: Progress,
}

/// All models, or all ports; `missing` are those that are not as they should be.
struct Parts<'a> {
    count: usize,
    missing: Vec<Part<'a>>,
}

impl<'a> Parts<'a> {
    fn of(parts: impl Iterator<Item = Part<'a>>) -> Self {
        let mut count = 0;
        let counted = parts.inspect(|_| count += 1);
        let missing = counted
            .filter(|one| one.progress != Progress::Done)
            .collect();
        Self { count, missing }
    }

    fn is(&self, progress: Progress) -> bool {
        self.missing.iter().any(|one| one.progress == progress)
    }

    /// Reason of the first that moves, and the texts of all that do.
    fn moving(&self) -> Option<(ReasonText, String)> {
        let moving = self.missing.iter();
        let moving: Vec<_> = moving
            .filter(|one| one.progress == Progress::Working)
            .collect();
        let texts: Vec<_> = moving.iter().map(|one| one.text()).collect();
        Some((moving.first()?.reason.clone(), texts.join("; ")))
    }

    /// The condition over all of them: its reason is that of the worst, its message lists each, the worst first.
    fn condition(&self, kind: &str, good: Reason, all: &str) -> Condition {
        let of = |progress| {
            self.missing
                .iter()
                .filter(move |one| one.progress == progress)
        };
        let worst: Vec<_> = of(Progress::Stuck).chain(of(Progress::Working)).collect();
        let Some(first) = worst.first() else {
            return condition(kind, true, good, all);
        };
        let each: Vec<_> = worst.iter().map(|one| one.text()).collect();
        condition(kind, false, first.reason.clone(), &each.join("; "))
    }
}

impl Part<'_> {
    fn text(&self) -> String {
        if self.message.is_empty() {
            format!("{}: {}", self.name, self.reason)
        } else {
            format!("{}: {}: {}", self.name, self.reason, self.message)
        }
    }
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
