//! The hosts of one model: their start, their end, and what others may read of them.

use std::sync::Arc;

use message::{Level, Queue};
use prometheus::Gauge;
use tokio::task::JoinSet;

use crate::backlog::Backlog;
use crate::lane::Lane;
use crate::lanes::Lanes;
use crate::metrics::Metrics;
use crate::options::{Options, Outcomes};
use crate::start_error::StartError;
use crate::state::HostState;
use crate::status::HostStatus;
use crate::{busy, start};

/// The hosts of one model. Dropped, it kills them.
#[derive(Debug)]
pub struct Pool {
    monitor: Monitor,
    tasks: JoinSet<()>,
    /// Ends with the pool.
    _measuring: JoinSet<()>,
}

/// What others may read of a model's hosts at any time.
#[derive(Debug, Clone)]
pub struct Monitor {
    lanes: Lanes,
    states: Arc<[Arc<HostState>]>,
    utilization: Gauge,
}

impl Pool {
    /// Starts all hosts, and waits until each has imported the model.
    ///
    /// # Errors
    /// The first host that fails to start; the others are killed.
    pub async fn start<O: Outcomes>(
        options: Options,
        outcomes: Arc<O>,
        metrics: Metrics,
    ) -> Result<Self, StartError> {
        let options = Arc::new(options);
        let count = usize::from(options.hosts.max(1));
        let queue = |_| Arc::new(Queue::new(options.queue_size, options.queue_bytes));
        let backlog = |_| Arc::new(Backlog::new((0..options.rules).map(queue).collect()));
        let backlogs: Vec<_> = (0..count).map(backlog).collect();
        let states: Arc<[_]> = (0..count).map(|_| Arc::<HostState>::default()).collect();
        start::check(&options).await?;
        let starting = (0..count).map(|_| start::start(&options, &metrics));
        let hosts = futures_util::future::try_join_all(starting).await?;
        let mut tasks = JoinSet::new();
        for ((host, backlog), state) in hosts.into_iter().zip(&backlogs).zip(&*states) {
            let lane = Lane::new(
                options.clone(),
                backlog.clone(),
                state.clone(),
                outcomes.clone(),
                metrics.clone(),
            );
            tasks.spawn(lane.run(host));
        }
        let monitor = Monitor {
            lanes: Lanes::new(backlogs, &options.devices),
            states,
            utilization: metrics.utilization.clone(),
        };
        let mut measuring = JoinSet::new();
        measuring.spawn(busy::measure(
            monitor.states.clone(),
            monitor.lanes.backlogs.clone(),
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
        for backlog in self.monitor.lanes.backlogs.iter() {
            backlog.close();
        }
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Monitor {
    /// The hosts.
    pub fn hosts(&self) -> Vec<HostStatus> {
        self.states.iter().map(|state| state.status()).collect()
    }

    /// Whether at least one host has a process that serves.
    pub fn runs(&self) -> bool {
        self.states.iter().any(|state| state.runs())
    }

    /// The lanes' queues together.
    pub fn queue(&self) -> Level {
        Level::of(
            self.lanes
                .backlogs
                .iter()
                .flat_map(|backlog| backlog.queues()),
        )
    }

    /// Messages that the hosts have and whose calls have not begun.
    pub fn waiting_in_hosts(&self) -> usize {
        self.states.iter().map(|state| state.waiting()).sum()
    }

    /// The part of the utilization window in which the hosts had something to do: 0 to 1.
    pub fn utilization(&self) -> f64 {
        self.utilization.get()
    }
}
