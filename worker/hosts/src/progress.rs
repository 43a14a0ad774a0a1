//! The progress record that a host keeps: which call runs and since when, and how long it had nothing to do.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::fs::MemfdFlags;
use rustix::time::ClockId;

/// See `worker/host/src/record.rs` for its layout.
const NUMBERS: usize = 5;
const SIZE: usize = NUMBERS * 8;

/// The worker's side: only reads.
#[derive(Debug)]
pub(crate) struct Record {
    file: OwnedFd,
}

/// What a host did at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The call that runs, or ran when the host died.
    pub(crate) running: Option<Running>,
    /// How long the host has waited for calls, or for room for its replies, since it began to serve.
    pub(crate) waited: Duration,
}

/// A call that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Running {
    /// As in its frame.
    pub(crate) id: u64,
    /// By the monotonic clock.
    since: Duration,
    /// How many calls run together, from this id on.
    pub(crate) count: u64,
}

impl Running {
    /// How long it has run.
    pub(crate) fn elapsed(self) -> Duration {
        now().saturating_sub(self.since)
    }
}

impl Record {
    pub(crate) fn new() -> io::Result<Self> {
        let file = rustix::fs::memfd_create("edgemodel-progress", MemfdFlags::CLOEXEC)?;
        rustix::fs::ftruncate(&file, SIZE as u64)?;
        Ok(Self { file })
    }

    /// The file, to be handed to the host.
    pub(crate) fn file(&self) -> &OwnedFd {
        &self.file
    }

    /// What it does now, or did when it died.
    pub(crate) fn progress(&self) -> Option<Progress> {
        // The host writes while we read: two equal readings are one moment's.
        let mut last = self.read()?;
        loop {
            let again = self.read()?;
            if again == last {
                break;
            }
            last = again;
        }
        let [call, since, count, waited, waits_since] = last;
        let running = call.checked_sub(1).map(|id| Running {
            id,
            since: Duration::from_nanos(since),
            count: count.max(1),
        });
        let waits = match waits_since {
            0 => Duration::ZERO,
            since => now().saturating_sub(Duration::from_nanos(since)),
        };
        Some(Progress {
            running,
            waited: Duration::from_nanos(waited) + waits,
        })
    }

    fn read(&self) -> Option<[u64; NUMBERS]> {
        let mut bytes = [0; SIZE];
        let count = rustix::io::pread(&self.file, &mut bytes, 0).ok()?;
        let (numbers, _) = bytes.as_chunks::<8>();
        let numbers: [[u8; 8]; NUMBERS] = numbers.try_into().ok()?;
        (count == SIZE).then_some(numbers.map(u64::from_ne_bytes))
    }
}

/// The monotonic clock, which is the same for all processes of the machine.
fn now() -> Duration {
    Duration::try_from(rustix::time::clock_gettime(ClockId::Monotonic)).unwrap_or_default()
}
