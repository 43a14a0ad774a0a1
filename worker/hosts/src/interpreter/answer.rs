//! What an interpreter answers when it is asked what it is.

use std::collections::HashMap;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use crate::environment;
use crate::start_error::StartError;

const PROBE: &str = include_str!("probe.py");

/// Longest time for an answer; a cold network file system may take some of it.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Most that is read of an answer, and of what is printed instead of one.
const MAX_ANSWER: u64 = 1 << 20;

/// What the probe prints.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    pub(super) implementation: Option<String>,
    pub(super) version: [u32; 3],
    pub(super) text: String,
    pub(super) libc: Option<String>,
    pub(super) machine: String,
    pub(super) bits: u32,
    pub(super) executable: Option<String>,
    #[serde(default)]
    pub(super) arguments: Vec<String>,
    #[serde(default)]
    pub(super) environment: HashMap<String, String>,
    pub(super) native_fault: Option<String>,
    /// Modules of the standard library that hosts need and that are not there.
    #[serde(default)]
    pub(super) missing: Vec<String>,
}

/// Asks an interpreter what it is, and whether it loads the native host `library`.
///
/// # Errors
/// It does not answer as Python does.
pub(super) async fn ask(python: &Path, library: Option<&Path>) -> Result<Answer, StartError> {
    // Without the packages that are installed in it, which may take longer to set up than all else.
    let isolated = ["-I", "-S", "-B", "-c"];
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
    let (_, old) = run(python, &["-E", "-s", "-S", "-B", "-c"], None).await?;
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

pub(super) fn unsupported(python: &Path, found: impl Into<String>) -> StartError {
    StartError::PythonUnsupported {
        python: python.to_owned(),
        found: found.into(),
    }
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
    environment::clear(&mut command);
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
pub(super) fn read(stdout: &[u8]) -> Option<Answer> {
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
