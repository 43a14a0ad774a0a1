//! Files of messages that the worker died over, for rules without dead letters.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Files that are kept: the oldest makes room.
const MOST: usize = 100;

/// Writes a dead letter into a file of `folder`, which is made if it is missing, and returns the file's path. Blocks.
pub(super) fn write(folder: &Path, letter: &[u8]) -> io::Result<PathBuf> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let mut files: Vec<_> = fs::read_dir(folder)?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    files.sort();
    let excess = (files.len() + 1).saturating_sub(MOST);
    for file in files.iter().take(excess) {
        fs::remove_file(file)?;
    }
    // Names sort by time.
    let nanos = jiff::Timestamp::now().as_nanosecond();
    let path = folder.join(format!("{nanos:020}.json"));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    file.write_all(letter)?;
    file.sync_all()?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_file_makes_room() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("set-aside");
        let first = write(&folder, b"first").unwrap();
        for _ in 1..MOST {
            write(&folder, b"{}").unwrap();
        }
        assert_eq!(fs::read(&first).unwrap(), b"first");
        let last = write(&folder, b"last").unwrap();
        assert!(!first.exists());
        assert_eq!(fs::read(last).unwrap(), b"last");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), MOST);
    }
}
