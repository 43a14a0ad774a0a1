//! A real Kubernetes API server with etcd and the controller manager, on free ports of loopback.
//!
//! There are no nodes, so nothing runs a pod; [`kubelet`] stands in for what would. With an address in
//! [`Options::node`] a real kubelet can be started beside it, as `tests/node` does.

mod access;
mod arguments;
mod clients;
mod helm;
mod kubectl;
pub mod kubelet;
mod node;
pub mod pod_state;
mod process;
pub mod programs;
mod storage;

pub use clients::{Transport, client_through};
pub use kubelet::Kubelet;
pub use pod_state::PodState;
pub use process::Program;
pub use programs::helm as helm_program;
pub use storage::Snapshot;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use tokio::sync::OnceCell;

use crate::certificates::Certificates;
use crate::eventually;
use crate::mosquitto::free_port;
use crate::operator;
use access::User;
use process::Janitor;

/// Where pods find the API server: the first address of the Services' range.
const SERVICE_ADDRESS: &str = "10.96.0.1";

/// What a control plane may be told.
#[derive(Clone, Debug)]
pub struct Options {
    /// The ports of Services, as `30000-60000`; the API server's own default where it is not set.
    pub node_port_range: Option<String>,
    /// Whether the controllers run; without them Deployments get no pods and nothing is collected.
    pub controllers: bool,
    /// Names of users besides the administrator, each with its groups.
    pub users: Vec<(String, Vec<String>)>,
    /// Further flags of the API server.
    pub apiserver_flags: Vec<String>,
    /// CustomResourceDefinitions that are there before the controllers start: the garbage collector looks for new ones
    /// only twice a minute.
    pub definitions: Vec<&'static str>,
    /// The address of a machine that is to be a node: the API server listens there instead of on loopback, so
    /// that pods reach it, and nodes that send no heartbeat count as lost.
    pub node: Option<Ipv4Addr>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            node_port_range: None,
            controllers: true,
            users: Vec::new(),
            apiserver_flags: Vec::new(),
            definitions: Vec::new(),
            node: None,
        }
    }
}

/// A control plane; stopped when it is dropped, and when the test process ends in any way.
#[derive(Debug)]
pub struct ControlPlane {
    // In the order in which they are stopped.
    controllers: Option<Mutex<Program>>,
    apiserver: Mutex<Program>,
    etcd: Mutex<Program>,
    etcd_port: u16,
    address: SocketAddr,
    users: Vec<User>,
    programs: &'static Path,
    certificates: Certificates,
    directory: Janitor,
}

impl ControlPlane {
    /// Starts one, and waits until it is ready.
    ///
    /// # Errors
    /// Its programs cannot be built or do not start.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let programs = programs::directory().await?;
        let directory = Janitor::hire()?;
        let folder = directory.path();
        let node = options.node.map(|address| address.to_string());
        let names = node.iter().map(String::as_str).chain([SERVICE_ADDRESS]);
        let certificates = Certificates::with_names(names)?;
        let users = access::users(&options.users);
        access::write_tokens(folder, &users)?;

        let etcd_port = free_port()?;
        let etcd = arguments::etcd(folder, etcd_port, free_port()?);
        let etcd = Program::start(programs, "etcd", etcd, folder)?;
        let host = options.node.unwrap_or(Ipv4Addr::LOCALHOST);
        let address = SocketAddr::from((host, free_port()?));
        let flags = arguments::apiserver(&options, folder, &certificates, address, etcd_port);
        let apiserver = Program::start(programs, "kube-apiserver", flags, folder)?;
        let mut control_plane = Self {
            controllers: None,
            apiserver: Mutex::new(apiserver),
            etcd: Mutex::new(etcd),
            etcd_port,
            address,
            users,
            programs,
            certificates,
            directory,
        };
        control_plane.write_kubeconfigs()?;
        control_plane.until_ready().await?;
        for definition in &options.definitions {
            control_plane.define(definition).await?;
        }
        if options.controllers {
            let folder = control_plane.directory();
            let flags = arguments::controllers(&options, folder, &control_plane.certificates);
            let controllers = Program::start(programs, "kube-controller-manager", flags, folder)?;
            control_plane.controllers = Some(Mutex::new(controllers));
            control_plane.until_service_account("default").await?;
        }
        Ok(control_plane)
    }

    /// The one that the tests of a process share, with [`operator::options`]. Each test takes a
    /// [`namespace`](Self::namespace) of its own, and stops nothing.
    ///
    /// # Errors
    /// It does not start.
    pub async fn shared() -> anyhow::Result<&'static Self> {
        static SHARED: OnceCell<ControlPlane> = OnceCell::const_new();
        let start = async || Self::start(operator::options()).await;
        SHARED.get_or_try_init(start).await
    }

    /// Where the API server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its folder, with the programs' logs (`kube-apiserver.log` and so on); gone when it is.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The programs that it was started from.
    pub fn programs(&self) -> &Path {
        self.programs
    }

    /// The process ids of what runs.
    pub fn pids(&self) -> Vec<u32> {
        let programs = [&self.etcd, &self.apiserver];
        let programs = programs.into_iter().chain(&self.controllers);
        programs.map(|program| lock(program).pid()).collect()
    }

    /// Kills the API server, as a crash of its machine would; what it has acknowledged is kept.
    ///
    /// # Errors
    /// The system refuses.
    pub fn kill_apiserver(&self) -> anyhow::Result<()> {
        lock(&self.apiserver).kill()
    }

    /// Kills the API server if it runs, starts it again on the same port and waits until it is ready.
    ///
    /// # Errors
    /// It does not start.
    pub async fn restart_apiserver(&self) -> anyhow::Result<()> {
        lock(&self.apiserver).restart()?;
        self.until_ready().await
    }

    async fn until_ready(&self) -> anyhow::Result<()> {
        let client = self.client()?;
        let ready = eventually(async || {
            // What has ended will not become ready.
            if let Err(error) = self.check() {
                return Ok(Some(Err(error)));
            }
            let request = http::Request::get("/readyz").body(Vec::new())?;
            let answer = client.request_text(request).await?;
            Ok((answer == "ok").then_some(Ok(())))
        })
        .await;
        ready.with_context(|| {
            let log = lock(&self.apiserver).log_tail();
            format!("the API server does not become ready; its log ends in\n{log}")
        })?
    }

    /// Fails when one of its programs has ended.
    fn check(&self) -> anyhow::Result<()> {
        let mut programs = [&self.etcd, &self.apiserver]
            .into_iter()
            .chain(&self.controllers);
        programs.try_for_each(|program| lock(program).check())
    }

    fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }
}

fn lock(program: &Mutex<Program>) -> MutexGuard<'_, Program> {
    program.lock().unwrap_or_else(PoisonError::into_inner)
}
