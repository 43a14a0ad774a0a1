//! The processes of a control plane and their folder. Both go when the test process does, however it ends.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{SyncSender, sync_channel};

use anyhow::Context as _;
use rustix::process::{Signal, set_parent_process_death_signal};

/// A program that writes a log; killed when it is dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    path: PathBuf,
    flags: Vec<OsString>,
    log: PathBuf,
}

impl Program {
    /// Starts the program of that name in `programs`; its log is `NAME.log` in `directory`.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(
        programs: &Path,
        name: &str,
        flags: Vec<OsString>,
        directory: &Path,
    ) -> anyhow::Result<Self> {
        let path = programs.join(name);
        let log = directory.join(format!("{name}.log"));
        let child = spawn(&path, &flags, &log)?;
        Ok(Self {
            child,
            path,
            flags,
            log,
        })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Fails when it has ended.
    ///
    /// # Errors
    /// It has; the end of its log is in the error.
    pub fn check(&self) -> anyhow::Result<()> {
        let pid =
            rustix::process::Pid::from_raw(self.pid().try_into()?).context("no process id")?;
        // A child that has ended and is not waited for can still be signalled, so look at it.
        let options = rustix::process::WaitIdOptions::EXITED
            | rustix::process::WaitIdOptions::NOHANG
            | rustix::process::WaitIdOptions::NOWAIT;
        let ended = rustix::process::waitid(rustix::process::WaitId::Pid(pid), options)?;
        anyhow::ensure!(
            ended.is_none(),
            "{} has ended; its log ends in\n{}",
            self.path.display(),
            self.log_tail()
        );
        Ok(())
    }

    /// Kills it, and waits until it is gone.
    ///
    /// # Errors
    /// The system refuses.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Kills it if it runs, and starts it as before.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.kill()?;
        self.child = spawn(&self.path, &self.flags, &self.log)?;
        Ok(())
    }

    /// The last lines of its log.
    pub fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Fails only for what has ended already.
        let _ = self.kill();
    }
}

fn spawn(program: &Path, flags: &[OsString], log: &Path) -> anyhow::Result<Child> {
    let log = OpenOptions::new().create(true).append(true).open(log)?;
    let mut command = Command::new(program);
    command
        .args(flags)
        // Fewer collections of garbage, for more memory: processors are what tests wait for.
        .envs([("GOGC", "400"), ("GOMEMLIMIT", "2GiB")])
        .stdin(Stdio::null())
        .stdout(File::try_clone(&log)?)
        .stderr(log)
        // Ctrl-C is for the test process.
        .process_group(0);
    let (answer, answered) = sync_channel(1);
    let spawned = SPAWNER.send((command, answer)).ok();
    let spawned = spawned.and_then(|()| answered.recv().ok());
    spawned
        .context("the thread that starts programs is gone")?
        .with_context(|| format!("failed to start {}", program.display()))
}

type Order = (Command, SyncSender<io::Result<Child>>);

/// Starts programs that get killed when this process ends. The system ends them with the thread that
/// started them, so this one is there as long as the process.
static SPAWNER: LazyLock<SyncSender<Order>> = LazyLock::new(|| {
    let (sender, orders) = sync_channel::<Order>(0);
    std::thread::spawn(move || {
        for (mut command, answer) in orders {
            // Whoever gave the order may have given up; the child is then dropped and goes on until the
            // process ends.
            let _ = answer.send(start(&mut command));
        }
    });
    sender
});

#[expect(unsafe_code, reason = "a call between fork and exec")]
fn start(command: &mut Command) -> io::Result<Child> {
    // SAFETY: a single system call, which allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
    }
    command.spawn()
}

/// A folder that a process of its own removes as soon as this process drops this or ends.
#[derive(Debug)]
pub(super) struct Janitor {
    child: Child,
    directory: PathBuf,
}

impl Janitor {
    pub(super) fn hire() -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("edgemodel-").tempdir()?;
        // What is killed with this process may write for a moment more.
        let script = "read -r _; for i in 1 2 3 4 5; do rm -rf -- \"$0\" && exit; sleep 0.2; done";
        let child = Command::new("sh")
            .args(["-c", script])
            .arg(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self {
            child,
            directory: directory.keep(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Janitor {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
