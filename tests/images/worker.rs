//! The worker's image.

use serde_json::json;
use tests::site::SEED;
use tests::wheel::gauge;

use super::container::{Container, children};
use super::image::Image;
use super::pod::{Pod, shared};

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
    let text = Container::of(&image).entry_output(&tests::SHORT_DEMO)?;
    assert!(text.matches("result  {\"device\":").count() >= 3, "{text}");
    Ok(())
}

#[tokio::test]
async fn a_message_becomes_a_result_and_the_worker_ends_in_order() -> anyhow::Result<()> {
    let index = "import sys, os\ndef handler(event, context):\n    return [os.getuid(), sys.version_info[:2], context.device]\n";
    let mut pod = Pod::start("worker", |models| models.pack("industry", index)).await?;
    assert_eq!(pod.result().await?, json!([65_532, [3, 11], "设备2"]));
    pod.stop().await
}

#[tokio::test]
async fn a_model_brings_its_wheels() -> anyhow::Result<()> {
    let mut pod = Pod::start("worker", |models| {
        let folder = models.path().join("industry");
        std::fs::create_dir_all(folder.join("wheels"))?;
        let index = "import gauge\ndef handler(event, context):\n    return [gauge.VALUE, gauge.__file__]\n";
        std::fs::write(folder.join("index.py"), index)?;
        gauge(&folder.join("wheels/gauge-1.0-py3-none-any.whl"))?;
        models.pack_folder(&folder)
    })
    .await?;
    let result = pod.result().await?;
    assert_eq!(result[0], 42);
    let file = result[1].as_str().unwrap_or_default();
    assert!(file.starts_with("/var/lib/edgemodel/models/"), "{file}");
    pod.stop().await
}

/// In a container, the worker is process 1: what processes of models leave behind is given to it.
#[tokio::test]
async fn nothing_piles_up_of_what_models_leave_behind() -> anyhow::Result<()> {
    let index = "
import subprocess
def handler(event, context):
    subprocess.run('sleep 0.05 & true', shell=True)
";
    let mut pod = Pod::start("worker", |models| models.pack("industry", index)).await?;
    for _ in 0..20 {
        pod.measure().await?;
    }
    let ended = || -> anyhow::Result<usize> {
        let mut ended = 0;
        for child in children(pod.pid()?)? {
            let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            ended += usize::from(stat.contains(") Z "));
        }
        Ok(ended)
    };
    tests::eventually(async || Ok((ended()? > 0).then_some(()))).await?;
    tests::eventually(async || Ok((ended()? == 0).then_some(()))).await?;
    pod.stop().await
}
