//! Children that nobody wants any more.

use std::collections::{BTreeSet, HashSet};

use super::{Applied, ApplyError, Context, child};
use crate::desired::{Desired, Model, labels};
use crate::kind::Kind;
use crate::observe::Observed;
use crate::rollout::rollout;

/// Something that nobody wants and that is still there.
pub(super) struct Left<'a> {
    live: &'a Observed,
    pub(super) error: ApplyError,
}

impl Left<'_> {
    /// Whether it scales the Deployment of that name.
    pub(super) fn scales(&self, deployment: &str) -> bool {
        self.live.kind != Kind::Service && self.live.name == deployment
    }
}

/// Deletes what would be in the way of what comes: Services that hold ports, and autoscalers that would fight over the
/// number of pods. Gives what could not be deleted.
pub(super) async fn make_room<'a>(ctx: &Context<'a>, desired: &Desired) -> Vec<Left<'a>> {
    let kinds = [
        Kind::Service,
        Kind::HorizontalPodAutoscaler,
        Kind::ScaledObject,
    ];
    let wanted = wanted(desired);
    let mut left = Vec::new();
    for live in &ctx.observed.children {
        if kinds.contains(&live.kind)
            && !wanted.contains(&key(live))
            && !is_kept(live, desired)
            && let Err(error) = child::delete(ctx, live).await
        {
            left.push(Left { live, error });
        }
    }
    left
}

/// Deletes Deployments whose successors serve, and configurations that no pod uses.
pub(super) async fn remove(
    ctx: &Context<'_>,
    desired: &Desired,
    left: &[Left<'_>],
    applied: &mut Applied,
) {
    let wanted = wanted(desired);
    let coming = coming(desired, applied);
    let mut used = used_configurations(ctx, applied);
    let done = applied.models.iter().flatten().flatten();
    let done: HashSet<_> = done.map(|live| live.name.clone()).collect();
    for live in of_kind(ctx, Kind::Deployment) {
        if wanted.contains(&key(live)) || is_kept(live, desired) {
            // One that could not be applied refers to what it referred to.
            if !done.contains(&live.name) {
                used.extend(configuration(live));
            }
            continue;
        }
        // By its Deployment an autoscaler is found again.
        if left.iter().any(|one| one.scales(&live.name)) {
            used.extend(configuration(live));
            continue;
        }
        // The same zip under a new name: what serves goes when what comes serves.
        if live
            .annotation(labels::DIGEST)
            .is_some_and(|digest| coming.contains(digest))
        {
            applied.pending = true;
            used.extend(configuration(live));
            continue;
        }
        applied.others.extend(child::delete(ctx, live).await.err());
    }
    for live in of_kind(ctx, Kind::ConfigMap) {
        let in_use = live.annotation(labels::CONFIG).is_none_or(|digest| {
            let model = live.label(labels::MODEL).unwrap_or_default();
            used.contains(&(model.to_owned(), digest.to_owned()))
        });
        if wanted.contains(&key(live)) || is_kept(live, desired) {
            continue;
        }
        if in_use {
            applied.pending = true;
        } else {
            applied.others.extend(child::delete(ctx, live).await.err());
        }
    }
}

fn of_kind<'a>(ctx: &'a Context<'_>, kind: Kind) -> impl Iterator<Item = &'a Observed> {
    ctx.observed
        .children
        .iter()
        .filter(move |live| live.kind == kind)
}

fn key(live: &Observed) -> (Kind, &str) {
    (live.kind, live.name.as_str())
}

fn wanted(desired: &Desired) -> HashSet<(Kind, &str)> {
    let mut wanted = HashSet::new();
    for model in &desired.models {
        if let Model::Served(children) = model {
            let both = [&children.config_map, &children.deployment];
            let all = both.into_iter().chain(&children.autoscaler);
            wanted.extend(all.map(|child| (child.kind, child.name.as_str())));
        }
    }
    let services = desired
        .ports
        .iter()
        .filter_map(|port| port.service.as_ref());
    let services = services.chain(&desired.workers);
    wanted.extend(services.map(|child| (child.kind, child.name.as_str())));
    wanted
}

/// What a model without children now has from an earlier spec goes on.
fn is_kept(live: &Observed, desired: &Desired) -> bool {
    let Some(name) = live
        .annotation(labels::NAME)
        .filter(|_| live.kind != Kind::Service)
    else {
        // The headless Service of workers that go on.
        return live.kind == Kind::Service
            && live.body["spec"]["clusterIP"] == "None"
            && !desired.models.is_empty();
    };
    desired.blocked.iter().any(|blocked| blocked == name)
}

/// Digests of the models that do not serve yet.
fn coming(desired: &Desired, applied: &Applied) -> BTreeSet<String> {
    let models = desired.models.iter().zip(&applied.models);
    let coming = models.filter_map(|(model, outcome)| {
        let Model::Served(children) = model else {
            return None;
        };
        let ready = matches!(outcome, Some(Ok(live)) if rollout(live).is_complete());
        children.digest.clone().filter(|_| !ready)
    });
    coming.collect()
}

/// Model and digest of the configurations that pods or Deployments refer to.
fn used_configurations(ctx: &Context<'_>, applied: &Applied) -> HashSet<(String, String)> {
    let pods = ctx.observed.pods.iter().filter_map(|pod| {
        let labels = pod.metadata.labels.as_ref()?;
        let annotations = pod.metadata.annotations.as_ref()?;
        Some((
            labels.get(labels::MODEL)?.clone(),
            annotations.get(labels::CONFIG)?.clone(),
        ))
    });
    let applied = applied
        .models
        .iter()
        .flatten()
        .filter_map(|outcome| outcome.as_ref().ok());
    pods.chain(applied.filter_map(configuration)).collect()
}

fn configuration(deployment: &Observed) -> Option<(String, String)> {
    let template = &deployment.body["spec"]["template"]["metadata"];
    let digest = template["annotations"][labels::CONFIG].as_str()?;
    Some((
        deployment.label(labels::MODEL)?.to_owned(),
        digest.to_owned(),
    ))
}
