//! Limits of resources that the kernel keeps for each process of a model.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The largest file that a model may write: as large as a model's package may be when it is unpacked.
const MAX_FILE: u64 = 4 << 30;

/// Most descriptors of a process. Python closes them one by one where the kernel has no call for it, so no more than needed.
const MAX_FILES: u64 = 4096;

/// Limits of a host's process; what it starts has the same.
#[derive(Debug, Clone)]
pub(super) struct Limits([(Resource, Rlimit); 3]);

impl Limits {
    /// Those of a host, none of them above the worker's own.
    pub(super) fn of_a_host() -> Self {
        let bounds = [
            // A core dump holds what a model was sent, and fills the disk.
            (Resource::Core, 0),
            (Resource::Fsize, MAX_FILE),
            (Resource::Nofile, MAX_FILES),
        ];
        Self(bounds.map(|(resource, most)| (resource, lowered(getrlimit(resource), most))))
    }

    /// Sets them for this process, by system calls alone.
    pub(super) fn set(&self) -> io::Result<()> {
        for (resource, limit) in self.0 {
            setrlimit(resource, limit)?;
        }
        Ok(())
    }
}

/// A limit that is at most `most`, soft and hard; `None` is no limit.
fn lowered(present: Rlimit, most: u64) -> Rlimit {
    let lower = |limit: Option<u64>| Some(limit.map_or(most, |limit| limit.min(most)));
    Rlimit {
        current: lower(present.current),
        maximum: lower(present.maximum),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_22_a_limit_is_lowered_and_never_raised() {
        for (present, expected) in [
            ((None, None), (4096, 4096)),
            ((Some(1024), None), (1024, 4096)),
            ((Some(1024), Some(524_288)), (1024, 4096)),
            ((Some(524_288), Some(524_288)), (4096, 4096)),
            ((Some(256), Some(512)), (256, 512)),
        ] {
            let (current, maximum) = present;
            let limit = lowered(Rlimit { current, maximum }, 4096);
            let found = (limit.current, limit.maximum);
            assert_eq!(found, (Some(expected.0), Some(expected.1)), "{present:?}");
        }
    }
}
