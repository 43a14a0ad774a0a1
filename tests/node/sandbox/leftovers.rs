//! What a bed could leave behind on the machine, looked at before and after it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::cgroups;

/// What there is of the kinds of things that a node makes.
#[derive(Debug)]
pub(super) struct Machine {
    interfaces: BTreeSet<String>,
    filter_rules: BTreeSet<String>,
    network_namespaces: BTreeSet<String>,
}

impl Machine {
    /// Looks at it.
    ///
    /// # Errors
    /// Something cannot be read.
    pub(super) fn look() -> anyhow::Result<Self> {
        let saved = Command::new("iptables-save").output()?;
        let rules = String::from_utf8_lossy(&saved.stdout);
        Ok(Self {
            interfaces: names("/sys/class/net"),
            filter_rules: rules
                .lines()
                .filter(|line| line.starts_with("-A"))
                .map(str::to_owned)
                .collect(),
            network_namespaces: names("/run/netns"),
        })
    }

    /// Fails when there is more than before, or anything that carries the bed's folder or name.
    ///
    /// # Errors
    /// What was left behind.
    pub(super) fn has_nothing_more_than(
        &self,
        before: &Self,
        folder: &Path,
        name: &str,
    ) -> anyhow::Result<()> {
        let mut left = Vec::new();
        let mut more = |what: &str, now: &BTreeSet<String>, before: &BTreeSet<String>| {
            left.extend(now.difference(before).map(|one| format!("{what} {one}")));
        };
        more("interface", &self.interfaces, &before.interfaces);
        more(
            "packet filter rule",
            &self.filter_rules,
            &before.filter_rules,
        );
        more(
            "network namespace",
            &self.network_namespaces,
            &before.network_namespaces,
        );
        let path = folder.display().to_string();
        let mounts = fs::read_to_string("/proc/self/mountinfo")?;
        let ours = mounts.lines().filter(|line| line.contains(&path));
        left.extend(ours.map(|line| format!("mount {line}")));
        left.extend(processes(&path, name));
        let groups = cgroups::named(name)?;
        left.extend(
            groups
                .iter()
                .map(|group| format!("control group {}", group.display())),
        );
        if folder.exists() {
            left.push(format!("folder {path}"));
        }
        anyhow::ensure!(left.is_empty(), "the bed left behind:\n{}", left.join("\n"));
        Ok(())
    }
}

fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// Processes that name the bed's folder on their command line or are in its control group.
fn processes(folder: &str, name: &str) -> Vec<String> {
    let all = names("/proc");
    let numbers = all
        .iter()
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    numbers
        .filter_map(|number| {
            let read = |file: &str| fs::read(format!("/proc/{number}/{file}")).ok();
            let command = String::from_utf8_lossy(&read("cmdline")?).replace('\0', " ");
            let groups = String::from_utf8_lossy(&read("cgroup")?).into_owned();
            let ours = command.contains(folder) || groups.contains(name);
            ours.then(|| format!("process {number}: {command}"))
        })
        .collect()
}
