//! Repeats calls that raised: the others of the lane wait, so that no device gets out of order.

use message::{Job, Outcome};
use tokio::time::Instant;

use super::codec::call;
use super::{Lane, retry};
use crate::child::HostProcess;
use crate::options::Outcomes;

impl<O: Outcomes> Lane<O> {
    /// A new host gets one call after the other if calls are repeated: nothing may come before one that raises.
    pub(super) fn take_back(&mut self) {
        if self.options.retry.is_none() {
            return;
        }
        let mut unanswered = std::mem::take(&mut self.calls);
        self.bytes = 0;
        if self.repeats {
            unanswered.append(&mut self.again);
            self.again = unanswered;
        } else {
            self.again.append(&mut unanswered);
        }
    }

    /// Hands the first of `again` to the host.
    pub(super) fn repeat(&mut self, host: &mut HostProcess) {
        let Some(job) = self.again.pop_front() else {
            return;
        };
        call(self.first, true, &job, host);
        self.bytes = job.telemetry.size();
        self.calls.push_back(job);
        self.batches.clear();
        self.batches.extend(self.last_id());
        self.alone_below = self.first + 1;
        self.repeats = true;
        self.heard = Instant::now();
        self.tell();
    }

    /// Keeps a job whose call raised, or was held back behind one that did.
    pub(super) fn keep(&mut self, job: Job) {
        if self.repeats {
            self.again.push_front(job);
        } else {
            self.again.push_back(job);
        }
    }

    /// Whether a call raised and is repeated; if not, its job comes back.
    pub(super) fn made_again(&mut self, mut job: Job, outcome: &Outcome) -> Option<Job> {
        let Some(pause) = retry::again(self.options.retry, job.failures, outcome) else {
            return Some(job);
        };
        job.failures = job.failures.saturating_add(1);
        self.metrics.retries.inc();
        if let (1, Outcome::Failed(failure)) = (job.failures, outcome) {
            tracing::warn!(
                model = self.options.model,
                device = &*job.device,
                error = failure.message,
                ?pause,
                "Call failed, trying again"
            );
        }
        self.resume = Instant::now() + pause;
        self.keep(job);
        None
    }
}
