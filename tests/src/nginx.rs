//! A real web server, nginx, on free ports of loopback.

use std::path::Path;
use std::process::Stdio;

use anyhow::Context as _;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::eventually;

/// A server; killed when it is dropped.
#[derive(Debug)]
pub struct Nginx {
    child: Child,
    directory: tempfile::TempDir,
}

impl Nginx {
    /// Starts one with these `server` blocks, in which `ROOT` is the folder of [`Self::root`], and waits for `ports`.
    ///
    /// # Errors
    /// It is missing or does not start; its log is in the error.
    pub async fn start(servers: &str, ports: &[u16]) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let folder = directory.path().display().to_string();
        std::fs::create_dir(directory.path().join("root"))?;
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {folder}/{name};\n"))
            .concat();
        // With processes of its own it would leave them behind when it is killed.
        let config = format!(
            "daemon off;\nmaster_process off;\nuser root;\npid {folder}/pid;\nerror_log {folder}/error.log;\n\
             events {{}}\nhttp {{\naccess_log {folder}/access.log;\n{temporary}{servers}\n}}\n"
        )
        .replace("ROOT", &format!("{folder}/root"));
        std::fs::write(directory.path().join("nginx.conf"), config)?;
        let child = Command::new("nginx")
            .arg("-p")
            .arg(directory.path())
            .args(["-c", "nginx.conf", "-e", "error.log"])
            .env("PATH", search_path())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("nginx is missing; install nginx-light, as with `tests/tools.sh`")?;
        let mut server = Self { child, directory };
        let started = server.accepts(ports).await;
        started.with_context(|| server.log("error.log"))?;
        Ok(server)
    }

    async fn accepts(&mut self, ports: &[u16]) -> anyhow::Result<()> {
        for port in ports {
            eventually(async || {
                if let Some(status) = self.child.try_wait()? {
                    anyhow::bail!("nginx ended: {status}");
                }
                Ok(TcpStream::connect(("127.0.0.1", *port)).await.ok())
            })
            .await?;
        }
        Ok(())
    }

    /// Where its files are.
    pub fn root(&self) -> std::path::PathBuf {
        self.directory.path().join("root")
    }

    /// The requests so far, a line each.
    pub fn requests(&self) -> Vec<String> {
        self.log("access.log").lines().map(str::to_owned).collect()
    }

    fn log(&self, name: &str) -> String {
        let path: &Path = self.directory.path();
        std::fs::read_to_string(path.join(name)).unwrap_or_default()
    }
}

/// Debian has it where only root looks.
fn search_path() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{path}:/usr/sbin")
}
