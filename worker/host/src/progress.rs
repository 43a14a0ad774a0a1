//! The progress page: which call runs and since when, and how long nothing was to be done, in memory that
//! the worker can read at any time, also while the model holds the interpreter or after it died.

use std::io;
use std::os::fd::OwnedFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::mm::{MapFlags, ProtFlags};
use rustix::time::ClockId;

/// Five numbers of eight bytes: the call's id plus one (0 between calls), the monotonic clock's
/// nanoseconds when it began, and how many calls were put together with it, itself included; then for how
/// many nanoseconds the host has waited for its worker, and when the current wait began (0 without one).
#[derive(Debug)]
pub(crate) struct ProgressPage {
    numbers: NonNull<[AtomicU64; 5]>,
}

impl ProgressPage {
    /// Maps the worker's file.
    #[expect(unsafe_code, reason = "memory that is shared with another process")]
    pub(crate) fn open(file: &OwnedFd) -> io::Result<Self> {
        let size = size_of::<[AtomicU64; 5]>();
        // SAFETY: A new mapping at an address of the kernel's choice aliases nothing of ours.
        let memory = unsafe {
            rustix::mm::mmap(
                std::ptr::null_mut(),
                size,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                file,
                0,
            )?
        };
        let numbers = NonNull::new(memory.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { numbers })
    }

    #[expect(unsafe_code, reason = "memory that is shared with another process")]
    fn numbers(&self) -> &[AtomicU64; 5] {
        // SAFETY: The mapping is page-aligned, large enough, never unmapped, and only accessed
        // atomically on this side; the other side only reads.
        unsafe { self.numbers.as_ref() }
    }

    /// A call begins, or `count` of them at once, starting with this one.
    pub(crate) fn begin(&self, id: u64, count: usize) -> Duration {
        let now = now();
        let [call, since, together, ..] = self.numbers();
        together.store(count as u64, Ordering::Release);
        since.store(nanos(now), Ordering::Release);
        call.store(id + 1, Ordering::Release);
        now
    }

    /// The call that began at `since` is over; how long it took, in nanoseconds.
    pub(crate) fn end(&self, since: Duration) -> u64 {
        self.numbers()[0].store(0, Ordering::Release);
        nanos(now().saturating_sub(since))
    }

    /// Does what may have to wait for the worker.
    pub(crate) fn waiting<T>(&self, wait: impl FnOnce() -> T) -> T {
        let [.., waited, since] = self.numbers();
        let began = nanos(now());
        since.store(began, Ordering::Release);
        let result = wait();
        let took = nanos(now()).saturating_sub(began);
        waited.store(
            waited.load(Ordering::Relaxed).wrapping_add(took),
            Ordering::Release,
        );
        since.store(0, Ordering::Release);
        result
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The monotonic clock, which is the same for all processes of the machine.
fn now() -> Duration {
    let now = rustix::time::clock_gettime(ClockId::Monotonic);
    Duration::try_from(now).unwrap_or_default()
}
