//! Downloads wheels for the platforms of workers, with pip, from the index that the user's pip is configured for.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;

/// glibc versions of wheels, oldest first, so that a wheel that runs on more machines is preferred. The worker's image has
/// 2.36.
const GLIBC: [u8; 9] = [5, 12, 17, 24, 27, 28, 31, 34, 36];

/// A platform of workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// `linux/amd64`.
    LinuxAmd64,
    /// `linux/arm64`.
    LinuxArm64,
}

impl Platform {
    /// The platform of this machine, if workers run on it.
    pub fn of_this_machine() -> Option<Self> {
        match std::env::consts::ARCH {
            "x86_64" => Some(Self::LinuxAmd64),
            "aarch64" => Some(Self::LinuxArm64),
            _ => None,
        }
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LinuxAmd64 => "linux/amd64",
            Self::LinuxArm64 => "linux/arm64",
        }
    }

    /// Its names in wheels.
    fn tags(self) -> impl Iterator<Item = String> {
        let machine = match self {
            Self::LinuxAmd64 => "x86_64",
            Self::LinuxArm64 => "aarch64",
        };
        let old = ["manylinux1", "manylinux2010", "manylinux2014"];
        let old = old.into_iter().map(move |name| format!("{name}_{machine}"));
        let new = GLIBC.map(|glibc| format!("manylinux_2_{glibc}_{machine}"));
        old.chain(new).chain([format!("linux_{machine}")])
    }
}

impl FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::LinuxAmd64, Self::LinuxArm64]
            .into_iter()
            .find(|platform| platform.as_str() == text)
            .ok_or_else(|| "choose linux/amd64 or linux/arm64".to_owned())
    }
}

/// Why wheels were not downloaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// pip failed, and printed why.
    #[error(
        "pip found no wheels for Python {python} on {platform} that satisfy {requirements}; see its messages above, and pin \
         versions that have wheels",
        platform = .platform.as_str(), requirements = .requirements.display()
    )]
    NotFound {
        /// The version.
        python: String,
        /// The platform.
        platform: Platform,
        /// The file.
        requirements: PathBuf,
    },
    /// pip cannot be run.
    #[error("failed to run pip with {python}: {error}")]
    Run {
        /// The interpreter.
        python: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The folder of the wheels cannot be read.
    #[error("failed to read the downloaded wheels: {0}")]
    Read(io::Error),
}

/// Downloads what `requirements` names, for a version of CPython on each platform, into the folder `target`. Prints pip's
/// messages to stderr, and returns the wheels.
///
/// # Errors
/// pip cannot be run, or finds no wheels.
pub fn download(
    pip: &Path,
    requirements: &Path,
    version: &str,
    platforms: &[Platform],
    target: &Path,
) -> Result<Vec<PathBuf>, Error> {
    for platform in platforms {
        let mut command = Command::new(pip);
        command
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(["--only-binary=:all:", "--implementation", "cp"])
            .args(["--python-version", version, "--requirement"])
            .arg(requirements)
            .arg("--dest")
            .arg(target)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        for tag in platform.tags() {
            command.args(["--platform", &tag]);
        }
        let status = command.status().map_err(|error| Error::Run {
            python: pip.to_owned(),
            error,
        })?;
        if !status.success() {
            return Err(Error::NotFound {
                python: version.to_owned(),
                platform: *platform,
                requirements: requirements.to_owned(),
            });
        }
    }
    let wheels = fs::read_dir(target).map_err(Error::Read)?;
    let wheels = wheels.map(|entry| Ok(entry?.path()));
    let mut wheels = wheels
        .collect::<io::Result<Vec<_>>>()
        .map_err(Error::Read)?;
    wheels.sort();
    Ok(wheels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_read_by_their_names() {
        for platform in [Platform::LinuxAmd64, Platform::LinuxArm64] {
            assert_eq!(platform.as_str().parse(), Ok(platform));
        }
        assert!("windows/amd64".parse::<Platform>().is_err());
    }

    #[test]
    fn a_wheel_for_older_systems_is_preferred() {
        let tags: Vec<_> = Platform::LinuxArm64.tags().collect();
        let place = |tag: &str| tags.iter().position(|one| one == tag);
        assert!(place("manylinux2014_aarch64") < place("manylinux_2_28_aarch64"));
        assert!(place("manylinux_2_17_aarch64").is_some());
    }
}
