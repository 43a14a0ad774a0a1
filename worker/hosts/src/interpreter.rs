//! What an interpreter is. It is asked once, and asked again when its file changes.
//!
//! What is named as a model's interpreter is often a script of pyenv or conda, which takes longer to find the interpreter
//! than the interpreter takes to start. So hosts are started with what the interpreter itself says that it is.

mod answer;
mod pyenv;
mod remembered;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::environment;
use crate::find::is_program;
use crate::start_error::StartError;

use answer::{Answer, ask, unsupported};
use remembered::File;

pub use remembered::remember_interpreters;

/// The oldest Python that any host serves.
const OLDEST: [u32; 2] = [3, 6];

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

/// The files that an answer depends on.
type Key = Vec<File>;

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
        let mut interpreter = match remembered::find(python, &key) {
            Some(interpreter) => interpreter,
            None => Self::asked(python, library, &key).await?,
        };
        if let Some(resolved) = &resolved {
            let environment = resolved.environment.iter().cloned();
            interpreter.environment.extend(environment);
        }
        let interpreter = Arc::new(interpreter);
        let mut known = known();
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(key, interpreter.clone());
        Ok(interpreter)
    }

    async fn asked(
        python: &Path,
        library: Option<&Path>,
        key: &[File],
    ) -> Result<Self, StartError> {
        let mut answer = ask(python, library).await?;
        if answer.native_fault.is_none() && library.is_none() {
            answer.native_fault = Some("its library is missing".to_owned());
        }
        let interpreter = interpreter(python, answer)?;
        tracing::debug!(python = %python.display(), ?interpreter, "Interpreter inspected");
        remembered::keep(python, key, &interpreter);
        Ok(interpreter)
    }

    /// After a host that ended before it was ready: interpreters are asked again.
    pub(crate) fn forget_all() {
        known().clear();
        remembered::forget();
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
    files.into_iter().flatten().map(File::of).collect()
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
    if !answer.missing.is_empty() {
        let missing = answer.missing.join(", ");
        let found = format!(
            "its standard library lacks {missing}; install the whole of it (with Debian's packages python3, not python3-minimal)"
        );
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
    let ours: HashMap<_, _> = environment::passed()
        .filter(|(name, value)| name.to_str().is_some() && value.to_str().is_some())
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

#[cfg(test)]
mod tests;
