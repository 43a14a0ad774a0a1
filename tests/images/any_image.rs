//! The static worker in images that have nothing of edgemodel, made by the Dockerfile of docs/images.md: see any.sh.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tests::certificates::Certificates;
use tests::mosquitto::Mosquitto;
use tests::site::{Models, seed};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::container::{Container, children};
use super::image::Image;
use super::libraries::{glibc_versions, readelf};
use super::pod::{Pod, shared};

/// What docs/images.md promises of the native host.
const GLIBC: (u32, u32) = (2, 17);

const MODEL: &str = "
import os, sys
def libc():
    try:
        return os.confstr('CS_GNU_LIBC_VERSION')
    except (OSError, ValueError):
        return None
def handler(event, context):
    return [os.getuid(), list(sys.version_info[:2]), libc(), context.device]
";

/// A worker in an image: what the model sees there, and what serves it.
async fn serves(image: &str) -> anyhow::Result<(Value, Value)> {
    let mut pod = Pod::start(image, |models| models.pack("industry", MODEL)).await?;
    let result = pod.result().await?;
    let status = pod.status().await?;
    pod.stop().await?;
    Ok((result, status["models"][0]["hosts"][0].clone()))
}

/// What is in /opt/edgemodel.
fn installed(image: &Image, file: &str) -> PathBuf {
    image.root().join("opt/edgemodel").join(file)
}

#[tokio::test]
async fn any_image_with_an_old_glibc_and_python_3_7_serves() -> anyhow::Result<()> {
    // For arm64, old-glibc.sh takes Debian's Python.
    let image = Image::open("any-old-glibc")?;
    let minor = if image.architecture == "amd64" { 7 } else { 9 };
    let (result, host) = serves("any-old-glibc").await?;
    assert_eq!(result, json!([65_532, [3, minor], "glibc 2.31", "设备2"]));
    assert_eq!(host["host"], "portable");
    if image.is_foreign() {
        // QEMU has none of it, and what a kernel lacks is told and refuses no model.
        assert_eq!(
            host["sandbox"],
            json!({"mode": "enforce", "missing": ["files", "signals", "calls"]})
        );
    }
    Ok(())
}

/// No wheel and no native host is for this C library: the worker takes the portable host by itself. Made for this machine only.
#[tokio::test]
async fn any_image_on_musl_serves() -> anyhow::Result<()> {
    if Image::open("any-old-glibc")?.is_foreign() {
        return Ok(());
    }
    let (result, host) = serves("any-musl").await?;
    assert_eq!(result, json!([65_532, [3, 11], null, "设备2"]));
    assert_eq!(host["host"], "portable");
    Ok(())
}

#[test]
fn any_image_runs_the_program_without_libraries() -> anyhow::Result<()> {
    let image = Image::open("any-old-glibc")?;
    let program = installed(&image, "edgemodel");
    let dynamic = readelf("--dynamic", &program)?;
    assert!(!dynamic.contains("(NEEDED)"), "{dynamic}");
    let headers = readelf("--program-headers", &program)?;
    assert!(headers.contains("LOAD"), "readelf reads nothing");
    assert!(!headers.contains("INTERP"), "{headers}");
    let text = Container::of(&image).entry_output(&tests::SHORT_DEMO)?;
    assert!(text.matches("result  {\"device\":").count() >= 3, "{text}");
    // A root without a C library, as an image on musl is for a program for glibc.
    let empty = shared()?;
    std::fs::copy(&program, empty.path().join("edgemodel"))?;
    let output = Command::new("/usr/sbin/chroot")
        .arg(empty.path())
        .args(["/edgemodel", "--version"])
        .output()?;
    let version = concat!("edgemodel ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(String::from_utf8_lossy(&output.stdout), version);
    Ok(())
}

#[test]
fn any_image_s_native_host_asks_for_an_old_glibc() -> anyhow::Result<()> {
    let image = Image::open("any-old-glibc")?;
    let versions = glibc_versions(&installed(&image, "_edgemodel_host.abi3.so"))?;
    assert!(!versions.is_empty());
    assert!(
        versions.iter().all(|version| *version <= GLIBC),
        "{versions:?}"
    );
    Ok(())
}

/// Without the sentence, it seems as if the server's certificate were at fault.
#[tokio::test]
async fn any_image_without_authorities_says_so() -> anyhow::Result<()> {
    let certificates = Certificates::make()?;
    // It shows its certificate as any server does; nothing is asked of it after that.
    let server = Mosquitto::with(|_, port| {
        format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\ncertfile {}\nkeyfile {}\n",
            certificates.server_cert().display(),
            certificates.server_key().display(),
        )
    })
    .await?;
    let packed = Models::new()?.pack("industry", MODEL)?;
    let https = format!("https://{}/industry.zip", server.address());
    for (broker, address, expected) in [
        (
            "ssl://127.0.0.1:1",
            "file:///none.zip",
            "mqtts[0].tls: this machine has no certificate authorities",
        ),
        (
            "tcp://127.0.0.1:1",
            &https,
            "UnknownIssuer; this machine has no certificate authorities: install ca-certificates",
        ),
    ] {
        let image = Image::open("any-old-glibc")?;
        assert!(!image.root().join("etc/ssl").exists());
        let folder = shared()?;
        let config = seed(broker, address, &packed)?;
        std::fs::write(folder.path().join("config.yaml"), config)?;
        let config = "--config=/tmp/mounted/config.yaml";
        let container = Container::of(&image).mounting(folder.path());
        let arguments = ["run", config, "--download", "--http", "127.0.0.1:0"];
        let mut worker = tokio::process::Command::from(container.entry(&arguments))
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stderr = worker.stderr.take().context("stderr is piped")?;
        let mut lines = BufReader::new(stderr).lines();
        let mut log = Vec::new();
        let found = tokio::time::timeout(Duration::from_mins(1), async {
            while let Some(line) = lines.next_line().await? {
                if line.contains(expected) {
                    return anyhow::Ok(true);
                }
                log.push(line);
            }
            Ok(false)
        })
        .await;
        // `unshare` doesn't end it: a process that has changed its user outlives its parent.
        let unshare = worker.id().context("the worker has ended")?;
        for pid in children(unshare.try_into()?)? {
            let pid = Pid::from_raw(pid).context("no process id")?;
            kill_process(pid, Signal::KILL)?;
        }
        assert!(matches!(found, Ok(Ok(true))), "{log:#?}");
    }
    Ok(())
}
