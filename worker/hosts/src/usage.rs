//! How many processes a host has and how much memory they hold. One that has too much is ended: the kernel's own limits count by
//! user, which all pods of a node share, or by process.

use std::fs;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crds::validated::ValidatedSandbox;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How often it is measured. What a model does meanwhile is the pod's or the service's limit.
const PERIOD: Duration = Duration::from_secs(1);

/// What a host and its descendants use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Usage {
    processes: usize,
    bytes: u64,
}

impl Usage {
    /// Walks the tree of processes below `host`; processes whose parents have ended are not in it.
    fn of(host: u32, most: usize) -> Self {
        // One more than allowed is enough to know.
        let found = tree(host, most);
        Self {
            processes: found.len(),
            bytes: found.iter().filter_map(|pid| resident_bytes(*pid)).sum(),
        }
    }

    /// What is too much, if anything is.
    fn excess(self, limits: &ValidatedSandbox) -> Option<String> {
        let Self { processes, bytes } = self;
        if processes > limits.processes.into() {
            let most = limits.processes;
            return Some(format!(
                "sandbox.processes: it had more than {most} processes"
            ));
        }
        let most = limits.memory.filter(|most| bytes > *most)?;
        Some(format!(
            "sandbox.memory: its processes held {bytes} bytes, and at most {most} are allowed"
        ))
    }
}

/// A process and those below it; no more are looked for when there are more than `most`.
fn tree(host: u32, most: usize) -> Vec<u32> {
    let mut found = vec![host];
    let mut next = 0;
    while let Some(pid) = found.get(next).filter(|_| found.len() <= most) {
        let children = children(*pid);
        found.extend(children);
        next += 1;
    }
    found
}

/// Ends a host and what it has started: each of these may hold its connection open, whose end the lane waits for.
fn end(host: u32) {
    let all = tree(host, usize::MAX);
    let pids = all
        .iter()
        .filter_map(|pid| Pid::from_raw(pid.cast_signed()));
    for pid in pids {
        // It may have ended by itself.
        let _ = kill_process(pid, Signal::KILL);
    }
    if let Some(group) = Pid::from_raw(host.cast_signed()) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// The processes that a process has started.
fn children(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Ends a host that uses too much, and leaves why.
pub(crate) async fn guard(host: u32, limits: ValidatedSandbox, over: Arc<OnceLock<String>>) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let most = limits.processes.into();
        let measured = tokio::task::spawn_blocking(move || Usage::of(host, most)).await;
        let Some(excess) = measured.ok().and_then(|usage| usage.excess(&limits)) else {
            continue;
        };
        // It is set once, since the guard ends here.
        let _ = over.set(excess);
        end(host);
        return;
    }
}

/// Resident memory of a process.
pub(crate) fn resident_bytes(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_22_what_is_too_much_is_named_with_its_limit() {
        let limits = ValidatedSandbox {
            processes: 3,
            memory: Some(1000),
            ..ValidatedSandbox::default()
        };
        for (processes, bytes, expected) in [
            (3, 1000, None),
            (
                4,
                0,
                Some("sandbox.processes: it had more than 3 processes"),
            ),
            (
                1,
                1001,
                Some("sandbox.memory: its processes held 1001 bytes, and at most 1000 are allowed"),
            ),
        ] {
            let excess = Usage { processes, bytes }.excess(&limits);
            assert_eq!(excess.as_deref(), expected);
        }
        let unlimited = ValidatedSandbox::default();
        let large = Usage {
            processes: 1,
            bytes: u64::MAX,
        };
        assert_eq!(large.excess(&unlimited), None);
    }

    #[test]
    fn a_tree_of_processes_is_counted_up_to_one_more_than_allowed() {
        let mut shell = std::process::Command::new("sh")
            .args(["-c", "sleep 60 & sleep 60 & sleep 60 & echo ready; wait"])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = [0; 6];
        std::io::Read::read_exact(shell.stdout.as_mut().unwrap(), &mut ready).unwrap();
        let all = Usage::of(shell.id(), 100);
        assert_eq!(all.processes, 4);
        assert!(all.bytes > 0);
        let children = children(shell.id());
        shell.kill().unwrap();
        shell.wait().unwrap();
        for child in children {
            let _ = kill_process(Pid::from_raw(child.cast_signed()).unwrap(), Signal::KILL);
        }
    }
}
