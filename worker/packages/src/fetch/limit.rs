//! How large a zip may be.

use std::fs::File;

/// What bounds a zip that fits on the disk.
pub(crate) const MOST: &str = "the most that a model may have; leave out what it does not need";

/// How much may come, and why no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    pub(super) bytes: u64,
    /// What sets it, and what to do.
    pub(super) bound: &'static str,
}

impl Limit {
    /// The zip and what comes out of it must fit on the disk, so it may take half of what is free.
    pub(super) fn new(limit: u64, free: Option<u64>) -> Self {
        match free.map(|free| free / 2).filter(|half| *half < limit) {
            Some(bytes) => Self {
                bytes,
                bound: "half of what is free in the models directory; make room there",
            },
            None => Self {
                bytes: limit,
                bound: MOST,
            },
        }
    }
}

/// The free space of the disk that holds `file`.
pub(super) fn free_bytes(file: &File) -> Option<u64> {
    let space = rustix::fs::fstatvfs(file).ok()?;
    Some(space.f_bavail.saturating_mul(space.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_18_a_zip_must_fit_on_the_disk_with_what_comes_out_of_it() {
        for (limit, free, expected) in [
            (100, None, 100),
            (100, Some(1000), 100),
            (100, Some(50), 25),
        ] {
            assert_eq!(Limit::new(limit, free).bytes, expected, "{limit} {free:?}");
        }
    }
}
