//! An edge site for a worker under test: a broker, models as zips, and a configuration over both.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use crds::validated::Qos;
use packages::{Packed, pack};
use rustix::process::{Pid, Signal};

use crate::client::{TestClient, options};
use crate::mosquitto::Mosquitto;
use crate::running::Running;

/// pyboot's sample.
pub const SEED: &str = include_str!("../fixtures/seed/config.yaml");
/// pyboot's sample message.
pub const MESSAGE: &str = include_str!("../fixtures/seed/sample-message.json");
/// The sample's topics.
pub const IN: &str =
    "cloud/edge-data-access-a60c2306-1644570929743-e54d4620-8b1a-11ec-9969-df2a36238047";
/// The sample's topics.
pub const OUT: &str =
    "cloud/edge-pyboot-e060ff31-1644570929743-e54d4620-8b1a-11ec-9969-df2a36238047";

/// What [`Site::with_token`] asks for.
pub const TOKEN: &str = "0123456789abcdef";

/// A folder with models; removed when it is dropped.
#[derive(Debug)]
pub struct Models {
    directory: tempfile::TempDir,
}

impl Models {
    /// An empty folder.
    ///
    /// # Errors
    /// The system gives none.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            directory: tempfile::tempdir()?,
        })
    }

    /// Packs a model that is one file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn pack(&self, name: &str, index: &str) -> anyhow::Result<Packed> {
        self.pack_folder(&self.folder(name, index, &[])?)
    }

    /// Makes the folder of a model with further files; folders in it are made too.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn folder(
        &self,
        name: &str,
        index: &str,
        files: &[(&str, &str)],
    ) -> anyhow::Result<PathBuf> {
        let folder = self.directory.path().join(name);
        for (name, text) in [("index.py", index)].iter().chain(files) {
            let file = folder.join(name);
            std::fs::create_dir_all(file.parent().context("it lies in the folder")?)?;
            std::fs::write(file, text)?;
        }
        Ok(folder)
    }

    /// Packs a folder.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn pack_folder(&self, folder: &Path) -> anyhow::Result<Packed> {
        let name = folder.file_name().context("a folder has a name")?;
        let zip = self.directory.path().join(name).with_extension("zip");
        Ok(pack(folder, &zip)?)
    }

    /// Where a worker may install them.
    pub fn installed(&self) -> PathBuf {
        self.directory.path().join("installed")
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// A `file://` address.
///
/// # Errors
/// The path is relative.
pub fn file_url(path: &Path) -> anyhow::Result<String> {
    let url = url::Url::from_file_path(path);
    Ok(url
        .map_err(|()| anyhow::anyhow!("{} is relative", path.display()))?
        .into())
}

/// The seed's configuration on another broker, with another model for its first function.
///
/// # Errors
/// The seed is not what it was.
pub fn seed(broker: &str, address: &str, model: &Packed) -> anyhow::Result<String> {
    let old = "http://10.200.60.18:9000/group1/M00/49/04/Csg8EmGdnIyAVJdVAAHaY0adxNc829.zip";
    anyhow::ensure!(SEED.contains(old), "the seed has changed");
    Ok(SEED
        .replace(old, address)
        .replace("pZ4DJ+YhYM9ppHD+VhLi+A==", &model.md5.to_string())
        .replace("tcp://192.168.241.1:1883", broker)
        // The sample's port may be taken on the machine that runs the tests.
        .replace(
            "http://:8080",
            &format!("http://:{}", crate::mosquitto::free_port()?),
        ))
}

/// A worker on the seed's configuration with one model of a test's own, and clients at both ends.
#[derive(Debug)]
pub struct Site {
    /// The broker.
    pub broker: Mosquitto,
    /// The worker.
    pub worker: Running,
    /// The configuration.
    pub config: String,
    /// The models.
    pub models: Models,
    /// Publishes telemetry.
    pub device: TestClient,
    /// Reads results and dead letters.
    pub reader: TestClient,
}

impl Site {
    /// Starts all of it, with a model that is one file.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn start(index: &str) -> anyhow::Result<Self> {
        Self::with(index, |config| config).await
    }

    /// Starts all of it, with a changed configuration.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn with(index: &str, change: impl FnOnce(String) -> String) -> anyhow::Result<Self> {
        Self::on(Mosquitto::start().await?, index, change).await
    }

    /// Starts all of it on a broker of the test's own.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn on(
        broker: Mosquitto,
        index: &str,
        change: impl FnOnce(String) -> String,
    ) -> anyhow::Result<Self> {
        Self::run(broker, index, change, async |config, models| {
            Running::start(config, models).await
        })
        .await
    }

    /// Kills the process of the first model, and waits for the next one.
    ///
    /// # Errors
    /// There is none, or no next one.
    pub async fn kill_host(&self) -> anyhow::Result<()> {
        let status = self.worker.status().await?;
        let host = status["models"][0]["hosts"][0]["pid"].as_i64();
        let host = Pid::from_raw(i32::try_from(host.context("a host runs")?)?);
        rustix::process::kill_process(host.context("it has an id")?, Signal::KILL)?;
        self.worker
            .until(|status| status["models"][0]["hosts"][0]["restarts"] == 1)
            .await?;
        Ok(())
    }

    /// Starts all of it, with a worker that has no more rights than in a pod.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn unprivileged(
        index: &str,
        change: impl FnOnce(String) -> String,
        variables: &[(&str, &OsStr)],
    ) -> anyhow::Result<Self> {
        let broker = Mosquitto::start().await?;
        Self::run(broker, index, change, async |config, models| {
            Running::unprivileged(config, models, variables).await
        })
        .await
    }

    async fn run(
        broker: Mosquitto,
        index: &str,
        change: impl FnOnce(String) -> String,
        start: impl AsyncFnOnce(&str, &Path) -> anyhow::Result<Running>,
    ) -> anyhow::Result<Self> {
        let models = Models::new()?;
        let packed = models.pack("industry", index)?;
        let config = change(seed(&broker.url(), &file_url(&packed.path)?, &packed)?);
        let results = [(OUT, Qos::AtLeastOnce), ("dead/#", Qos::AtLeastOnce)];
        let reader = TestClient::connected(options(broker.address(), "reader", &results)).await?;
        let device = TestClient::connected(options(broker.address(), "device", &[])).await?;
        let worker = start(&config, &models.installed()).await?;
        worker.ready().await?;
        Ok(Self {
            broker,
            worker,
            config,
            models,
            device,
            reader,
        })
    }

    /// The same with another worker, which asks for [`TOKEN`].
    ///
    /// # Errors
    /// It does not start.
    pub async fn with_token(mut self) -> anyhow::Result<Self> {
        self.worker.kill().await?;
        let file = self.models.path().join("token");
        std::fs::write(&file, TOKEN)?;
        let file = file.to_str().context("a path in UTF-8")?;
        let arguments = ["--http-token-file", file];
        self.worker =
            Running::with_arguments(&self.config, &self.models.installed(), &arguments).await?;
        self.worker.ready().await?;
        Ok(self)
    }

    /// Publishes the sample message, with a number in place of its value, at QoS 1.
    ///
    /// # Errors
    /// It is refused.
    pub async fn measure(&mut self, value: u64) -> anyhow::Result<()> {
        let message = message(value);
        self.device.send(IN, message, Qos::AtLeastOnce).await
    }

    /// The next result or dead letter as JSON.
    ///
    /// # Errors
    /// None comes, or it is not JSON.
    pub async fn result(&mut self) -> anyhow::Result<serde_json::Value> {
        let message = self.reader.take().await?;
        serde_json::from_slice(&message.payload).context("the result is not JSON")
    }
}

/// The sample message with a number in place of its value.
pub fn message(value: u64) -> String {
    MESSAGE.replace(
        "\"RC_cylinder1_1P_d_dispPeak\": 86",
        &format!("\"RC_cylinder1_1P_d_dispPeak\": {value}"),
    )
}
