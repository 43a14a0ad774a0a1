//! containerd with folders of its own, and how its pods are connected.

use std::path::{Path, PathBuf};

use tests::control_plane::Program;
use tokio::net::UnixStream;

use super::write;

/// Where Debian puts the programs that connect pods.
pub(crate) const CNI: &str = "/usr/lib/cni";

/// What a pod's first container is made of; there is no registry to fetch one from.
pub(super) const PAUSE: &str = "docker.io/library/edgemodel-pause:1";

/// Starts it.
///
/// # Errors
/// It cannot be started.
pub(super) fn start(folder: &Path) -> anyhow::Result<Program> {
    let cni = folder.join("cni");
    std::fs::create_dir_all(&cni)?;
    write(&cni, "10-bed.conflist", &network(folder))?;
    let config = write(folder, "containerd.toml", &config(folder, &cni))?;
    let flags = vec!["--config".into(), config.into()];
    Program::start(Path::new("/usr/bin"), "containerd", flags, folder)
}

/// Waits until it takes calls.
///
/// # Errors
/// It does not; its log is in the error.
pub(super) async fn until_up(folder: &Path, containerd: &Program) -> anyhow::Result<()> {
    let socket = socket(folder);
    tests::eventually(async || {
        containerd.check()?;
        Ok(UnixStream::connect(&socket).await.ok().map(drop))
    })
    .await
}

/// Where it listens.
pub(super) fn socket(folder: &Path) -> PathBuf {
    folder.join("containerd.sock")
}

fn config(folder: &Path, cni: &Path) -> String {
    // Without `restrict_oom_score_adj` a machine without CAP_SYS_RESOURCE starts no pod.
    format!(
        r#"version = 2
root = "{folder}/containerd/root"
state = "{folder}/containerd/state"
[grpc]
address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE}"
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{CNI}"
conf_dir = "{cni}"
"#,
        folder = folder.display(),
        socket = socket(folder).display(),
        cni = cni.display(),
    )
}

fn network(folder: &Path) -> String {
    let addresses = folder.join("cni-addresses");
    let network = serde_json::json!({
        "cniVersion": "0.4.0",
        "name": "bed",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "pods0",
                "isGateway": true,
                "ipMasq": true,
                "hairpinMode": true,
                "ipam": {
                    "type": "host-local",
                    "dataDir": addresses,
                    "ranges": [[{ "subnet": "10.124.0.0/24" }]],
                    "routes": [{ "dst": "0.0.0.0/0" }],
                },
            },
            { "type": "portmap", "capabilities": { "portMappings": true } },
        ],
    });
    format!("{network:#}\n")
}
