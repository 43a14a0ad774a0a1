//! Decides which children to delete: unwanted ones, and those that must be recreated.

use std::collections::HashSet;

use super::{Action, Step};
use crate::api::Failure;
use crate::desired::{Desired, Model, labels};
use crate::kind::Kind;
use crate::observe::{Observation, Observed};
use crate::outcome::{Hold, Outcomes, Part};
use crate::rollout::Rollout;

/// A model, and the digest of a configuration of its.
type Configuration = (String, String);

/// Deletes what is in the way of what comes: Services that hold ports, and autoscalers that would fight over the number
/// of pods.
pub(super) fn make_room<'a>(
    desired: &Desired,
    observed: &'a Observation,
) -> impl Iterator<Item = Action<'a>> {
    let wanted = wanted(desired);
    let in_the_way = observed.children.iter().filter(move |object| {
        (object.kind == Kind::Service || object.kind.is_autoscaler())
            && !wanted.contains(&key(object))
            && !is_kept(object, desired)
            && !object.is_terminating()
    });
    in_the_way.map(Action::Delete)
}

/// What to do after [`super::plan`], whose outcomes these are: replaces what could not be changed, deletes Deployments
/// whose successors serve, and configurations that no pod uses.
pub fn prune<'a>(
    desired: &Desired,
    observed: &'a Observation,
    outcomes: &Outcomes,
) -> Vec<Step<'a>> {
    let wanted = wanted(desired);
    let unwanted = |object: &&Observed| !wanted.contains(&key(object)) && !is_kept(object, desired);
    let of_kind = |kind| observed.children.iter().filter(move |one| one.kind == kind);
    let applied: Vec<_> = (0..desired.models.len())
        .filter_map(|index| outcomes.model(index)?.ok())
        .collect();
    let mut used = used_by_pods(observed);
    used.extend(applied.iter().filter_map(|object| configuration(object)));
    let mut steps = replace(observed, outcomes);
    let mut rest = |action| steps.push(Step::new(Part::Rest, action));
    let coming = coming(desired, outcomes);
    for object in of_kind(Kind::Deployment) {
        if !unwanted(&object) {
            // One that could not be applied refers to what it referred to.
            if !applied.iter().any(|one| one.name == object.name) {
                used.extend(configuration(object));
            }
        } else if is_scaled(object, outcomes) {
            // By its Deployment an autoscaler is found again.
            used.extend(configuration(object));
        } else if object
            .annotation(labels::DIGEST)
            .is_some_and(|digest| coming.contains(digest))
        {
            // The same zip under a new name: delete the old Deployment once its successor serves.
            used.extend(configuration(object));
            rest(Action::Hold(Hold::SuccessorNotReady));
        } else if !object.is_terminating() {
            rest(Action::Delete(object));
        }
    }
    for object in of_kind(Kind::ConfigMap).filter(unwanted) {
        let in_use = object.annotation(labels::CONFIG).is_none_or(|digest| {
            let model = object.label(labels::MODEL).unwrap_or_default();
            used.contains(&(model.to_owned(), digest.to_owned()))
        });
        if in_use {
            rest(Action::Hold(Hold::InUse));
        } else if !object.is_terminating() {
            rest(Action::Delete(object));
        }
    }
    steps
}

/// Children with an immutable field that should change. A ConfigMap is never deleted while a pod may need it: an edge
/// node that starts the pod again would find none.
fn replace<'a>(observed: &'a Observation, outcomes: &Outcomes) -> Vec<Step<'a>> {
    let mut steps: Vec<Step<'a>> = Vec::new();
    for (part, error) in outcomes.errors() {
        let Some((kind, name)) = error.object() else {
            continue;
        };
        let immutable = error.failure().is_some_and(Failure::is_immutable);
        if let Ok(Some(object)) = observed.object(kind, name)
            && immutable
            && matches!(kind, Kind::Deployment | Kind::Service)
        {
            steps.push(Step::new(part, Action::Replace(object)));
        }
    }
    steps
}

fn key(object: &Observed) -> (Kind, &str) {
    (object.kind, object.name.as_str())
}

fn wanted(desired: &Desired) -> HashSet<(Kind, &str)> {
    let children = desired.children();
    children
        .map(|child| (child.kind, child.name.as_str()))
        .collect()
}

/// Whether a blocked model has it from an earlier spec, with which its workers keep running.
fn is_kept(object: &Observed, desired: &Desired) -> bool {
    if object.kind == Kind::Service {
        // The headless Service of workers that keep running.
        return object.body["spec"]["clusterIP"] == "None" && !desired.models.is_empty();
    }
    let name = object.annotation(labels::NAME);
    name.is_some_and(|name| desired.blocked.iter().any(|blocked| blocked == name))
}

/// Whether an autoscaler of the Deployment could not be deleted.
fn is_scaled(deployment: &Observed, outcomes: &Outcomes) -> bool {
    outcomes.rest().any(|error| {
        let object = error.object();
        object.is_some_and(|(kind, name)| kind.is_autoscaler() && name == deployment.name)
    })
}

/// Digests of the models that do not serve yet.
fn coming<'a>(desired: &'a Desired, outcomes: &Outcomes) -> HashSet<&'a str> {
    let models = desired.models.iter().enumerate();
    let coming = models.filter_map(|(index, model)| {
        let Model::Served(children) = model else {
            return None;
        };
        let serves = match outcomes.model(index) {
            Some(Ok(deployment)) => Rollout::of(deployment).is_complete(),
            Some(Err(_)) | None => false,
        };
        children.digest.as_deref().filter(|_| !serves)
    });
    coming.collect()
}

fn used_by_pods(observed: &Observation) -> HashSet<Configuration> {
    let used = observed.pods.iter().filter_map(|pod| {
        let labels = pod.metadata.labels.as_ref()?;
        let annotations = pod.metadata.annotations.as_ref()?;
        Some((
            labels.get(labels::MODEL)?.clone(),
            annotations.get(labels::CONFIG)?.clone(),
        ))
    });
    used.collect()
}

fn configuration(deployment: &Observed) -> Option<Configuration> {
    let template = &deployment.body["spec"]["template"]["metadata"];
    let digest = template["annotations"][labels::CONFIG].as_str()?;
    Some((
        deployment.label(labels::MODEL)?.to_owned(),
        digest.to_owned(),
    ))
}
