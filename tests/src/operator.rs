//! The operator in a task of this process, so that a test can give it a client with faults and end it as a crash would.

use std::time::Duration;

use kube::Client;
use operator::desired::Defaults;
use operator::run::{self, Election, End, Settings};
use tokio::sync::{OnceCell, oneshot};
use tokio::task::JoinHandle;

use crate::control_plane::ControlPlane;

/// A running operator; ended as by a crash when it is dropped.
#[derive(Debug)]
pub struct Operator {
    task: JoinHandle<End>,
    stop: Option<oneshot::Sender<()>>,
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What it is started with, for one namespace, without a second operator.
pub fn settings(namespace: &str) -> Settings {
    Settings {
        namespace: Some(namespace.to_owned()),
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
        }),
        ..settings(namespace)
    }
}

impl Operator {
    /// Starts one.
    pub fn start(client: Client, settings: Settings) -> Self {
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            // An error means that the handle was dropped, which ends the task anyway.
            let _ = stopped.await;
        };
        let task = tokio::spawn(async move { run::run(client, settings, None, stopped).await });
        Self {
            task,
            stop: Some(stop),
        }
    }

    /// Ends it as SIGTERM does.
    ///
    /// # Errors
    /// It had panicked.
    pub async fn stop(mut self) -> anyhow::Result<End> {
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
}

/// Installs the CustomResourceDefinition, once for each control plane.
///
/// # Errors
/// The API server refuses it.
pub async fn install(control_plane: &ControlPlane) -> anyhow::Result<()> {
    let definition = include_str!("../../crds/generated/edgemodelruntime.yaml");
    let apply = ["apply", "--server-side", "-f", "-"];
    control_plane.kubectl_with_input(&apply, definition).await?;
    let wait = ["wait", "--for=condition=Established", "--timeout=60s"];
    let name = "crd/edgemodelruntimes.edgemodel.io";
    control_plane
        .kubectl(&[&wait[..], &[name]].concat())
        .await?;
    Ok(())
}

/// The shared control plane with the definition installed.
///
/// # Errors
/// It does not start, or refuses the definition.
pub async fn cluster() -> anyhow::Result<&'static ControlPlane> {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    let control_plane = ControlPlane::shared().await?;
    INSTALLED
        .get_or_try_init(async || install(control_plane).await)
        .await?;
    Ok(control_plane)
}
