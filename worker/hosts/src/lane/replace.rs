//! Replaces a lane's lost host: settles the message that it was lost over, and starts the next one.

use std::sync::atomic::Ordering;
use std::time::Duration;

use message::{FailureReason, Outcome};

use super::Lane;
use super::loss::{self, Culprit, HostEnd, Verdict};
use crate::child::HostProcess;
use crate::options::Outcomes;
use crate::quarantine::Source;
use crate::start::{self, describe};

/// The longest pause before a host that crashes repeatedly is replaced.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl<O: Outcomes> Lane<O> {
    /// Kills a lost host, and settles the message that it was lost over if that is not to be retried.
    pub(super) async fn blame(&mut self, host: HostProcess, end: HostEnd) {
        let running = host.running().map(|running| (running.id, running.count));
        let over = host.over();
        let status = host.kill().await.map(describe).unwrap_or_default();
        let status = over.unwrap_or(status);
        let reason = end.reason().map_or("drained", FailureReason::as_str);
        self.metrics.restarts(reason).inc();
        self.state.restarts.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(
            model = self.options.model,
            reason,
            status,
            "Model host lost, restarting"
        );
        let open = loss::Open {
            first: self.first,
            calls: self.calls.len(),
            alone_below: self.alone_below,
            answered: self.answered,
        };
        let culprit = loss::culprit(&end, running, open);
        // When it is known what the host was lost over, the next one gets further: no need to wait.
        self.answered |= running.is_some() && culprit != Culprit::Unknown;
        let Culprit::Call(index) = culprit else {
            return;
        };
        let Some(job) = self.calls.get_mut(index) else {
            return;
        };
        job.attempts = job.attempts.saturating_add(1);
        let (source, attempts) = (Source::of(job), job.attempts);
        let quarantined = self.quarantine.strike(&source, std::time::Instant::now());
        let verdict = loss::verdict(attempts, quarantined);
        if verdict == Verdict::Quarantine {
            self.report_quarantine();
            tracing::warn!(
                model = self.options.model,
                device = &*source.device,
                topic = &*source.topic,
                "Device quarantined"
            );
        }
        if verdict == Verdict::Retry {
            return;
        }
        let failure = end.failure(self.options.timeout, &status, attempts);
        if let Some((failure, job)) = failure.zip(self.calls.remove(index)) {
            self.bytes -= job.telemetry.size();
            self.finish(job, Outcome::Failed(failure)).await;
        }
        if verdict == Verdict::Quarantine {
            self.divert_calls(&source).await;
        }
    }

    /// Starts hosts until one imports the model: it did before, so it may again.
    pub(super) async fn replace(&mut self) -> HostProcess {
        loop {
            if !self.answered {
                tokio::time::sleep(self.pause).await;
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            }
            let started = match start::check(&self.options).await {
                Ok(()) => start::start(&self.options, &self.metrics).await,
                Err(error) => Err(error),
            };
            match started {
                Ok(host) => return host,
                Err(error) => {
                    self.answered = false;
                    tracing::error!(
                        %error,
                        model = self.options.model,
                        traceback = error.traceback(),
                        "Model host not restarted, retrying"
                    );
                }
            }
        }
    }
}
