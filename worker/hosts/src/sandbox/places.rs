//! Which files a model may read and write: the system, its interpreter and itself to read, a folder of its own to write, and what
//! the configuration adds. What is not listed does not exist for it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Programs, libraries and what the kernel tells. Not all of `/etc` and `/var`, where secrets lie.
const SYSTEM: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/opt",
    "/nix/store",
    "/gnu/store",
    "/proc",
    "/sys",
    // Names of users, hosts and services.
    "/etc/passwd",
    "/etc/group",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/nsswitch.conf",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/networks",
    "/run/systemd/resolve",
    "/run/resolvconf",
    // Loader, locale, time and release.
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ld.so.preload",
    "/etc/alternatives",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/locale.conf",
    "/etc/locale.alias",
    "/etc/os-release",
    "/etc/lsb-release",
    "/etc/debian_version",
    "/etc/mime.types",
    "/etc/magic",
    "/etc/terminfo",
    "/etc/inputrc",
    "/etc/machine-id",
    "/etc/fonts",
    "/var/cache/fontconfig",
    // Certificates, without the keys beside them.
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/pki/tls/openssl.cnf",
    "/etc/pki/ca-trust",
    "/etc/crypto-policies",
    "/etc/ca-certificates",
    "/var/lib/ca-certificates",
    // Drivers of databases and accelerators.
    "/etc/odbc.ini",
    "/etc/odbcinst.ini",
    "/etc/freetds",
    "/etc/krb5.conf",
    "/etc/OpenCL",
    "/etc/vulkan",
    "/etc/matplotlibrc",
    "/etc/ascend_install.info",
    "/etc/nv_tegra_release",
];

/// Devices without secrets, and terminals of the model's own.
const DEVICES: &[&str] = &[
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/pts",
    "/dev/shm",
];

/// How names of accelerators and cameras in `/dev` begin.
const ACCELERATORS: &[&str] = &[
    "nvidia",
    "nvhost",
    "nvmap",
    "dri",
    "kfd",
    "accel",
    "apex_",
    "hailo",
    "davinci",
    "hisi_hdc",
    "devmm_svm",
    "mali",
    "rknpu",
    "dxg",
    "video",
    "media",
];

/// Variables that name files or folders which libraries read.
const VARIABLES: &[&str] = &[
    "PATH",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONUSERBASE",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "LOCALE_ARCHIVE",
    "LOCPATH",
    "TZDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "JAVA_HOME",
    "ORACLE_HOME",
    "TNS_ADMIN",
    "ODBCINI",
    "ODBCSYSINI",
    "CUDA_HOME",
    "CUDA_PATH",
    "MPLCONFIGDIR",
];

/// What the folder of an interpreter's own has.
const MARKS: &[&str] = &["pyvenv.cfg", "conda-meta", "lib", "lib-python", "lib64"];

/// What is asked of the machine, so that a decision needs none.
pub(super) trait Machine {
    /// Names in a folder; empty if it is none.
    fn names(&self, folder: &Path) -> Vec<OsString>;
    /// The path without links; `None` if there is no such file.
    fn real(&self, path: &Path) -> Option<PathBuf>;
    /// What a file says.
    fn text(&self, path: &Path) -> Option<String>;
}

/// The machine that this runs on.
#[derive(Debug)]
pub(super) struct ThisMachine;

impl Machine for ThisMachine {
    fn names(&self, folder: &Path) -> Vec<OsString> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name()).collect()
    }

    fn real(&self, path: &Path) -> Option<PathBuf> {
        path.canonicalize().ok()
    }

    fn text(&self, path: &Path) -> Option<String> {
        std::fs::read_to_string(path).ok()
    }
}

/// Folders and files that a model may use, with everything below them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) read: Vec<PathBuf>,
    pub(super) write: Vec<PathBuf>,
}

/// What decides over a model's places.
pub(super) struct Wanted<'a> {
    /// The interpreter as it is started.
    pub(super) interpreter: &'a Path,
    /// What the model, its wheels and its host consist of.
    pub(super) own: &'a [PathBuf],
    /// Values of variables that the process gets, by their names.
    pub(super) variable: &'a dyn Fn(&OsStr) -> Option<OsString>,
    /// The model's folder for temporary files, and the machine's.
    pub(super) temporary: &'a Path,
    pub(super) shared_temporary: &'a Path,
    /// What the configuration adds.
    pub(super) read: &'a [PathBuf],
    pub(super) write: &'a [PathBuf],
    /// What no model may reach unless the configuration adds it: the worker's files, and other models.
    pub(super) hidden: &'a [PathBuf],
}

impl Places {
    pub(super) fn of(wanted: &Wanted<'_>, machine: &impl Machine) -> Self {
        let mut read = of_interpreter(wanted.interpreter, machine);
        for name in VARIABLES {
            let value = (wanted.variable)(OsStr::new(name)).unwrap_or_default();
            read.extend(std::env::split_paths(&value).filter(|path| is_specific(path)));
        }
        let home = (wanted.variable)(OsStr::new("HOME")).map(PathBuf::from);
        let home = home.filter(|home| home.is_absolute() && home != Path::new("/"));
        // Packages that a user has installed with `pip install --user`.
        read.extend(home.iter().map(|home| home.join(".local/lib")));
        let hidden: Vec<_> = wanted
            .hidden
            .iter()
            .filter_map(|path| machine.real(path))
            .collect();
        let read = read.iter().filter_map(|path| machine.real(path));
        // `~/bin` in PATH is one thing, all of the user's files another.
        let read = read.filter(|path| home.as_ref().is_none_or(|home| !home.starts_with(path)));
        let system = SYSTEM
            .iter()
            .filter_map(|path| machine.real(Path::new(path)));
        let mut read: Vec<_> = read
            .chain(system)
            .flat_map(|path| without(path, &hidden, machine))
            .collect();
        read.extend(
            wanted
                .own
                .iter()
                .chain(wanted.read)
                .filter_map(|path| machine.real(path)),
        );
        read.sort();
        read.dedup();
        let accelerators = machine.names(Path::new("/dev")).into_iter().filter(|name| {
            ACCELERATORS
                .iter()
                .any(|start| name.to_string_lossy().starts_with(start))
        });
        let mut write: Vec<_> = DEVICES.iter().map(PathBuf::from).collect();
        write.extend(accelerators.map(|name| Path::new("/dev").join(name)));
        write.push(wanted.temporary.to_owned());
        write.extend(wanted.write.iter().cloned());
        let shared = machine.real(wanted.shared_temporary);
        let own = wanted.own.iter().filter_map(|path| machine.real(path));
        let kept: Vec<_> = own.chain(hidden).collect();
        write.extend(shared.filter(|shared| !kept.iter().any(|path| path.starts_with(shared))));
        let mut write: Vec<_> = write.iter().filter_map(|path| machine.real(path)).collect();
        write.sort();
        write.dedup();
        Self { read, write }
    }
}

/// Whether a path says more than "everything".
fn is_specific(path: &Path) -> bool {
    path.is_absolute() && path.components().count() > 1
}

/// The folders of an interpreter and of the one that a virtual environment was made from.
fn of_interpreter(path: &Path, machine: &impl Machine) -> Vec<PathBuf> {
    let config = path
        .ancestors()
        .nth(2)
        .map(|prefix| prefix.join("pyvenv.cfg"));
    let base = config.and_then(|config| base(&machine.text(&config)?));
    let programs = [Some(path.to_owned()), machine.real(path), base];
    let mut places = Vec::new();
    for program in programs.into_iter().flatten() {
        let prefix = program
            .ancestors()
            .nth(2)
            .filter(|prefix| is_specific(prefix));
        let own = prefix.filter(|prefix| {
            let names = machine.names(prefix);
            MARKS
                .iter()
                .any(|mark| names.iter().any(|name| name == mark))
        });
        places.extend(own.map(Path::to_owned));
        places.push(program);
    }
    places
}

/// A program in the folder that a virtual environment names as its interpreter's; it may be a copy of that interpreter.
fn base(config: &str) -> Option<PathBuf> {
    let pairs = config.lines().filter_map(|line| line.split_once('='));
    let mut homes = pairs.filter(|(name, _)| name.trim() == "home");
    let home = homes.next()?.1.trim();
    Some(Path::new(home).join("python3"))
}

/// A folder without what is hidden in it: itself, or what else it holds.
fn without(folder: PathBuf, hidden: &[PathBuf], machine: &impl Machine) -> Vec<PathBuf> {
    if hidden.iter().any(|path| folder.starts_with(path)) {
        return Vec::new();
    }
    if !hidden.iter().any(|path| path.starts_with(&folder)) {
        return vec![folder];
    }
    let names = machine.names(&folder).into_iter();
    let inside = names.filter_map(|name| machine.real(&folder.join(name)));
    // A link may lead anywhere; what it leads to is listed by itself if it may be read.
    let inside = inside.filter(|path| path.starts_with(&folder));
    inside
        .flat_map(|path| without(path, hidden, machine))
        .collect()
}

#[cfg(test)]
mod tests;
