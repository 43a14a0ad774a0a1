//! The sandbox of a bed: network, mount, PID and IPC namespaces, a folder and a control group, all of which go
//! when it does.
//!
//! This program starts itself again inside, under a first process of the PID namespace with which the kernel ends all
//! others, whatever they did to get away. Mounts, interfaces and packet filter rules have no other place than these
//! namespaces. What remains are folders, which [`run`] removes, and settings of the whole machine, which it restores.

mod cgroups;
mod leftovers;
mod settings;

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use anyhow::Context as _;
use rand::RngExt as _;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use cgroups::Cgroups;
use leftovers::Machine;
use settings::Settings;

const FOLDER: &str = "EDGEMODEL_NODE_FOLDER";
const NAME: &str = "EDGEMODEL_NODE_NAME";

/// Programs that this needs from the system, each with its Debian package.
const PROGRAMS: [(&str, &str); 7] = [
    ("unshare", "util-linux"),
    ("ip", "iproute2"),
    ("iptables", "iptables"),
    ("containerd", "containerd"),
    ("runc", "runc"),
    ("busybox", "busybox-static"),
    ("prometheus", "prometheus"),
];

/// The inside of the sandbox.
#[derive(Debug, Clone)]
pub(crate) struct Sandbox {
    /// Its folder; everything that is written goes there.
    pub(crate) folder: PathBuf,
    /// Its name, which is that of its control group.
    pub(crate) name: String,
}

impl Sandbox {
    /// Where this process is, if it is inside.
    pub(crate) fn from_environment() -> Option<Self> {
        Some(Self {
            folder: std::env::var_os(FOLDER)?.into(),
            name: std::env::var(NAME).ok()?,
        })
    }

    /// Waits until the outside says so, or is gone.
    pub(crate) async fn told_to_end(&self) {
        let (sender, ended) = oneshot::channel();
        std::thread::spawn(move || {
            // Nothing is ever written to it.
            let _ = std::io::stdin().read(&mut [0]);
            // Whoever waited may have gone.
            let _ = sender.send(());
        });
        let _ = ended.await;
    }
}

/// Runs this program inside a new sandbox and removes what is left of it.
///
/// # Errors
/// The machine lacks something, or something was left behind.
pub(crate) async fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    check_machine()?;
    let before = Machine::look()?;
    let settings = Settings::read();
    let name = format!("edgemodel-{:08x}", rand::rng().random::<u32>());
    let folder = tempfile::Builder::new()
        .prefix("edgemodel-node-")
        .tempdir()?;
    let cgroups = Cgroups::make(&name)?;
    let path = folder.path().to_owned();
    let ended = inside(&path, &name, arguments).await;
    // One that fails keeps none of the others from being done.
    let done = [
        cgroups.remove(),
        settings.restore(),
        folder
            .close()
            .with_context(|| format!("failed to remove {}", path.display())),
    ];
    Machine::look()?.has_nothing_more_than(&before, &path, &name)?;
    done.into_iter().collect::<anyhow::Result<()>>()?;
    ended
}

async fn inside(folder: &Path, name: &str, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let temporary = folder.join("tmp");
    std::fs::create_dir(&temporary)?;
    let mut command = std::process::Command::new("unshare");
    command
        .args([
            "--net",
            "--mount",
            "--pid",
            "--ipc",
            "--propagation=private",
        ])
        .args(["--fork", "--kill-child", "--mount-proc"])
        // The first process of a PID namespace must wait for those that lost their parents.
        .args(["--", "sh", "-c", "\"$@\"; exit $?", "sh"])
        .arg(std::env::current_exe()?)
        .args(arguments)
        .env(FOLDER, folder)
        .env(NAME, name)
        .env("TMPDIR", temporary)
        .stdin(Stdio::piped())
        // Ctrl-C is for this process, which then closes the other's stdin.
        .process_group(0);
    end_with_this_process(&mut command);
    let mut child = Command::from(command)
        .spawn()
        .context("failed to start unshare")?;
    let first = child.id().context("unshare has ended")?;
    write_entrance(folder, first)?;
    let stdin = child.stdin.take();
    let mut terminated = signal(SignalKind::terminate())?;
    let status = tokio::select! {
        status = child.wait() => status?,
        _ = tokio::signal::ctrl_c() => stop(&mut child, stdin).await?,
        _ = terminated.recv() => stop(&mut child, stdin).await?,
    };
    Ok(match status.code() {
        Some(0) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

async fn stop(
    child: &mut tokio::process::Child,
    stdin: Option<tokio::process::ChildStdin>,
) -> anyhow::Result<std::process::ExitStatus> {
    drop(stdin);
    Ok(child.wait().await?)
}

#[expect(unsafe_code, reason = "a call between fork and exec")]
fn end_with_this_process(command: &mut std::process::Command) {
    use rustix::process::{Signal, set_parent_process_death_signal};
    // SAFETY: a single system call, which allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
    }
}

/// A script by which people get inside: the first process is a child of `unshare`.
fn write_entrance(folder: &Path, unshare: u32) -> anyhow::Result<()> {
    let script = format!(
        "#!/bin/sh\n# Runs a command, or a shell, inside the bed.\n\
         first=$(cat /proc/{unshare}/task/{unshare}/children) || exit\n\
         . {folder}/environment\n\
         [ $# -gt 0 ] || set -- sh\n\
         exec nsenter --target $first --net --mount --pid --ipc -- \"$@\"\n",
        folder = folder.display()
    );
    let path = folder.join("enter");
    std::fs::write(&path, script)?;
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    Ok(())
}

fn check_machine() -> anyhow::Result<()> {
    anyhow::ensure!(
        rustix::process::geteuid().is_root(),
        "a node needs root, since it makes namespaces and mounts; run this as root"
    );
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = |name: &str| {
        let mut folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
        folders.any(|folder| folder.join(name).is_file())
    };
    let missing: Vec<_> = PROGRAMS
        .iter()
        .filter(|(name, _)| !found(name))
        .map(|(_, package)| *package)
        .chain(
            (!Path::new(crate::bed::CNI).join("bridge").is_file())
                .then_some("containernetworking-plugins"),
        )
        .collect();
    anyhow::ensure!(
        missing.is_empty(),
        "a node needs what these Debian packages hold: {}; `tests/tools.sh node` installs them",
        missing.join(" ")
    );
    Ok(())
}
