//! What a script of pyenv would start. It takes 100 ms to find that out, more than a host takes to start; this takes none.
//!
//! Where the answer is not plain, such as an abbreviated version, the script itself is asked.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::find::is_program;

/// The interpreter that a script of pyenv starts, and the variables that it sets for that.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resolved {
    pub(super) executable: PathBuf,
    pub(super) environment: Vec<(OsString, Option<OsString>)>,
}

/// What decides besides the files.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    /// `PYENV_VERSION`.
    pub(super) version: Option<&'a str>,
    /// The working directory.
    pub(super) directory: &'a Path,
    /// `PATH`.
    pub(super) path: &'a OsStr,
}

/// What a program starts if it is a script of pyenv, `ROOT/shims/python3`.
pub(super) fn resolve(program: &Path, surroundings: &Surroundings<'_>) -> Option<Resolved> {
    let name = program.file_name()?;
    let root = program.parent()?.parent()?;
    let versions = root.join("versions");
    if program.parent()?.file_name()? != "shims" || !versions.is_dir() {
        return None;
    }
    let chosen = match surroundings.version.filter(|version| !version.is_empty()) {
        Some(version) => version.to_owned(),
        None => chosen(root, surroundings.directory)?,
    };
    let candidates = chosen.split([':', '\n', ' ']).map(str::trim);
    // The first version that has such a program; one that is not spelled out is pyenv's own matter.
    for version in candidates.filter(|version| !version.is_empty()) {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
        let folder = versions.join(version);
        if version.contains("..") || !version.chars().all(plain) || !folder.is_dir() {
            return None;
        }
        let bin = folder.join("bin");
        let executable = bin.join(name);
        if is_program(&executable) {
            let mut path = bin.into_os_string();
            path.push(":");
            path.push(surroundings.path);
            return Some(Resolved {
                executable,
                environment: vec![
                    ("PATH".into(), Some(path)),
                    (
                        "PYENV_VERSION".into(),
                        Some(chosen.replace('\n', ":").into()),
                    ),
                ],
            });
        }
    }
    None
}

/// The versions that a file chooses: `.python-version` of the folder or the nearest one above, else the root's.
fn chosen(root: &Path, directory: &Path) -> Option<String> {
    let local = directory.ancestors().map(|one| one.join(".python-version"));
    let file = local
        .chain([root.join("version")])
        .find(|file| file.is_file())?;
    let text = std::fs::read_to_string(file).ok()?;
    let lines = text.lines().map(str::trim);
    let versions: Vec<_> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    Some(versions.join("\n"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_version_comes_from_the_variable_the_folder_or_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("pyenv");
        let project = folder.path().join("project/deep");
        fs::create_dir_all(&project).unwrap();
        fs::create_dir_all(root.join("shims")).unwrap();
        for version in ["3.11.7", "3.6.15", "venv"] {
            let bin = root.join("versions").join(version).join("bin");
            fs::create_dir_all(&bin).unwrap();
            if version != "venv" {
                fs::write(bin.join("python3"), "").unwrap();
                let mode = fs::Permissions::from_mode(0o755);
                fs::set_permissions(bin.join("python3"), mode).unwrap();
            }
        }
        fs::write(root.join("version"), "3.11.7\n").unwrap();
        let shim = root.join("shims/python3");
        let found = |version: Option<&str>, directory: &Path, program: &Path| {
            let surroundings = Surroundings {
                version,
                directory,
                path: OsStr::new("/usr/bin"),
            };
            let resolved = resolve(program, &surroundings)?;
            let folder = resolved.executable.parent()?.parent()?.file_name()?;
            Some(folder.to_string_lossy().into_owned())
        };
        let elsewhere = folder.path();
        assert_eq!(found(None, elsewhere, &shim).as_deref(), Some("3.11.7"));
        fs::write(
            folder.path().join("project/.python-version"),
            "# old\nvenv\n3.6.15\n",
        )
        .unwrap();
        assert_eq!(found(None, &project, &shim).as_deref(), Some("3.6.15"));
        for (version, expected) in [
            ("3.11.7", Some("3.11.7")),
            ("venv:3.11.7", Some("3.11.7")),
            // The script knows what these mean.
            ("3.11", None),
            ("system", None),
            ("../../x", None),
            ("venv", None),
        ] {
            assert_eq!(
                found(Some(version), elsewhere, &shim).as_deref(),
                expected,
                "{version}"
            );
        }
        assert_eq!(
            found(None, elsewhere, &root.join("versions/3.11.7/bin/python3")),
            None
        );
        assert_eq!(found(None, elsewhere, &root.join("shims/python9")), None);
    }

    #[test]
    fn the_interpreter_sees_the_variables_that_the_script_sets() {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("versions/3.6.15/bin");
        fs::create_dir_all(&bin).unwrap();
        fs::write(bin.join("python3"), "").unwrap();
        fs::set_permissions(bin.join("python3"), fs::Permissions::from_mode(0o755)).unwrap();
        let surroundings = Surroundings {
            version: Some("3.6.15"),
            directory: Path::new("/"),
            path: OsStr::new("/usr/bin"),
        };
        let resolved = resolve(&folder.path().join("shims/python3"), &surroundings).unwrap();
        assert_eq!(resolved.executable, bin.join("python3"));
        let path = format!("{}:/usr/bin", bin.display());
        assert_eq!(
            resolved.environment,
            [
                (OsString::from("PATH"), Some(OsString::from(path))),
                (
                    OsString::from("PYENV_VERSION"),
                    Some(OsString::from("3.6.15"))
                ),
            ]
        );
    }
}
