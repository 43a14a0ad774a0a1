//! The worker's image.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use crds::validated::Qos;
use rustix::process::Signal;
use serde_json::{Value, json};
use tests::client::{TestClient, options};
use tests::mosquitto::{Mosquitto, free_port};
use tests::site::{IN, Models, OUT, SEED, message, seed};
use tests::wheel::gauge;
use tokio::io::AsyncReadExt as _;

use super::container::{Container, signal};
use super::image::Image;

/// What models import of the standard library, as far as it takes a library or data of the system.
const STANDARD: &str = "
import asyncio, bz2, concurrent.futures, csv, ctypes, curses, datetime, decimal, email, hashlib, http.client, json, lzma
import multiprocessing, os, pickle, pip, readline, socket, sqlite3, ssl, statistics, subprocess, sys, tempfile, threading
import urllib.request, uuid, xml.etree.ElementTree, zipfile, zlib, zoneinfo, _decimal, _crypt, _multiprocessing
assert os.getuid() == os.getgid() == 65532, os.getuid()
assert os.environ['HOME'] == '/tmp' and os.path.expanduser('~') == '/tmp'
assert sys.getfilesystemencoding() == 'utf-8'
assert ssl.create_default_context().cert_store_stats()['x509_ca'] > 100
assert str(datetime.datetime(2026, 7, 1, tzinfo=zoneinfo.ZoneInfo('Asia/Shanghai')).utcoffset()) == '8:00:00'
assert socket.getservbyname('https') == 443
assert ctypes.CDLL(None).getpid() == os.getpid()
assert subprocess.run('echo $((6 * 7)) | cat', shell=True, capture_output=True, text=True).stdout == '42\\n'
with multiprocessing.get_context('fork').Pool(2) as pool:
    assert pool.map(abs, [-1, -2]) == [1, 2]
for module in list(sys.modules.values()):
    path = getattr(module, '__cached__', None)
    assert path is None or not path.startswith('/usr') or os.path.exists(path), path + ' is not compiled'
for path in ['/x', '/usr/local/lib/edgemodel/x', '/var/lib/x']:
    try:
        open(path, 'w')
        raise SystemExit(path + ' can be written')
    except OSError as error:
        assert error.errno in (13, 30), error
for path in ['/tmp/x', os.environ['EDGEMODEL_MODELS_DIR'] + '/x']:
    open(path, 'w').close()
print('done')
";

#[test]
fn the_worker_says_its_version_and_checks_configurations() -> anyhow::Result<()> {
    let image = Image::open("worker")?;
    let folder = shared()?;
    std::fs::write(folder.path().join("config.yaml"), SEED)?;
    let container = Container::of(&image).mounting(folder.path());
    let version = container.entry_output(&["--version"])?;
    assert_eq!(
        version.trim(),
        concat!("edgemodel ", env!("CARGO_PKG_VERSION"))
    );
    let text = container.entry_output(&["check", "--config", "/tmp/mounted/config.yaml"])?;
    assert!(
        text.contains("InvalidDigest") || text.contains("modelMd5"),
        "{text}"
    );
    Ok(())
}

#[test]
fn models_have_the_standard_library_and_nothing_but_their_folders_to_write_to() -> anyhow::Result<()>
{
    for name in ["worker", "worker-science"] {
        let image = Image::open(name)?;
        let text = Container::of(&image).output(&[
            "python3",
            "-W",
            "error::ImportWarning",
            "-c",
            STANDARD,
        ])?;
        assert_eq!(text, "done\n", "{name}");
    }
    Ok(())
}

#[test]
fn the_demo_runs_in_the_image() -> anyhow::Result<()> {
    let image = Image::open("worker")?;
    let arguments = [
        "demo",
        "--results",
        "3",
        "--rate",
        "50",
        "--http",
        "127.0.0.1:0",
    ];
    let text = Container::of(&image).entry_output(&arguments)?;
    assert!(text.matches("result  {\"device\":").count() >= 3, "{text}");
    Ok(())
}

#[tokio::test]
async fn a_message_becomes_a_result_and_the_worker_ends_in_order() -> anyhow::Result<()> {
    let index = "import sys, os\ndef handler(event, context):\n    return [os.getuid(), sys.version_info[:2], context.device]\n";
    let result = serve("worker", |models| models.pack("industry", index)).await?;
    assert_eq!(result, json!([65_532, [3, 11], "设备2"]));
    Ok(())
}

#[tokio::test]
async fn a_model_brings_its_wheels() -> anyhow::Result<()> {
    let result = serve("worker", |models| {
        let folder = models.path().join("industry");
        std::fs::create_dir_all(folder.join("wheels"))?;
        let index = "import gauge\ndef handler(event, context):\n    return [gauge.VALUE, gauge.__file__]\n";
        std::fs::write(folder.join("index.py"), index)?;
        gauge(&folder.join("wheels/gauge-1.0-py3-none-any.whl"))?;
        models.pack_folder(&folder)
    })
    .await?;
    assert_eq!(result[0], 42);
    let file = result[1].as_str().unwrap_or_default();
    assert!(file.starts_with("/var/lib/edgemodel/models/"), "{file}");
    Ok(())
}

/// A folder that the image's user may read, unlike other temporary folders.
pub(super) fn shared() -> anyhow::Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
    Ok(folder)
}

/// Runs a model in an image as a pod would, on a broker of this machine, from the sample's message to its result; then asks
/// the worker to end.
pub(super) async fn serve(
    image: &str,
    pack: impl FnOnce(&Models) -> anyhow::Result<worker::model::pack::Packed>,
) -> anyhow::Result<Value> {
    let image = Image::open(image)?;
    let broker = Mosquitto::start().await?;
    let models = Models::new()?;
    let packed = pack(&models)?;
    let folder = shared()?;
    std::fs::copy(&packed.path, folder.path().join("model.zip"))?;
    let config = seed(&broker.url(), "file:///tmp/mounted/model.zip", &packed)?;
    std::fs::write(folder.path().join("config.yaml"), config)?;
    let mut reader = TestClient::connected(options(
        broker.address(),
        "reader",
        &[(OUT, Qos::AtLeastOnce)],
    ))
    .await?;
    let mut device = TestClient::connected(options(broker.address(), "device", &[])).await?;

    let http = format!("127.0.0.1:{}", free_port()?);
    let arguments = [
        "run",
        "--config=/tmp/mounted/config.yaml",
        "--download",
        "--http",
        &http,
    ];
    let mut worker = tokio::process::Command::from(
        Container::of(&image)
            .mounting(folder.path())
            .entry(&arguments),
    )
    .stderr(Stdio::piped())
    .kill_on_drop(true)
    .spawn()?;
    let ready = tests::eventually(async || {
        anyhow::ensure!(worker.try_wait()?.is_none(), "the worker has ended");
        let answer = tests::running::get(http.parse()?, "/readyz").await?;
        Ok((answer.0 == 200).then_some(()))
    })
    .await;
    let outcome = async {
        ready?;
        device.send(IN, message(86), Qos::AtLeastOnce).await?;
        let result = reader.take().await?;
        signal(worker.id().context("the worker has ended")?, Signal::TERM)?;
        let status = tokio::time::timeout(Duration::from_secs(30), worker.wait()).await??;
        anyhow::ensure!(status.success(), "the worker ended with {status}");
        Ok(serde_json::from_slice(&result.payload)?)
    }
    .await;
    let mut log = String::new();
    let _ = worker.start_kill();
    if let Some(mut stderr) = worker.stderr.take() {
        stderr.read_to_string(&mut log).await?;
    }
    outcome.with_context(|| format!("the worker's log: {log}"))
}
