//! Carries out a plan: server-side apply by one field manager, and deletions by UID. Nothing is chosen here, and nothing
//! is read.
//!
//! The only file that writes children. A step that fails stops only those that need it.

use kube::Client;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions, ValidationDirective};

use crate::api::{self, Failure};
use crate::desired::{Identity, labels};
use crate::kind::Kind;
use crate::lease::Leadership;
use crate::metrics::Metrics;
use crate::observe::Observed;
use crate::outcome::{ApplyError, NamespaceTerminating, Outcome, Outcomes};
use crate::plan::{Action, Step, Write};

/// Executes the steps of one runtime.
pub struct Executor<'a> {
    /// The cluster.
    pub client: &'a Client,
    /// Which runtime it is.
    pub identity: &'a Identity,
    /// Whether this operator may write.
    pub leadership: &'a Leadership,
    /// Counts writes.
    pub metrics: &'a Metrics,
}

impl Executor<'_> {
    /// Executes `steps` in their order.
    ///
    /// # Errors
    /// The namespace is being deleted; nothing more was tried.
    pub async fn run(&self, steps: Vec<Step<'_>>) -> Result<Outcomes, NamespaceTerminating> {
        let mut outcomes = Outcomes::default();
        for step in steps {
            let mut needs = step.needs.iter();
            let ready = needs.all(|need| outcomes.get(*need).is_some_and(Outcome::is_success));
            let outcome = if ready {
                self.step(step.action).await?
            } else {
                Outcome::Skipped
            };
            outcomes.push(step.part, outcome);
        }
        Ok(outcomes)
    }

    async fn step(&self, action: Action<'_>) -> Result<Outcome, NamespaceTerminating> {
        let done = match action {
            Action::Apply(write) | Action::ReleasePort(write) => match self.patch(&write).await {
                Err(failure) if failure.is_namespace_terminating() => {
                    return Err(NamespaceTerminating);
                }
                done => done
                    .map(Outcome::Applied)
                    .map_err(|failure| ApplyError::of(write.kind, &write.name, failure)),
            },
            Action::Keep(object) => Ok(Outcome::Unchanged(object.clone())),
            Action::Delete(object) => self.delete(object).await.map(|()| Outcome::Deleted),
            Action::Replace(object) => match self.delete(object).await {
                Ok(()) => Err(ApplyError::Replaced {
                    kind: object.kind,
                    name: object.name.clone(),
                }),
                Err(error) => Err(error),
            },
            Action::Hold(hold) => Ok(Outcome::Held(hold)),
            Action::Block(error) => Err(error),
        };
        Ok(done.unwrap_or_else(Outcome::Blocked))
    }

    async fn patch(&self, write: &Write) -> Result<Observed, Failure> {
        self.lead()?;
        let parameters = PatchParams {
            field_validation: Some(ValidationDirective::Strict),
            ..PatchParams::apply(labels::OPERATOR).force()
        };
        let api = api::of(self.client, self.identity, write.kind);
        let patch = Patch::Apply(&write.body);
        let object = api::call(api.patch(&write.name, &parameters, &patch)).await;
        let verb = if write.exists { "patch" } else { "create" };
        self.count(write.kind, &write.name, verb, object.is_ok());
        object.map(|object| Observed::new(write.kind, object))
    }

    /// Deletes an object, unless another has its name meanwhile.
    async fn delete(&self, object: &Observed) -> Result<(), ApplyError> {
        let error = |failure| ApplyError::of(object.kind, &object.name, failure);
        self.lead().map_err(error)?;
        let parameters = DeleteParams {
            preconditions: Some(Preconditions {
                uid: Some(object.uid.clone()),
                resource_version: None,
            }),
            ..DeleteParams::background()
        };
        let api = api::of(self.client, self.identity, object.kind);
        let result = api::call(api.delete(&object.name, &parameters)).await;
        self.count(object.kind, &object.name, "delete", result.is_ok());
        match result {
            Err(failure) if !failure.is_not_found() => Err(error(failure)),
            _ => Ok(()),
        }
    }

    /// An operator that was suspended until another became leader may have an outdated plan.
    fn lead(&self) -> Result<(), Failure> {
        if self.leadership.holds() {
            Ok(())
        } else {
            Err(Failure::NotLeading)
        }
    }

    fn count(&self, kind: Kind, name: &str, verb: &str, ok: bool) {
        let kind = kind.as_str();
        self.metrics.write(kind, verb, ok);
        if ok {
            let Identity {
                namespace,
                name: runtime,
                ..
            } = self.identity;
            tracing::info!(kind, name, namespace, runtime, verb, "Object written");
        }
    }
}
