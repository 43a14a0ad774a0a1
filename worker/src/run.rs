//! The worker as a whole: opens everything that can fail first, then serves until it is told to stop.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crds::{ValidatedRuntime, client_id};
use mqtt::{Broker, BrokerError};
use packages::Store;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::client_ids::ClientIds;
use crate::console::Console;
use crate::hidden;
use crate::peers::{self, Peers};
use crate::ports::{ListenError, Ports};
use crate::reaper;
use crate::reload::Reload;
use crate::route::PipelineContext;
use crate::settings::{Replica, Settings};
use crate::shutdown::Harmless;
use crate::sink::SharedSinks;
use crate::status::Shared;
use crate::supervisor::{Refused, Supervisor};
use crate::{telemetry, trial};

/// Timeout for HTTP responses in progress at shutdown.
const SIDE_SHUTDOWN: Duration = Duration::from_secs(1);

/// Signals within this time are one request.
const ONE_REQUEST: Duration = Duration::from_secs(1);

/// Why a worker does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that the configuration refers to cannot be used.
    #[error(transparent)]
    Broker(BrokerError),
    /// The credentials of a database cannot be read.
    #[error(transparent)]
    Database(hosts::DatabaseError),
    /// A port is in use or not allowed.
    #[error(transparent)]
    Listen(ListenError),
    /// The models directory cannot be used.
    #[error(transparent)]
    Store(packages::Error),
    /// The system has no threads or event queues left.
    #[error("failed to start a runtime: {0}")]
    Runtime(io::Error),
    /// Peers cannot be asked.
    #[error("failed to prepare for peers: {0}")]
    Peers(peers::Error),
    /// A model was refused, and the settings stop the worker in this case. Everything else shut down as usual.
    #[error(transparent)]
    Refused(Refused),
}

/// A worker that is ready to start: its ports are bound and its files are read.
#[derive(Debug)]
pub struct Worker {
    ctx: PipelineContext,
    settings: Settings,
    store: Store,
    peers: Option<Peers>,
    ports: Ports,
}

impl Worker {
    /// Binds the ports, reads the files of brokers and databases and opens the models directory.
    ///
    /// # Errors
    /// The first of these that fails; nothing is left behind.
    pub fn open(mut runtime: ValidatedRuntime, settings: Settings) -> Result<Self, Error> {
        if settings.trial {
            runtime = trial::harmless(runtime);
        }
        let brokers = runtime
            .mqtts
            .iter()
            .enumerate()
            .map(|(index, mqtt)| {
                let broker = Broker::open(index, mqtt).map_err(Error::Broker)?;
                let returns =
                    !settings.trial && !matches!(settings.replica, Some(Replica::Name(_)));
                Ok(if returns {
                    broker
                } else {
                    broker.without_sessions()
                })
            })
            .collect::<Result<_, _>>()?;
        let databases = hosts::databases(&runtime).map_err(Error::Database)?;
        let ports =
            Ports::open(settings.http, settings.exposed, &runtime.expose).map_err(Error::Listen)?;
        let store = Store::open(&settings.models_dir).map_err(Error::Store)?;
        hosts::remember_interpreters(&settings.models_dir);
        let peers = settings.peers.as_ref();
        let peers = peers
            .map(|name| {
                Peers::new(name, &ports.http_addresses(), settings.http_token.as_ref())
                    .map_err(Error::Peers)
            })
            .transpose()?;
        let files = settings.files.iter().chain([&settings.models_dir]);
        let files: Vec<_> = files.map(PathBuf::as_path).collect();
        let hidden = hidden::hidden(&runtime, &files);
        let replica = settings.replica.as_ref().map(Replica::suffix);
        let shared = Shared::new(&runtime);
        let owner = if settings.trial {
            trial::owner()
        } else {
            settings.hostname.clone()
        };
        let used = (!settings.trial && !settings.give_up)
            .then(|| Arc::new(ClientIds::open(&settings.models_dir)));
        Ok(Self {
            ctx: PipelineContext {
                client_ids: client_id::assign(&runtime, &owner, replica.as_deref()),
                trial: settings.trial,
                directory: (!settings.trial).then(|| settings.models_dir.clone()),
                used,
                predecessor: matches!(settings.replica, Some(Replica::Name(_)))
                    .then(|| client_id::assign(&runtime, &settings.hostname, None)),
                shared,
                brokers,
                databases,
                hidden,
                runtime,
            },
            settings,
            store,
            peers,
            ports,
        })
    }

    /// Where HTTP is served: first `--http`, then the ports in `expose`.
    pub fn http_addresses(&self) -> Vec<SocketAddr> {
        self.ports.http_addresses()
    }

    /// Where results are streamed.
    pub fn stream_addresses(&self) -> Vec<SocketAddr> {
        self.ports.stream_addresses()
    }

    /// State and metrics.
    pub fn shared(&self) -> Arc<Shared> {
        self.ctx.shared.clone()
    }

    /// Serves until `asked` is ready, then drains until the drain timeout expires or `asked` is ready a second time,
    /// since a user who asks twice does not want to wait. This thread carries the messages; everything else runs on
    /// another. `signals` change its configuration and log level.
    ///
    /// # Errors
    /// The system has no threads left, or a model was refused and the settings stop the worker in this case.
    pub fn run(self, asked: impl AsyncFnMut(), signals: Option<Harmless>) -> Result<(), Error> {
        let side = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("edgemodel-side")
            .enable_all()
            .build()
            .map_err(Error::Runtime)?;
        let data = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::Runtime)?;
        side.spawn(reaper::run());
        let result = data.block_on(self.serve(&side, asked, signals));
        // Ends the remaining model processes before the threads that log for them.
        drop(data);
        side.shutdown_timeout(SIDE_SHUTDOWN);
        result
    }

    async fn serve(
        self,
        side: &Runtime,
        mut asked: impl AsyncFnMut(),
        signals: Option<Harmless>,
    ) -> Result<(), Error> {
        let shared = self.ctx.shared.clone();
        let sinks = SharedSinks::new(&shared.metrics, side.handle());
        let peers = self.peers.as_ref();
        let token = self.settings.http_token.as_ref();
        if token.is_some() {
            for model in shared.models() {
                model.exchanges.want();
            }
        }
        let console = Console::new(shared.clone(), self.ctx.runtime.clone());
        let served = self
            .ports
            .serve(&shared, &console, &sinks, peers, token, side.handle());
        let mut servers = served.map_err(Error::Runtime)?;
        servers.spawn_on(console.clone().record(), side.handle());
        let (stopping, receiver) = watch::channel(false);
        let trial = self.settings.trial;
        let reload = self.settings.config.map(|config| Reload { config, trial });
        let ctx = Arc::new(self.ctx);
        let configs = watch::Sender::new(ctx.clone());
        let store = Arc::new(self.store);
        let mut supervisors = JoinSet::new();
        for func in 0..ctx.runtime.funcs.len() {
            let supervisor = Supervisor {
                ctx: ctx.clone(),
                configs: configs.subscribe(),
                sinks: sinks.clone(),
                func,
                store: store.clone(),
                download: self.settings.download,
                side: side.handle().clone(),
                give_up: self.settings.give_up,
                stopping: receiver.clone(),
            };
            supervisors.spawn(supervisor.run());
        }
        let refused = tokio::select! {
            () = asked() => None,
            refused = first_refused(&mut supervisors) => Some(refused),
            () = sinks.stdout.closed() => {
                tracing::info!("Stdout is closed, so the trial ends");
                None
            }
            // Never ends.
            () = follow(signals, reload.as_ref(), &configs, &console) => None,
        };
        tracing::info!("Shutting down");
        shared.stop();
        stopping.send_replace(true);
        let drained = async { while supervisors.join_next().await.is_some() {} };
        let asked_again = async {
            // Tools such as `timeout` send a signal to a process and to its group.
            if refused.is_none() {
                tokio::time::sleep(ONE_REQUEST).await;
            }
            asked().await;
        };
        let in_time = tokio::select! {
            () = drained => true,
            () = tokio::time::sleep(self.settings.drain_timeout) => false,
            () = asked_again => false,
        };
        let open: u64 = shared
            .models()
            .iter()
            .map(|model| model.ledger.in_flight())
            .sum();
        if in_time {
            tracing::info!(open, "Shutdown complete");
        } else {
            tracing::warn!(
                open,
                "Drain timeout expired, the broker will redeliver open messages"
            );
        }
        refused.map_or(Ok(()), |refused| Err(Error::Refused(refused)))
    }
}

/// Does what signals ask for besides the end of the worker; never ends.
async fn follow(
    signals: Option<Harmless>,
    reload: Option<&Reload>,
    configs: &watch::Sender<Arc<PipelineContext>>,
    console: &Console,
) {
    let (Some(signals), Some(reload)) = (signals, reload) else {
        return std::future::pending().await;
    };
    let Harmless { hangups, users } = signals;
    tokio::join!(
        reload.run(hangups, configs, console),
        telemetry::follow_signals(users)
    );
}

/// The first model that gives up; pending while none does.
async fn first_refused(supervisors: &mut JoinSet<Option<Refused>>) -> Refused {
    while let Some(ended) = supervisors.join_next().await {
        if let Ok(Some(refused)) = ended {
            return refused;
        }
    }
    std::future::pending().await
}
