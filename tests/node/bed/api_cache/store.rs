//! Answers on disk, each in a file of its own that is replaced as a whole.

use std::io::Write as _;
use std::path::PathBuf;

use http::HeaderValue;
use sha2::{Digest as _, Sha256};

/// A folder of answers.
#[derive(Debug, Clone)]
pub(super) struct Store(PathBuf);

/// An answer.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) content_type: HeaderValue,
    pub(super) body: Vec<u8>,
}

impl Store {
    /// Makes the folder, unless it is there.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn open(folder: PathBuf) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    /// Keeps an answer in the place of the one before.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn put(&self, what: &str, accept: &str, kept: &Kept) -> anyhow::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
        file.write_all(kept.content_type.as_bytes())?;
        file.write_all(b"\n")?;
        file.write_all(&kept.body)?;
        file.persist(self.path(what, accept))?;
        Ok(())
    }

    /// The answer, if there ever was one.
    pub(super) fn get(&self, what: &str, accept: &str) -> Option<Kept> {
        let text = std::fs::read(self.path(what, accept)).ok()?;
        let end = text.iter().position(|byte| *byte == b'\n')?;
        Some(Kept {
            content_type: HeaderValue::from_bytes(&text[..end]).ok()?,
            body: text[end + 1..].to_vec(),
        })
    }

    fn path(&self, what: &str, accept: &str) -> PathBuf {
        let digest = Sha256::digest(format!("{accept}\n{what}"));
        let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        self.0.join(name)
    }
}
