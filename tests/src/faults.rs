//! A layer for a client of the API server that fails as a test plans it: at the n-th write, or on reads of
//! a resource.
//!
//! It sees what goes over the wire, below the retries of kube's client
//! ([`client_through`](crate::control_plane::client_through)). Resources are named as kubectl does:
//! `pods`, `deployments.apps`.

mod answer;
mod call;
mod layer;
mod reads;
mod state;
mod stream;

pub use answer::Answer;
pub use call::{Access, Call, Verb};
pub use layer::{FaultLayer, Faults};

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use state::State;

/// What happens to a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteFault {
    /// The client's process ends just before it sends it (F1).
    CrashBefore,
    /// The client's process ends before it sees the answer (F2).
    CrashAfter,
    /// It is carried out, and the client gets an I/O error (F3).
    LostReply,
    /// It is not carried out, and answered so (F4, F5).
    Answer(Answer),
    /// It is carried out, and answered so all the same.
    AnswerThoughDone(Answer),
}

/// A write that the client made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// What it asked for.
    pub call: Call,
    /// What happened to it by plan.
    pub fault: Option<WriteFault>,
    /// The status that the API server answered, also when the client did not see it.
    pub answered: Option<u16>,
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.call)?;
        if let Some(status) = self.answered {
            write!(f, " {status}")?;
        }
        self.fault.map_or(Ok(()), |fault| write!(f, " ({fault:?})"))
    }
}

/// What is to fail, and what has been called; a handle that is shared with the layer.
#[derive(Clone, Debug)]
pub struct Plan(Arc<watch::Sender<State>>);

impl Default for Plan {
    fn default() -> Self {
        Self::new()
    }
}

impl Plan {
    /// Nothing fails. Writes are counted, but not those of events and leases.
    pub fn new() -> Self {
        Self::counting(|call| {
            ![
                "events",
                "events.events.k8s.io",
                "leases.coordination.k8s.io",
            ]
            .contains(&call.resource.as_str())
        })
    }

    /// Nothing fails. The writes that `counts` takes are counted; only these can fail by number.
    pub fn counting(counts: fn(&Call) -> bool) -> Self {
        Self(Arc::new(watch::Sender::new(State::new(counts))))
    }

    /// The layer, for [`client_through`](crate::control_plane::client_through).
    pub fn layer(&self) -> FaultLayer {
        FaultLayer(self.clone())
    }

    /// Lets the n-th write fail; the first is 1. Those so far are counted in.
    #[must_use]
    pub fn at_write(self, number: usize, fault: WriteFault) -> Self {
        self.0.send_modify(|state| {
            state.faults.insert(number, fault);
        });
        self
    }

    /// The counted writes so far, in the order in which they were made.
    pub fn writes(&self) -> Vec<Write> {
        self.0.borrow().writes.clone()
    }

    /// What has been called, reads included, as the rules of a role would have to allow it.
    pub fn accesses(&self) -> BTreeSet<Access> {
        self.0.borrow().accesses.keys().cloned().collect()
    }

    /// How often something has been called.
    pub fn count(&self, verb: Verb, resource: &str) -> usize {
        let state = self.0.borrow();
        let calls = state.accesses.iter();
        let calls = calls.filter(|(access, _)| access.verb == verb && access.resource == resource);
        calls.map(|(_, count)| count).sum()
    }

    /// The calls that the API server answered with 403; those that a plan answered so are not among them.
    pub fn forbidden(&self) -> Vec<Call> {
        self.0.borrow().forbidden.clone()
    }

    /// Waits until a planned crash has come. From then on the client hangs; end its tasks and drop it.
    pub async fn crashed(&self) {
        // Fails only when the sender is gone, which is held here.
        let _ = self.0.subscribe().wait_for(|state| state.crashed).await;
    }

    /// Lets every call wait before it is sent (F10).
    pub fn delay(&self, latency: Duration) {
        self.0.send_modify(|state| state.latency = latency);
    }

    /// Answers all calls of a verb on a resource so; [`Answer::FORBIDDEN`] is F17.
    pub fn refuse(&self, verb: Verb, resource: &str, answer: Answer) {
        let resource = resource.to_owned();
        self.0
            .send_modify(|state| state.refusals.push((verb, resource, answer)));
    }

    /// Takes back what [`refuse`](Self::refuse) said.
    pub fn accept(&self, verb: Verb, resource: &str) {
        self.0.send_modify(|state| {
            state
                .refusals
                .retain(|(of, on, _)| *of != verb || on != resource);
        });
    }
}
