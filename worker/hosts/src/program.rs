//! Which of the two model hosts runs a model, and how its process is started (DESIGN 6.2).

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crds::validated::HostChoice;
use serde::Serialize;
use tokio::process::Command;

use crate::environment;
use crate::find;
use crate::interpreter::Interpreter;
use crate::start_error::StartError;

/// Loads the extension from its path, whatever its file is called.
const NATIVE: &str = "\
import sys, importlib.machinery as m
p, d = sys.argv.pop(1), sys.argv.pop(1)
sys.path[:] = [d] + [p for p in sys.path if p and p != d]
n = '_edgemodel_host'
l = m.ExtensionFileLoader(n, p)
h = sys.modules[n] = l.create_module(m.ModuleSpec(n, l, origin=p))
l.exec_module(h)
h.run()
";

const PORTABLE: &str = "\
import sys
d = sys.argv.pop(1)
sys.path[:] = [d] + [p for p in sys.path if p and p != d]
import edgemodel_host
edgemodel_host.run()
";

/// Where models' child processes find the packages that models import.
const PYTHONPATH: &str = "PYTHONPATH";

/// A model host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum HostKind {
    /// The extension module, for CPython 3.10 and later.
    Native,
    /// A file of the standard library alone, for any Python from 3.6 on.
    Portable,
}

impl HostKind {
    /// As in statuses, metrics and `funcs[].host`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Portable => "portable",
        }
    }
}

/// What a model runs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    interpreter: Arc<Interpreter>,
    kind: HostKind,
    /// The extension module of the native host.
    library: Option<PathBuf>,
    /// The folder of the portable host and of pyboot's packages.
    folder: PathBuf,
}

impl Program {
    /// Asks an interpreter what it is, and takes the native host where it loads, else the portable one.
    ///
    /// # Errors
    /// The interpreter serves no model, or not by the host that is asked for.
    pub async fn choose(python: &Path, choice: HostChoice) -> Result<Self, StartError> {
        let library = match choice {
            HostChoice::Portable => Err(None),
            HostChoice::Native | HostChoice::Auto => find::library().map_err(Some),
        };
        let interpreter = Interpreter::inspect(python, library.as_deref().ok()).await?;
        let folder = find::python_folder()?;
        let kind = match (choice, &interpreter.native_fault) {
            (HostChoice::Portable, _) | (HostChoice::Auto, Some(_)) => HostKind::Portable,
            (_, None) => HostKind::Native,
            (HostChoice::Native, Some(fault)) => {
                if let Err(Some(missing)) = library {
                    return Err(missing);
                }
                return Err(StartError::NativeUnsupported {
                    python: python.to_owned(),
                    version: interpreter.version.clone(),
                    fault: fault.clone(),
                });
            }
        };
        Ok(Self {
            interpreter,
            kind,
            library: library.ok(),
            folder,
        })
    }

    /// Which host it is.
    pub fn kind(&self) -> HostKind {
        self.kind
    }

    /// The program that is started.
    pub fn executable(&self) -> &Path {
        &self.interpreter.executable
    }

    /// What the host itself consists of.
    pub(crate) fn files(&self) -> impl Iterator<Item = PathBuf> {
        self.library.iter().chain([&self.folder]).cloned()
    }

    /// The implementation of Python, such as `cpython`.
    pub fn implementation(&self) -> &str {
        &self.interpreter.implementation
    }

    /// The version of Python, such as `3.11.7`.
    pub fn version(&self) -> &str {
        &self.interpreter.version
    }

    /// Implementation and version of Python, such as `cpython 3.11.7`.
    pub fn python(&self) -> String {
        format!("{} {}", self.implementation(), self.version())
    }

    /// A process of it; nothing is started yet.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.interpreter.executable);
        command.args(&self.interpreter.arguments).args(["-B", "-c"]);
        match (self.kind, &self.library) {
            (HostKind::Native, Some(library)) => command.arg(NATIVE).arg(library),
            _ => command.arg(PORTABLE),
        };
        command.arg(&self.folder);
        environment::clear(&mut command);
        let mut path = std::env::var_os(PYTHONPATH);
        for (name, value) in &self.interpreter.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
            if name == PYTHONPATH {
                path.clone_from(value);
            }
        }
        command.env(PYTHONPATH, self.module_path(path));
        command
    }

    fn module_path(&self, present: Option<OsString>) -> OsString {
        let mut path = self.folder.clone().into_os_string();
        if let Some(present) = present.filter(|present| !present.is_empty()) {
            path.push(":");
            path.push(present);
        }
        path
    }
}
