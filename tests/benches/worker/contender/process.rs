//! A contender that runs, and how it ends.

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use tests::running::Running;
use tokio::process::Child;

use crate::usage;

/// See the module's description.
pub(super) enum Process {
    Worker(Running),
    Program(Family),
}

/// A program and all that it started; killed when it is dropped.
pub(super) struct Family(pub(super) Child);

impl Process {
    pub(super) fn pid(&self) -> anyhow::Result<u32> {
        let pid = match self {
            Self::Worker(worker) => worker.pid(),
            Self::Program(family) => family.0.id(),
        };
        pid.context("it has ended")
    }

    /// Kills it with all its processes, as the end of its container would.
    pub(super) async fn kill(&mut self) -> anyhow::Result<()> {
        match self {
            // Its hosts end with it.
            Self::Worker(worker) => worker.kill().await,
            Self::Program(family) => {
                family.kill_all();
                Ok(family.0.wait().await.map(drop)?)
            }
        }
    }

    /// Ends it.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        match self {
            Self::Worker(worker) => worker.stop().await.map(drop),
            mut program @ Self::Program(_) => program.kill().await,
        }
    }
}

impl Family {
    fn kill_all(&self) {
        for pid in self.0.id().map(usage::family).unwrap_or_default() {
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
            // It may have ended by itself since then.
            let _ = pid.map(|pid| kill_process(pid, Signal::KILL));
        }
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        self.kill_all();
    }
}
