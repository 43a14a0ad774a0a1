//! As process 1 of a container, a worker is given what the processes of models leave behind, and nobody else
//! collects those that end: they would fill the table of processes in the course of weeks.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use rustix::process::{Pid, WaitOptions, waitpid};

/// Whoever starts a process in here waits for it, well within this time.
const PATIENCE: Duration = Duration::from_secs(10);

/// A process that has ended and that its parent has not waited for: its id, and when it began, since ids come again.
type Ended = (i32, u64);

/// Collects them for as long as the worker runs; does nothing where an init process does that.
pub(crate) async fn collect() {
    if std::process::id() != 1 {
        return;
    }
    let mut before = BTreeSet::new();
    loop {
        tokio::time::sleep(PATIENCE).await;
        let ended = ended_children();
        for (pid, _) in before.intersection(&ended) {
            // Fails when somebody has waited for it after all.
            let _ = waitpid(Pid::from_raw(*pid), WaitOptions::NOHANG);
        }
        before = ended;
    }
}

fn ended_children() -> BTreeSet<Ended> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read(entry.path().join("stat")).ok()?;
            Some((pid, ended_child_of_1(&String::from_utf8_lossy(&stat))?))
        })
        .collect()
}

/// When it began, by its `/proc/PID/stat`, if it has ended and process 1 is its parent.
fn ended_child_of_1(stat: &str) -> Option<u64> {
    // The name is in brackets and may hold any character.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let (state, parent) = (fields.next()?, fields.next()?);
    // The 22nd field of the line.
    let began = fields.nth(17)?.parse().ok()?;
    (state == "Z" && parent == "1").then_some(began)
}

#[cfg(test)]
mod tests {
    use super::ended_child_of_1;

    #[test]
    fn only_ended_children_of_process_1_are_collected() {
        let stat = |name: &str, state: &str, parent: u32| {
            format!(
                "42 ({name}) {state} {parent} 7 7 0 -1 4228100 5 0 0 0 0 0 0 0 20 0 1 0 9876 0 0 18446744073709551615"
            )
        };
        assert_eq!(ended_child_of_1(&stat("sleep", "Z", 1)), Some(9876));
        assert_eq!(ended_child_of_1(&stat(") Z 1 (", "Z", 1)), Some(9876));
        assert_eq!(ended_child_of_1(&stat("sleep", "S", 1)), None);
        assert_eq!(ended_child_of_1(&stat(") Z 1 (", "S", 1)), None);
        assert_eq!(ended_child_of_1(&stat("sleep", "Z", 17)), None);
        assert_eq!(ended_child_of_1("nonsense"), None);
    }
}
