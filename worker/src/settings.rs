//! Settings of a worker besides its configuration, from command line and environment.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crds::contract::env;

use crate::token::Token;

/// Settings that are not in the configuration file.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where metrics and status are served.
    pub http: SocketAddr,
    /// On which address the ports in `expose` are served.
    pub exposed: IpAddr,
    /// What HTTP clients must send, if anything.
    pub http_token: Option<Token>,
    /// Directory of installed models.
    pub models_dir: PathBuf,
    /// The file that SIGHUP reads again, or `-` for stdin; without it, SIGHUP ends the worker.
    pub config: Option<String>,
    /// The worker's own files besides those that its configuration names.
    pub files: Vec<PathBuf>,
    /// Whether models are downloaded; otherwise they must be in the models directory.
    pub download: bool,
    /// Whether this is a trial beside production, which publishes nothing.
    pub trial: bool,
    /// This worker among several with the same configuration.
    pub replica: Option<Replica>,
    /// `HOST:PORT` of all workers of the runtime, which answer for each other.
    pub peers: Option<String>,
    /// Whether the worker stops when a model is refused, so that its supervisor can restart it.
    pub give_up: bool,
    /// Name of this machine, part of derived client ids.
    pub hostname: String,
    /// Maximum time to drain at shutdown.
    pub drain_timeout: Duration,
}

/// One of several workers with the same configuration; part of its client ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replica {
    /// The same after a restart, so the broker keeps its sessions for it.
    Ordinal(u32),
    /// A name that may never return, so the broker must not keep a session for it.
    Name(String),
}

impl Replica {
    /// Its suffix in client ids.
    pub fn suffix(&self) -> String {
        match self {
            Self::Ordinal(ordinal) => ordinal.to_string(),
            Self::Name(name) => name.clone(),
        }
    }
}

/// Whether `DOWNLOAD_MODEL` asks for downloads, as pyboot read it (`True`, `true`, `1`, `yes`).
pub fn download_from_environment() -> bool {
    std::env::var(env::DOWNLOAD_MODEL).is_ok_and(|text| {
        matches!(
            text.trim().to_ascii_lowercase().as_str(),
            "true" | "1" | "yes" | "on"
        )
    })
}

/// The default models directory: `edgemodel/models` in the user's cache directory. Container engines give `/` to users that the image
/// does not know; they may write to the folder for temporary files instead.
pub fn default_models_dir() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| {
            let home = std::env::home_dir().filter(|home| home != Path::new("/"));
            home.map(|home| home.join(".cache"))
        })
        .unwrap_or_else(std::env::temp_dir);
    cache.join("edgemodel").join("models")
}

/// The machine's name as the kernel knows it.
pub fn hostname() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}
