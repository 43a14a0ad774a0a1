//! A real S3 server, versitygw, on a free port of loopback, which verifies the signature of each request.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rusty_s3::actions::{CreateBucket, PutObject, S3Action as _};
use rusty_s3::{Bucket, Credentials, UrlStyle};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::certificates::Certificates;
use crate::eventually;
use crate::mosquitto::free_port;

/// The access key of its user.
pub const ACCESS_KEY: &str = "edge-access";

/// The first secret key, which must be seen nowhere.
pub const SECRET_KEY: &str = "canary-9d04-secret";

/// Its region.
pub const REGION: &str = "eu-plant-1";

const VALID: Duration = Duration::from_mins(1);

/// A server; killed when it is dropped.
#[derive(Debug)]
pub struct S3Server {
    child: Child,
    program: PathBuf,
    port: u16,
    arguments: Vec<OsString>,
    secret: String,
    authority: Option<PathBuf>,
    directory: tempfile::TempDir,
}

impl S3Server {
    /// Starts one with an empty store.
    ///
    /// # Errors
    /// It cannot be built, or does not start.
    pub async fn start() -> anyhow::Result<Self> {
        Self::launch(Vec::new(), None).await
    }

    /// Starts one that also takes the name of a bucket before `domain` in a request's host.
    ///
    /// # Errors
    /// It cannot be built, or does not start.
    pub async fn with_domain(domain: &str) -> anyhow::Result<Self> {
        let arguments = ["--virtual-domain", domain].map(OsString::from);
        Self::launch(arguments.into(), None).await
    }

    /// Starts one that is reached over TLS.
    ///
    /// # Errors
    /// It cannot be built, or does not start.
    pub async fn secure(certificates: &Certificates) -> anyhow::Result<Self> {
        let arguments = [
            "--cert".into(),
            certificates.server_cert().into(),
            "--key".into(),
            certificates.server_key().into(),
        ];
        Self::launch(arguments.into(), Some(certificates.authority())).await
    }

    async fn launch(arguments: Vec<OsString>, authority: Option<&Path>) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        for folder in ["root", "metadata", "users"] {
            std::fs::create_dir(directory.path().join(folder))?;
        }
        let (program, port) = (program().await?, free_port()?);
        let child = spawn(&program, port, &arguments, SECRET_KEY, directory.path())?;
        let mut server = Self {
            child,
            program,
            port,
            arguments,
            secret: SECRET_KEY.to_owned(),
            authority: authority.map(Path::to_owned),
            directory,
        };
        server.accepts().await?;
        Ok(server)
    }

    /// Restarts it with another secret key for its user.
    ///
    /// # Errors
    /// It does not start.
    pub async fn rotate(&mut self, secret: &str) -> anyhow::Result<()> {
        self.child.kill().await?;
        let directory = self.directory.path();
        secret.clone_into(&mut self.secret);
        self.child = spawn(&self.program, self.port, &self.arguments, secret, directory)?;
        self.accepts().await
    }

    async fn accepts(&mut self) -> anyhow::Result<()> {
        let log = self.directory.path().join("log");
        let port = self.port;
        eventually(async || {
            if let Some(status) = self.child.try_wait()? {
                let log = std::fs::read_to_string(&log).unwrap_or_default();
                anyhow::bail!("versitygw ended: {status}: {log}");
            }
            Ok(TcpStream::connect(("127.0.0.1", port)).await.ok())
        })
        .await?;
        Ok(())
    }

    /// Its address.
    pub fn url(&self) -> String {
        let scheme = if self.authority.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// The requests so far, a line each.
    pub fn requests(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.directory.path().join("requests"));
        let log = log.unwrap_or_default();
        let lines = log.lines().filter(|line| !line.starts_with("log starts"));
        lines.map(str::to_owned).collect()
    }

    /// Creates a bucket.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn create_bucket(&self, name: &str) -> anyhow::Result<()> {
        let (bucket, keys) = (self.bucket(name)?, self.keys());
        let action = CreateBucket::new(&bucket, &keys).sign(VALID);
        self.send(action, Vec::new()).await
    }

    /// Writes an object.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn put(&self, bucket: &str, key: &str, content: Vec<u8>) -> anyhow::Result<()> {
        let (bucket, keys) = (self.bucket(bucket)?, self.keys());
        let action = PutObject::new(&bucket, Some(&keys), key).sign(VALID);
        self.send(action, content).await
    }

    fn bucket(&self, name: &str) -> anyhow::Result<Bucket> {
        let bucket = Bucket::new(self.url().parse()?, UrlStyle::Path, name.to_owned(), REGION);
        bucket.map_err(|error| anyhow::anyhow!("{error:?}"))
    }

    fn keys(&self) -> Credentials {
        Credentials::new(ACCESS_KEY, self.secret.as_str())
    }

    async fn send(&self, address: url::Url, body: Vec<u8>) -> anyhow::Result<()> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let authority = self.authority.as_ref().map(|path| {
            let pem = std::fs::read(path)?;
            anyhow::Ok(reqwest::Certificate::from_pem(&pem)?)
        });
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only(authority.transpose()?)
            .build()?;
        let response = client.put(address).body(body).send().await?;
        let status = response.status();
        anyhow::ensure!(status.is_success(), "{status}: {}", response.text().await?);
        Ok(())
    }
}

fn spawn(
    program: &Path,
    port: u16,
    arguments: &[OsString],
    secret: &str,
    directory: &Path,
) -> anyhow::Result<Child> {
    let child = Command::new(program)
        .args(["--quiet", "--region", REGION, "--port"])
        .arg(format!("127.0.0.1:{port}"))
        .arg("--access-log")
        .arg(directory.join("requests"))
        .arg("--iam-dir")
        .arg(directory.join("users"))
        .args(arguments)
        .args(["posix", "--sidecar"])
        .args([directory.join("metadata"), directory.join("root")])
        .env("ROOT_ACCESS_KEY", ACCESS_KEY)
        .env("ROOT_SECRET_KEY", secret)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(directory.join("log"))?)
        .kill_on_drop(true)
        .spawn()?;
    Ok(child)
}

/// Builds it unless it is there.
async fn program() -> anyhow::Result<PathBuf> {
    let folder = crate::build_script::folder("store/build.sh", &[], "The S3 server").await?;
    Ok(folder.join("versitygw"))
}
