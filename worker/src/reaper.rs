//! Reaps orphaned processes of models. A worker that is process 1 of a container becomes their parent, and without
//! reaping, zombies would fill the process table within weeks.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use rustix::process::{Pid, WaitOptions, waitpid};

/// Longer than any code of this program takes to wait for a process that it started.
const PATIENCE: Duration = Duration::from_secs(10);

/// A zombie: its process id, and its start time, since process ids are reused.
type Zombie = (i32, u64);

/// Reaps for as long as the worker runs; does nothing where an init process does that.
pub(crate) async fn run() {
    if std::process::id() != 1 {
        return;
    }
    let mut before = BTreeSet::new();
    loop {
        tokio::time::sleep(PATIENCE).await;
        let zombies = zombie_children();
        for (pid, _) in before.intersection(&zombies) {
            // Fails if the code that started it has waited for it in the meantime.
            let _ = waitpid(Pid::from_raw(*pid), WaitOptions::NOHANG);
        }
        before = zombies;
    }
}

fn zombie_children() -> BTreeSet<Zombie> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read(entry.path().join("stat")).ok()?;
            Some((pid, zombie_child_of_1(&String::from_utf8_lossy(&stat))?))
        })
        .collect()
}

/// The start time in a `/proc/PID/stat`, if the process is a zombie whose parent is process 1.
fn zombie_child_of_1(stat: &str) -> Option<u64> {
    // The name is in brackets and may hold any character.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let (state, parent) = (fields.next()?, fields.next()?);
    // The 22nd field of the line.
    let started = fields.nth(17)?.parse().ok()?;
    (state == "Z" && parent == "1").then_some(started)
}

#[cfg(test)]
mod tests {
    use super::zombie_child_of_1;

    #[test]
    fn only_zombie_children_of_process_1_are_reaped() {
        let stat = |name: &str, state: &str, parent: u32| {
            format!(
                "42 ({name}) {state} {parent} 7 7 0 -1 4228100 5 0 0 0 0 0 0 0 20 0 1 0 9876 0 0 18446744073709551615"
            )
        };
        assert_eq!(zombie_child_of_1(&stat("sleep", "Z", 1)), Some(9876));
        assert_eq!(zombie_child_of_1(&stat(") Z 1 (", "Z", 1)), Some(9876));
        assert_eq!(zombie_child_of_1(&stat("sleep", "S", 1)), None);
        assert_eq!(zombie_child_of_1(&stat(") Z 1 (", "S", 1)), None);
        assert_eq!(zombie_child_of_1(&stat("sleep", "Z", 17)), None);
        assert_eq!(zombie_child_of_1("nonsense"), None);
    }
}
