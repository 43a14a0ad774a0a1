//! Notices when credentials change, so that a download that they failed is tried again at once.

use std::fs::File;
use std::io::Read as _;
use std::time::Duration;

use crds::validated::{ModelServerFiles, ValidatedFunc};
use sha2::{Digest as _, Sha256};

use super::MOST;

/// A rotated token is used within this. Files of a Secret are replaced by a link, which no watch of the file sees.
const PERIOD: Duration = Duration::from_secs(2);

/// The files of one model server, as they were.
#[derive(Debug)]
pub struct Watch {
    files: Vec<String>,
    seen: [u8; 32],
}

impl Watch {
    /// Reads the files as they are now.
    pub async fn new(func: &ValidatedFunc) -> Self {
        let files = func.credentials.iter().flat_map(ModelServerFiles::paths);
        let files: Vec<_> = files.map(str::to_owned).collect();
        let seen = digest(files.clone()).await;
        Self { files, seen }
    }

    /// Returns when the contents of one of them change; never if there are no files.
    pub async fn changed(&self) {
        if self.files.is_empty() {
            return std::future::pending().await;
        }
        while digest(self.files.clone()).await == self.seen {
            tokio::time::sleep(PERIOD).await;
        }
    }
}

/// A digest of their contents; a file that cannot be read counts as empty.
async fn digest(files: Vec<String>) -> [u8; 32] {
    let read = tokio::task::spawn_blocking(move || {
        let mut digest = Sha256::new();
        for path in files {
            let mut content = Vec::new();
            let file = File::open(path);
            let _ = file.and_then(|file| file.take(MOST).read_to_end(&mut content));
            digest.update(Sha256::digest(content));
        }
        digest.finalize().into()
    });
    // The runtime is shutting down, and nothing waits for the answer.
    read.await.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "
mqtts: [{name: a, broker: tcp://h}]
rules: [{sub: {name: a, topic: in}, pub: {name: a, topic: out}}]
funcs: [{modelName: m, modelAddress: 'https://h/m.zip', modelCredentials: {tokenFile: FILE}}]
";

    #[tokio::test]
    async fn e1_a_file_with_other_contents_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let config = CONFIG.replace("FILE", &file.display().to_string());
        let func = crds::load(&config, "c").unwrap().funcs.remove(0);
        std::fs::write(&file, "one").unwrap();
        let watch = Watch::new(&func).await;
        std::fs::write(&file, "one").unwrap();
        assert_eq!(Watch::new(&func).await.seen, watch.seen);
        std::fs::write(&file, "two").unwrap();
        watch.changed().await;
        let watch = Watch::new(&func).await;
        std::fs::remove_file(&file).unwrap();
        watch.changed().await;
    }
}
