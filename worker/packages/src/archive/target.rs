//! Where the content of a zip goes.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Takes folders and files by their paths, which are relative and lead nowhere else.
pub(crate) trait Target {
    /// Takes the content of a file.
    type File: io::Write;

    /// Takes a folder.
    fn folder(&mut self, path: &str) -> io::Result<()>;

    /// Begins a file; what it is in may be new.
    fn file(&mut self, path: &str, is_executable: bool) -> io::Result<Self::File>;

    /// Takes a file with its whole content.
    fn end(&mut self, path: &str, file: Self::File) -> io::Result<()>;
}

/// An empty folder on disk.
pub(super) struct Disk<'a> {
    pub(super) folder: &'a Path,
}

impl Target for Disk<'_> {
    type File = File;

    fn folder(&mut self, path: &str) -> io::Result<()> {
        fs::create_dir_all(self.folder.join(path))
    }

    fn file(&mut self, path: &str, is_executable: bool) -> io::Result<File> {
        let place = self.folder.join(path);
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        let permissions = if is_executable { 0o755 } else { 0o644 };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(permissions);
        options.open(place)
    }

    fn end(&mut self, _path: &str, file: File) -> io::Result<()> {
        file.sync_all()
    }
}
