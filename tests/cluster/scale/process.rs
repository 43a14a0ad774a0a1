//! The operator as a process of its own, and what processes take of the machine.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::Context as _;
use tests::control_plane::ControlPlane;
use tests::mosquitto::free_port;
use tests::{eventually, running};
use tokio::process::{Child, Command};

/// A running `edgemodel-operator run`; killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    http: SocketAddr,
}

impl Process {
    /// Starts it with the token of an account, and waits until it leads and has seen all runtimes.
    pub(crate) async fn start(
        control_plane: &ControlPlane,
        account: [&str; 2],
    ) -> anyhow::Result<Self> {
        Self::with(control_plane, account, &["run"]).await
    }

    /// The same with arguments of one's own.
    pub(crate) async fn with(
        control_plane: &ControlPlane,
        [namespace, name]: [&str; 2],
        arguments: &[&str],
    ) -> anyhow::Result<Self> {
        let program = match std::env::var_os("EDGEMODEL_OPERATOR") {
            Some(program) => PathBuf::from(program),
            None => tests::edgemodel_operator()?,
        };
        let token = control_plane.service_account_token(namespace, name).await?;
        let http = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let log = std::fs::File::create(control_plane.directory().join("operator.log"))?;
        let child = Command::new(program)
            .args(arguments)
            .args(["--http", &http.to_string()])
            .env(
                "KUBECONFIG",
                control_plane.kubeconfig_with_token(name, &token)?,
            )
            .env("POD_NAMESPACE", namespace)
            .env("POD_NAME", name)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let process = Self { child, http };
        eventually(async || {
            let ready = running::get(http, "/readyz").await?.0 == 200;
            let leads = process
                .metrics()
                .await?
                .contains("edgemodel_operator_leader 1");
            Ok((ready && leads).then_some(()))
        })
        .await?;
        Ok(process)
    }

    fn pid(&self) -> anyhow::Result<u32> {
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
