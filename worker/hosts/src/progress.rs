//! The progress page: memory that a host writes and the worker reads at any time. It tells which call runs and
//! since when, and how long the host had nothing to do.
//!
//! The model runs in the process that writes the page, so any number may stand there.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::fs::MemfdFlags;
use rustix::time::ClockId;

/// See `worker/host/src/progress.rs` for the layout.
const NUMBERS: usize = 5;
const SIZE: usize = NUMBERS * 8;

/// How often a page that changes while it is read is read again. A host writes it a few times a microsecond at
/// most; a model that never stops writing must not hold up the worker.
const READINGS: usize = 16;

/// The worker's side of one host's page: only reads it.
#[derive(Debug)]
pub(crate) struct ProgressPage {
    file: OwnedFd,
    /// Nanoseconds of waiting that [`Self::newly_waited`] has counted.
    counted: AtomicU64,
}

/// What a host did at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Progress {
    running: Option<Running>,
    /// How long the host has waited for calls, or for room for its replies, since it began to serve.
    waited: Duration,
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

    /// The id of the first call that has not begun.
    pub(crate) fn next(self) -> u64 {
        self.id.saturating_add(self.count)
    }
}

impl ProgressPage {
    pub(crate) fn new() -> io::Result<Self> {
        let file = rustix::fs::memfd_create("edgemodel-progress", MemfdFlags::CLOEXEC)?;
        rustix::fs::ftruncate(&file, SIZE as u64)?;
        Ok(Self {
            file,
            counted: AtomicU64::new(0),
        })
    }

    /// The file, to be handed to the host.
    pub(crate) fn file(&self) -> &OwnedFd {
        &self.file
    }

    /// The call that runs now, or ran when the host died.
    pub(crate) fn running(&self) -> Option<Running> {
        progress(self.numbers()?, now()).running
    }

    /// How long the host has waited since the last time that this was asked.
    pub(crate) fn newly_waited(&self) -> Option<Duration> {
        let waited = progress(self.numbers()?, now()).waited;
        let nanos = u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX);
        let counted = self.counted.swap(nanos, Ordering::Relaxed);
        Some(Duration::from_nanos(nanos.saturating_sub(counted)))
    }

    /// The numbers of one moment: two equal readings. `None` when the model keeps changing them or has cut
    /// the file.
    fn numbers(&self) -> Option<[u64; NUMBERS]> {
        let mut last = self.read()?;
        for _ in 1..READINGS {
            let again = self.read()?;
            if again == last {
                return Some(last);
            }
            last = again;
        }
        None
    }

    fn read(&self) -> Option<[u64; NUMBERS]> {
        let mut bytes = [0; SIZE];
        let count = rustix::io::pread(&self.file, &mut bytes, 0).ok()?;
        let (numbers, _) = bytes.as_chunks::<8>();
        let numbers: [[u8; 8]; NUMBERS] = numbers.try_into().ok()?;
        (count == SIZE).then_some(numbers.map(u64::from_ne_bytes))
    }
}

/// What the numbers of a page mean at the moment `now`; defined for any numbers.
fn progress([call, since, count, waited, waits_since]: [u64; NUMBERS], now: Duration) -> Progress {
    let running = call.checked_sub(1).map(|id| Running {
        id,
        since: Duration::from_nanos(since),
        count: count.max(1),
    });
    let waits = match waits_since {
        0 => Duration::ZERO,
        since => now.saturating_sub(Duration::from_nanos(since)),
    };
    Progress {
        running,
        waited: Duration::from_nanos(waited).saturating_add(waits),
    }
}

/// The monotonic clock, which is the same for all processes of the machine.
fn now() -> Duration {
    Duration::try_from(rustix::time::clock_gettime(ClockId::Monotonic)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(page: &ProgressPage, numbers: [u64; NUMBERS]) {
        let bytes: Vec<u8> = numbers.iter().flat_map(|one| one.to_ne_bytes()).collect();
        assert_eq!(rustix::io::pwrite(page.file(), &bytes, 0), Ok(SIZE));
    }

    #[test]
    fn a_page_tells_the_running_call_and_the_time_waited() {
        let now = Duration::from_micros(1);
        for (numbers, call, waited) in [
            ([0; 5], None, 0),
            ([0, 7, 1, 300, 0], None, 300),
            ([5, 7, 1, 300, 900], Some((4, 5)), 400),
            ([5, 7, 3, 0, 0], Some((4, 7)), 0),
            // A wait that begins in the future, and a batch of none.
            ([1, 2000, 0, 0, 2000], Some((0, 1)), 0),
        ] {
            let progress = progress(numbers, now);
            let running = progress.running.map(|one| (one.id, one.next()));
            assert_eq!(running, call, "{numbers:?}");
            assert_eq!(progress.waited, Duration::from_nanos(waited), "{numbers:?}");
        }
    }

    #[test]
    fn any_numbers_are_read_without_harm() {
        const NUMBERS: [u64; 4] = [0, 1, 1 << 63, u64::MAX];
        let page = ProgressPage::new().unwrap();
        for index in 0..4_usize.pow(5) {
            let numbers = [0, 1, 2, 3, 4].map(|place| NUMBERS[index / 4_usize.pow(place) % 4]);
            write(&page, numbers);
            if let Some(running) = page.running() {
                let _ = (running.elapsed(), running.next());
            }
            assert!(page.newly_waited().is_some());
        }
    }

    #[test]
    fn waiting_is_counted_once_and_a_page_that_was_cut_tells_nothing() {
        let page = ProgressPage::new().unwrap();
        let newly = |waited| {
            write(&page, [0, 0, 0, waited, 0]);
            page.newly_waited().map(|time| time.as_nanos())
        };
        assert_eq!(newly(10), Some(10));
        assert_eq!(newly(25), Some(15));
        assert_eq!(newly(5), Some(0));
        rustix::fs::ftruncate(page.file(), 8).unwrap();
        assert_eq!((page.running(), page.newly_waited()), (None, None));
    }
}
