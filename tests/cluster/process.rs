//! The operator as a process of its own: what can be done only to a process, and what it takes of the machine.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use tests::control_plane::ControlPlane;
use tests::mosquitto::free_port;
use tests::{eventually, running};
use tokio::process::{Child, Command};

/// How one is started.
pub(crate) struct Start<'a> {
    /// Its kubeconfig file.
    pub(crate) kubeconfig: &'a Path,
    /// Options besides `run --http`.
    pub(crate) arguments: Vec<String>,
    /// Variables of its environment.
    pub(crate) environment: Vec<(&'static str, OsString)>,
    /// Most bytes of data that it may have.
    pub(crate) memory: Option<u64>,
    /// Whether it is waited for until it has seen all runtimes.
    pub(crate) until_ready: bool,
}

impl<'a> Start<'a> {
    /// One that is alone, for all namespaces.
    pub(crate) fn alone(kubeconfig: &'a Path) -> Self {
        Self {
            kubeconfig,
            arguments: vec!["--no-leader-election".to_owned(), "--resync=2".to_owned()],
            environment: Vec::new(),
            memory: None,
            until_ready: true,
        }
    }

    /// One of several, that agree in a namespace.
    pub(crate) fn candidate(kubeconfig: &'a Path, namespace: &str, name: &str) -> Self {
        let arguments = [
            "--resync=2",
            &format!("--lease-namespace={namespace}"),
            &format!("--namespace={namespace}"),
            &format!("--identity={name}"),
        ];
        Self {
            arguments: arguments.map(str::to_owned).to_vec(),
            ..Self::alone(kubeconfig)
        }
    }
}

/// A running `edgemodel-operator run`; killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    http: SocketAddr,
    log: tempfile::NamedTempFile,
}

impl Process {
    /// Starts it.
    pub(crate) async fn start(start: Start<'_>) -> anyhow::Result<Self> {
        let program = match std::env::var_os("EDGEMODEL_OPERATOR") {
            Some(program) => PathBuf::from(program),
            None => tests::edgemodel_operator()?,
        };
        let http = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let log = tempfile::NamedTempFile::new()?;
        let mut command = match start.memory {
            None => Command::new(program),
            Some(bytes) => {
                let mut limited = Command::new("prlimit");
                limited.arg(format!("--data={bytes}")).arg(program);
                limited
            }
        };
        let child = command
            .args(["run", "--http", &http.to_string()])
            .args(start.arguments)
            .envs(start.environment)
            .env("KUBECONFIG", start.kubeconfig)
            .stdin(Stdio::null())
            .stdout(log.reopen()?)
            .stderr(log.reopen()?)
            .kill_on_drop(true)
            .spawn()?;
        let mut process = Self { child, http, log };
        if start.until_ready {
            process.until_ready().await?;
        }
        Ok(process)
    }

    /// Waits until it has seen all runtimes.
    pub(crate) async fn until_ready(&mut self) -> anyhow::Result<()> {
        eventually(async || {
            if let Some(status) = self.child.try_wait()? {
                let log = self.log();
                return Ok(Some(Err(anyhow::anyhow!("it ended with {status}: {log}"))));
            }
            let ready = running::get(self.http, "/readyz").await?.0 == 200;
            Ok(ready.then_some(Ok(())))
        })
        .await?
    }

    /// Waits until it leads.
    pub(crate) async fn until_leading(&self) -> anyhow::Result<()> {
        let leads = "edgemodel_operator_leader 1";
        eventually(async || Ok(self.metrics().await?.contains(leads).then_some(()))).await
    }

    /// What it has written.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap_or_default()
    }

    /// Whether it has ended.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<std::process::ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits until it ends.
    pub(crate) async fn until_ended(&mut self) -> anyhow::Result<std::process::ExitStatus> {
        Ok(self.child.wait().await?)
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = Pid::from_raw(self.pid()?.try_into()?).context("no process id")?;
        Ok(kill_process(pid, signal)?)
    }

    /// A number that it says of itself.
    pub(crate) async fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let text = self.metrics().await?;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        Ok(line.with_context(|| format!("no {name}"))?.trim().parse()?)
    }

    pub(crate) fn pid(&self) -> anyhow::Result<u32> {
        self.child.id().context("the operator has ended")
    }

    /// Its memory now and at most.
    pub(crate) fn memory(&self) -> anyhow::Result<String> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()?))?;
        let mut text = String::new();
        for name in ["VmRSS", "RssAnon", "VmHWM"] {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let line = line.context("no such line")?.trim_start_matches(':');
            let kilobytes: u32 = line.trim().trim_end_matches("kB").trim().parse()?;
            write!(text, "{name} {:.1} MB ", f64::from(kilobytes) / 1024.0)?;
        }
        Ok(text)
    }

    /// What it says of itself, without comments and buckets.
    pub(crate) async fn metrics(&self) -> anyhow::Result<String> {
        let text = running::get(self.http, "/metrics").await?.1;
        let lines = text.lines();
        let lines = lines.filter(|line| !line.starts_with('#') && !line.contains("_bucket"));
        Ok(lines.collect::<Vec<_>>().join("\n"))
    }
}

/// Processor time that each has had so far.
pub(crate) struct Usage(Vec<(&'static str, f64)>);

impl Usage {
    pub(crate) fn of(control_plane: &ControlPlane, operator: &Process) -> anyhow::Result<Self> {
        let names = ["etcd", "API server", "controllers"];
        let pids = control_plane.pids();
        let mut all: Vec<_> = names.into_iter().zip(pids).collect();
        all.push(("operator", operator.pid()?));
        all.push(("kubelet's stand-in and test", std::process::id()));
        let all = all
            .into_iter()
            .map(|(name, pid)| Ok((name, seconds(pid)?)))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self(all))
    }

    /// As a line.
    pub(crate) fn since(&self, before: &Self) -> String {
        let pairs = self.0.iter().zip(&before.0);
        let each = pairs.map(|((name, now), (_, before))| format!("{name} {:.1}", now - before));
        each.collect::<Vec<_>>().join(", ")
    }
}

fn seconds(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name may hold spaces and parentheses.
    let (_, rest) = stat.rsplit_once(')').context("no name in stat")?;
    let fields: Vec<_> = rest.split_whitespace().collect();
    let ticks = |index: usize| anyhow::Ok(fields.get(index).context("too short")?.parse::<f64>()?);
    // utime and stime, in hundredths on every Linux of today.
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}
