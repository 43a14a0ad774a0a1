//! Fails messages of quarantined devices, so that the others are served.

use std::collections::VecDeque;

use message::{Failure, FailureReason, Job, Outcome};

use super::Lane;
use crate::options::Outcomes;
use crate::quarantine::Source;

impl<O: Outcomes> Lane<O> {
    /// Fails the messages of quarantined devices; whether there were any, which may have taken time.
    pub(super) async fn divert(&mut self, batch: &mut VecDeque<Job>) -> bool {
        let now = std::time::Instant::now();
        let mut diverted = false;
        for job in std::mem::take(batch) {
            if self.quarantine.admits(&job, now) {
                batch.push_back(job);
            } else {
                diverted = true;
                self.fail_quarantined(job).await;
            }
        }
        diverted
    }

    /// Fails the messages from one source that the host before had; a message of another one that is
    /// being tried stays.
    pub(super) async fn divert_calls(&mut self, source: &Source) {
        for job in std::mem::take(&mut self.calls) {
            if Source::of(&job) == *source {
                self.bytes -= job.telemetry.size();
                self.fail_quarantined(job).await;
            } else {
                self.calls.push_back(job);
            }
        }
        for job in std::mem::take(&mut self.again) {
            if Source::of(&job) == *source {
                self.fail_quarantined(job).await;
            } else {
                self.again.push_back(job);
            }
        }
    }

    async fn fail_quarantined(&mut self, job: Job) {
        let failure = Failure {
            reason: FailureReason::Quarantined,
            message: "this device repeatedly crashed the model; it is quarantined and retried \
                      periodically"
                .to_owned(),
            traceback: None,
        };
        self.finish(job, Outcome::Failed(failure)).await;
    }

    pub(super) fn report_quarantine(&self) {
        self.state.set_quarantined(self.quarantine.devices());
    }
}
