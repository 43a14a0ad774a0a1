//! Virtual environments for what tests and benchmarks run in Python.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use rustix::fs::{FlockOperation, flock};

use crate::command;

/// An interpreter with numpy, pandas and scikit-learn: what data scientists' models import.
///
/// # Errors
/// They cannot be installed.
pub fn scientific() -> anyhow::Result<PathBuf> {
    let libraries = ["numpy", "pandas", "scikit-learn"];
    environment("scientific", Path::new("python3"), &libraries)
}

/// An interpreter with SQLAlchemy, and drivers in pure Python.
///
/// # Errors
/// They cannot be installed.
pub fn databases() -> anyhow::Result<PathBuf> {
    let libraries = ["sqlalchemy", "pg8000", "pymysql"];
    environment("databases", Path::new("python3"), &libraries)
}

/// An interpreter with what the benchmark's baselines import.
///
/// # Errors
/// They cannot be installed.
pub fn baselines() -> anyhow::Result<PathBuf> {
    let libraries = ["paho-mqtt", "gmqtt", "uvloop", "orjson"];
    environment("baselines", Path::new("python3"), &libraries)
}

/// An interpreter with eKuiper's library for plugins in Python, of the same version as what `peers/ekuiper` builds.
///
/// # Errors
/// It cannot be installed.
pub fn ekuiper() -> anyhow::Result<PathBuf> {
    environment("ekuiper", Path::new("python3"), &["ekuiper==2.4.2"])
}

/// The versions of an interpreter and of libraries that it has, for people.
///
/// # Errors
/// It does not run, or a library is missing.
pub fn versions(python: &Path, libraries: &[&str]) -> anyhow::Result<String> {
    let script = "import sys, platform, importlib.metadata as m; \
                  print(', '.join([f'{name} {m.version(name)}' for name in sys.argv[1:]] + \
                  [f'{platform.python_implementation()} {platform.python_version()}']))";
    let mut command = Command::new(python);
    command.args(["-c", script]).args(libraries);
    let output = command.output().with_context(|| format!("{command:?}"))?;
    command::check(&command, &output)?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// What a test needs and this machine cannot have, so that the test is not tried; any other error is a failure.
#[derive(Debug)]
pub struct Absent(String);

impl std::fmt::Display for Absent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Absent {}

/// An interpreter with what pyboot's own models were trained with: pickles of that time load nowhere else.
///
/// # Errors
/// [`Absent`] if Python 3.6 or the libraries cannot be had; otherwise they cannot be installed.
pub fn of_pyboot() -> anyhow::Result<PathBuf> {
    let mut found = interpreters().into_iter();
    let python = found.find(|python| python.ends_with("python3.6"));
    let python =
        python.ok_or_else(|| Absent("python3.6 is absent from this machine".to_owned()))?;
    let libraries = ["scikit-learn==0.20.3", "lightgbm==2.2.3", "joblib==0.14"];
    environment("of-pyboot", &python, &libraries)
}

/// A virtual environment with libraries, made once for a build folder.
fn environment(name: &str, base: &Path, libraries: &[&str]) -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let target = test.ancestors().nth(3).context("no target folder")?;
    let folder = target.join(format!("python-{name}"));
    // Tests run in several threads and processes at once.
    let lock = std::fs::File::create(folder.with_extension("lock"))?;
    flock(&lock, FlockOperation::LockExclusive)?;
    let python = folder.join("bin").join("python");
    let complete = folder.join("complete");
    if !complete.exists() {
        create(base, &folder)?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet"])
            .arg("--disable-pip-version-check")
            .args(libraries);
        let output = pip.output().with_context(|| format!("{pip:?}"))?;
        if let Some(why) = out_of_reach(&String::from_utf8_lossy(&output.stderr)) {
            let libraries = libraries.join(" ");
            anyhow::bail!(Absent(format!("{libraries} cannot be had: {why}")));
        }
        command::check(&pip, &output)?;
        std::fs::write(complete, "")?;
    }
    Ok(python)
}

/// The line of pip's errors that says that no index has a library for this machine, or that none can be reached.
fn out_of_reach(errors: &str) -> Option<&str> {
    const SIGNS: [&str; 4] = [
        "No matching distribution found",
        "Failed to establish a new connection",
        "Max retries exceeded",
        "Read timed out",
    ];
    let mut lines = errors.lines();
    lines.find(|line| line.starts_with("ERROR:") && SIGNS.iter().any(|sign| line.contains(sign)))
}

/// Makes an empty virtual environment.
///
/// # Errors
/// Python's `venv` is missing.
pub fn virtual_environment(folder: &Path) -> anyhow::Result<()> {
    create(Path::new("python3"), folder)
}

fn create(base: &Path, folder: &Path) -> anyhow::Result<()> {
    run(Command::new(base)
        .args(["-m", "venv", "--clear"])
        .arg(folder))
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    command::check(&command, &output)
}

/// Every Python from 3.6 on that is in the usual places of this machine, those of pyenv, uv and conda among them, and in the
/// folders that `EDGEMODEL_TEST_PYTHONS` names; tells which are not there.
#[expect(
    clippy::print_stdout,
    reason = "whoever reads a test's output should see what it did not try"
)]
pub fn interpreters() -> Vec<PathBuf> {
    let named = std::env::var_os("EDGEMODEL_TEST_PYTHONS").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&named).collect();
    folders.extend(["/usr/bin", "/usr/local/bin", "/opt/conda/bin"].map(PathBuf::from));
    let home = std::env::home_dir().unwrap_or_default();
    for versions in [
        ".pyenv/versions",
        ".local/share/uv/python",
        "miniconda3/envs",
    ] {
        let versions = std::fs::read_dir(home.join(versions));
        let versions = versions.into_iter().flatten().flatten();
        folders.extend(versions.map(|version| version.path().join("bin")));
    }
    let names = (6..15).map(|minor| format!("python3.{minor}"));
    let free_threaded = (13..15).map(|minor| format!("python3.{minor}t"));
    let of_pypy = (9..12).map(|minor| format!("pypy3.{minor}"));
    let mut found = Vec::new();
    // One that has several names is one.
    let mut programs = HashSet::new();
    for name in names.chain(free_threaded).chain(of_pypy) {
        let places = folders.iter().map(|folder| folder.join(&name));
        let present: Vec<_> = places.filter(|path| path.exists()).collect();
        if present.is_empty() {
            println!("{name} is absent from this machine");
        }
        found.extend(present.into_iter().filter(|path| {
            let program = path.metadata();
            program.is_ok_and(|program| programs.insert((program.dev(), program.ino())))
        }));
    }
    found
}

/// Whether an interpreter is CPython with its lock: what the native host is for. Its name does not tell: free-threaded ones have the
/// plain name too.
///
/// # Errors
/// It does not start.
pub fn is_plain_cpython(python: &Path) -> anyhow::Result<bool> {
    let script = "import sys; print(sys.implementation.name, 't' in getattr(sys, 'abiflags', ''))";
    let mut command = Command::new(python);
    let output = command.args(["-I", "-c", script]).output();
    let output = output.with_context(|| format!("{command:?}"))?;
    command::check(&command, &output)?;
    Ok(output.stdout.trim_ascii() == b"cpython False")
}

#[test]
fn a_library_that_no_index_has_is_told_from_one_that_does_not_install() {
    let none = "WARNING: Retrying after Failed to establish a new connection\nERROR: Could not find a version that satisfies the \
                requirement x==1\nERROR: No matching distribution found for x==1\n";
    assert_eq!(
        out_of_reach(none),
        Some("ERROR: No matching distribution found for x==1")
    );
    for failure in [
        "ERROR: Failed building wheel for lightgbm\n",
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n",
        "WARNING: Retrying after Failed to establish a new connection\n",
        "",
    ] {
        assert_eq!(out_of_reach(failure), None, "{failure}");
    }
}
