//! Where the programs are: in a cache that `tests/kubernetes/build.sh` fills when it must.

use std::path::{Path, PathBuf};

use tokio::sync::OnceCell;

/// The folder of etcd, kube-apiserver, kube-controller-manager and kubectl.
///
/// # Errors
/// They are not there and cannot be built; the script has told why.
pub(super) async fn directory() -> anyhow::Result<&'static Path> {
    static DIRECTORY: OnceCell<PathBuf> = OnceCell::const_new();
    let directory = DIRECTORY.get_or_try_init(|| build(&[])).await?;
    Ok(directory)
}

/// Helm.
///
/// # Errors
/// It is not there and cannot be built; the script has told why.
pub async fn helm() -> anyhow::Result<&'static Path> {
    static HELM: OnceCell<PathBuf> = OnceCell::const_new();
    let helm = async || Ok::<_, anyhow::Error>(build(&["helm"]).await?.join("helm"));
    HELM.get_or_try_init(helm).await.map(PathBuf::as_path)
}

/// Builds programs that only a node needs, or that only one test needs, unless they are there; their folder is that
/// of all.
///
/// # Errors
/// They are not there and cannot be built; the script has told why.
pub async fn build(names: &[&str]) -> anyhow::Result<PathBuf> {
    crate::build_script::folder("kubernetes/build.sh", names, "Kubernetes").await
}
