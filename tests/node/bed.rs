//! The bed: a control plane, one node, and what an edge site has on it.

mod api_cache;
mod containerd;
mod failures;
mod files;
mod images;
mod kubernetes;
mod network;
mod operator;
mod processes;
mod prometheus;
mod workers;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;
use tests::control_plane::{ControlPlane, Options, Program};
use tests::mosquitto::Mosquitto;
use tests::site::Models;
use tokio::sync::Mutex;

use crate::sandbox::Sandbox;
use api_cache::ApiCache;
pub(crate) use containerd::CNI;
pub(crate) use files::Files;
pub(crate) use images::{NEXT, TAG};
pub(crate) use prometheus::{Prometheus, RULES};
pub(crate) use workers::{MODEL, Sample};

/// The node's name.
pub(crate) const NODE: &str = "edge";

/// The node's address, which its pods reach.
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 123, 0, 2);

/// Everything; stopped in the order of the fields, and by the end of its namespaces whatever happens.
#[derive(Debug)]
pub(crate) struct Bed {
    kubelet: Mutex<Program>,
    api_cache: Mutex<ApiCache>,
    containerd: Mutex<Program>,
    _proxy: Program,
    _scheduler: Program,
    /// The API server and what goes with it.
    pub(crate) control_plane: ControlPlane,
    /// The node's broker.
    pub(crate) broker: Mosquitto,
    /// Zips that the model server may serve.
    pub(crate) models: Models,
    /// The folder of everything.
    pub(crate) folder: PathBuf,
    /// Name of its control group.
    name: String,
}

impl Bed {
    /// Brings it up: the node is ready, and the images are there.
    ///
    /// # Errors
    /// Something does not start; its log is in the error.
    pub(crate) async fn start(sandbox: &Sandbox) -> anyhow::Result<Self> {
        let folder = &sandbox.folder;
        network::make(folder)?;
        let containerd = containerd::start(folder)?;
        let programs = kubernetes::programs().await?;
        let control_plane = ControlPlane::start(Options {
            node: Some(ADDRESS),
            node_port_range: Some("30000-60000".to_owned()),
            users: kubernetes::users(),
            ..Options::default()
        })
        .await?;
        containerd::until_up(folder, &containerd).await?;
        images::import(folder).await?;
        let node = kubernetes::kubeconfig(&control_plane, &kubernetes::node());
        let api_cache = ApiCache::start(folder, &node).await?;
        let start = |name, flags| Program::start(&programs, name, flags, folder);
        let kubelet = start(
            "kubelet",
            kubernetes::kubelet(sandbox, &api_cache.kubeconfig(folder)?)?,
        )?;
        let proxy = start("kube-proxy", kubernetes::proxy(folder, &control_plane)?)?;
        let scheduler = start("kube-scheduler", kubernetes::scheduler(&control_plane))?;
        // Pods reach it by the node's address, the scenarios by loopback.
        let broker = Mosquitto::with(|_, port| {
            format!("listener {port} 0.0.0.0\nallow_anonymous true\n{BROKER_LIMITS}")
        })
        .await?;
        let bed = Self {
            kubelet: Mutex::new(kubelet),
            api_cache: Mutex::new(api_cache),
            containerd: Mutex::new(containerd),
            _proxy: proxy,
            _scheduler: scheduler,
            control_plane,
            broker,
            models: Models::new()?,
            folder: folder.clone(),
            name: sandbox.name.clone(),
        };
        bed.write_environment()?;
        bed.until_node_ready().await?;
        Ok(bed)
    }

    /// The broker's address as a runtime takes it.
    pub(crate) fn broker_url(&self) -> String {
        format!("tcp://{ADDRESS}:{}", self.broker.port())
    }

    /// Runs kubectl as the administrator.
    ///
    /// # Errors
    /// It fails.
    pub(crate) async fn kubectl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.control_plane.kubectl(arguments).await
    }

    /// Applies objects in the namespace `default`.
    ///
    /// # Errors
    /// They are refused.
    pub(crate) async fn apply(&self, text: &str) -> anyhow::Result<()> {
        let arguments = ["apply", "-f", "-"];
        let applied = self.control_plane.kubectl_with_input(&arguments, text);
        applied.await.map(drop)
    }

    /// Gets objects as JSON.
    ///
    /// # Errors
    /// There are none of that kind.
    pub(crate) async fn get(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let all = [&["get", "-o", "json"], arguments].concat();
        Ok(serde_json::from_str(&self.kubectl(&all).await?)?)
    }

    /// The UIDs and names of what is wanted, of all objects of some kinds. The rest of an older version is not: what is
    /// being deleted, ReplicaSets without pods, and ConfigMaps of models that no Deployment mounts.
    ///
    /// # Errors
    /// There is no such kind.
    pub(crate) async fn wanted(&self, kinds: &str) -> anyhow::Result<BTreeMap<String, String>> {
        let objects = self.get(&[kinds, "--all-namespaces"]).await?;
        Ok(wanted(
            objects["items"].as_array().map_or(&[], Vec::as_slice),
        ))
    }

    async fn until_node_ready(&self) -> anyhow::Result<()> {
        let ready = tests::eventually(async || {
            self.kubelet.lock().await.check()?;
            let node = self.get(&["node", NODE]).await?;
            let conditions = node["status"]["conditions"].as_array().cloned();
            let mut conditions = conditions.into_iter().flatten();
            let ready = conditions.any(|one| one["type"] == "Ready" && one["status"] == "True");
            Ok(ready.then_some(()))
        });
        let ready = ready.await;
        let log = self.kubelet.lock().await.log_tail();
        ready.with_context(|| {
            format!("the node does not become ready; kubelet's log ends in\n{log}")
        })
    }

    /// For the script by which people get inside.
    fn write_environment(&self) -> anyhow::Result<()> {
        let text = format!(
            "export KUBECONFIG={} PATH={}:$PATH HOME={} CONTAINERD_ADDRESS={} CONTAINERD_NAMESPACE=k8s.io\n",
            self.control_plane.kubeconfig().display(),
            self.control_plane.programs().display(),
            self.folder.display(),
            containerd::socket(&self.folder).display(),
        );
        Ok(std::fs::write(self.folder.join("environment"), text)?)
    }
}

/// See `worker`'s README: what mosquitto drops by default.
const BROKER_LIMITS: &str =
    "max_queued_messages 0\nmax_inflight_messages 0\nset_tcp_nodelay true\n";

fn wanted(objects: &[Value]) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let deployments = objects
        .iter()
        .filter(|object| object["kind"] == "Deployment");
    let mounted: Vec<_> = deployments
        .flat_map(|object| {
            let volumes = object["spec"]["template"]["spec"]["volumes"].as_array();
            volumes.into_iter().flatten()
        })
        .map(|volume| &volume["configMap"]["name"])
        .collect();
    let is_wanted = |object: &&Value| {
        let metadata = &object["metadata"];
        let is_of_model = metadata["labels"]["edgemodel.io/model"].is_string();
        let is_over = match object["kind"].as_str() {
            Some("ReplicaSet") => object["spec"]["replicas"] == 0,
            Some("ConfigMap") => is_of_model && !mounted.contains(&&metadata["name"]),
            _ => false,
        };
        !is_over && metadata["deletionTimestamp"].is_null()
    };
    let named = |object: &Value| {
        let (kind, metadata) = (text(&object["kind"]), &object["metadata"]);
        let (namespace, name) = (text(&metadata["namespace"]), text(&metadata["name"]));
        (text(&metadata["uid"]), format!("{kind} {namespace}/{name}"))
    };
    objects.iter().filter(is_wanted).map(named).collect()
}

/// Where the node listens on a port.
pub(crate) fn at(port: u16) -> SocketAddr {
    (ADDRESS, port).into()
}

/// Writes a file of a program and gives its path.
fn write(folder: &Path, name: &str, text: &str) -> anyhow::Result<PathBuf> {
    let path = folder.join(name);
    std::fs::write(&path, text)?;
    Ok(path)
}
