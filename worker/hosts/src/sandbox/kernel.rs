//! Which parts of the sandbox this kernel has. Old kernels lack some, and container engines may refuse the calls.

use std::sync::OnceLock;

use seccompiler::TargetArch;

/// A part of the sandbox that a kernel may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// Which files a model may read and write: Landlock, Linux 5.13.
    Files,
    /// Whom it may send signals, and which abstract sockets it may use: Landlock's sixth version, Linux 6.12.
    Signals,
    /// Which system calls it may make: seccomp filters.
    Calls,
}

impl Part {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Files, Self::Signals, Self::Calls];

    /// Its name in metrics, logs and `/status`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Signals => "signals",
            Self::Calls => "calls",
        }
    }
}

/// The version of Landlock that limits signals.
const SCOPES: i32 = 6;

/// What this kernel has.
#[derive(Debug, Clone)]
pub(crate) struct Kernel {
    /// The version of Landlock; 0 without it.
    pub(crate) landlock: i32,
    /// The architecture that system calls are filtered for; `None` without filters.
    pub(crate) arch: Option<TargetArch>,
}

impl Kernel {
    /// The kernel that this process runs on.
    pub(crate) fn running() -> &'static Self {
        static KERNEL: OnceLock<Kernel> = OnceLock::new();
        KERNEL.get_or_init(|| Self {
            landlock: landlock_version(),
            arch: arch().filter(|_| has_filters()),
        })
    }

    /// Whether signals are limited.
    pub(crate) fn has_scopes(&self) -> bool {
        self.landlock >= SCOPES
    }

    /// What it lacks.
    pub(crate) fn missing(&self) -> Vec<Part> {
        let has = |part: &Part| match part {
            Part::Files => self.landlock > 0,
            Part::Signals => self.has_scopes(),
            Part::Calls => self.arch.is_some(),
        };
        Part::ALL.into_iter().filter(|part| !has(part)).collect()
    }
}

fn arch() -> Option<TargetArch> {
    std::env::consts::ARCH.try_into().ok()
}

/// The same number on all architectures.
const SYS_LANDLOCK_CREATE_RULESET: libc::c_long = 444;

/// `LANDLOCK_CREATE_RULESET_VERSION`.
const VERSION: libc::c_uint = 1;

#[expect(unsafe_code, reason = "a system call")]
fn landlock_version() -> i32 {
    let none = std::ptr::null::<libc::c_void>();
    // SAFETY: With this flag the call takes no memory.
    let version = unsafe { libc::syscall(SYS_LANDLOCK_CREATE_RULESET, none, 0_usize, VERSION) };
    i32::try_from(version).unwrap_or(0).max(0)
}

/// `SECCOMP_GET_ACTION_AVAIL`, and the action of an error.
const ACTION_AVAILABLE: libc::c_uint = 2;
const ERROR: u32 = 0x0005_0000;

#[expect(unsafe_code, reason = "a system call")]
fn has_filters() -> bool {
    let action = ERROR;
    // SAFETY: The kernel reads one number, which lives until the call returns.
    unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            ACTION_AVAILABLE,
            0_u32,
            &raw const action,
        ) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_kernel_lacks_is_named() {
        use Part::{Calls, Files, Signals};
        for (landlock, filters, expected) in [
            (0, false, &[Files, Signals, Calls][..]),
            (0, true, &[Files, Signals]),
            (1, true, &[Signals]),
            (5, false, &[Signals, Calls]),
            (6, true, &[]),
            (99, true, &[]),
        ] {
            let arch = filters.then_some(TargetArch::x86_64);
            let kernel = Kernel { landlock, arch };
            assert_eq!(kernel.missing(), expected, "{landlock} {filters}");
        }
    }
}
