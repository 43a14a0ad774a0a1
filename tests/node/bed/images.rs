//! Images without a registry: what `make images` wrote is handed to containerd as files.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tests::command::succeeded;
use tokio::process::Command;

use super::containerd;

/// The tag of both images, and the one under which they are there a second time: what an upgrade names.
pub(crate) const TAG: &str = env!("CARGO_PKG_VERSION");
pub(crate) const NEXT: &str = concat!(env!("CARGO_PKG_VERSION"), "-next");

/// Imports them, and the one of which pods begin.
///
/// # Errors
/// `make images` has not been run, or containerd refuses them.
pub(super) async fn import(folder: &Path) -> anyhow::Result<()> {
    import_file(folder, &pause(folder).await?).await?;
    for name in ["operator", "worker"] {
        let file = images()?.join(format!("{name}.tar"));
        anyhow::ensure!(
            file.is_file(),
            "{} is missing; `make images` writes it",
            file.display()
        );
        import_file(folder, &file).await?;
        let image = |tag: &str| format!("docker.io/library/edgemodel-{name}:{tag}");
        ctr(folder, &["images", "tag", &image(TAG), &image(NEXT)]).await?;
    }
    Ok(())
}

/// `target/images`, beside the build that this program is of.
fn images() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(3);
    Ok(target
        .context("a test lies three folders deep in target")?
        .join("images"))
}

async fn import_file(folder: &Path, file: &Path) -> anyhow::Result<()> {
    let file = file.display().to_string();
    ctr(folder, &["images", "import", "--no-unpack=false", &file]).await
}

async fn ctr(folder: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new("ctr")
        .arg("--address")
        .arg(containerd::socket(folder))
        .args(["--namespace", "k8s.io"])
        .args(arguments)
        .output()
        .await
        .context("failed to run ctr, which belongs to containerd")?;
    succeeded("ctr", arguments, output).map(drop)
}

/// Makes an image that holds a static busybox and sleeps.
async fn pause(folder: &Path) -> anyhow::Result<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("node/pause.sh");
    let file = folder.join("pause.tar");
    let status = Command::new(&script)
        .arg(containerd::PAUSE)
        .arg(&file)
        .status()
        .await
        .with_context(|| format!("failed to run {}", script.display()))?;
    anyhow::ensure!(status.success(), "{} ended with {status}", script.display());
    Ok(file)
}
