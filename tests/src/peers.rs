//! Programs that `make bench` measures beside the worker, built from their Go modules on first use.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

/// Builds one and prints its folder.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/build.sh");

/// A program with its version.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Holds the program, by its name, and what else it needs.
    pub folder: PathBuf,
    /// Of the program.
    pub version: String,
}

impl Peer {
    /// Builds it unless it is there.
    ///
    /// # Errors
    /// It cannot be had; the error says why in one line.
    pub fn build(name: &str) -> anyhow::Result<Self> {
        Self::build_with(name, &[])
    }

    fn build_with(name: &str, variables: &[(&str, &OsStr)]) -> anyhow::Result<Self> {
        let mut script = Command::new("bash");
        script.args([SCRIPT, name]).envs(variables.iter().copied());
        let output = script.stdin(Stdio::null()).output();
        let output = output.context("failed to run bash")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        let last = |text: &str| text.lines().last().unwrap_or_default().to_owned();
        anyhow::ensure!(
            output.status.success(),
            "tests/peers/build.sh {name}: {}",
            last(errors.trim_end())
        );
        let folder = PathBuf::from(last(&String::from_utf8(output.stdout)?));
        let version = std::fs::read_to_string(folder.join("version"))?;
        Ok(Self {
            folder,
            version: version.trim().to_owned(),
        })
    }
}

/// The Python script of a peer.
pub fn script(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("peers")
        .join(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails to build, without Go and with nothing built before.
    #[track_caller]
    fn refusal(name: &str) -> String {
        let empty = tempfile::tempdir().expect("a folder can be made");
        let path = empty.path().join("bin");
        std::fs::create_dir(&path).expect("a folder can be made");
        for program in ["dirname", "sha256sum", "cut"] {
            let found = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(program));
            let found = found.iter().find(|program| program.exists());
            let found = found.expect("coreutils are there");
            std::os::unix::fs::symlink(found, path.join(program)).expect("links can be made");
        }
        let bash = Path::new("/bin/bash");
        std::os::unix::fs::symlink(bash, path.join("bash")).expect("links can be made");
        let variables = [
            ("PATH", path.as_os_str()),
            ("EDGEMODEL_TEST_CACHE", empty.path().as_os_str()),
        ];
        let error = Peer::build_with(name, &variables).expect_err("it cannot be had");
        format!("{error:#}")
    }

    #[test]
    fn a_peer_that_cannot_be_had_is_refused_with_the_reason_in_one_line() {
        for (name, why) in [
            ("ekuiper", "ekuiper is built with Go, which is missing"),
            ("bento", "bento is built with Go, which is missing"),
            ("nifi", "build.sh knows no peer nifi"),
        ] {
            let refusal = refusal(name);
            assert!(refusal.contains(why), "{refusal}");
            assert_eq!(refusal.lines().count(), 1, "{refusal}");
        }
    }
}
