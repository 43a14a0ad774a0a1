//! Real database servers on a free port of loopback, each with a folder of its own.

use std::net::Ipv4Addr;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::mosquitto::free_port;
use crate::{command, eventually};

/// The database that a server has.
const DATABASE: &str = "plant";

/// Its user.
pub const USER: &str = "edge";

/// The user's password, which must be seen nowhere.
pub const PASSWORD: &str = "canary-51c7";

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// PostgreSQL.
    Postgresql,
    /// MariaDB.
    Mariadb,
}

/// A server; killed when it is dropped.
#[derive(Debug)]
pub struct DatabaseServer {
    kind: Kind,
    child: Child,
    port: u16,
    directory: tempfile::TempDir,
}

impl DatabaseServer {
    /// Makes a server with a database and a user.
    ///
    /// # Errors
    /// It is missing or does not start.
    pub async fn start(kind: Kind) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let port = free_port()?;
        let folder = directory.path();
        match kind {
            Kind::Postgresql => {
                own(folder)?;
                std::fs::write(folder.join("password"), PASSWORD)?;
                let mut init = program(&postgresql("initdb")?);
                init.args(["--auth=scram-sha-256", "--no-sync", "--username", USER])
                    .arg(format!("--pwfile={}", folder.join("password").display()))
                    .arg(folder.join("data"));
                run(init).await?;
            }
            Kind::Mariadb => {
                let mut init = Command::new("mariadb-install-db");
                init.args(["--no-defaults", "--user=root", "--skip-test-db"])
                    .arg(format!("--datadir={}", folder.join("data").display()))
                    // In a common one, two servers take each other's temporary tables.
                    .arg(format!("--tmpdir={}", folder.display()));
                run(init).await?;
                let sql = format!(
                    "CREATE DATABASE IF NOT EXISTS {DATABASE};\n\
                     CREATE USER IF NOT EXISTS {USER}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n\
                     GRANT ALL ON {DATABASE}.* TO {USER}@'127.0.0.1';\n"
                );
                std::fs::write(folder.join("init.sql"), sql)?;
            }
        }
        let mut server = Self {
            kind,
            child: spawn(kind, folder, port)?,
            port,
            directory,
        };
        server.wait_until_up().await?;
        Ok(server)
    }

    /// Its address as a configuration takes it, for a driver in pure Python.
    pub fn url(&self) -> String {
        match self.kind {
            // The database that it always has.
            Kind::Postgresql => format!("postgresql+pg8000://127.0.0.1:{}/postgres", self.port),
            Kind::Mariadb => format!("mysql+pymysql://127.0.0.1:{}/{DATABASE}", self.port),
        }
    }

    /// Ends it at once, as a crash would; what was committed stays.
    ///
    /// # Errors
    /// The system refuses.
    pub async fn crash(&mut self) -> anyhow::Result<()> {
        let signal = match self.kind {
            // What its other processes take as a crash.
            Kind::Postgresql => Signal::QUIT,
            Kind::Mariadb => Signal::KILL,
        };
        let pid = self.child.id().context("it runs")?;
        let pid = Pid::from_raw(pid.try_into()?).context("no process id")?;
        kill_process(pid, signal)?;
        self.child.wait().await?;
        Ok(())
    }

    /// Starts it again on the same port.
    ///
    /// # Errors
    /// It does not start.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.child = spawn(self.kind, self.directory.path(), self.port)?;
        self.wait_until_up().await
    }

    /// What it has logged so far.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn log(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(self.directory.path().join("log"))?)
    }

    async fn wait_until_up(&mut self) -> anyhow::Result<()> {
        let address = (Ipv4Addr::LOCALHOST, self.port);
        let log = self.directory.path().join("log");
        eventually(async || {
            if let Some(status) = self.child.try_wait()? {
                let log = std::fs::read_to_string(&log)?;
                anyhow::bail!("the database ended ({status}):\n{log}");
            }
            Ok(TcpStream::connect(address).await.ok().map(drop))
        })
        .await
    }
}

fn spawn(kind: Kind, folder: &Path, port: u16) -> anyhow::Result<Child> {
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("log"))?;
    let data = folder.join("data");
    let mut command = match kind {
        Kind::Postgresql => {
            let mut command = program(&postgresql("postgres")?);
            command
                .args(["-c", "listen_addresses=127.0.0.1"])
                .args(["-c", "unix_socket_directories="])
                // The tests crash the server, not the machine.
                .args(["-c", "fsync=off", "-c", "log_disconnections=on"])
                .args(["-p", &port.to_string()])
                .arg("-D")
                .arg(data);
            command
        }
        Kind::Mariadb => {
            let mut command = Command::new("mariadbd");
            command
                .args(["--no-defaults", "--user=root", "--bind-address=127.0.0.1"])
                .arg(format!("--port={port}"))
                .arg(format!("--datadir={}", data.display()))
                .arg(format!("--tmpdir={}", folder.display()))
                .arg(format!("--socket={}", folder.join("socket").display()))
                .arg(format!("--init-file={}", folder.join("init.sql").display()));
            command
        }
    };
    command
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true);
    Ok(command.spawn()?)
}

/// Where Debian keeps PostgreSQL's programs; there may be several versions.
fn postgresql(name: &str) -> anyhow::Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .context("PostgreSQL is missing; run tests/tools.sh")?;
    let programs = versions
        .flatten()
        .map(|version| version.path().join("bin").join(name));
    let mut programs: Vec<_> = programs.filter(|path| path.exists()).collect();
    programs.sort();
    programs
        .pop()
        .with_context(|| format!("{name} is missing; run tests/tools.sh"))
}

/// A program of PostgreSQL, which root must not run.
fn program(path: &Path) -> Command {
    let mut command = Command::new(path);
    if let Some((user, group)) = other_user() {
        command.uid(user).gid(group);
    }
    command.current_dir("/");
    command
}

/// Gives a folder to the user that PostgreSQL runs as.
fn own(folder: &Path) -> anyhow::Result<()> {
    if let Some((user, group)) = other_user() {
        chown(folder, Some(user), Some(group))?;
    }
    Ok(())
}

/// The user and group that stand in for root; `None` for anyone else.
fn other_user() -> Option<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let line = users.lines().find(|line| line.starts_with("postgres:"))?;
    let mut fields = line.split(':').skip(2).map(str::parse);
    let ids = (fields.next()?.ok()?, fields.next()?.ok()?);
    rustix::process::geteuid().is_root().then_some(ids)
}

async fn run(mut command: Command) -> anyhow::Result<()> {
    let output = command
        .output()
        .await
        .with_context(|| format!("{command:?}"))?;
    command::check(&command, &output)
}
