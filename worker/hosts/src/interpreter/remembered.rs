//! Answers that outlive a worker: to ask an interpreter takes as long as to start a host.
//!
//! The file says nothing that is run: which version an interpreter has, and that it loads the native host. What a script
//! starts depends on more files than an answer can be tied to, so scripts are asked each time.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::Interpreter;

/// The file in the models directory.
const FILE: &str = "interpreters";

/// Most answers that are kept.
const MOST: usize = 16;

/// Most that is read.
const MAX_SIZE: u64 = 64 << 10;

/// Which file this process reads and writes, if any.
static PLACE: Mutex<Option<PathBuf>> = Mutex::new(None);

/// A file that an answer depends on. Another one in its place differs in one of these.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct File {
    path: PathBuf,
    seconds: i64,
    nanos: i64,
    size: u64,
    inode: u64,
}

impl File {
    pub(super) fn of(path: &Path) -> Self {
        let metadata = path.metadata().ok();
        let field = |read: fn(&fs::Metadata) -> i64| metadata.as_ref().map_or(0, read);
        Self {
            path: path.to_owned(),
            seconds: field(MetadataExt::mtime),
            nanos: field(MetadataExt::mtime_nsec),
            size: metadata.as_ref().map_or(0, MetadataExt::size),
            inode: metadata.as_ref().map_or(0, MetadataExt::ino),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    /// The version of edgemodel that asked.
    edgemodel: String,
    files: Vec<File>,
    implementation: String,
    version: String,
    native_fault: Option<String>,
}

/// Remembers answers in a models directory from now on.
pub fn remember_interpreters(models_dir: &Path) {
    *place() = Some(models_dir.join(FILE));
}

/// What the interpreter said when these files were the same.
pub(super) fn find(python: &Path, files: &[File]) -> Option<Interpreter> {
    let place = place().clone()?;
    let entry = read(&place)
        .into_iter()
        .find(|entry| entry.files == files && entry.edgemodel == env!("CARGO_PKG_VERSION"))?;
    Some(Interpreter {
        executable: python.to_owned(),
        arguments: Vec::new(),
        environment: Vec::new(),
        implementation: entry.implementation,
        version: entry.version,
        native_fault: entry.native_fault,
    })
}

/// Records an answer if it depends on these files alone. A file that cannot be written records nothing.
pub(super) fn keep(python: &Path, files: &[File], found: &Interpreter) {
    let Some(place) = place().clone() else {
        return;
    };
    if !is_lasting(found) || found.executable != python || !is_program_file(python) {
        return;
    }
    let mut entries = read(&place);
    let differs = |entry: &Entry| {
        let paths = |files: &[File]| {
            files
                .iter()
                .map(|file| file.path.clone())
                .collect::<Vec<_>>()
        };
        paths(&entry.files) != paths(files)
    };
    entries.retain(differs);
    entries.truncate(MOST - 1);
    entries.insert(
        0,
        Entry {
            edgemodel: env!("CARGO_PKG_VERSION").to_owned(),
            files: files.to_vec(),
            implementation: found.implementation.clone(),
            version: found.version.clone(),
            native_fault: found.native_fault.clone(),
        },
    );
    if let Err(error) = write(&place, &entries) {
        tracing::debug!(%error, file = %place.display(), "Unable to record interpreters");
    }
}

/// After a host that did not start: what is remembered may be to blame.
pub(super) fn forget() {
    if let Some(place) = place().clone() {
        // Without a file there is nothing to forget.
        let _ = fs::remove_file(place);
    }
}

/// Whether an answer stays true while its files do. Why the native host does not load may lie in other files, such as the C
/// library.
fn is_lasting(found: &Interpreter) -> bool {
    let minor = found.version.strip_prefix("3.").and_then(|rest| {
        let (minor, _) = rest.split_once('.')?;
        minor.parse::<u32>().ok()
    });
    let takes_native = found.implementation == "cpython" && minor.is_none_or(|minor| minor >= 10);
    found.arguments.is_empty()
        && found.environment.is_empty()
        && (found.native_fault.is_none() || !takes_native)
}

/// Whether a file is a program of the machine, not a script.
fn is_program_file(path: &Path) -> bool {
    let mut start = [0; 4];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == *b"\x7fELF"
}

fn place() -> std::sync::MutexGuard<'static, Option<PathBuf>> {
    PLACE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that cannot be read counts as empty.
fn read(place: &Path) -> Vec<Entry> {
    let mut text = Vec::new();
    let file = fs::File::open(place);
    let read = file.and_then(|file| file.take(MAX_SIZE).read_to_end(&mut text));
    read.ok()
        .and_then(|_| serde_json::from_slice(&text).ok())
        .unwrap_or_default()
}

/// Writes all of it or nothing, so that another worker never reads half a file.
fn write(place: &Path, entries: &[Entry]) -> io::Result<()> {
    let part = place.with_extension(std::process::id().to_string());
    fs::write(&part, serde_json::to_vec(entries)?)?;
    fs::rename(&part, place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(executable: &Path) -> Interpreter {
        Interpreter {
            executable: executable.to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            implementation: "cpython".to_owned(),
            version: "3.11.7".to_owned(),
            native_fault: None,
        }
    }

    #[test]
    fn an_answer_lasts_until_one_of_its_files_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let python = folder.path().join("python3");
        fs::write(&python, b"\x7fELF and more").unwrap();
        let files = |python: &Path| vec![File::of(python), File::of(Path::new("/bin/sh"))];
        let before = files(&python);
        // Nothing is recorded before a worker says where.
        keep(&python, &before, &answer(&python));
        remember_interpreters(folder.path());
        assert_eq!(find(&python, &before), None);
        keep(&python, &before, &answer(&python));
        assert_eq!(find(&python, &before), Some(answer(&python)));
        // As a package manager replaces it.
        fs::write(folder.path().join("new"), b"\x7fELF and more").unwrap();
        fs::rename(folder.path().join("new"), &python).unwrap();
        let after = files(&python);
        assert_eq!(find(&python, &after), None);
        keep(&python, &after, &answer(&python));
        assert_eq!(find(&python, &before), None, "the old answer is gone");
        forget();
        assert_eq!(find(&python, &after), None);
        fs::write(folder.path().join(FILE), "[{]").unwrap();
        assert_eq!(find(&python, &after), None);
        // What depends on more than these files.
        let script = folder.path().join("script");
        fs::write(&script, "#!/bin/sh\nexec python3 \"$@\"\n").unwrap();
        let of_script = vec![File::of(&script)];
        keep(&script, &of_script, &answer(&script));
        assert_eq!(find(&script, &of_script), None);
        keep(&python, &after, &answer(Path::new("/bin/other")));
        assert_eq!(find(&python, &after), None);
    }

    #[test]
    fn a_fault_that_may_lie_in_other_files_does_not_last() {
        let answer = |implementation: &str, version: &str, fault: Option<&str>| Interpreter {
            implementation: implementation.to_owned(),
            version: version.to_owned(),
            native_fault: fault.map(str::to_owned),
            ..self::answer(Path::new("/bin/python3"))
        };
        let fault = Some("ImportError: GLIBC_2.34 not found");
        assert!(is_lasting(&answer("cpython", "3.11.7", None)));
        assert!(!is_lasting(&answer("cpython", "3.11.7", fault)));
        assert!(is_lasting(&answer("cpython", "3.9.1", fault)));
        assert!(is_lasting(&answer("pypy", "3.11.1", fault)));
    }
}
