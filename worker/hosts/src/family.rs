//! Ends everything that a host started, including processes that left its process group or outlived their parent.
//!
//! Three signs tell which host a process belongs to: its parents, while they live, a variable that it inherits, and a resource
//! limit, which a daemon has too that cleared its environment.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, kill_process_group, setrlimit};

/// The variable that all processes of a host have.
pub(crate) const VARIABLE: &str = "PYBOOT_HOST";

/// The limit that all processes of a host have: on the time of a real-time thread without a pause, so high that it limits
/// nothing. A process keeps it whatever it starts, whichever session it is in and whatever it does to its environment.
const LIMIT: Resource = Resource::Rttime;

/// The least of these limits, in microseconds.
const LEAST: u64 = 1 << 62;

/// How often to search for processes that others started before they were killed.
const ROUNDS: usize = 20;

/// A process, and when it was started, since ids are used again.
type Process = (i32, u64);

/// The processes of one host.
#[derive(Debug)]
pub(crate) struct Family {
    /// The variable's value.
    mark: String,
    /// The limit's value.
    limit: u64,
    /// When this process was started: what is older is not a host's.
    since: u64,
}

impl Family {
    /// A family that has no process yet.
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let own = std::process::id();
        let since = stat(own.cast_signed()).map_or(0, |(_, started)| started);
        Self {
            // Another worker on the machine may have had this process's id.
            mark: format!("{own}-{since}-{count}"),
            limit: LEAST + ((u64::from(own) << 28) | (count % (1 << 28))),
            since,
        }
    }

    /// The variable's value, for the host.
    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    /// What the host does before it runs the interpreter. It only asks the system.
    pub(crate) fn before_exec(&self) -> impl Fn() + Send + Sync + 'static {
        let limit = Rlimit {
            current: Some(self.limit),
            maximum: None,
        };
        move || {
            // Fails under a lower limit; there are two other signs.
            let _ = setrlimit(LIMIT, limit);
        }
    }

    /// The processes that run now, without the host.
    pub(crate) fn members(&self, host: u32) -> BTreeSet<Process> {
        let host = host.cast_signed();
        let all = self.processes();
        let is_member =
            |pid| descends(pid, host, &all) || self.is_marked(pid) || self.is_limited(pid);
        let others = all.iter().filter(|(pid, _)| **pid != host);
        others
            .filter(|(pid, _)| is_member(**pid))
            .map(|(pid, (_, started))| (*pid, *started))
            .collect()
    }

    /// Parent and start time of every process that is not older than this one.
    fn processes(&self) -> HashMap<i32, (i32, u64)> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        entries
            .filter_map(|entry| {
                let pid = entry.file_name().to_str()?.parse().ok()?;
                Some((pid, stat(pid)?))
            })
            .filter(|(_, (_, started))| *started >= self.since)
            .collect()
    }

    /// Kills the host's process group, all other members, and those that were `known` before.
    pub(crate) fn end(&self, host: u32, known: BTreeSet<Process>) {
        let group = Pid::from_raw(host.cast_signed());
        let mut members = known;
        for _ in 0..ROUNDS {
            members.extend(self.members(host));
            if let Some(group) = group {
                // Fails when nothing of it is left.
                let _ = kill_process_group(group, Signal::KILL);
            }
            members.retain(|member| is_alive(*member));
            if members.is_empty() {
                return;
            }
            for (pid, _) in &members {
                if let Some(pid) = Pid::from_raw(*pid) {
                    let _ = kill_process(pid, Signal::KILL);
                }
            }
        }
    }

    fn is_limited(&self, pid: i32) -> bool {
        let limits = fs::read_to_string(format!("/proc/{pid}/limits"));
        limits.is_ok_and(|limits| realtime_limit(&limits) == Some(self.limit))
    }

    fn is_marked(&self, pid: i32) -> bool {
        let Ok(variables) = fs::read(format!("/proc/{pid}/environ")) else {
            return false;
        };
        let mut variables = variables.split(|byte| *byte == 0).map(OsStr::from_bytes);
        variables.any(|variable| {
            let variable = variable.as_bytes().strip_prefix(VARIABLE.as_bytes());
            variable.and_then(|rest| rest.strip_prefix(b"=")) == Some(self.mark.as_bytes())
        })
    }
}

/// The soft limit of a process in the text of its limits.
fn realtime_limit(limits: &str) -> Option<u64> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max realtime timeout"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Whether a process is a host's child, or a child of such a child.
fn descends(pid: i32, host: i32, all: &HashMap<i32, (i32, u64)>) -> bool {
    let mut next = pid;
    // A chain of parents has no loop, but may change while it is read.
    for _ in 0..all.len() {
        match all.get(&next) {
            Some((parent, _)) if *parent == host => return true,
            Some((parent, _)) => next = *parent,
            None => return false,
        }
    }
    false
}

/// Whether a process runs; a zombie does not.
fn is_alive((pid, started): Process) -> bool {
    stat(pid).is_some_and(|(_, now)| now == started)
}

/// Parent and start time of a process that runs.
fn stat(pid: i32) -> Option<(i32, u64)> {
    let line = fs::read(format!("/proc/{pid}/stat")).ok()?;
    parse(&String::from_utf8_lossy(&line))
}

fn parse(line: &str) -> Option<(i32, u64)> {
    // The name is in brackets and may hold any character.
    let mut fields = line.rsplit_once(')')?.1.split_whitespace();
    let (state, parent) = (fields.next()?, fields.next()?);
    if matches!(state, "Z" | "X") {
        return None;
    }
    // The 22nd field of the line.
    Some((parent.parse().ok()?, fields.nth(17)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_proc_tells_parent_and_start_of_what_runs() {
        let line = |name: &str, state: &str| {
            format!("42 ({name}) {state} 7 7 7 0 -1 4228100 5 0 0 0 0 0 0 0 20 0 1 0 9876 0 0 1844")
        };
        assert_eq!(parse(&line("python3", "S")), Some((7, 9876)));
        assert_eq!(parse(&line(") Z 1 (", "R")), Some((7, 9876)));
        assert_eq!(parse(&line("python3", "Z")), None);
        assert_eq!(parse("nonsense"), None);
    }

    #[test]
    fn a_process_descends_from_the_host_through_any_number_of_parents() {
        let all = HashMap::from([
            (1, (0, 0)),
            (7, (1, 1)),
            (8, (7, 2)),
            (9, (8, 3)),
            (4, (5, 0)),
            (5, (4, 0)),
        ]);
        for (pid, expected) in [
            (8, true),
            (9, true),
            (7, false),
            (1, false),
            (4, false),
            (99, false),
        ] {
            assert_eq!(descends(pid, 7, &all), expected, "{pid}");
        }
    }

    #[test]
    fn the_limit_is_read_from_what_the_system_prints() {
        let limits = |value: &str| {
            format!(
                "Limit                     Soft Limit           Hard Limit           Units     \n\
                 Max realtime priority     0                    0                    \n\
                 Max realtime timeout      {value} unlimited            us        \n"
            )
        };
        let least = LEAST.to_string();
        assert_eq!(realtime_limit(&limits(&least)), Some(LEAST));
        assert_eq!(realtime_limit(&limits("unlimited           ")), None);
        assert_eq!(realtime_limit(""), None);
    }

    #[test]
    fn each_family_has_its_own_mark() {
        let (one, other) = (Family::new(), Family::new());
        assert_ne!(one.mark(), other.mark());
        assert_ne!(one.limit, other.limit);
    }
}
