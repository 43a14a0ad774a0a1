//! What a host's process does to itself between fork and exec: system calls alone, without locks or memory of the worker.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};

use rustix::process::{Pid, Signal};
use seccompiler::BpfProgram;
use tokio::process::Command;

use super::limits::Limits;

/// The first descriptor after stdin, stdout and stderr.
const FIRST: libc::c_uint = 3;

/// `CLOSE_RANGE_CLOEXEC` of Linux 5.11: closed at exec, so that Rust can still report that the exec failed.
const CLOSE_AT_EXEC: libc::c_uint = 1 << 2;

/// How far descriptors are closed one by one where the kernel has no such call. The worker opens all of its own to be closed
/// at exec, so these are only those that it was started with.
const MOST_INHERITED: libc::c_int = 1024;

/// How a host's process is confined.
#[derive(Debug)]
pub(super) struct Confinement {
    parent: Pid,
    limits: Limits,
    /// Whether it is more than the least.
    is_full: bool,
    ruleset: Option<OwnedFd>,
    filters: Vec<BpfProgram>,
}

impl Confinement {
    /// Prepares it for processes that this thread starts.
    pub(super) fn prepare() -> Self {
        Self {
            parent: rustix::process::getpid(),
            limits: Limits::of_a_host(),
            is_full: false,
            ruleset: None,
            filters: Vec::new(),
        }
    }

    /// Adds capabilities, files and system calls.
    pub(super) fn with(self, ruleset: Option<OwnedFd>, filters: Vec<BpfProgram>) -> Self {
        Self {
            is_full: true,
            ruleset,
            filters,
            ..self
        }
    }

    /// Applies it to a process that is not started yet.
    #[expect(
        unsafe_code,
        reason = "only the process itself can do this, before it runs the interpreter"
    )]
    pub(super) fn apply(self, command: &mut Command) {
        // SAFETY: Between fork and exec there are only system calls on numbers that were prepared.
        unsafe {
            command.pre_exec(move || self.confine());
        }
    }

    fn confine(&self) -> io::Result<()> {
        end_with_the_parent(self.parent)?;
        self.limits.set()?;
        if self.is_full {
            lose_capabilities();
        }
        gain_no_privileges()?;
        close_inherited();
        if let Some(ruleset) = &self.ruleset {
            restrict_files(ruleset)?;
        }
        // The last of all: what comes before may need calls that they refuse.
        self.filters.iter().try_for_each(install)
    }
}

/// Ends this process when the thread that started it ends. That is the worker's data thread, which lives as long as its hosts
/// unless the worker is killed, and then it can no longer end them.
fn end_with_the_parent(parent: Pid) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // A parent that is gone already sends no signal.
    if rustix::process::getppid() != Some(parent) {
        return Err(rustix::io::Errno::SRCH.into());
    }
    Ok(())
}

/// What root needs to use files of other users and low ports: `CHOWN`, `DAC_OVERRIDE`, `DAC_READ_SEARCH`, `FOWNER`, `FSETID` and
/// `NET_BIND_SERVICE`.
const KEPT: u64 = 0b0100_0001_1111;

/// Of root's capabilities, the interpreter gets only these. Others read the worker's memory whatever Landlock says, such as
/// `PERFMON`, or raise limits. Users other than root have none, and the call fails for them.
#[expect(unsafe_code, reason = "system calls")]
fn lose_capabilities() {
    for capability in 0..u64::BITS {
        if KEPT & (1 << capability) == 0 {
            // SAFETY: It changes this process alone, and takes no pointer.
            unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
        }
    }
}

/// No program that is started later has more rights than this process, whatever its file says.
#[expect(unsafe_code, reason = "a system call")]
fn gain_no_privileges() -> io::Result<()> {
    // SAFETY: It changes this process alone, and takes no pointer.
    match unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Hands over no descriptor but stdin, stdout and stderr.
#[expect(unsafe_code, reason = "system calls")]
fn close_inherited() {
    // SAFETY: Marking descriptors takes no pointer, and nothing of this process is used after exec.
    unsafe {
        let all = libc::c_uint::MAX;
        if libc::syscall(libc::SYS_close_range, FIRST, all, CLOSE_AT_EXEC) == 0 {
            return;
        }
        for descriptor in FIRST.cast_signed()..MOST_INHERITED {
            // Most of them are not open.
            libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC);
        }
    }
}

/// The same number on all architectures.
const SYS_LANDLOCK_RESTRICT_SELF: libc::c_long = 446;

#[expect(unsafe_code, reason = "a system call")]
fn restrict_files(ruleset: &OwnedFd) -> io::Result<()> {
    // SAFETY: It changes this thread alone, which is the only one after a fork, and takes no pointer.
    match unsafe { libc::syscall(SYS_LANDLOCK_RESTRICT_SELF, ruleset.as_raw_fd(), 0_u32) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn install(filter: &BpfProgram) -> io::Result<()> {
    // Its errors hold those of the system and take no memory.
    seccompiler::apply_filter(filter).map_err(|error| match error {
        seccompiler::Error::Prctl(error) | seccompiler::Error::Seccomp(error) => error,
        _ => io::ErrorKind::InvalidInput.into(),
    })
}
