//! A worker in its image as a pod has it, on a broker of this machine.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use crds::validated::Qos;
use packages::Packed;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tests::client::{TestClient, options};
use tests::mosquitto::{Mosquitto, free_port};
use tests::site::{IN, Models, OUT, message, seed};
use tokio::io::AsyncReadExt as _;
use tokio::process::Child;

use super::container::{Container, children};
use super::image::Image;

/// A worker that serves the first model of the sample.
#[derive(Debug)]
pub(super) struct Pod {
    unshare: Child,
    http: SocketAddr,
    device: TestClient,
    reader: TestClient,
    _broker: Mosquitto,
    _folder: tempfile::TempDir,
}

impl Pod {
    /// Starts it with a model, and waits until it is ready.
    pub(super) async fn start(
        image: &str,
        pack: impl FnOnce(&Models) -> anyhow::Result<Packed>,
    ) -> anyhow::Result<Self> {
        let image = Image::open(image)?;
        let broker = Mosquitto::start().await?;
        let models = Models::new()?;
        let packed = pack(&models)?;
        let folder = shared()?;
        std::fs::copy(&packed.path, folder.path().join("model.zip"))?;
        let config = seed(&broker.url(), "file:///tmp/mounted/model.zip", &packed)?;
        std::fs::write(folder.path().join("config.yaml"), config)?;
        let results = [(OUT, Qos::AtLeastOnce)];
        let reader = TestClient::connected(options(broker.address(), "reader", &results)).await?;
        let device = TestClient::connected(options(broker.address(), "device", &[])).await?;

        let http = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let address = http.to_string();
        let config = "--config=/tmp/mounted/config.yaml";
        let arguments = ["run", config, "--download", "--http", &address];
        let container = Container::of(&image).mounting(folder.path());
        let unshare = tokio::process::Command::from(container.entry(&arguments))
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut pod = Self {
            unshare,
            http,
            device,
            reader,
            _broker: broker,
            _folder: folder,
        };
        let ready = tests::eventually(async || {
            anyhow::ensure!(pod.unshare.try_wait()?.is_none(), "the worker has ended");
            let answer = tests::running::get(http, "/readyz").await?;
            Ok((answer.0 == 200).then_some(()))
        });
        if let Err(error) = ready.await {
            return Err(error.context(pod.log().await?));
        }
        Ok(pod)
    }

    /// Sends the sample's message.
    pub(super) async fn measure(&mut self) -> anyhow::Result<()> {
        self.device.send(IN, message(86), Qos::AtLeastOnce).await
    }

    /// Sends the sample's message and takes its result.
    pub(super) async fn result(&mut self) -> anyhow::Result<Value> {
        self.measure().await?;
        let result = self.reader.take().await?;
        Ok(serde_json::from_slice(&result.payload)?)
    }

    /// Its `/status`.
    pub(super) async fn status(&self) -> anyhow::Result<Value> {
        let (_, text) = tests::running::get(self.http, "/status").await?;
        Ok(serde_json::from_str(&text)?)
    }

    /// The worker, by this machine's number; in its container it is process 1.
    pub(super) fn pid(&self) -> anyhow::Result<i32> {
        let unshare = self.unshare.id().context("the worker has ended")?;
        let children = children(unshare.try_into()?)?;
        children.first().copied().context("there is no worker")
    }

    /// Asks it to end, as a node does; it must end in order.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        let pid = Pid::from_raw(self.pid()?).context("no process id")?;
        kill_process(pid, Signal::TERM)?;
        let ended = tokio::time::timeout(Duration::from_secs(30), self.unshare.wait()).await;
        if !matches!(&ended, Ok(Ok(status)) if status.success()) {
            anyhow::bail!(
                "the worker does not end in order: {ended:?}\n{}",
                self.log().await?
            );
        }
        Ok(())
    }

    async fn log(&mut self) -> anyhow::Result<String> {
        let mut log = String::new();
        let _ = self.unshare.start_kill();
        if let Some(mut stderr) = self.unshare.stderr.take() {
            stderr.read_to_string(&mut log).await?;
        }
        Ok(log)
    }
}

/// A folder that the image's user may read, unlike other temporary folders.
pub(super) fn shared() -> anyhow::Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
    Ok(folder)
}
