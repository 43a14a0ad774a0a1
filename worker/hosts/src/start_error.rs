//! Why a host fails to start.

use std::io;
use std::path::PathBuf;

use crds::Reason;

use crate::sandbox::hint::hint;
use crate::sandbox::kernel::Part;

/// Why a host fails to start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no such interpreter.
    #[error(
        "there is no Python interpreter {0:?}; install Python 3.6 or later, or name one with \
         funcs[].python or EDGEMODEL_PYTHON"
    )]
    PythonMissing(String),
    /// The file exists but cannot run a model.
    #[error(
        "{} cannot run a model: {found}; name Python 3.6 or later for this machine with funcs[].python or \
         EDGEMODEL_PYTHON",
        .python.display()
    )]
    PythonUnsupported {
        /// The interpreter.
        python: PathBuf,
        /// What it is instead.
        found: String,
    },
    /// The native host is asked for and does not load.
    #[error(
        "{} (Python {version}) does not load the native host: {fault}; remove `host: native`, or name CPython 3.10 or \
         later with funcs[].python or EDGEMODEL_PYTHON",
        .python.display()
    )]
    NativeUnsupported {
        /// The interpreter.
        python: PathBuf,
        /// Its version.
        version: String,
        /// Why.
        fault: String,
    },
    /// Neither the extension module nor the portable host was found.
    #[error("the model host is missing, looked for {}; set EDGEMODEL_HOST_LIB", list(.tried))]
    LibraryMissing {
        /// Where it was looked for.
        tried: Vec<PathBuf>,
    },
    /// The system failed to start the process.
    #[error("failed to start {}: {error}", .python.display())]
    Spawn {
        /// The interpreter.
        python: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The kernel lacks what `sandbox.required` asks for.
    #[error(
        "the kernel or the container engine lacks parts of the sandbox: {}; use Linux 6.12 or later with Landlock, or leave \
         funcs[].sandbox.required out",
        parts(.0)
    )]
    SandboxIncomplete(Vec<Part>),
    /// The sandbox cannot be prepared.
    #[error("failed to prepare the sandbox: {0}")]
    Sandbox(String),
    /// The model's files are not what was verified.
    #[error("{0}")]
    Changed(String),
    /// The model cannot be imported.
    #[error("the model cannot be imported: {message}{}", remedy(.message))]
    ImportFailed {
        /// One line.
        message: String,
        /// Python's traceback; empty if there is none.
        traceback: String,
    },
    /// The import takes too long.
    #[error("the import took longer than startTimeout, {0:?}")]
    StartTimeout(std::time::Duration),
    /// The process ended before the model was imported.
    #[error("the host ended during the import ({status}); the log has what it printed")]
    Died {
        /// How it ended.
        status: String,
    },
    /// The host speaks another version of the frame protocol.
    #[error("the host's library does not fit this program: {0}; install both from one release")]
    Broken(String),
}

/// What to do about a missing module or library, or about what the sandbox refuses.
fn remedy(message: &str) -> String {
    let is_library = ["ImportError: ", "OSError: "]
        .iter()
        .any(|error| message.starts_with(error));
    if message.starts_with("ModuleNotFoundError: ") {
        "; add its wheel to the model's folder wheels/, or choose an interpreter that has it with funcs[].python".to_owned()
    } else if is_library && message.contains(": cannot open shared object file") {
        "; install that library of the system where the worker runs, or choose a wheel that brings it along".to_owned()
    } else {
        hint(message)
            .map(|hint| format!("; {hint}"))
            .unwrap_or_default()
    }
}

fn parts(parts: &[Part]) -> String {
    let names: Vec<_> = parts.iter().map(|part| part.as_str()).collect();
    names.join(", ")
}

fn list(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    paths.join(", ")
}

impl StartError {
    /// The reason, for conditions, logs and `/status`.
    pub fn reason(&self) -> Reason {
        match self {
            Self::PythonMissing(_) => Reason::PythonMissing,
            Self::PythonUnsupported { .. } | Self::NativeUnsupported { .. } => {
                Reason::PythonUnsupported
            }
            Self::LibraryMissing { .. } | Self::Broken(_) => Reason::HostLibraryMissing,
            Self::Spawn { .. } | Self::Sandbox(_) => Reason::HostStartFailed,
            Self::SandboxIncomplete(_) => Reason::SandboxIncomplete,
            Self::Changed(_) => Reason::StoreUnavailable,
            Self::ImportFailed { .. } => Reason::ImportFailed,
            Self::StartTimeout(_) => Reason::StartTimeout,
            Self::Died { .. } => Reason::HostCrashed,
        }
    }

    /// Whether the same may succeed later: a model that connects somewhere when it is imported, or a
    /// machine that is short of memory.
    pub fn is_transient(&self) -> bool {
        !self.reason().is_permanent()
    }

    /// Python's traceback, if there is one.
    pub fn traceback(&self) -> Option<&str> {
        match self {
            Self::ImportFailed { traceback, .. } if !traceback.is_empty() => Some(traceback),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b7_a_missing_module_or_library_is_refused_with_its_remedy() {
        for (message, expected) in [
            ("ModuleNotFoundError: No module named 'x'", "wheels/"),
            (
                "ImportError: libgomp.so.1: cannot open shared object file: No such file or directory",
                "install that library of the system",
            ),
            (
                "OSError: libgomp.so.1: cannot open shared object file: No such file or directory",
                "install that library of the system",
            ),
            ("ImportError: cannot import name 'x' from 'y'", ""),
            ("ValueError: x: cannot open shared object file", ""),
        ] {
            let text = remedy(message);
            assert_eq!(text.is_empty(), expected.is_empty(), "{message}");
            assert!(text.contains(expected), "{message}: {text}");
        }
    }
}
