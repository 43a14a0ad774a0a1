//! Archives: whatever they hold, only plain files within the limits come out, all below the target.
//!
//! An input that begins as a zip is one; any other is a recipe for a zip whose checksums are right, so
//! that its names, types, flags and sizes get past them.

mod recipe;

use std::fs;
use std::io::{Seek as _, Write as _};
use std::path::Path;

use packages::{Limits, unpack};

const LIMITS: Limits = Limits {
    entries: 20,
    file_bytes: 5_000,
    total_bytes: 8_000,
};

pub(crate) fn run(input: &[u8]) {
    if input.starts_with(b"PK") {
        take(input);
    } else {
        take(&recipe::zip(input));
    }
}

fn take(zip: &[u8]) {
    let folder = tempfile::tempdir().expect("the system gives a folder");
    let mut file = tempfile::tempfile().expect("the system gives a file");
    file.write_all(zip).expect("the disk has room");
    file.rewind().expect("files can be rewound");
    let target = folder.path().join("model");
    fs::create_dir(&target).expect("the folder is new");
    let unpacked = unpack(file, &target, &LIMITS);
    let around = fs::read_dir(folder.path()).map_or(0, Iterator::count);
    assert_eq!(around, 1, "something lies outside of the target");
    let mut total = 0;
    weigh(&target, &mut total);
    // The entry that goes over a limit is seen by one byte.
    assert!(total <= LIMITS.total_bytes + 1, "{total} bytes came out");
    if let Ok(model) = unpacked {
        assert!(model.starts_with(&target) && model.join("index.py").is_file());
    }
}

/// Adds up the files of a folder, and looks at each.
fn weigh(folder: &Path, total: &mut u64) {
    let entries = fs::read_dir(folder).expect("it was just created");
    for entry in entries {
        let path = entry.expect("nobody else changes it").path();
        let data = fs::symlink_metadata(&path).expect("it is there");
        if data.is_dir() {
            weigh(&path, total);
            continue;
        }
        assert!(data.is_file(), "{} is no plain file", path.display());
        let mode = std::os::unix::fs::PermissionsExt::mode(&data.permissions());
        assert_eq!(mode & 0o7000, 0, "{} has special bits", path.display());
        assert!(data.len() <= LIMITS.file_bytes + 1);
        *total += data.len();
    }
}
