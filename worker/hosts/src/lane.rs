//! One lane: takes jobs from its queue, hands them to its host, and replaces the host when it dies or
//! takes too long.

mod codec;
mod divert;
mod held;
mod loss;
mod repeat;
mod replace;
mod retry;
mod watch;

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use frame::{Reply, Response};
use message::Job;
use tokio::time::Instant;

use crate::backlog::Backlog;
use crate::child::HostProcess;
use crate::gather::{self, IN_FLIGHT, IN_FLIGHT_BYTES};
use crate::metrics::Metrics;
use crate::options::{Options, Outcomes};
use crate::progress::Running;
use crate::quarantine::Quarantine;
use crate::sandbox::hint;
use crate::state::HostState;

use codec::call;
pub(crate) use codec::outcome;
use held::Held;
use loss::HostEnd;

/// Batches that a host has at once: one that it works on and one that waits. What comes meanwhile
/// goes out together, so that a busy host is woken for many calls and not for each.
const BATCHES: usize = 2;

/// The first pause before a host that dies again and again is replaced.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// See the module's description.
pub(crate) struct Lane<O> {
    options: Arc<Options>,
    backlog: Arc<Backlog>,
    /// The rule whose messages come first next time.
    turn: usize,
    state: Arc<HostState>,
    outcomes: Arc<O>,
    /// Outcomes of rules that cannot go on.
    held: Held,
    metrics: Metrics,
    /// Handed to the host and not answered, oldest first; their ids count up from `first`.
    calls: VecDeque<Job>,
    first: u64,
    bytes: usize,
    /// What raised and is repeated, and what was behind it, in order: the host gets them one by one.
    again: VecDeque<Job>,
    /// Whether the call that the host has is out of `again`.
    repeats: bool,
    /// When the first of `again` may be made.
    resume: Instant,
    /// Id of the last call of each batch that the host is not done with.
    batches: VecDeque<u64>,
    /// Whether the host has answered anything yet.
    answered: bool,
    /// Since when the host is silent, by the worker's clock: since its last reply, or since it got a call after none was open.
    heard: Instant,
    /// Calls below this id were handed over alone, so no batch can hold them.
    alone_below: u64,
    pause: Duration,
    quarantine: Quarantine,
}

impl<O: Outcomes> Lane<O> {
    pub(crate) fn new(
        options: Arc<Options>,
        backlog: Arc<Backlog>,
        state: Arc<HostState>,
        outcomes: Arc<O>,
        metrics: Metrics,
    ) -> Self {
        Self {
            options,
            backlog,
            turn: 0,
            state,
            outcomes,
            held: Held::default(),
            metrics,
            calls: VecDeque::new(),
            first: 0,
            bytes: 0,
            again: VecDeque::new(),
            repeats: false,
            resume: Instant::now(),
            batches: VecDeque::new(),
            answered: false,
            heard: Instant::now(),
            alone_below: 0,
            pause: FIRST_PAUSE,
            quarantine: Quarantine::default(),
        }
    }

    /// Serves until the queue is closed and everything in it is finished.
    pub(crate) async fn run(mut self, mut host: HostProcess) {
        loop {
            self.state.set_host(Some(&host));
            self.metrics.ready.inc();
            let info = self.metrics.info(host.program());
            info.inc();
            self.answered = false;
            let end = self.serve(&mut host).await;
            self.metrics.ready.dec();
            info.dec();
            self.state.set_host(None);
            if let HostEnd::Drained = end {
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

    async fn serve(&mut self, host: &mut HostProcess) -> HostEnd {
        let mut batch = VecDeque::new();
        self.take_back();
        // What the host before this one did not answer comes first, in order.
        for index in 0..self.calls.len() {
            let id = self.first + index as u64;
            call(id, true, &self.calls[index], host);
        }
        self.batches.clear();
        self.batches.extend(self.last_id());
        self.alone_below = self.first + self.calls.len() as u64;
        self.heard = Instant::now();
        self.tell();
        // Runs freely, at least once in each timeout; when it fires, it looks since when the current
        // call runs. Setting it for each call would cost more than the call.
        let mut check = pin!(tokio::time::sleep(self.options.timeout));
        let mut resume = pin!(tokio::time::sleep_until(self.resume));
        let mut open = true;
        loop {
            let idle = self.calls.is_empty() && self.again.is_empty();
            if !open && idle && self.held.is_empty() {
                return HostEnd::Drained;
            }
            let repeat = self.calls.is_empty() && !self.again.is_empty();
            let room = self.again.is_empty()
                && self.calls.len() < IN_FLIGHT
                && self.bytes < IN_FLIGHT_BYTES
                && self.batches.len() < BATCHES;
            let held = self.held.rules();
            tokio::select! {
                exchanged = host.exchange() => {
                    if let Err(error) = exchanged {
                        tracing::debug!(%error, model = self.options.model, "Host gone");
                        return HostEnd::Died;
                    }
                    if let Err(end) = self.take_replies(host).await {
                        return end;
                    }
                    self.heard = Instant::now();
                    if resume.deadline() != self.resume {
                        resume.as_mut().reset(self.resume);
                    }
                }
                () = &mut resume, if repeat => self.repeat(host),
                () = self.held.next(&*self.outcomes), if !self.held.is_empty() => {}
                readable = self.backlog.ready(self.options.batch, held), if open && room => {
                    open = readable;
                    let items = gather::most(self.options.batch).min(IN_FLIGHT - self.calls.len());
                    let most = (items, IN_FLIGHT_BYTES - self.bytes);
                    let held = self.held.rules();
                    self.backlog.pop_into(&mut batch, most, &held, &mut self.turn);
                    let quiet = self.calls.is_empty();
                    let waited = self.divert(&mut batch).await;
                    if quiet || waited {
                        self.heard = Instant::now();
                    }
                    self.send(&mut batch, host);
                }
                () = &mut check => {
                    let runs = host.running().map(Running::elapsed);
                    let silent = (!self.calls.is_empty()).then(|| self.heard.elapsed());
                    let Some(left) = watch::left(self.options.timeout, runs, silent) else {
                        return HostEnd::Timeout;
                    };
                    check.as_mut().reset(Instant::now() + left);
                }
            }
        }
    }

    fn send(&mut self, batch: &mut VecDeque<Job>, host: &mut HostProcess) {
        if batch.is_empty() {
            // All of it was diverted: the host has no other batch than before.
            return;
        }
        for job in batch.drain(..) {
            let id = self.first + self.calls.len() as u64;
            call(id, false, &job, host);
            self.bytes += job.telemetry.size();
            self.calls.push_back(job);
        }
        self.batches.extend(self.last_id());
        self.repeats = false;
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

    async fn take_replies(&mut self, host: &mut HostProcess) -> Result<(), HostEnd> {
        loop {
            let body = host
                .decoder
                .next_body()
                .map_err(|error| HostEnd::Broken(error.to_string()))?;
            let Some(body) = body else {
                return Ok(());
            };
            let response =
                Response::decode(body).map_err(|error| HostEnd::Broken(error.to_string()))?;
            let (id, nanos, reply) = match response {
                Response::Reply { id, nanos, reply } => (id, nanos, reply),
                Response::BatchFailed { message, traceback } => {
                    self.metrics.batch_failures.inc();
                    // It may fail for each batch: logged once for a host, and counted.
                    if self.state.batch_failed(message) {
                        tracing::warn!(
                            model = self.options.model,
                            error = message,
                            traceback,
                            "handler_batch failed, its messages are handed over one by one"
                        );
                    }
                    continue;
                }
                _ => return Err(HostEnd::Broken("no reply".to_owned())),
            };
            if id != self.first {
                return Err(HostEnd::Broken(format!("a reply to call {id}")));
            }
            let Some(job) = self.calls.pop_front() else {
                return Err(HostEnd::Broken("a reply to no call".to_owned()));
            };
            if self.batches.front() == Some(&self.first) {
                self.batches.pop_front();
            }
            self.first += 1;
            self.tell();
            self.bytes -= job.telemetry.size();
            self.answered = true;
            self.pause = FIRST_PAUSE;
            if reply == Reply::Held {
                self.keep(job);
                continue;
            }
            let took = Duration::from_nanos(nanos);
            self.metrics.call_seconds.observe(took.as_secs_f64());
            let outcome = outcome(reply, self.options.decode);
            hint::tell(&outcome, &self.options, &self.state.hinted);
            if self.quarantine.passed(&job) {
                self.report_quarantine();
                tracing::info!(
                    model = self.options.model,
                    device = &*job.device,
                    "Device is free again"
                );
            }
            if let Some(job) = self.made_again(job, &outcome) {
                self.finish(job, outcome).await;
            }
        }
    }
}
