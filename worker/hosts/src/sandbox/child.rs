//! What a host's process does to itself between fork and exec: system calls alone, without locks or memory of the worker.

use std::io;

use rustix::process::{Pid, Signal};
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
#[derive(Debug, Clone)]
pub(crate) struct Confinement {
    parent: Pid,
    limits: Limits,
}

impl Confinement {
    /// Prepares it for processes that this thread starts.
    pub(crate) fn prepare() -> Self {
        Self {
            parent: rustix::process::getpid(),
            limits: Limits::of_a_host(),
        }
    }

    /// Applies it to a process that is not started yet.
    #[expect(
        unsafe_code,
        reason = "only the process itself can do this, before it runs the interpreter"
    )]
    pub(crate) fn apply(self, command: &mut Command) {
        // SAFETY: Between fork and exec there are only system calls on numbers that were prepared.
        unsafe {
            command.pre_exec(move || self.confine());
        }
    }

    fn confine(&self) -> io::Result<()> {
        end_with_the_parent(self.parent)?;
        self.limits.set()?;
        gain_no_privileges()?;
        close_inherited();
        Ok(())
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
