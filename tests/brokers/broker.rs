//! A broker of some kind on a free port of loopback, with a folder of its own.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use tests::control_plane::Program;
use tests::mosquitto::free_port;
use tests::within;
use tokio::net::TcpStream;

use crate::kind::Kind;

/// How long a broker may take to start or end: some need half a minute beside others.
const PATIENCE: Duration = Duration::from_mins(3);

/// Where a broker is.
#[derive(Debug)]
pub(crate) struct Place {
    /// What `build.sh` made.
    pub(crate) files: PathBuf,
    /// The broker's own folder.
    pub(crate) folder: PathBuf,
    pub(crate) port: u16,
}

/// A program of a broker and its arguments.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
}

impl Launch {
    /// A program that the shell would find.
    pub(crate) fn found(name: &str, arguments: Vec<OsString>) -> Self {
        let mut all = vec![name.into()];
        all.extend(arguments);
        Self {
            program: "/usr/bin/env".into(),
            arguments: all,
        }
    }
}

/// A broker; killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Broker {
    kind: &'static Kind,
    /// The broker's process is the last; others serve it.
    programs: Vec<Program>,
    place: Place,
    _directory: tempfile::TempDir,
}

impl Broker {
    /// Gets the broker from its registry unless it is there, and starts it.
    pub(crate) async fn start(kind: &'static Kind) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let place = Place {
            files: build(kind.script_name).await?,
            folder: directory.path().to_owned(),
            port: free_port()?,
        };
        (kind.configure)(&place)?;
        let mut broker = Self {
            kind,
            programs: Vec::new(),
            place,
            _directory: directory,
        };
        broker.launch().await?;
        Ok(broker)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.place.port).into()
    }

    /// Its address as a configuration takes it.
    pub(crate) fn url(&self) -> String {
        format!("tcp://{}", self.address())
    }

    pub(crate) fn version(&self) -> anyhow::Result<String> {
        let file = self.place.files.join("version");
        let text = std::fs::read_to_string(&file);
        let text = text.with_context(|| format!("failed to read {}", file.display()))?;
        Ok(text.trim().to_owned())
    }

    /// Asks it to end, waits until it has, and starts it again on the same port with the same data.
    pub(crate) async fn restart(&mut self) -> anyhow::Result<()> {
        let program = self.programs.last().context("it runs")?;
        let pid = Pid::from_raw(program.pid().try_into()?).context("no process id")?;
        kill_process(pid, Signal::TERM)?;
        within(PATIENCE, async || {
            Ok(program.check().is_err().then_some(()))
        })
        .await?;
        self.launch().await
    }

    /// Kills it and starts it again on the same port, with what it had saved.
    pub(crate) async fn kill_and_start(&mut self) -> anyhow::Result<()> {
        self.launch().await
    }

    async fn launch(&mut self) -> anyhow::Result<()> {
        // Dropping them kills those that run.
        self.programs.clear();
        for launch in (self.kind.programs)(&self.place)? {
            let folder = launch.program.parent().context("programs have a folder")?;
            let name = launch.program.file_name().context("programs have a name")?;
            let name = name.to_str().context("programs have plain names")?;
            self.programs.push(Program::start(
                folder,
                name,
                launch.arguments,
                &self.place.folder,
            )?);
        }
        let address = self.address();
        within(PATIENCE, async || {
            for program in &self.programs {
                program.check()?;
            }
            Ok(TcpStream::connect(address).await.ok().map(drop))
        })
        .await
        .with_context(|| {
            let log = self.programs.last().map(Program::log_tail);
            format!(
                "{} does not start: {}",
                self.kind.name,
                log.unwrap_or_default()
            )
        })
    }
}

/// The folder of what a broker consists of, which the script makes unless it is there.
async fn build(name: &str) -> anyhow::Result<PathBuf> {
    tests::build_script::folder("brokers/build.sh", &[name], name).await
}
