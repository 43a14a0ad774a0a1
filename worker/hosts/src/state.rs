//! What others may read of a lane's process while the lane runs.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::child::HostProcess;
use crate::program::HostKind;
use crate::progress::{ProgressPage, Running};
use crate::sandbox::status::SandboxStatus;
use crate::status::HostStatus;
use crate::usage::resident_bytes;

/// One lane's process, as others see it.
#[derive(Debug, Default)]
pub(crate) struct HostState {
    /// 0 while there is none.
    pid: AtomicU32,
    pub(crate) restarts: AtomicU64,
    quarantined: Mutex<Vec<Arc<str>>>,
    /// Whether the log has what to do about the sandbox.
    pub(crate) hinted: AtomicBool,
    /// How often `handler_batch` failed, and why it failed last.
    batch_failures: Mutex<(u64, Option<String>)>,
    /// What the process is and tells about itself while there is one.
    process: Mutex<Option<Process>>,
    /// Id of the oldest call that is not answered, and of the next that the lane will hand over.
    pub(crate) oldest: AtomicU64,
    pub(crate) next: AtomicU64,
}

#[derive(Debug, Clone)]
struct Process {
    kind: HostKind,
    python: String,
    sandbox: SandboxStatus,
    page: Arc<ProgressPage>,
}

impl HostState {
    /// A process serves from now on, or none does.
    pub(crate) fn set_host(&self, host: Option<&HostProcess>) {
        let process = self.process.lock();
        *process.unwrap_or_else(PoisonError::into_inner) = host.map(|host| Process {
            kind: host.program().kind(),
            python: host.program().python(),
            sandbox: host.sandbox().clone(),
            page: host.page().clone(),
        });
        self.pid
            .store(host.map_or(0, HostProcess::pid), Ordering::Relaxed);
    }

    /// Whether a process serves.
    pub(crate) fn runs(&self) -> bool {
        self.pid.load(Ordering::Relaxed) != 0
    }

    fn process(&self) -> Option<Process> {
        let process = self.process.lock();
        process.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The page of the process that serves, if one does.
    pub(crate) fn page(&self) -> Option<Arc<ProgressPage>> {
        Some(self.process()?.page)
    }

    /// Calls that were handed over and have not begun.
    pub(crate) fn waiting(&self) -> usize {
        let running = self.page().and_then(|page| page.running());
        let begun = running.map_or(0, Running::next);
        let begun = begun.max(self.oldest.load(Ordering::Relaxed));
        let waiting = self.next.load(Ordering::Relaxed).saturating_sub(begun);
        usize::try_from(waiting).unwrap_or(usize::MAX)
    }

    /// `handler_batch` failed; whether for the first time.
    pub(crate) fn batch_failed(&self, message: &str) -> bool {
        let failures = self.batch_failures.lock();
        let mut failures = failures.unwrap_or_else(PoisonError::into_inner);
        failures.0 += 1;
        failures.1 = Some(message.to_owned());
        failures.0 == 1
    }

    fn batch_failures(&self) -> (u64, Option<String>) {
        let failures = self.batch_failures.lock();
        failures.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn quarantined(&self) -> Vec<Arc<str>> {
        let devices = self.quarantined.lock();
        devices.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_quarantined(&self, devices: Vec<Arc<str>>) {
        let known = self.quarantined.lock();
        *known.unwrap_or_else(PoisonError::into_inner) = devices;
    }

    /// For `/status`.
    pub(crate) fn status(&self) -> HostStatus {
        let pid = Some(self.pid.load(Ordering::Relaxed)).filter(|pid| *pid != 0);
        let process = self.process();
        let (batch_failures, batch_error) = self.batch_failures();
        HostStatus {
            pid,
            host: process.as_ref().map(|process| process.kind),
            sandbox: process.as_ref().map(|process| process.sandbox.clone()),
            python: process.map(|process| process.python),
            resident_bytes: pid.and_then(resident_bytes),
            restarts: self.restarts.load(Ordering::Relaxed),
            batch_failures,
            batch_error,
            quarantined: self.quarantined().iter().map(ToString::to_string).collect(),
        }
    }
}
