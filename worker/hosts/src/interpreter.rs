//! What an interpreter is. It is asked once, and asked again when its file changes.
//!
//! What is named as a model's interpreter is often a script of pyenv or conda, which takes longer to find the interpreter
//! than the interpreter takes to start. So hosts are started with what the interpreter itself says that it is.

mod pyenv;

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use crate::find::{self, is_program};
use crate::start_error::StartError;

const PROBE: &str = include_str!("interpreter/probe.py");

/// The oldest Python that any host serves.
const OLDEST: [u32; 2] = [3, 6];

/// Longest time for an answer; a cold network file system may take some of it.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Most that is read of an answer, and of what is printed instead of one.
const MAX_ANSWER: u64 = 1 << 20;

/// Most interpreters that are remembered.
const MAX_KNOWN: usize = 64;

/// An interpreter that serves models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interpreter {
    /// The program itself.
    pub(crate) executable: PathBuf,
    /// What a script that starts it puts before its arguments.
    pub(crate) arguments: Vec<String>,
    /// The variables that such a script sets, and those that it removes.
    pub(crate) environment: Vec<(OsString, Option<OsString>)>,
    /// Such as `cpython`.
    pub(crate) implementation: String,
    /// Such as `3.11.7`.
    pub(crate) version: String,
    /// Why it does not load the native host.
    pub(crate) native_fault: Option<String>,
}

/// What the probe prints.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    implementation: Option<String>,
    version: [u32; 3],
    text: String,
    libc: Option<String>,
    machine: String,
    bits: u32,
    executable: Option<String>,
    #[serde(default)]
    arguments: Vec<String>,
    #[serde(default)]
    environment: HashMap<String, String>,
    native_fault: Option<String>,
}

/// The files that an answer depends on, with the times of their last changes.
type Key = Vec<(PathBuf, i64, i64)>;

static KNOWN: LazyLock<Mutex<HashMap<Key, Arc<Interpreter>>>> = LazyLock::new(Mutex::default);

impl Interpreter {
    /// Asks an interpreter what it is, and whether it loads the native host `library`.
    ///
    /// # Errors
    /// It serves no model.
    pub(crate) async fn inspect(
        python: &Path,
        library: Option<&Path>,
    ) -> Result<Arc<Self>, StartError> {
        let script = python;
        let resolved = of_pyenv(python);
        let python = resolved
            .as_ref()
            .map_or(python, |resolved| &resolved.executable);
        let key = key([Some(script), Some(python), library]);
        if let Some(known) = known().get(&key) {
            return Ok(known.clone());
        }
        let mut answer = ask(python, library).await?;
        if answer.native_fault.is_none() && library.is_none() {
            answer.native_fault = Some("its library is missing".to_owned());
        }
        let mut interpreter = interpreter(python, answer)?;
        if let Some(resolved) = &resolved {
            let environment = resolved.environment.iter().cloned();
            interpreter.environment.extend(environment);
        }
        let interpreter = Arc::new(interpreter);
        tracing::debug!(python = %python.display(), ?interpreter, "Interpreter inspected");
        let mut known = known();
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(key, interpreter.clone());
        Ok(interpreter)
    }
}

fn known() -> std::sync::MutexGuard<'static, HashMap<Key, Arc<Interpreter>>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a script of pyenv starts, if it is one.
fn of_pyenv(python: &Path) -> Option<pyenv::Resolved> {
    let version = std::env::var("PYENV_VERSION").ok();
    let directory = std::env::current_dir().ok()?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let surroundings = pyenv::Surroundings {
        version: version.as_deref(),
        directory: &directory,
        path: &path,
    };
    pyenv::resolve(python, &surroundings)
}

fn key(files: [Option<&Path>; 3]) -> Key {
    let changed = |path: &Path| {
        let metadata = path.metadata().ok();
        let (seconds, nanos) = metadata.map_or((0, 0), |file| (file.mtime(), file.mtime_nsec()));
        (path.to_owned(), seconds, nanos)
    };
    files.into_iter().flatten().map(changed).collect()
}

fn unsupported(python: &Path, found: impl Into<String>) -> StartError {
    StartError::PythonUnsupported {
        python: python.to_owned(),
        found: found.into(),
    }
}

/// What an answer makes of an interpreter.
fn interpreter(python: &Path, answer: Answer) -> Result<Interpreter, StartError> {
    let [major, minor, patch] = answer.version;
    if [major, minor] < OLDEST {
        let mut found = format!(
            "it is Python {}, for {}, {} bits",
            answer.text.trim(),
            answer.machine,
            answer.bits
        );
        if let Some(libc) = &answer.libc {
            found = format!("{found}, {libc}");
        }
        return Err(unsupported(python, found));
    }
    // A script may start Python in a container or on another machine: its path says nothing here.
    let executable = answer.executable.map(PathBuf::from);
    let executable = executable.filter(|path| path.is_absolute() && is_program(path));
    let is_itself = executable.is_none();
    Ok(Interpreter {
        executable: executable.unwrap_or_else(|| python.to_owned()),
        arguments: if is_itself {
            Vec::new()
        } else {
            answer.arguments
        },
        environment: if is_itself {
            Vec::new()
        } else {
            changes(&answer.environment)
        },
        implementation: answer
            .implementation
            .unwrap_or_else(|| "cpython".to_owned()),
        version: format!("{major}.{minor}.{patch}"),
        native_fault: answer.native_fault,
    })
}

/// What a script has changed of this process's variables.
fn changes(found: &HashMap<String, String>) -> Vec<(OsString, Option<OsString>)> {
    let ours: HashMap<_, _> = std::env::vars_os()
        .filter(|(name, value)| name.to_str().is_some() && value.to_str().is_some())
        .filter(|(name, _)| !find::is_private(name))
        .collect();
    let differs = |(name, value): &(OsString, OsString)| ours.get(name) != Some(value);
    let set = found
        .iter()
        .map(|(name, value)| (OsString::from(name), OsString::from(value)))
        .filter(differs);
    let removed = ours
        .keys()
        .filter(|name| !found.contains_key(&*name.to_string_lossy()));
    let mut changes: Vec<_> = set
        .map(|(name, value)| (name, Some(value)))
        .chain(removed.map(|name| (name.clone(), None)))
        // Set by the shell that runs the script, and by Python itself.
        .filter(|(name, _)| {
            !["_", "SHLVL", "OLDPWD", "PWD", "LC_CTYPE"]
                .iter()
                .any(|one| name == one)
        })
        .collect();
    changes.sort();
    changes
}

async fn ask(python: &Path, library: Option<&Path>) -> Result<Answer, StartError> {
    let isolated = ["-I", "-B", "-c"];
    let (status, output) = run(python, &isolated, library).await?;
    if let Some(answer) = read(&output.stdout) {
        return Ok(answer);
    }
    if library.is_some() && status.code().is_none() {
        // Loading the native host may end an interpreter that it is not made for.
        let (_, output) = run(python, &isolated, None).await?;
        if let Some(mut answer) = read(&output.stdout) {
            answer.native_fault = Some(format!("loading it ends the interpreter ({status})"));
            return Ok(answer);
        }
    }
    // Python before 3.4 does not know -I.
    let (_, old) = run(python, &["-E", "-s", "-B", "-c"], None).await?;
    if let Some(answer) = read(&old.stdout) {
        return Ok(answer);
    }
    let printed = [&output.stderr, &output.stdout].map(|bytes| excerpt(bytes));
    let printed = printed.into_iter().find(|text| !text.is_empty());
    let printed = printed.map_or_else(|| "nothing".to_owned(), |text| format!("{text:?}"));
    Err(unsupported(
        python,
        format!("it does not answer as Python does ({status}); it prints {printed}"),
    ))
}

struct Output {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

async fn run(
    python: &Path,
    options: &[&str],
    library: Option<&Path>,
) -> Result<(ExitStatus, Output), StartError> {
    let mut command = Command::new(python);
    command
        .args(options)
        .arg(PROBE)
        .args(library)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    find::hide_private(&mut command);
    let mut child = command
        .spawn()
        .map_err(|error| not_started(python, error))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let all = async {
        let (stdout, stderr) = tokio::join!(bounded(stdout), bounded(stderr));
        let status = child.wait().await;
        (status, Output { stdout, stderr })
    };
    match tokio::time::timeout(TIMEOUT, all).await {
        Ok((Ok(status), output)) => Ok((status, output)),
        Ok((Err(error), _)) => Err(not_started(python, error)),
        Err(_) => Err(unsupported(
            python,
            format!("it does not answer within {TIMEOUT:?}"),
        )),
    }
}

/// Reads the beginning of a stream; a program that prints without end is then at an end itself.
async fn bounded(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        // An error leaves what was read before it.
        let _ = stream.take(MAX_ANSWER).read_to_end(&mut bytes).await;
    }
    bytes
}

fn not_started(python: &Path, error: std::io::Error) -> StartError {
    use std::io::ErrorKind;
    let found = match (error.kind(), error.raw_os_error()) {
        (_, Some(code)) if code == rustix::io::Errno::NOEXEC.raw_os_error() => {
            "it is not a program for this machine"
        }
        (ErrorKind::PermissionDenied, _) => "it is not executable for this user",
        (ErrorKind::NotFound, _) => {
            "the program that it starts with, its loader or the one after #!, does not exist"
        }
        _ => {
            return StartError::Spawn {
                python: python.to_owned(),
                error,
            };
        }
    };
    unsupported(python, found)
}

/// The answer is the last line that is one: what is imported at an interpreter's start may print.
fn read(stdout: &[u8]) -> Option<Answer> {
    let lines = stdout.rsplit(|byte| *byte == b'\n');
    lines
        .filter(|line| line.starts_with(b"{"))
        .find_map(|line| serde_json::from_slice(line).ok())
}

fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text: String = text.trim().chars().take(200).collect();
    text
}

#[cfg(test)]
mod tests;
