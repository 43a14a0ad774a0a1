//! Which client ids this machine has used, so that it notices a session that a worker elsewhere made.
//!
//! A broker tells a client only whether there is a session under its id, not whether another client is connected with it: that
//! one is disconnected at the same moment. A session that exists although this machine never used the id belongs, or
//! belonged, to a worker elsewhere.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The file in the models directory.
const FILE: &str = "client-ids";

/// Most entries that are kept; with more, the file begins from empty.
const MOST: usize = 10_000;

/// The ids that this machine has used.
#[derive(Debug)]
pub struct ClientIds {
    /// Held while the file is read and written.
    file: Mutex<PathBuf>,
}

impl ClientIds {
    /// Those recorded in a models directory.
    pub fn open(models_dir: &Path) -> Self {
        Self {
            file: Mutex::new(models_dir.join(FILE)),
        }
    }

    /// Records an id at a broker, and returns whether it was used here before. A file that cannot be read counts as empty.
    pub fn was_used(&self, broker: &str, client_id: &str) -> bool {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // Read each time, since other workers may share the directory.
        let text = std::fs::read_to_string(&*file).unwrap_or_default();
        let mut used: BTreeSet<&str> = text.lines().collect();
        if used.len() >= MOST {
            used.clear();
        }
        let entry = format!("{broker} {client_id}");
        if !used.insert(&entry) {
            return true;
        }
        let text: String = used.iter().flat_map(|entry| [entry, "\n"]).collect();
        if let Err(error) = write(&file, &text) {
            tracing::debug!(%error, file = %file.display(), "Unable to record client ids");
        }
        false
    }
}

/// Writes all of it or nothing, so that another worker never reads half a file.
fn write(file: &Path, text: &str) -> io::Result<()> {
    let part = file.with_extension(std::process::id().to_string());
    std::fs::write(&part, text)?;
    std::fs::rename(&part, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_known_after_its_first_use_at_a_broker() {
        let folder = tempfile::tempdir().unwrap();
        let ids = ClientIds::open(folder.path());
        assert!(!ids.was_used("a:1883", "c"));
        assert!(ids.was_used("a:1883", "c"));
        let restarted = ClientIds::open(folder.path());
        assert!(restarted.was_used("a:1883", "c"));
        assert!(!restarted.was_used("b:1883", "c"));
        assert!(ids.was_used("b:1883", "c"), "another worker's entries");
    }

    #[test]
    fn a_folder_that_cannot_be_written_records_nothing() {
        let ids = ClientIds::open(Path::new("/absent"));
        assert!(!ids.was_used("a:1883", "c"));
        assert!(!ids.was_used("a:1883", "c"));
    }
}
