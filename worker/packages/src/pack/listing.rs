//! Lists the files of a model's folder, before anything runs that could add some.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Error;
use super::ignore::{self, Rules};
use crate::archive::{self, Limits};
use crate::clutter::is_clutter;

/// The files of a model.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The folder.
    pub folder: PathBuf,
    /// Where each file is, by its name in the zip.
    pub files: BTreeMap<String, PathBuf>,
    /// Files and folders (with a `/` at the end) that the rules leave out, sorted.
    pub left_out: Vec<String>,
}

impl Listing {
    /// Lists a folder.
    ///
    /// # Errors
    /// The folder isn't a model or holds something that workers refuse, or a file cannot be read.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let mut listing = Self {
            folder: folder.to_owned(),
            files: BTreeMap::new(),
            left_out: Vec::new(),
        };
        listing.collect(folder, "", &rules(folder)?)?;
        listing.left_out.sort();
        if !listing.files.contains_key("index.py") {
            return Err(Error::IndexMissing(folder.to_owned()));
        }
        if listing.files.len() > Limits::default().entries {
            return Err(Error::TooLarge("too many files"));
        }
        listing.check_case()?;
        Ok(listing)
    }

    /// Adds a wheel, unless the folder has one of its name.
    pub fn add_wheel(&mut self, wheel: &Path) {
        if let Some(file) = wheel.file_name().and_then(|name| name.to_str()) {
            let name = format!("wheels/{file}");
            self.files.entry(name).or_insert_with(|| wheel.to_owned());
        }
    }

    /// Whether the package has wheels.
    pub fn has_wheels(&self) -> bool {
        let is_wheel = |name: &String| {
            Path::new(name)
                .extension()
                .is_some_and(|extension| extension == "whl")
                && name.starts_with("wheels/")
        };
        self.files.keys().any(is_wheel)
    }

    /// Copies the files into the empty folder `target`.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub fn copy(&self, target: &Path) -> io::Result<()> {
        for (name, path) in &self.files {
            let copy = target.join(name);
            if let Some(parent) = copy.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::copy(path, copy)?;
        }
        Ok(())
    }

    fn collect(&mut self, folder: &Path, prefix: &str, rules: &Rules) -> Result<(), Error> {
        let unreadable = |error| Error::Read {
            path: folder.to_owned(),
            error,
        };
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let path = entry.path();
            let unsafe_entry = |fault| Error::Unsafe {
                path: path.clone(),
                fault,
            };
            let file_name = entry.file_name();
            let file_name = file_name
                .to_str()
                .ok_or_else(|| unsafe_entry("has a name that is not UTF-8"))?;
            // A compiled module without a source is the module itself.
            let compiled = path.extension().is_some_and(|extension| extension == "pyc");
            let compiled = compiled && path.with_extension("py").exists();
            if compiled || is_clutter(file_name) {
                continue;
            }
            let name = format!("{prefix}{file_name}");
            let kind = entry.file_type().map_err(unreadable)?;
            if rules.leave_out(&name, kind.is_dir()) {
                let slash = if kind.is_dir() { "/" } else { "" };
                if name != ignore::FILE {
                    self.left_out.push(format!("{name}{slash}"));
                }
                continue;
            }
            archive::check_name(&name).map_err(unsafe_entry)?;
            if kind.is_dir() {
                self.collect(&path, &format!("{name}/"), rules)?;
            } else if kind.is_file() {
                self.files.insert(name, path);
            } else {
                return Err(unsafe_entry("is a link or a special file"));
            }
        }
        Ok(())
    }

    /// Refuses names that are one name on other file systems, as the worker does.
    fn check_case(&self) -> Result<(), Error> {
        let mut seen = BTreeMap::new();
        for name in self.files.keys() {
            if let Some(other) = seen.insert(name.to_lowercase(), name) {
                return Err(Error::SameName {
                    one: other.clone(),
                    other: name.clone(),
                });
            }
        }
        Ok(())
    }
}

fn rules(folder: &Path) -> Result<Rules, Error> {
    let path = folder.join(ignore::FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Error::Read { path, error }),
    };
    Rules::read(&text).map_err(|invalid| Error::Ignore {
        path,
        line: invalid.line,
        pattern: invalid.pattern,
    })
}
