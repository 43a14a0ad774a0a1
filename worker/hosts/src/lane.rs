//! One lane: takes jobs from its queue, hands them to its host, and replaces the host when it dies or
//! takes too long.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use frame::{Reply, Request, Response};
use message::{Failure, FailureReason, Job, Outcome, Queue};
use tokio::time::Instant;

use crate::metrics::Metrics;

use crate::child::HostProcess;
use crate::pool::{HostState, Options, Outcomes};
use crate::progress::Running;
use crate::quarantine::Quarantine;
use crate::start::{self, describe};

/// Calls that a host has at once. Together with the bytes this is less than a socket's buffer holds,
/// so that neither side ever waits for the other to read first.
const IN_FLIGHT: usize = 256;
const IN_FLIGHT_BYTES: usize = 128 << 10;

/// Batches that a host has at once: one that it works on and one that waits. What comes meanwhile
/// goes out together, so that a busy host is woken for many calls and not for each.
const BATCHES: usize = 2;

/// A message that kills its host or takes too long is tried so often.
const ATTEMPTS: u8 = 2;

/// The pause before a host that dies again and again is replaced.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// See the module's description.
pub(crate) struct Lane<O> {
    options: Arc<Options>,
    queue: Arc<Queue<Job>>,
    state: Arc<HostState>,
    outcomes: Arc<O>,
    metrics: Metrics,
    /// Handed to the host and not answered, oldest first; their ids count up from `first`.
    calls: VecDeque<Job>,
    first: u64,
    bytes: usize,
    /// Id of the last call of each batch that the host is not done with.
    batches: VecDeque<u64>,
    /// Whether the host has answered anything yet.
    answered: bool,
    pause: Duration,
    quarantine: Quarantine,
}

/// Why a lane is done with a host.
enum End {
    /// The queue is closed and everything in it is finished.
    Drained,
    Timeout,
    Died,
    Broken(String),
}

impl<O: Outcomes> Lane<O> {
    pub(crate) fn new(
        options: Arc<Options>,
        queue: Arc<Queue<Job>>,
        state: Arc<HostState>,
        outcomes: Arc<O>,
        metrics: Metrics,
    ) -> Self {
        Self {
            options,
            queue,
            state,
            outcomes,
            metrics,
            calls: VecDeque::new(),
            first: 0,
            bytes: 0,
            batches: VecDeque::new(),
            answered: false,
            pause: FIRST_PAUSE,
            quarantine: Quarantine::default(),
        }
    }

    /// Serves until the queue is closed and everything in it is finished.
    pub(crate) async fn run(mut self, mut host: HostProcess) {
        loop {
            self.state.set_host(Some((host.pid(), host.page())));
            self.metrics.ready.inc();
            self.answered = false;
            let end = self.serve(&mut host).await;
            self.metrics.ready.dec();
            self.state.set_host(None);
            if let End::Drained = end {
                if let Err(error) = host.end().await {
                    tracing::debug!(%error, model = self.options.model, "Host not ended in order");
                }
                return;
            }
            self.blame(host, end).await;
            self.tell();
            host = self.replace().await;
        }
    }

    async fn serve(&mut self, host: &mut HostProcess) -> End {
        let mut batch = VecDeque::new();
        // What the host before this one did not answer comes first, in order.
        for index in 0..self.calls.len() {
            let id = self.first + index as u64;
            call(id, true, &self.calls[index], &mut host.output);
        }
        self.batches.clear();
        self.batches.extend(self.last_id());
        self.tell();
        // Runs freely, at least once in each timeout; when it fires, it looks since when the current
        // call runs. Setting it for each call would cost more than the call.
        let mut check = pin!(tokio::time::sleep(self.options.timeout));
        let mut open = true;
        loop {
            if !open && self.calls.is_empty() {
                return End::Drained;
            }
            let room = self.calls.len() < IN_FLIGHT
                && self.bytes < IN_FLIGHT_BYTES
                && self.batches.len() < BATCHES;
            tokio::select! {
                exchanged = host.exchange() => {
                    if let Err(error) = exchanged {
                        tracing::debug!(%error, model = self.options.model, "Host gone");
                        return End::Died;
                    }
                    if let Err(end) = self.take_replies(host).await {
                        return end;
                    }
                }
                readable = self.queue.readable(), if open && room => {
                    open = readable;
                    let items = IN_FLIGHT - self.calls.len();
                    self.queue.pop_into(&mut batch, items, IN_FLIGHT_BYTES - self.bytes);
                    self.divert(&mut batch).await;
                    self.send(&mut batch, host);
                }
                () = &mut check => {
                    let elapsed = host.running().map(Running::elapsed);
                    let left = self.options.timeout.saturating_sub(elapsed.unwrap_or_default());
                    if left.is_zero() {
                        return End::Timeout;
                    }
                    check.as_mut().reset(Instant::now() + left);
                }
            }
        }
    }

    /// Fails the messages of devices that are kept away.
    async fn divert(&mut self, batch: &mut VecDeque<Job>) {
        let now = std::time::Instant::now();
        for job in std::mem::take(batch) {
            if self.quarantine.admits(&job.device, now) {
                batch.push_back(job);
            } else {
                self.fail_quarantined(job).await;
            }
        }
    }

    /// Fails the messages of one device that the host before had; a message of another device that is
    /// being tried stays.
    async fn divert_calls(&mut self, device: &str) {
        for job in std::mem::take(&mut self.calls) {
            if *job.device == *device {
                self.bytes -= job.telemetry.payload.len();
                self.fail_quarantined(job).await;
            } else {
                self.calls.push_back(job);
            }
        }
    }

    async fn fail_quarantined(&self, job: Job) {
        let failure = Failure {
            reason: FailureReason::Quarantined,
            message:
                "messages of this device cost the model's process again and again; it is tried \
                      now and then"
                    .to_owned(),
            traceback: None,
        };
        self.outcomes.finish(job, Outcome::Failed(failure)).await;
    }

    fn send(&mut self, batch: &mut VecDeque<Job>, host: &mut HostProcess) {
        if batch.is_empty() {
            // All of it was diverted: the host has no other batch than before.
            return;
        }
        for job in batch.drain(..) {
            let id = self.first + self.calls.len() as u64;
            call(id, false, &job, &mut host.output);
            self.bytes += job.telemetry.payload.len();
            self.calls.push_back(job);
        }
        self.batches.extend(self.last_id());
        self.tell();
    }

    /// Lets others see what the host has.
    fn tell(&self) {
        let next = self.first + self.calls.len() as u64;
        self.state.oldest.store(self.first, Ordering::Relaxed);
        self.state.next.store(next, Ordering::Relaxed);
    }

    /// Id of the last call that the host has.
    fn last_id(&self) -> Option<u64> {
        let count = self.calls.len() as u64;
        (count > 0).then(|| self.first + count - 1)
    }

    async fn take_replies(&mut self, host: &mut HostProcess) -> Result<(), End> {
        loop {
            let body = host
                .decoder
                .next_body()
                .map_err(|error| End::Broken(error.to_string()))?;
            let Some(body) = body else {
                return Ok(());
            };
            let response =
                Response::decode(body).map_err(|error| End::Broken(error.to_string()))?;
            let Response::Reply { id, nanos, reply } = response else {
                return Err(End::Broken("no reply".to_owned()));
            };
            if id != self.first {
                return Err(End::Broken(format!("a reply to call {id}")));
            }
            let Some(job) = self.calls.pop_front() else {
                return Err(End::Broken("a reply to no call".to_owned()));
            };
            if self.batches.front() == Some(&self.first) {
                self.batches.pop_front();
            }
            self.first += 1;
            self.tell();
            self.bytes -= job.telemetry.payload.len();
            self.answered = true;
            self.pause = FIRST_PAUSE;
            let took = Duration::from_nanos(nanos);
            self.metrics.call_seconds.observe(took.as_secs_f64());
            let outcome = outcome(reply);
            if self.quarantine.passed(&job.device) {
                self.report_quarantine();
                tracing::info!(
                    model = self.options.model,
                    device = &*job.device,
                    "Device is free again"
                );
            }
            self.outcomes.finish(job, outcome).await;
        }
    }

    /// Ends a host that is of no use any more, and the message that it was lost over if that was its
    /// last attempt.
    async fn blame(&mut self, host: HostProcess, end: End) {
        let running = host.running();
        let status = host.kill().await.map(describe).unwrap_or_default();
        let (reason, message) = match end {
            End::Timeout => {
                let timeout = self.options.timeout;
                (
                    FailureReason::Timeout,
                    format!("the call took longer than {timeout:?}"),
                )
            }
            End::Died => (
                FailureReason::Crash,
                format!("the model's process ended during the call ({status})"),
            ),
            End::Broken(error) => (
                FailureReason::Crash,
                format!("the model's process wrote what is no reply: {error}"),
            ),
            End::Drained => return,
        };
        self.metrics.restarts(reason.as_str()).inc();
        self.state.restarts.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(
            model = self.options.model,
            reason = reason.as_str(),
            status,
            "Host lost, starting another"
        );
        // Between calls nobody is to blame, unless hosts die before they get anywhere; nor among calls
        // that ran together, which the next host gets one by one.
        let culprit = match running {
            Some(running) if running.count > 1 => None,
            Some(running) => running.id.checked_sub(self.first),
            None if self.answered => None,
            None => Some(0),
        };
        // When it is known what the host was lost over, the next one gets further: no need to wait.
        self.answered |= running.is_some();
        let culprit = culprit.and_then(|index| usize::try_from(index).ok());
        let Some(job) = culprit.and_then(|index| self.calls.get_mut(index)) else {
            return;
        };
        job.attempts += 1;
        let device = job.device.clone();
        let attempts = job.attempts;
        let kept_away = self.quarantine.strike(&device, std::time::Instant::now());
        if kept_away {
            self.report_quarantine();
            tracing::warn!(
                model = self.options.model,
                device = &*device,
                "Device kept away from the model"
            );
        } else if attempts < ATTEMPTS {
            return;
        }
        if let Some(job) = culprit.and_then(|index| self.calls.remove(index)) {
            self.bytes -= job.telemetry.payload.len();
            let failure = Failure {
                reason,
                message: if attempts > 1 {
                    format!("{message}, {attempts} times")
                } else {
                    message
                },
                traceback: None,
            };
            self.outcomes.finish(job, Outcome::Failed(failure)).await;
        }
        if kept_away {
            self.divert_calls(&device).await;
        }
    }

    fn report_quarantine(&self) {
        self.state.set_quarantined(self.quarantine.devices());
    }

    /// Starts hosts until one imports the model: it did before, so it may again.
    async fn replace(&mut self) -> HostProcess {
        loop {
            if !self.answered {
                tokio::time::sleep(self.pause).await;
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            }
            match start::start(&self.options, &self.metrics).await {
                Ok(host) => return host,
                Err(error) => {
                    self.answered = false;
                    tracing::error!(
                        %error,
                        model = self.options.model,
                        traceback = error.traceback(),
                        "Host not replaced, trying again"
                    );
                }
            }
        }
    }
}

fn call(id: u64, alone: bool, job: &Job, output: &mut Vec<u8>) {
    let telemetry = &job.telemetry;
    let received_at = telemetry
        .received_at
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let request = Request::Call {
        id,
        alone,
        received_at: received_at.as_secs_f64(),
        topic: &telemetry.topic,
        device: &job.device,
        payload: &telemetry.payload,
    };
    if let Err(error) = request.encode(output) {
        // Not reached: the packet limit is below a frame's. The host would miss the call, its reply
        // would not come, and the next reply would be out of turn, which replaces the host.
        tracing::error!(%error, "Call not written");
    }
}

/// What a host's reply means.
pub(crate) fn outcome(reply: Reply<'_>) -> Outcome {
    let failed = |reason, message: &str, traceback: &str| {
        Outcome::Failed(Failure {
            reason,
            message: message.to_owned(),
            traceback: Some(traceback.to_owned()).filter(|text| !text.is_empty()),
        })
    };
    match reply {
        Reply::Result(bytes) => Outcome::Result(bytes::Bytes::copy_from_slice(bytes)),
        Reply::Empty => Outcome::Empty,
        Reply::InvalidJson(message) => failed(FailureReason::InvalidJson, message, ""),
        Reply::Exception { message, traceback } => {
            failed(FailureReason::Exception, message, traceback)
        }
        Reply::Unserializable(message) => failed(FailureReason::Unserializable, message, ""),
    }
}
