//! A real mosquitto on a free port of loopback.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context as _;
use rand::RngExt as _;
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::eventually;

/// A broker; killed when it is dropped.
#[derive(Debug)]
pub struct Mosquitto {
    child: Child,
    port: u16,
    directory: tempfile::TempDir,
}

/// Without these, mosquitto drops what a slow subscriber does not take and stalls on small packets.
const LIMITS: &str = "max_queued_messages 0\nmax_inflight_messages 0\nset_tcp_nodelay true\n";

impl Mosquitto {
    /// Starts a broker that anybody may use, and that saves its sessions when it is asked to end.
    ///
    /// # Errors
    /// mosquitto is missing or does not start.
    pub async fn start() -> anyhow::Result<Self> {
        Self::with(|_, port| open_to_anybody(port)).await
    }

    /// Starts a broker with a configuration that is made for a folder and a port. It saves its sessions
    /// when it is asked to end, not when it is killed.
    ///
    /// # Errors
    /// mosquitto is missing or does not start.
    pub async fn with(configuration: impl Fn(&Path, u16) -> String) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let port = free_port()?;
        let text = common(directory.path()) + &configuration(directory.path(), port);
        std::fs::write(directory.path().join("mosquitto.conf"), text)?;
        let child = spawn(directory.path())?;
        let mut broker = Self {
            child,
            port,
            directory,
        };
        broker.wait_until_up().await?;
        Ok(broker)
    }

    /// Starts a broker for one user alone.
    ///
    /// # Errors
    /// mosquitto is missing or does not start.
    pub async fn with_user(name: &str, password: &str) -> anyhow::Result<Self> {
        Self::with(|folder, port| {
            let file = folder.join("passwords");
            let made = std::process::Command::new("mosquitto_passwd")
                .args(["-b", "-c"])
                .arg(&file)
                .args([name, password])
                .status();
            assert!(made.is_ok_and(|status| status.success()));
            format!(
                "listener {port} 127.0.0.1\npassword_file {}\n",
                file.display()
            )
        })
        .await
    }

    async fn wait_until_up(&mut self) -> anyhow::Result<()> {
        let address = self.address();
        eventually(async || {
            if let Some(status) = self.child.try_wait()? {
                let log = std::fs::read_to_string(self.directory.path().join("log"))?;
                anyhow::bail!("mosquitto ended ({status}):\n{log}");
            }
            Ok(TcpStream::connect(address).await.ok().map(drop))
        })
        .await
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Its address as a configuration takes it.
    pub fn url(&self) -> String {
        format!("tcp://127.0.0.1:{}", self.port)
    }

    /// Its folder.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Kills it, as a power cut would.
    ///
    /// # Errors
    /// The system refuses.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Asks it to end, so that it saves its sessions.
    ///
    /// # Errors
    /// The system refuses.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        self.signal(Signal::TERM)?;
        self.child.wait().await?;
        Ok(())
    }

    /// Its process id.
    ///
    /// # Errors
    /// It has ended.
    pub fn pid(&self) -> anyhow::Result<u32> {
        self.child.id().context("mosquitto has ended")
    }

    /// Sends it a signal: `STOP` makes it a peer that is gone without closing.
    ///
    /// # Errors
    /// It has ended.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = Pid::from_raw(self.pid()?.try_into()?).context("no process id")?;
        Ok(kill_process(pid, signal)?)
    }

    /// Starts it again on the same port, with what it saved.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        self.child = spawn(self.directory.path())?;
        self.wait_until_up().await
    }

    /// Forgets all sessions; for a broker that is not running.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn forget(&self) -> anyhow::Result<()> {
        let saved = self.directory.path().join("mosquitto.db");
        if saved.exists() {
            std::fs::remove_file(saved)?;
        }
        Ok(())
    }
}

fn spawn(directory: &Path) -> anyhow::Result<Child> {
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(directory.join("log"))?;
    Command::new(program())
        .arg("-c")
        .arg(directory.join("mosquitto.conf"))
        .stderr(log)
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("failed to start mosquitto; install it, as with `apt-get install mosquitto`")
}

/// What [`Mosquitto::start`] configures.
pub fn configuration(folder: &Path, port: u16) -> String {
    common(folder) + &open_to_anybody(port)
}

fn common(folder: &Path) -> String {
    let folder = folder.display();
    format!("user root\nlog_dest stderr\npersistence true\npersistence_location {folder}/\n")
}

fn open_to_anybody(port: u16) -> String {
    format!("listener {port} 127.0.0.1\nallow_anonymous true\n{LIMITS}")
}

/// Debian puts it where the PATH of ordinary users does not look.
pub fn program() -> PathBuf {
    let debian = Path::new("/usr/sbin/mosquitto");
    if debian.exists() {
        debian.to_owned()
    } else {
        "mosquitto".into()
    }
}

/// A port that nobody uses at the moment, from below those that the system gives to connections: one
/// of these could be taken again before it is used.
///
/// # Errors
/// There is none.
pub fn free_port() -> anyhow::Result<u16> {
    (0..100)
        .map(|_| rand::rng().random_range(10_000..32_000))
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .context("no free port")
}
