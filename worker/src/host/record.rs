//! The progress record that a host keeps: which call runs, and since when.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::fs::MemfdFlags;
use rustix::time::ClockId;

/// See `worker/host/src/record.rs` for its layout.
const SIZE: usize = 24;

/// The worker's side: only reads.
#[derive(Debug)]
pub(super) struct Record {
    file: OwnedFd,
}

/// A call that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Running {
    /// As in its frame.
    pub(super) id: u64,
    /// By the monotonic clock.
    since: Duration,
    /// How many calls run together, from this id on.
    pub(super) count: u64,
}

impl Running {
    /// How long it has run.
    pub(super) fn elapsed(self) -> Duration {
        now().saturating_sub(self.since)
    }
}

impl Record {
    pub(super) fn new() -> io::Result<Self> {
        let file = rustix::fs::memfd_create("edgemodel-progress", MemfdFlags::CLOEXEC)?;
        rustix::fs::ftruncate(&file, SIZE as u64)?;
        Ok(Self { file })
    }

    /// The file, to be handed to the host.
    pub(super) fn file(&self) -> &OwnedFd {
        &self.file
    }

    /// The call that runs now, or ran when the host died.
    pub(super) fn running(&self) -> Option<Running> {
        // The host writes while we read: two equal readings are one moment's.
        let mut last = self.read()?;
        loop {
            let again = self.read()?;
            if again == last {
                let [call, since, count] = last;
                return Some(Running {
                    id: call.checked_sub(1)?,
                    since: Duration::from_nanos(since),
                    count: count.max(1),
                });
            }
            last = again;
        }
    }

    fn read(&self) -> Option<[u64; 3]> {
        let mut bytes = [0; SIZE];
        let count = rustix::io::pread(&self.file, &mut bytes, 0).ok()?;
        let (numbers, _) = bytes.as_chunks::<8>();
        let [call, since, together] = numbers else {
            return None;
        };
        let numbers = [call, since, together].map(|number| u64::from_ne_bytes(*number));
        (count == SIZE).then_some(numbers)
    }
}

/// The monotonic clock, which is the same for all processes of the machine.
fn now() -> Duration {
    Duration::try_from(rustix::time::clock_gettime(ClockId::Monotonic)).unwrap_or_default()
}
