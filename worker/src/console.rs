//! The console: the page for people, and the stream of the worker's state that it shows.
//!
//! - `assets`: the page's files, which are part of the program.
//! - `state`: what the page shows, once a second for each viewer.
//! - `devices`: the devices that one model has seen lately.
//! - `unclaimed`: messages that no model takes.
//! - `history`: what each model did in the last hour.
//! - `quantiles`: times of a histogram between two moments.
//! - `check`: what is wrong with a configuration that a viewer writes.
//! - `explain`: why a model gets a message, or does not.
//!
//! The files are public, since they are the same for everyone; state and explanations are for those who may read `/status`.

mod assets;
mod check;
mod devices;
mod explain;
mod history;
mod quantiles;
mod state;
mod unclaimed;
#[cfg(test)]
mod words;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use crds::ValidatedRuntime;
use tokio::sync::Semaphore;

use crate::status::Shared;
use history::History;
use unclaimed::Unclaimed;

pub(crate) use assets::is_public;

/// Most viewers at once: each costs the worker a document a second.
const VIEWERS: usize = 16;

/// Largest message that is explained, and configuration that is checked, in bytes.
const LARGEST: usize = 1 << 20;

/// What the console shows.
#[derive(Debug)]
pub struct Console {
    shared: Arc<Shared>,
    runtime: Mutex<Arc<ValidatedRuntime>>,
    history: History,
    unclaimed: Unclaimed,
    viewers: Arc<Semaphore>,
    /// One explanation or check at a time, so that viewers cannot take the processor from the messages.
    explanations: Semaphore,
}

impl Console {
    /// The console of a worker that runs with this configuration.
    pub fn new(shared: Arc<Shared>, runtime: ValidatedRuntime) -> Arc<Self> {
        Arc::new(Self {
            history: History::new(shared.models().len()),
            unclaimed: Unclaimed::new(&runtime),
            shared,
            runtime: Mutex::new(Arc::new(runtime)),
            viewers: Arc::new(Semaphore::new(VIEWERS)),
            explanations: Semaphore::new(1),
        })
    }

    /// Explains messages by this configuration from now on.
    pub(crate) fn set_runtime(&self, runtime: ValidatedRuntime) {
        self.unclaimed.set_runtime(&runtime);
        *self.lock() = Arc::new(runtime);
    }

    fn runtime(&self) -> Arc<ValidatedRuntime> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Arc<ValidatedRuntime>> {
        self.runtime.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records what is shown later, without end.
    pub(crate) async fn record(self: Arc<Self>) {
        let every = |period| {
            let mut ticks = tokio::time::interval(period);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
            ticks
        };
        let (mut points, mut looks) = (every(history::STEP), every(UPDATE));
        loop {
            tokio::select! {
                _ = points.tick() => {
                    self.history.add(&self.shared);
                    for model in self.shared.models() {
                        model.devices.mark(Instant::now(), SystemTime::now());
                    }
                }
                _ = looks.tick() => self.unclaimed.collect(&self.shared),
            }
        }
    }

    /// What one port serves.
    pub(crate) fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/", get(assets::index))
            .route("/console/{*file}", get(assets::file))
            .route("/console/state", get(state::stream))
            .route("/console/explain", post(explain::explain))
            .route("/console/check", post(check::check))
            .route("/console/panel", get(check::panel))
            .layer(DefaultBodyLimit::max(LARGEST))
            .with_state(self)
    }
}

/// Between two states that a viewer gets.
const UPDATE: Duration = Duration::from_secs(1);
