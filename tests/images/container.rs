//! A program of an image in the image's root file system: read-only, as the image's user, in namespaces of its own but on
//! this machine's network. As a node would run it, without a node.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context as _;

use super::image::Image;

/// What a pod mounts besides: `/tmp` and the models, both empty and writable.
const MOUNTS: &str = "\
set -e
root=$1 user=$2 mounted=$3
shift 3
mount --bind $root $root
mount --options remount,bind,ro $root
mount --types proc proc $root/proc
mount --types tmpfs --options mode=755 tmpfs $root/dev
for name in null zero random urandom; do
    touch $root/dev/$name
    mount --bind /dev/$name $root/dev/$name
done
mkdir $root/dev/shm
mount --types tmpfs --options mode=1777 tmpfs $root/dev/shm
mount --types tmpfs --options mode=1777 tmpfs $root/tmp
models=$root/var/lib/edgemodel/models
[ ! -d $models ] || mount --types tmpfs --options mode=755,uid=65532,gid=65532 tmpfs $models
[ -z \"$mounted\" ] || { mkdir $root/tmp/mounted; mount --bind \"$mounted\" $root/tmp/mounted; }
exec /usr/sbin/chroot --userspec=$user $root \"$@\"
";

/// How to run something in an image.
#[derive(Debug)]
pub(super) struct Container<'a> {
    image: &'a Image,
    mounted: Option<PathBuf>,
}

impl<'a> Container<'a> {
    pub(super) fn of(image: &'a Image) -> Self {
        Self {
            image,
            mounted: None,
        }
    }

    /// A folder of this machine to be seen at `/tmp/mounted`.
    pub(super) fn mounting(mut self, folder: impl Into<PathBuf>) -> Self {
        self.mounted = Some(folder.into());
        self
    }

    /// Its entry point with arguments, as `args` of a pod.
    pub(super) fn entry(&self, arguments: &[&str]) -> Command {
        let entry = self.image.texts("Entrypoint");
        let entry: Vec<_> = entry.iter().map(String::as_str).collect();
        self.program(&[&entry, arguments].concat())
    }

    /// Any program in it, as `command` of a pod.
    pub(super) fn program(&self, words: &[&str]) -> Command {
        let mut command = Command::new("unshare");
        command
            .args([
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "--propagation=private",
            ])
            .args(["sh", "-c", MOUNTS, "sh"])
            .arg(self.image.root())
            .arg(self.image.config["User"].as_str().unwrap_or("0:0"))
            .arg(self.mounted.clone().unwrap_or_default())
            .args(words)
            .env_clear()
            // As container engines do for a user that the image does not know.
            .env("HOME", "/")
            .envs(self.image.environment())
            .stdin(Stdio::null());
        command
    }

    /// What a program of it prints.
    pub(super) fn output(&self, words: &[&str]) -> anyhow::Result<String> {
        printed(&mut self.program(words))
    }

    /// What its entry point prints.
    pub(super) fn entry_output(&self, arguments: &[&str]) -> anyhow::Result<String> {
        printed(&mut self.entry(arguments))
    }
}

fn printed(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .output()
        .context("failed to run unshare, of util-linux")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    anyhow::ensure!(
        output.status.success(),
        "{:?} ended with {}: {text}{}",
        command.get_args().skip(10).collect::<Vec<_>>(),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(text)
}

/// The children of a process.
pub(super) fn children(pid: i32) -> anyhow::Result<Vec<i32>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    Ok(text
        .split_whitespace()
        .filter_map(|child| child.parse().ok())
        .collect())
}
