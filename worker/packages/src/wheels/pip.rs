//! Runs pip on wheels, without network, within a time.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// Longest time for all wheels of a model.
pub(super) const TIME: Duration = Duration::from_mins(10);

/// How often pip is asked whether it is done.
const STEP: Duration = Duration::from_millis(20);

/// The last lines of pip are what says why.
const SHOWN_LINES: usize = 8;
const SHOWN_BYTES: u64 = 16 << 10;

/// Installs the `distributions` that are in the folder `wheels` into `target`. Neither the environment nor a configuration of the user can change what pip does.
///
/// # Errors
/// pip's last lines, or that it took too long.
pub(super) fn install(
    python: &Path,
    wheels: &Path,
    distributions: &BTreeSet<String>,
    target: &Path,
    time: Duration,
) -> Result<(), String> {
    let run = || -> io::Result<(Option<ExitStatus>, String)> {
        let mut said = tempfile::tempfile()?;
        let mut child = Command::new(python)
            .args(["-I", "-m", "pip", "--isolated", "install", "--quiet"])
            .args(["--no-index", "--no-deps", "--disable-pip-version-check"])
            .args(["--no-cache-dir", "--find-links"])
            .arg(wheels)
            .arg("--target")
            .arg(target)
            .arg("--")
            .args(distributions)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said.try_clone()?)
            .process_group(0)
            .spawn()?;
        let status = wait(&mut child, time)?;
        Ok((status, last_lines(&mut said)?))
    };
    match run() {
        Ok((Some(status), _)) if status.success() => Ok(()),
        Ok((Some(_), said)) => Err(said),
        Ok((None, _)) => Err(format!("pip did not end within {time:?}")),
        Err(error) => Err(error.to_string()),
    }
}

/// Waits until it ends; kills it with all that it started when the time is over.
fn wait(child: &mut Child, time: Duration) -> io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + time;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            // Fails when nothing of it is left.
            let _ = group.map(|group| kill_process_group(group, Signal::KILL));
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(STEP);
    }
}

fn last_lines(said: &mut File) -> io::Result<String> {
    let size = said.seek(SeekFrom::End(0))?;
    said.seek(SeekFrom::Start(size.saturating_sub(SHOWN_BYTES)))?;
    let mut bytes = Vec::new();
    said.take(SHOWN_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().collect();
    Ok(lines[lines.len().saturating_sub(SHOWN_LINES)..].join("; "))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A program in pip's place; what installing with it says.
    fn with_program(text: &str, time: Duration) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("python");
        std::fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        install(
            &program,
            folder.path(),
            &BTreeSet::new(),
            folder.path(),
            time,
        )
    }

    #[test]
    fn row_18_a_pip_that_never_ends_is_killed_with_what_it_started() {
        let error = with_program("sleep 600 & wait", Duration::from_millis(50));
        assert_eq!(error, Err("pip did not end within 50ms".to_owned()));
    }

    #[test]
    fn pips_last_lines_say_why() {
        let lines = "for line in 1 2 3 4 5 6 7 8 9; do echo line $line >&2; done; exit 1";
        let error = with_program(lines, TIME).unwrap_err();
        assert!(
            error.starts_with("line 2; ") && error.ends_with("line 9"),
            "{error}"
        );
        assert_eq!(with_program("[ $1$2$3 = -I-mpip ]", TIME), Ok(()));
    }
}
