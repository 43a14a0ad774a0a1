//! A running `edgemodel run`, as a process.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::eventually;

/// A port that the system chooses.
const ANY_PORT: &str = "127.0.0.1:0";

/// Where a worker reads its configuration.
#[derive(Clone, Copy, Debug)]
enum Config<'a> {
    /// From stdin.
    Text(&'a str),
    File(&'a Path),
}

impl<'a> From<&'a str> for Config<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

/// A worker under test; killed when it is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    http: SocketAddr,
    log: watch::Receiver<Vec<Value>>,
    reader: JoinHandle<()>,
}

impl Running {
    /// Starts a worker with a configuration, and waits until it tells where it serves HTTP.
    ///
    /// # Errors
    /// It does not start; its log is in the error.
    pub async fn start(config: &str, models: &Path) -> anyhow::Result<Self> {
        Self::with_environment(config, models, &[]).await
    }

    /// Starts a worker with environment variables; `DOWNLOAD_MODEL` is `true` unless it is among them.
    ///
    /// # Errors
    /// It does not start; its log is in the error.
    pub async fn with_environment(
        config: &str,
        models: &Path,
        variables: &[(&str, &OsStr)],
    ) -> anyhow::Result<Self> {
        Self::launch(
            config,
            models,
            variables,
            &["--http", ANY_PORT],
            Stdio::inherit(),
        )
        .await
    }

    /// Starts a worker with further arguments.
    ///
    /// # Errors
    /// It does not start; its log is in the error.
    pub async fn with_arguments(
        config: &str,
        models: &Path,
        arguments: &[&str],
    ) -> anyhow::Result<Self> {
        let arguments = [&["--http", ANY_PORT], arguments].concat();
        Self::launch(config, models, &[], &arguments, Stdio::inherit()).await
    }

    /// Starts a worker whose configuration is a file.
    ///
    /// # Errors
    /// It does not start; its log is in the error.
    pub async fn from_file(config: &Path, models: &Path) -> anyhow::Result<Self> {
        let arguments = ["--http", ANY_PORT];
        Self::launch(
            Config::File(config),
            models,
            &[],
            &arguments,
            Stdio::inherit(),
        )
        .await
    }

    /// Starts a worker with further arguments, and gives the lines that it prints.
    ///
    /// # Errors
    /// It does not start; its log is in the error.
    pub async fn printing(
        config: &str,
        models: &Path,
        arguments: &[&str],
    ) -> anyhow::Result<(Self, Lines<BufReader<ChildStdout>>)> {
        let arguments = [&["--http", ANY_PORT], arguments].concat();
        let mut worker = Self::launch(config, models, &[], &arguments, Stdio::piped()).await?;
        let stdout = worker.child.stdout.take().context("stdout is piped")?;
        Ok((worker, BufReader::new(stdout).lines()))
    }

    /// Starts a worker that serves HTTP where an earlier one did.
    ///
    /// # Errors
    /// It does not start; its log is in the error.
    pub async fn at(http: SocketAddr, config: &str, models: &Path) -> anyhow::Result<Self> {
        let arguments = ["--http", &http.to_string()];
        Self::launch(config, models, &[], &arguments, Stdio::inherit()).await
    }

    /// Starts a worker as pods do, without the capabilities that root has, and with a file open that is not its own.
    ///
    /// # Errors
    /// It does not start; its log is in the error.
    pub async fn unprivileged(
        config: &str,
        models: &Path,
        variables: &[(&str, &OsStr)],
    ) -> anyhow::Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", "exec 9</etc/passwd && exec \"$@\"", "sh"]);
        if rustix::process::geteuid().is_root() {
            command.args(["setpriv", "--bounding-set=-all"]);
        }
        command.arg(crate::edgemodel()?);
        let arguments = ["--http", ANY_PORT];
        Self::launch_by(
            command,
            config,
            models,
            variables,
            &arguments,
            Stdio::inherit(),
        )
        .await
    }

    async fn launch(
        config: impl Into<Config<'_>>,
        models: &Path,
        variables: &[(&str, &OsStr)],
        arguments: &[&str],
        stdout: Stdio,
    ) -> anyhow::Result<Self> {
        let command = Command::new(crate::edgemodel()?);
        Self::launch_by(command, config, models, variables, arguments, stdout).await
    }

    async fn launch_by(
        mut command: Command,
        config: impl Into<Config<'_>>,
        models: &Path,
        variables: &[(&str, &OsStr)],
        arguments: &[&str],
        stdout: Stdio,
    ) -> anyhow::Result<Self> {
        let (file, text) = match config.into() {
            Config::Text(text) => (Path::new("-"), text),
            Config::File(file) => (file, ""),
        };
        let mut child = command
            .args(["run", "--config"])
            .arg(file)
            .args(["--log-format", "json", "--models-dir"])
            .arg(models)
            .args(arguments)
            .env("DOWNLOAD_MODEL", "true")
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut stdin = child.stdin.take().context("stdin is piped")?;
        stdin.write_all(text.as_bytes()).await?;
        drop(stdin);
        let stderr = child.stderr.take().context("stderr is piped")?;
        let (sender, mut log) = watch::channel(Vec::new());
        let reader = tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                sender.send_modify(|log| log.push(line));
            }
        });
        let found = tokio::time::timeout(
            Duration::from_secs(20),
            log.wait_for(|log| address(log).is_some()),
        )
        .await
        .ok()
        .and_then(|found| address(&found.ok()?));
        let Some(http) = found else {
            anyhow::bail!("the worker tells no address: {:#?}", log.borrow());
        };
        Ok(Self {
            child,
            http,
            log,
            reader,
        })
    }

    /// Its process id.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Where it serves HTTP.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// The log lines so far.
    pub fn log(&self) -> Vec<Value> {
        self.log.borrow().clone()
    }

    /// Gets a path as text, with the status code.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        get(self.http, path).await
    }

    /// `/status`.
    ///
    /// # Errors
    /// It does not answer, or not with JSON.
    pub async fn status(&self) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.get("/status").await?.1)?)
    }

    /// Waits until `/readyz` says 200.
    ///
    /// # Errors
    /// It does not within a minute; `/status` is in the error.
    pub async fn ready(&self) -> anyhow::Result<()> {
        let ready =
            eventually(async || Ok((self.get("/readyz").await?.0 == 200).then_some(()))).await;
        if ready.is_err() {
            anyhow::bail!("never ready: {:#}\n{:#?}", self.status().await?, self.log());
        }
        Ok(())
    }

    /// Waits until `/status` satisfies a condition, and gives it.
    ///
    /// # Errors
    /// It does not within a minute; `/status` is in the error.
    pub async fn until(&self, condition: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let found = eventually(async || Ok(Some(self.status().await?).filter(&condition))).await;
        match found {
            Ok(status) => Ok(status),
            Err(error) => {
                anyhow::bail!("{error}: {:#}\n{:#?}", self.status().await?, self.log())
            }
        }
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// The process is gone.
    pub fn signal(&self, signal: rustix::process::Signal) -> anyhow::Result<()> {
        let pid = self.child.id().context("the worker has ended")?;
        let pid = rustix::process::Pid::from_raw(pid.try_into()?).context("no process id")?;
        Ok(rustix::process::kill_process(pid, signal)?)
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// It does not end within a minute.
    pub async fn ended(mut self) -> anyhow::Result<(ExitStatus, Vec<Value>)> {
        let status = tokio::time::timeout(Duration::from_mins(1), self.child.wait())
            .await
            .with_context(|| format!("the worker does not end: {:#?}", self.log()))??;
        self.reader.await?;
        let log = self.log.borrow().clone();
        Ok((status, log))
    }

    /// Asks it to end and waits for it.
    ///
    /// # Errors
    /// It does not end within a minute.
    pub async fn stop(self) -> anyhow::Result<(ExitStatus, Vec<Value>)> {
        self.signal(rustix::process::Signal::TERM)?;
        self.ended().await
    }

    /// Kills it, as a power cut would.
    ///
    /// # Errors
    /// The system refuses.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }
}

/// Gets `http://address/path`, with the status code.
///
/// # Errors
/// Nobody answers.
pub async fn get(address: SocketAddr, path: &str) -> anyhow::Result<(u16, String)> {
    let response = http_client()?
        .get(format!("http://{address}{path}"))
        .send()
        .await?;
    Ok((response.status().as_u16(), response.text().await?))
}

pub(crate) fn http_client() -> anyhow::Result<reqwest::Client> {
    // One provider for all that a test process does over TLS; a second try to install it is refused.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder()
        .no_proxy()
        // Nobody is asked over TLS, and to read the system's authorities for each client takes more than all else.
        .tls_certs_only([])
        .timeout(Duration::from_secs(10))
        .build()?)
}

fn address(log: &[Value]) -> Option<SocketAddr> {
    log.iter().find_map(|line| {
        line["message"]
            .as_str()
            .filter(|text| text.starts_with("Serving /metrics"))?;
        line["address"].as_str()?.parse().ok()
    })
}
