//! The operator in a task of this process, so that a test can give it a client with faults and end it as a crash would.

mod account;
mod errors;
mod ha_operators;

pub use account::client;
pub use ha_operators::{HaOperators, at_once, ha_operators};

use std::time::Duration;

use kube::Client;
use operator::desired::Defaults;
use operator::lease::{self, Election};
use operator::run::{self, Ended, Settings};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use crate::control_plane::{ControlPlane, Options};

use errors::Errors;

/// A running operator; ended as by a crash when it is dropped.
#[derive(Debug)]
pub struct Operator {
    task: JoinHandle<Ended>,
    stop: Option<oneshot::Sender<()>>,
    errors: Errors,
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Stopped = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// What it is started with, for one namespace, without a second operator.
pub fn settings(namespace: &str) -> Settings {
    Settings {
        namespaces: vec![namespace.to_owned()],
        defaults: Defaults {
            worker_image: "edgemodel-worker:test".to_owned(),
        },
        resync: Duration::from_secs(2),
        concurrency: 8,
        election: None,
    }
}

/// Takes part in the election of its namespace.
pub fn candidate(namespace: &str, identity: &str) -> Settings {
    Settings {
        election: Some(Election {
            namespace: namespace.to_owned(),
            identity: identity.to_owned(),
            duration: lease::DURATION,
        }),
        ..settings(namespace)
    }
}

impl Operator {
    /// Starts one operator, or the [`ha_operators()`] that the environment asks for.
    pub fn start(client: Client, settings: Settings) -> Self {
        match ha_operators() {
            Some(several) if settings.election.is_none() => {
                Self::of(move |stopped| several.run(client, settings, stopped))
            }
            _ => Self::alone(client, settings),
        }
    }

    /// Starts one, whatever the environment asks for: for tests of what a single operator sees and does.
    pub fn alone(client: Client, settings: Settings) -> Self {
        Self::of(move |stopped| run::run(client, settings, None, stopped))
    }

    /// Starts one that serves its metrics.
    pub fn serving(client: Client, settings: Settings, http: TcpListener) -> Self {
        Self::of(move |stopped| run::run(client, settings, Some(http), stopped))
    }

    fn of<F>(run: impl FnOnce(Stopped) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Ended> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        let stopped: Stopped = Box::pin(async {
            // An error means that the handle was dropped, which ends the task anyway.
            let _ = stopped.await;
        });
        let errors = Errors::default();
        Self {
            task: tokio::spawn(run(stopped).instrument(errors.span())),
            stop: Some(stop),
            errors,
        }
    }

    /// Ends it as SIGTERM does.
    ///
    /// # Errors
    /// It had panicked.
    pub async fn stop(mut self) -> anyhow::Result<Ended> {
        // An error means that it has ended already.
        let _ = self.stop.take().map(|stop| stop.send(()));
        Ok((&mut self.task).await?)
    }

    /// Ends it as SIGKILL does.
    pub fn kill(self) {
        drop(self);
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// What it has logged as an error.
    pub fn errors(&self) -> Vec<String> {
        self.errors.lines()
    }
}

/// The CustomResourceDefinition.
pub const DEFINITION: &str = include_str!("../../crds/generated/edgemodelruntime.yaml");

/// A control plane as operators want it: the definition is there, and ports from 30000 to 60000.
pub fn options() -> Options {
    Options {
        node_port_range: Some("30000-60000".to_owned()),
        definitions: vec![DEFINITION],
        ..Options::default()
    }
}

/// The shared control plane.
///
/// # Errors
/// It does not start.
pub async fn cluster() -> anyhow::Result<&'static ControlPlane> {
    ControlPlane::shared().await
}
