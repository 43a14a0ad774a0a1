//! Where the interpreter and the model hosts are.

use std::env::current_exe;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crds::contract::env::{HOST_LIB, PYTHON};

use crate::start_error::StartError;

/// Where the program was started. It may go to another folder to try a model.
static START: LazyLock<PathBuf> = LazyLock::new(|| std::env::current_dir().unwrap_or_default());

/// The folder where the program was started, from the first time on that this is asked.
pub(crate) fn started_in() -> &'static Path {
    &START
}

/// The extension module's names: as packages and images have it, and as Cargo builds it.
const NAMES: [&str; 2] = ["_edgemodel_host.abi3.so", "lib_edgemodel_host.so"];

/// Finds the extension module: `EDGEMODEL_HOST_LIB`, beside this executable, in `../lib/edgemodel/`,
/// or where `cargo build` puts it.
///
/// # Errors
/// It is in none of these places.
pub fn library() -> Result<PathBuf, StartError> {
    if let Some(path) = std::env::var_os(HOST_LIB).filter(|path| !path.is_empty()) {
        let path = started_in().join(path);
        return if path.is_file() {
            Ok(path)
        } else {
            Err(StartError::LibraryMissing { tried: vec![path] })
        };
    }
    let mut tried = Vec::new();
    let executable = current_exe().and_then(|path| path.canonicalize());
    for folder in executable.ok().iter().flat_map(|path| folders(path)) {
        for name in NAMES {
            let path = folder.join(name);
            if path.is_file() {
                return Ok(path);
            }
            tried.push(path);
        }
    }
    Err(StartError::LibraryMissing { tried })
}

/// The portable host's file.
const PORTABLE: &str = "edgemodel_host.py";

/// Finds the folder of the portable host and of pyboot's packages: in the source tree, or `python/` beside the extension
/// module that `EDGEMODEL_HOST_LIB` names, beside this executable, in `../lib/edgemodel/`, or where `make host` puts it.
///
/// # Errors
/// It is in none of these places.
pub(crate) fn python_folder() -> Result<PathBuf, StartError> {
    let library = std::env::var_os(HOST_LIB).map(|path| started_in().join(path));
    let mut folders: Vec<_> = library
        .iter()
        .filter_map(|path| path.parent())
        .map(Path::to_owned)
        .collect();
    let mut places = Vec::new();
    if let Ok(executable) = current_exe().and_then(|path| path.canonicalize()) {
        // target/debug/edgemodel, and test programs one folder deeper: what is edited is what runs.
        let trees = executable.ancestors().skip(3).take(2);
        places.extend(trees.map(|tree| tree.join("worker/host/python")));
        folders.extend(self::folders(&executable));
    }
    places.extend(folders.iter().map(|folder| folder.join("python")));
    match places.iter().find(|place| place.join(PORTABLE).is_file()) {
        Some(place) => Ok(place.clone()),
        None => Err(StartError::LibraryMissing { tried: places }),
    }
}

fn folders(executable: &Path) -> Vec<PathBuf> {
    let Some(folder) = executable.parent() else {
        return Vec::new();
    };
    let mut folders = vec![folder.to_owned()];
    if let Some(prefix) = folder.parent() {
        folders.push(prefix.join("lib").join("edgemodel"));
        // target/debug/edgemodel goes with target/host/debug/lib_edgemodel_host.so, and test programs
        // lie one folder deeper.
        for profile in [folder, prefix] {
            if let (Some(target), Some(name)) = (profile.parent(), profile.file_name()) {
                folders.push(target.join("host").join(name));
            }
        }
    }
    folders
}

/// Finds the interpreter: the model's own, `EDGEMODEL_PYTHON`, or `python3` on `PATH`.
///
/// # Errors
/// There is no such program.
pub fn python(configured: Option<&str>) -> Result<PathBuf, StartError> {
    let from_environment = std::env::var(PYTHON).ok();
    let wanted = configured
        .or(from_environment.as_deref())
        .filter(|name| !name.is_empty())
        .unwrap_or("python3");
    let path = Path::new(wanted);
    if path.components().count() > 1 {
        return if path.exists() {
            Ok(path.to_owned())
        } else {
            Err(StartError::PythonMissing(wanted.to_owned()))
        };
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders)
        .map(|folder| folder.join(wanted))
        .find(|path| is_program(path))
        .ok_or_else(|| StartError::PythonMissing(wanted.to_owned()))
}

pub(crate) fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
