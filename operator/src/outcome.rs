//! What became of the steps of a plan: data, from which the status is made.

mod error;
#[cfg(test)]
mod tests;

use crate::kind::Kind;
use crate::observe::Observed;

pub use error::{ApplyError, PortHolder};

/// What a step is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The model of that index.
    Model(usize),
    /// The exposed port of that index.
    Port(usize),
    /// Neither: the Service of the workers, and unwanted children.
    Rest,
}

/// Why something waits, and passes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// A worker that does not share its subscriptions is still there: no more workers until it is gone.
    LoneWorker,
    /// An unwanted Deployment serves until its successor does.
    SuccessorNotReady,
    /// A pod still reads an unwanted ConfigMap.
    InUse,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The object as it is now.
    Applied(Observed),
    /// The object, which was as it should be.
    Unchanged(Observed),
    /// The object is deleted, or is about to be.
    Deleted,
    /// It waits.
    Held(Hold),
    /// It could not be done.
    Blocked(ApplyError),
    /// It was not tried, since a step that it needs did not succeed.
    Skipped,
}

impl Outcome {
    /// Whether steps that need it may follow.
    pub fn is_success(&self) -> bool {
        !matches!(self, Self::Blocked(_) | Self::Skipped)
    }

    fn object(&self) -> Option<&Observed> {
        match self {
            Self::Applied(object) | Self::Unchanged(object) => Some(object),
            Self::Deleted | Self::Held(_) | Self::Blocked(_) | Self::Skipped => None,
        }
    }

    fn error(&self) -> Option<&ApplyError> {
        match self {
            Self::Blocked(error) => Some(error),
            _ => None,
        }
    }
}

/// The outcomes of all steps, in their order.
#[derive(Debug, Default)]
pub struct Outcomes(Vec<(Part, Outcome)>);

/// The namespace is being deleted: nothing can be created in it any more, and it does not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamespaceTerminating;

impl Outcomes {
    /// Adds the outcome of a step.
    pub fn push(&mut self, part: Part, outcome: Outcome) {
        self.0.push((part, outcome));
    }

    /// The outcome of the step of that index.
    pub fn get(&self, step: usize) -> Option<&Outcome> {
        self.0.get(step).map(|(_, outcome)| outcome)
    }

    /// Adds the outcomes of steps that came later.
    pub fn extend(&mut self, later: Self) {
        self.0.extend(later.0);
    }

    /// The Deployment of a model as it is now, or what blocks it; `None` if it was not tried.
    pub fn model(&self, index: usize) -> Option<Result<&Observed, &ApplyError>> {
        self.part(Part::Model(index), Kind::Deployment)
    }

    /// The Service of a port as it is now, or what blocks it; `None` where there is no Service.
    pub fn port(&self, index: usize) -> Option<Result<&Observed, &ApplyError>> {
        self.part(Part::Port(index), Kind::Service)
    }

    /// What blocks anything besides models and ports.
    pub fn rest(&self) -> impl Iterator<Item = &ApplyError> {
        let rest = self.0.iter().filter(|(part, _)| *part == Part::Rest);
        rest.filter_map(|(_, outcome)| outcome.error())
    }

    /// All errors with their parts.
    pub fn errors(&self) -> impl Iterator<Item = (Part, &ApplyError)> {
        let all = self.0.iter();
        all.filter_map(|(part, outcome)| Some((*part, outcome.error()?)))
    }

    /// All errors with their parts, to be replaced by what is known better.
    pub fn errors_mut(&mut self) -> impl Iterator<Item = (Part, &mut ApplyError)> {
        self.0
            .iter_mut()
            .filter_map(|(part, outcome)| match outcome {
                Outcome::Blocked(error) => Some((*part, error)),
                _ => None,
            })
    }

    /// Whether something waits that passes by itself.
    pub fn is_pending(&self) -> bool {
        let mut all = self.0.iter();
        all.any(|(_, outcome)| matches!(outcome, Outcome::Held(_)))
    }

    /// The last error counts: a child that is deleted to be recreated has two.
    fn part(&self, part: Part, kind: Kind) -> Option<Result<&Observed, &ApplyError>> {
        let own = || {
            let own = self.0.iter().filter(|(of, _)| *of == part);
            own.map(|(_, outcome)| outcome)
        };
        if let Some(error) = own().rev().find_map(Outcome::error) {
            return Some(Err(error));
        }
        let mut objects = own().filter_map(Outcome::object);
        objects.find(|object| object.kind == kind).map(Ok)
    }
}
