//! The processes of pods, found by their control groups.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};

use super::Bed;

/// What a pod takes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// Resident bytes, pages that processes share counted for each.
    pub(crate) resident: u64,
    /// Resident bytes, each page that is shared counted in parts.
    pub(crate) proportional: u64,
}

impl Bed {
    /// The processes of a pod's containers with their command lines, the one that only holds its network apart.
    ///
    /// # Errors
    /// It has none.
    pub(crate) fn processes(&self, uid: &str) -> anyhow::Result<Vec<(Pid, String)>> {
        let group = find(&self.group()?, uid).with_context(|| format!("no pod {uid} runs"))?;
        let mut pids = Vec::new();
        collect(&group, &mut pids);
        let all = pids.into_iter().filter_map(|pid| {
            let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).ok()?;
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            Some((pid, line))
        });
        Ok(all
            .filter(|(_, line)| !line.starts_with("/bin/busybox"))
            .collect())
    }

    /// What the processes of a pod take.
    ///
    /// # Errors
    /// It has none.
    pub(crate) fn memory(&self, uid: &str) -> anyhow::Result<Memory> {
        let mut memory = Memory::default();
        for (pid, _) in self.processes(uid)? {
            let path = format!("/proc/{}/smaps_rollup", pid.as_raw_nonzero());
            let text = fs::read_to_string(path)?;
            let field = |name: &str| {
                let line = text.lines().find_map(|line| line.strip_prefix(name));
                let number = line.and_then(|line| line.split_whitespace().next());
                number
                    .and_then(|number| number.parse::<u64>().ok())
                    .unwrap_or(0)
                    << 10
            };
            memory.resident += field("Rss:");
            memory.proportional += field("Pss:");
        }
        Ok(memory)
    }

    /// Kills every process of every pod at once, and what watches over them: a node that loses its power.
    ///
    /// # Errors
    /// The system refuses.
    pub(crate) fn kill_pods(&self) -> anyhow::Result<()> {
        let mut pids = shims()?;
        collect(&self.group()?, &mut pids);
        for pid in pids {
            // It may have ended with another.
            let _ = kill_process(pid, Signal::KILL);
        }
        Ok(())
    }

    fn group(&self) -> anyhow::Result<PathBuf> {
        let memory = Path::new("/sys/fs/cgroup/memory").join(&self.name);
        let unified = Path::new("/sys/fs/cgroup").join(&self.name);
        let mut both = [memory, unified].into_iter();
        both.find(|group| group.is_dir())
            .context("no control group")
    }
}

/// The processes by which containerd keeps containers while it is away.
fn shims() -> anyhow::Result<Vec<Pid>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let Some(pid) = pid.and_then(Pid::from_raw) else {
            continue;
        };
        let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        if name.starts_with("containerd-shim") {
            found.push(pid);
        }
    }
    Ok(found)
}

/// The group of a pod; its name holds the pod's UID.
fn find(group: &Path, uid: &str) -> Option<PathBuf> {
    let folders = fs::read_dir(group).ok()?.flatten();
    let mut folders = folders.filter(|entry| entry.path().is_dir());
    folders.find_map(|entry| {
        let name = entry.file_name().to_string_lossy().replace('_', "-");
        if name.contains(uid) {
            Some(entry.path())
        } else {
            find(&entry.path(), uid)
        }
    })
}

fn collect(group: &Path, pids: &mut Vec<Pid>) {
    let text = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    let numbers = text.lines().filter_map(|line| line.parse().ok());
    pids.extend(numbers.filter_map(Pid::from_raw));
    let folders = fs::read_dir(group).into_iter().flatten().flatten();
    for entry in folders.filter(|entry| entry.path().is_dir()) {
        collect(&entry.path(), pids);
    }
}
