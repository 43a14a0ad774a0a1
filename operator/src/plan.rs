//! What to do about a runtime: a pure function of what should be there and what is there, and the only place that
//! chooses.
//!
//! [`plan`] makes room, applies, and says what must wait. [`prune()`] takes the outcomes of that and says what is no
//! longer needed. The order leaves no gap: resources are freed first, a configuration precedes its readers,
//! and unwanted children are deleted once their successors serve.

mod child;
mod ports;
mod prune;
mod scale;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::desired::{Desired, Identity, Model};
use crate::kind::Kind;
use crate::observe::{Observation, Observed};
use crate::outcome::{ApplyError, Hold, Part};

pub use prune::prune;

/// One thing to do, or to leave.
#[derive(Debug, Clone, PartialEq)]
pub enum Action<'a> {
    /// Apply a child.
    Apply(Write),
    /// Apply a Service without its port on the nodes, which another Service of the runtime is to have.
    ReleasePort(Write),
    /// Leave a child that is as it should be.
    Keep(&'a Observed),
    /// Delete an object.
    Delete(&'a Observed),
    /// Delete an object that cannot be changed into what it should be; the next reconcile creates it.
    Replace(&'a Observed),
    /// Wait.
    Hold(Hold),
    /// Leave what cannot be applied.
    Block(ApplyError),
}

/// What is applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// Kind of the child.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The fields that are ours, and the UID of what is there: another object of that name is not touched.
    pub body: Value,
    /// Whether it is there.
    pub exists: bool,
}

/// An action in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Step<'a> {
    /// What it is for.
    pub part: Part,
    /// What is done.
    pub action: Action<'a>,
    /// Steps of the same plan, by index, without whose success it is skipped.
    pub needs: Vec<usize>,
}

impl<'a> Step<'a> {
    fn new(part: Part, action: Action<'a>) -> Self {
        let needs = Vec::new();
        Self {
            part,
            action,
            needs,
        }
    }
}

/// The first steps; [`prune()`] decides what to delete after them.
pub fn plan<'a>(
    identity: &Identity,
    desired: &'a Desired,
    observed: &'a Observation,
) -> Vec<Step<'a>> {
    // Destructured without `..`, so that a new kind of child is not forgotten here.
    let Desired {
        models,
        ports,
        workers,
        blocked: _,
    } = desired;
    let rest = |action| Step::new(Part::Rest, action);
    let mut steps: Vec<_> = prune::make_room(desired, observed).map(rest).collect();
    steps.extend(ports::release(ports, observed).map(rest));
    for (index, model) in models.iter().enumerate() {
        let Model::Served(children) = model else {
            continue;
        };
        let part = Part::Model(index);
        let held = scale::held(observed, children);
        let deployment = held.as_ref().unwrap_or(&children.deployment);
        // Its Deployment tells who scales it: by that, an autoscaler that could not be deleted is found again.
        let mut needs = scalers(&steps, &deployment.name);
        if held.is_some() {
            steps.push(Step {
                needs: needs.clone(),
                ..Step::new(part, Action::Hold(Hold::LoneWorker))
            });
        }
        let others = [&children.config_map, deployment].into_iter();
        for child in others.chain(&children.autoscaler) {
            let action = child::action(identity, observed, child);
            steps.push(Step {
                part,
                action,
                needs,
            });
            needs = vec![steps.len() - 1];
        }
    }
    for (index, port) in ports.iter().enumerate() {
        let service = port.service.iter();
        let actions = service.map(|service| child::action(identity, observed, service));
        steps.extend(actions.map(|action| Step::new(Part::Port(index), action)));
    }
    let workers = workers.iter();
    steps.extend(workers.map(|service| rest(child::action(identity, observed, service))));
    steps
}

/// The steps that delete an autoscaler of a Deployment.
fn scalers(steps: &[Step<'_>], deployment: &str) -> Vec<usize> {
    let steps = steps.iter().enumerate();
    let scalers = steps.filter(|(_, step)| match step.action {
        Action::Delete(object) => object.kind.is_autoscaler() && object.name == deployment,
        _ => false,
    });
    scalers.map(|(index, _)| index).collect()
}
