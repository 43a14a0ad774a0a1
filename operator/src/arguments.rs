//! The command line.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::builder::NonEmptyStringValueParser;
use crds::contract::OPERATOR_HTTP_PORT;
use kube::{Client, Config};
use operator::api;
use operator::desired::Defaults;
use operator::lease::Election;
use operator::run::{self, Ended, Settings};
use operator::telemetry;
use operator::verify;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

const EXAMPLES: &str = "\
Examples:
  edgemodel-operator crd | kubectl apply --server-side -f -    install the CRD
  edgemodel-operator run --no-leader-election                  run against the cluster of your kubeconfig";

/// Kubernetes operator for EdgeModelRuntime objects.
#[derive(Debug, clap::Parser)]
#[command(name = "edgemodel-operator", version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Run until SIGTERM.
    Run(Run),
    /// Check a running installation with the operator's rights: CRD, roles, leader.
    Verify(Verify),
    /// Print the CRD as YAML.
    Crd,
}

/// What `run` and `verify` must agree on.
#[derive(Debug, clap::Args)]
struct Served {
    /// Namespaces to serve, separated by commas. Default: all namespaces.
    #[arg(long, env = "EDGEMODEL_NAMESPACE", value_name = "NAMES", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    namespace: Vec<String>,
    /// Disable leader election, for a single operator.
    #[arg(long)]
    no_leader_election: bool,
    /// Namespace of the leader election Lease. Default: the operator's own namespace.
    #[arg(long, env = "POD_NAMESPACE", value_name = "NAME")]
    lease_namespace: Option<String>,
}

impl Served {
    /// Where the Lease is, if operators are elected.
    fn lease(&self, client: &Client) -> Option<String> {
        let namespace = self.lease_namespace.clone();
        let namespace = namespace.unwrap_or_else(|| client.default_namespace().to_owned());
        (!self.no_leader_election).then_some(namespace)
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    #[command(flatten)]
    served: Served,
    /// Default image of workers.
    #[arg(long, env = "EDGEMODEL_WORKER_IMAGE", value_name = "IMAGE", default_value = concat!("edgemodel-worker:", env!("CARGO_PKG_VERSION")))]
    worker_image: String,
    /// Address of metrics and probes.
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from(([0, 0, 0, 0], OPERATOR_HTTP_PORT)))]
    http: SocketAddr,
    /// Seconds between reconciles of an unchanged runtime.
    #[arg(long, value_name = "SECONDS", default_value = "180", value_parser = clap::value_parser!(u64).range(1..=3600))]
    resync: u64,
    /// Maximum concurrent reconciles.
    #[arg(long, value_name = "N", default_value = "8", value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
    /// Name of this operator in the Lease. Default: the host name and a random suffix.
    #[arg(long, env = "POD_NAME", value_name = "NAME")]
    identity: Option<String>,
    /// Seconds without renewal after which another operator takes the Lease.
    #[arg(long, value_name = "SECONDS", default_value = "15", value_parser = clap::value_parser!(u64).range(3..=300))]
    lease_duration: u64,
    /// Seconds of silence after which a connection to the API server is closed. Idle watches receive a bookmark every
    /// minute.
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = clap::value_parser!(u64).range(1..=290))]
    silence_limit: u64,
}

impl Run {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        telemetry::init();
        let end = runtime()?.block_on(self.serve())?;
        Ok(match end {
            Ended::Stopped => ExitCode::SUCCESS,
            // Kubernetes restarts it as a candidate.
            Ended::LeaseLost => ExitCode::FAILURE,
        })
    }

    async fn serve(self) -> anyhow::Result<Ended> {
        let mut terminate = signal(SignalKind::terminate()).context("failed to catch SIGTERM")?;
        let mut config = cluster().await?;
        api::limit_silence(&mut config, Duration::from_secs(self.silence_limit));
        let client = Client::try_from(config).context("failed to use the cluster's address")?;
        let listener = TcpListener::bind(self.http)
            .await
            .with_context(|| format!("failed to listen on {} (--http)", self.http))?;
        tracing::info!(address = %listener.local_addr()?, "Serving /metrics, /healthz and /readyz");
        let election = self.served.lease(&client).map(|namespace| Election {
            namespace,
            identity: self.identity.unwrap_or_else(identity),
            duration: Duration::from_secs(self.lease_duration),
        });
        let settings = Settings {
            namespaces: self.served.namespace,
            defaults: Defaults {
                worker_image: self.worker_image,
            },
            resync: Duration::from_secs(self.resync),
            concurrency: self.concurrency,
            election,
        };
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        };
        Ok(run::run(client, settings, Some(listener), stop).await)
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    served: Served,
    /// Seconds to wait for a leader.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
}

impl Verify {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let problems = runtime()?.block_on(async {
            let client = Client::try_from(cluster().await?)
                .context("failed to use the cluster's address")?;
            let lease = self.served.lease(&client);
            let timeout = Duration::from_secs(self.timeout);
            let namespaces = &self.served.namespace;
            anyhow::Ok(verify::installation(&client, namespaces, lease.as_deref(), timeout).await)
        })?;
        if problems.is_empty() {
            writeln!(std::io::stdout(), "The installation works")?;
            return Ok(ExitCode::SUCCESS);
        }
        for problem in problems {
            writeln!(std::io::stderr(), "{problem}")?;
        }
        Ok(ExitCode::FAILURE)
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    // Fails only when a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("failed to start the runtime")
}

async fn cluster() -> anyhow::Result<Config> {
    Config::infer()
        .await
        .context("failed to find the cluster: run in a pod, or name a kubeconfig in KUBECONFIG")
}

/// A name that no other process has.
fn identity() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "operator".to_owned());
    format!("{host}-{:08x}", rand::random::<u32>())
}

pub(crate) fn print_crd() -> anyhow::Result<ExitCode> {
    let text = crds::yaml::write(&crds::custom_resource::crd())?;
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
