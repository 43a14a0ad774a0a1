//! The programs of a node and of the scheduler, and how each is told what to do.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tests::control_plane::{ControlPlane, programs};

use super::{ADDRESS, NODE, containerd, write};
use crate::sandbox::Sandbox;

const PROXY: &str = "system:kube-proxy";
const SCHEDULER: &str = "system:kube-scheduler";

/// Builds what is not there yet.
///
/// # Errors
/// It cannot be built.
pub(super) async fn programs() -> anyhow::Result<PathBuf> {
    programs::build(&["kubelet", "kube-scheduler", "kube-proxy"]).await
}

/// Whom the programs are, with the groups by which Kubernetes knows nodes.
pub(super) fn users() -> Vec<(String, Vec<String>)> {
    vec![
        (node(), vec!["system:nodes".to_owned()]),
        (PROXY.to_owned(), Vec::new()),
        (SCHEDULER.to_owned(), Vec::new()),
    ]
}

/// The user that a node's kubelet is.
pub(super) fn node() -> String {
    format!("system:node:{NODE}")
}

/// The file by which a user talks to the API server.
pub(super) fn kubeconfig(control_plane: &ControlPlane, user: &str) -> PathBuf {
    control_plane.directory().join(format!("{user}.kubeconfig"))
}

/// The kubelet's flags.
///
/// # Errors
/// Its configuration cannot be written.
pub(super) fn kubelet(sandbox: &Sandbox, kubeconfig: &Path) -> anyhow::Result<Vec<OsString>> {
    let folder = &sandbox.folder;
    let config = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": format!("unix://{}", containerd::socket(folder).display()),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": format!("/{}", sandbox.name),
        "failCgroupV1": false,
        "failSwapOn": false,
        "resolvConf": "",
        "volumePluginDir": folder.join("volume-plugins"),
        "address": ADDRESS.to_string(),
        "authentication": { "anonymous": { "enabled": true }, "webhook": { "enabled": false } },
        "authorization": { "mode": "AlwaysAllow" },
        // A disk that the machine's other users fill is no matter of this node's.
        "evictionHard": { "memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        // The defaults of 5 and 10 would be what scenarios wait for.
        "kubeAPIQPS": 100,
        "kubeAPIBurst": 200,
    });
    Ok(vec![
        path_flag("config", &file(folder, "kubelet", &config)?),
        path_flag("kubeconfig", kubeconfig),
        path_flag("root-dir", &folder.join("kubelet")),
        format!("--hostname-override={NODE}").into(),
        format!("--node-ip={ADDRESS}").into(),
    ])
}

/// The proxy's flags.
///
/// # Errors
/// Its configuration cannot be written.
pub(super) fn proxy(folder: &Path, control_plane: &ControlPlane) -> anyhow::Result<Vec<OsString>> {
    let config = json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": { "kubeconfig": kubeconfig(control_plane, PROXY) },
        "mode": "iptables",
        "hostnameOverride": NODE,
        // The machine's limits are left alone.
        "conntrack": { "maxPerCore": 0, "min": 0 },
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
    });
    Ok(vec![path_flag("config", &file(folder, "proxy", &config)?)])
}

/// The scheduler's flags.
pub(super) fn scheduler(control_plane: &ControlPlane) -> Vec<OsString> {
    let kubeconfig = kubeconfig(control_plane, SCHEDULER);
    vec![
        path_flag("kubeconfig", &kubeconfig),
        path_flag("authentication-kubeconfig", &kubeconfig),
        path_flag("authorization-kubeconfig", &kubeconfig),
        "--leader-elect=false".into(),
        "--bind-address=127.0.0.1".into(),
    ]
}

/// JSON is YAML.
fn file(folder: &Path, name: &str, config: &Value) -> anyhow::Result<PathBuf> {
    write(folder, &format!("{name}.yaml"), &format!("{config:#}\n"))
}

fn path_flag(name: &str, value: &Path) -> OsString {
    let mut flag = OsString::from(format!("--{name}="));
    flag.push(value);
    flag
}
