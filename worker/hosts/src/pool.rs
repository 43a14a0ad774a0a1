//! The hosts of one model, their queues, and what others may read of them.

use std::collections::HashMap;
use std::future::Future;
use std::hash::{BuildHasher as _, RandomState};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use crds::validated::HostChoice;
use message::{Job, Level, Outcome, Queue};
use prometheus::Gauge;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::metrics::Metrics;

use crate::child::HostProcess;
use crate::lane::Lane;
use crate::program::HostKind;
use crate::progress::{ProgressPage, Running};
use crate::start::StartError;
use crate::{busy, child, start};

/// Takes each job's outcome.
pub trait Outcomes: Send + Sync + 'static {
    /// Called once for each job, in the order of its lane. Waits while what follows is full.
    fn finish(&self, job: Job, outcome: Outcome) -> impl Future<Output = ()> + Send;
}

/// What a model's hosts are made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// The model's name.
    pub model: String,
    /// The folder that holds `index.py`.
    pub directory: PathBuf,
    /// A folder of installed wheels.
    pub wheels: Option<PathBuf>,
    /// The interpreter.
    pub python: PathBuf,
    /// Which model host runs in it.
    pub host: HostChoice,
    /// How many processes run the model.
    pub hosts: u16,
    /// The model's devices, which are dealt to the processes in turns.
    pub devices: Vec<String>,
    /// Longest time of a call.
    pub timeout: Duration,
    /// Longest time of the import.
    pub start_timeout: Duration,
    /// Bound of each lane's queue, in messages.
    pub queue_size: usize,
    /// Bound of each lane's queue, in bytes of payload.
    pub queue_bytes: usize,
    /// What the utilization is an average over.
    pub utilization_window: Duration,
}

/// One host process, for `/status`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HostStatus {
    /// Process id while it runs.
    pub pid: Option<u32>,
    /// Which of the two model hosts it is, while it runs.
    pub host: Option<HostKind>,
    /// Implementation and version of its Python while it runs, such as `cpython 3.11.7`.
    pub python: Option<String>,
    /// Resident memory in bytes, if it is known.
    pub resident_bytes: Option<u64>,
    /// How often it was replaced.
    pub restarts: u64,
    /// Devices that are kept away from it, since their messages cost processes again and again.
    pub quarantined: Vec<String>,
}

/// The hosts of one model. Dropped, it kills them.
#[derive(Debug)]
pub struct Pool {
    monitor: Monitor,
    tasks: JoinSet<()>,
    /// Ends with the pool.
    _measuring: JoinSet<()>,
}

/// The queues of a model's lanes.
#[derive(Debug, Clone)]
pub struct Lanes {
    pub(crate) queues: Arc<[Arc<Queue<Job>>]>,
    /// Which lane a device goes by.
    devices: Arc<HashMap<String, usize>>,
}

/// What others may read of a model's hosts at any time.
#[derive(Debug, Clone)]
pub struct Monitor {
    pub(crate) lanes: Lanes,
    pub(crate) states: Arc<[Arc<HostState>]>,
    utilization: Gauge,
}

/// One lane's process, as others see it.
#[derive(Debug, Default)]
pub(crate) struct HostState {
    /// 0 while there is none.
    pid: AtomicU32,
    pub(crate) restarts: AtomicU64,
    quarantined: Mutex<Vec<Arc<str>>>,
    /// What the process is and tells about itself while there is one.
    process: Mutex<Option<Process>>,
    /// Id of the oldest call that is not answered, and of the next that the lane will hand over.
    pub(crate) oldest: AtomicU64,
    pub(crate) next: AtomicU64,
}

#[derive(Debug, Clone)]
struct Process {
    kind: HostKind,
    python: String,
    page: Arc<ProgressPage>,
}

impl HostState {
    /// A process serves from now on, or none does.
    pub(crate) fn set_host(&self, host: Option<&HostProcess>) {
        let process = self.process.lock();
        *process.unwrap_or_else(PoisonError::into_inner) = host.map(|host| Process {
            kind: host.program().kind(),
            python: host.program().python(),
            page: host.page().clone(),
        });
        self.pid
            .store(host.map_or(0, HostProcess::pid), Ordering::Relaxed);
    }

    fn process(&self) -> Option<Process> {
        let process = self.process.lock();
        process.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The page of the process that serves, if one does.
    pub(crate) fn page(&self) -> Option<Arc<ProgressPage>> {
        Some(self.process()?.page)
    }

    /// Calls that were handed over and have not begun.
    pub(crate) fn waiting(&self) -> usize {
        let running = self.page().and_then(|page| page.running());
        let begun = running.map_or(0, Running::next);
        let begun = begun.max(self.oldest.load(Ordering::Relaxed));
        let waiting = self.next.load(Ordering::Relaxed).saturating_sub(begun);
        usize::try_from(waiting).unwrap_or(usize::MAX)
    }

    fn quarantined(&self) -> Vec<Arc<str>> {
        let devices = self.quarantined.lock();
        devices.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_quarantined(&self, devices: Vec<Arc<str>>) {
        let known = self.quarantined.lock();
        *known.unwrap_or_else(PoisonError::into_inner) = devices;
    }
}

impl Pool {
    /// Starts all hosts, and waits until each has imported the model.
    ///
    /// # Errors
    /// The first host that does not get there; the others are killed.
    pub async fn start<O: Outcomes>(
        options: Options,
        outcomes: Arc<O>,
        metrics: Metrics,
    ) -> Result<Self, StartError> {
        let options = Arc::new(options);
        let count = usize::from(options.hosts.max(1));
        let queues: Vec<_> = (0..count)
            .map(|_| Arc::new(Queue::new(options.queue_size, options.queue_bytes)))
            .collect();
        let states: Arc<[_]> = (0..count).map(|_| Arc::<HostState>::default()).collect();
        let starting = (0..count).map(|_| start::start(&options, &metrics));
        let hosts = futures_util::future::try_join_all(starting).await?;
        let mut tasks = JoinSet::new();
        for ((host, queue), state) in hosts.into_iter().zip(&queues).zip(&*states) {
            let lane = Lane::new(
                options.clone(),
                queue.clone(),
                state.clone(),
                outcomes.clone(),
                metrics.clone(),
            );
            tasks.spawn(lane.run(host));
        }
        let monitor = Monitor {
            lanes: Lanes::new(queues, &options.devices),
            states,
            utilization: metrics.utilization.clone(),
        };
        let mut measuring = JoinSet::new();
        measuring.spawn(busy::measure(
            monitor.states.clone(),
            monitor.lanes.queues.clone(),
            metrics.utilization,
            options.utilization_window,
        ));
        Ok(Self {
            monitor,
            tasks,
            _measuring: measuring,
        })
    }

    /// The lanes, to put jobs into.
    pub fn lanes(&self) -> Lanes {
        self.monitor.lanes.clone()
    }

    /// What others may read.
    pub fn monitor(&self) -> Monitor {
        self.monitor.clone()
    }

    /// Takes no more jobs, finishes those that are queued, and ends the hosts.
    pub async fn drain(mut self) {
        for queue in self.monitor.lanes.queues.iter() {
            queue.close();
        }
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Lanes {
    /// Deals `devices` to the queues in turns.
    pub fn new(queues: Vec<Arc<Queue<Job>>>, devices: &[String]) -> Self {
        let count = queues.len();
        let turns = devices.iter().enumerate();
        Self {
            queues: queues.into(),
            devices: Arc::new(
                turns
                    .map(|(index, device)| (device.clone(), index % count))
                    .collect(),
            ),
        }
    }

    /// The queue of a device: always the same for a device. The devices of the configuration are dealt in turns, those
    /// that messages name (`deviceKey`) by their names.
    pub fn queue(&self, device: &str) -> &Arc<Queue<Job>> {
        if let [only] = &*self.queues {
            return only;
        }
        let known = self.devices.get(device).copied();
        let index = known.unwrap_or_else(|| spread(device, self.queues.len()));
        &self.queues[index]
    }
}

/// A number below `count` that is always the same for a name, in this process: which names come is up to guests, who must
/// not be able to choose names that all have the same number.
fn spread(name: &str, count: usize) -> usize {
    static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    let hash = KEYS.hash_one(name);
    // Below `count`, which is a `usize`.
    usize::try_from(hash % count as u64).unwrap_or(0)
}

impl Monitor {
    /// The hosts.
    pub fn hosts(&self) -> Vec<HostStatus> {
        let status = |state: &Arc<HostState>| {
            let pid = Some(state.pid.load(Ordering::Relaxed)).filter(|pid| *pid != 0);
            let process = state.process();
            HostStatus {
                pid,
                host: process.as_ref().map(|process| process.kind),
                python: process.map(|process| process.python),
                resident_bytes: pid.and_then(child::resident_bytes),
                restarts: state.restarts.load(Ordering::Relaxed),
                quarantined: state
                    .quarantined()
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
            }
        };
        self.states.iter().map(status).collect()
    }

    /// The lanes' queues together.
    pub fn queue(&self) -> Level {
        Level::of(&*self.lanes.queues)
    }

    /// Messages that the hosts have and whose calls have not begun.
    pub fn waiting_in_hosts(&self) -> usize {
        self.states.iter().map(|state| state.waiting()).sum()
    }

    /// The part of the last 30 s in which the hosts had something to do: 0 to 1.
    pub fn utilization(&self) -> f64 {
        self.utilization.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_dealt_to_lanes_in_turns_and_keep_theirs() {
        let devices = ["a", "b", "c", "d"].map(str::to_owned);
        let queues: Vec<_> = (0..3).map(|_| Arc::new(Queue::new(1, 1))).collect();
        let lanes = Lanes::new(queues.clone(), &devices);
        for (device, lane) in [("a", 0), ("b", 1), ("c", 2), ("d", 0)] {
            assert!(Arc::ptr_eq(lanes.queue(device), &queues[lane]), "{device}");
        }
        let only = Lanes::new(queues[..1].to_vec(), &devices);
        assert!(Arc::ptr_eq(only.queue("d"), &queues[0]));
    }

    /// One entry of the configuration may stand for a thousand devices (`deviceKey`).
    #[test]
    fn c4_devices_that_messages_name_are_spread_and_keep_their_lane() {
        let queues: Vec<_> = (0..4).map(|_| Arc::new(Queue::new(1, 1))).collect();
        let lanes = Lanes::new(queues.clone(), &["any".to_owned()]);
        let mut counts = [0; 4];
        for device in 0..1000 {
            let device = format!("press-{device}");
            let lane = lanes.queue(&device);
            assert!(Arc::ptr_eq(lane, lanes.queue(&device)));
            let index = queues.iter().position(|queue| Arc::ptr_eq(queue, lane));
            counts[index.unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| *count > 150), "{counts:?}");
    }
}
