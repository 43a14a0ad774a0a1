//! Models from their address to a verified folder, against servers that misbehave.

use std::io::Write as _;
use std::path::Path;

use crds::Reason;
use crds::validated::ValidatedFunc;
use flate2::Compression;
use flate2::write::GzEncoder;
use packages::Packed;
use packages::{Error, InstallOptions, Installed, Origin, Store};
use tests::mosquitto::free_port;
use tests::scripted_server::{ScriptedServer, response};
use tests::site::{Models, SEED, file_url, seed};
use tests::wheel::gauge;

const INDEX: &str = "def handler(event, context):\n    return event\n";

pub(crate) fn func(address: &str, packed: &Packed) -> anyhow::Result<ValidatedFunc> {
    let text = SEED
        .replace(
            "http://10.200.60.18:9000/group1/M00/49/04/Csg8EmGdnIyAVJdVAAHaY0adxNc829.zip",
            address,
        )
        .replace("pZ4DJ+YhYM9ppHD+VhLi+A==", &packed.md5.to_string());
    let runtime = crds::load(&text, "test").map_err(|problems| anyhow::anyhow!("{problems}"))?;
    Ok(runtime.funcs[0].clone())
}

fn options() -> InstallOptions {
    InstallOptions {
        download: true,
        max_bytes: 1 << 20,
        ..InstallOptions::default()
    }
}

/// Installs from a server that answers as told.
async fn install(
    models: &Models,
    packed: &Packed,
    answer: impl Fn(usize, &str) -> Vec<u8> + Send + Sync + 'static,
) -> anyhow::Result<(Result<Installed, Error>, Vec<String>)> {
    let server = ScriptedServer::start(answer).await?;
    let store = Store::open(&models.installed())?;
    let func = func(&server.url("m.zip?token=secret"), packed)?;
    let result = store.install(&func, &options()).await;
    Ok((result, server.requests()))
}

fn left_behind(models: &Models) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(models.installed())? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

#[tokio::test]
async fn a_download_is_verified_unpacked_and_never_asked_for_again() -> anyhow::Result<()> {
    let models = Models::new()?;
    let packed = models.pack("m", INDEX)?;
    let zip = std::fs::read(&packed.path)?;
    let server = ScriptedServer::start(move |_, _| {
        // The type is wrong on purpose: servers say all kinds of things.
        response("200 OK", "Content-Type: text/html\r\n", &zip)
    })
    .await?;
    let store = Store::open(&models.installed())?;
    let func = func(&server.url("m.zip"), &packed)?;
    let first = store.install(&func, &options()).await?;
    assert_eq!(first.origin, Origin::Downloaded);
    assert_eq!(
        (first.md5, first.sha256),
        (Some(packed.md5), Some(packed.sha256))
    );
    assert_eq!(
        std::fs::read_to_string(first.directory.join("index.py"))?,
        INDEX
    );
    let offline = InstallOptions::default();
    let again = Store::open(&models.installed())?
        .install(&func, &offline)
        .await?;
    assert_eq!(again.origin, Origin::Cached);
    assert_eq!(again.directory, first.directory);
    assert_eq!(server.requests().len(), 1);
    assert_eq!(left_behind(&models)?, [format!("sha256-{}", packed.sha256)]);
    Ok(())
}

#[tokio::test]
async fn a_download_that_breaks_off_goes_on_where_it_was() -> anyhow::Result<()> {
    let models = Models::new()?;
    let folder = models.path().join("big");
    std::fs::create_dir(&folder)?;
    std::fs::write(folder.join("index.py"), INDEX)?;
    let noise: String = (0..50_000).map(|number| format!("{number:x}")).collect();
    std::fs::write(folder.join("weights"), noise)?;
    let packed = models.pack_folder(&folder)?;
    let zip = std::fs::read(&packed.path)?;
    let total = zip.len();
    let (result, requests) = install(&models, &packed, move |number, request| {
        let length = format!("Content-Length: {total}\r\nETag: \"v1\"\r\n");
        if number == 0 {
            return response("200 OK", &length, &zip[..total / 2]);
        }
        let start: usize = request
            .lines()
            .find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("range: bytes=")?
                    .strip_suffix('-')?
                    .parse()
                    .ok()
            })
            .unwrap_or(0);
        let headers = format!(
            "Content-Range: bytes {start}-{}/{total}\r\nContent-Length: {}\r\n",
            total - 1,
            total - start
        );
        response("206 Partial Content", &headers, &zip[start..])
    })
    .await?;
    assert_eq!(result?.origin, Origin::Downloaded);
    assert_eq!(requests.len(), 2);
    let second = requests[1].to_lowercase();
    assert!(second.contains("if-range: \"v1\""), "{second}");
    assert!(
        second.contains("range: bytes=") && !second.contains("range: bytes=0-"),
        "{second}"
    );
    Ok(())
}

/// A file that changed in between must not be put together from two halves.
#[tokio::test]
async fn a_file_that_changed_meanwhile_is_downloaded_from_its_start() -> anyhow::Result<()> {
    let models = Models::new()?;
    let packed = models.pack("m", INDEX)?;
    let zip = std::fs::read(&packed.path)?;
    let (result, requests) = install(&models, &packed, move |number, _| {
        if number == 0 {
            let old = [b"PK\x03\x04".as_slice(), &[7; 100]].concat();
            return response("200 OK", "Content-Length: 5000\r\nETag: \"v1\"\r\n", &old);
        }
        response("200 OK", "ETag: \"v2\"\r\n", &zip)
    })
    .await?;
    assert_eq!(result?.md5, Some(packed.md5));
    assert_eq!(requests.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_again() -> anyhow::Result<()> {
    let models = Models::new()?;
    let packed = models.pack("m", INDEX)?;
    let zip = std::fs::read(&packed.path)?;
    let (result, requests) = install(&models, &packed, move |number, _| match number {
        0 => response("503 Service Unavailable", "", b""),
        1 => Vec::new(),
        _ => response("200 OK", "", &zip),
    })
    .await?;
    assert_eq!(result?.origin, Origin::Downloaded);
    assert_eq!(requests.len(), 3);
    Ok(())
}

/// The address may hold a token, which is for its own server alone.
#[tokio::test]
async fn row_16_a_redirect_tells_nobody_the_address_before() -> anyhow::Result<()> {
    let models = Models::new()?;
    let packed = models.pack("m", INDEX)?;
    let zip = std::fs::read(&packed.path)?;
    let (result, requests) = install(&models, &packed, move |number, _| match number {
        0 => response("302 Found", "Location: /elsewhere.zip\r\n", b""),
        _ => response("200 OK", "", &zip),
    })
    .await?;
    assert_eq!(result?.origin, Origin::Downloaded);
    assert_eq!(requests.len(), 2);
    assert!(
        requests[1].starts_with("GET /elsewhere.zip "),
        "{}",
        requests[1]
    );
    assert!(!requests[1].contains("secret"), "{}", requests[1]);
    Ok(())
}

#[tokio::test]
async fn e2_what_servers_say_about_a_zip_does_not_matter_if_it_is_one() -> anyhow::Result<()> {
    let zip_of = |models: &Models| anyhow::Ok(std::fs::read(models.pack("m", INDEX)?.path)?);
    let size = zip_of(&Models::new()?)?.len();
    let range = format!("Content-Range: bytes 0-{}/{size}\r\n", size - 1);
    for (status, headers, gzipped) in [
        ("200 OK", "Content-Encoding: gzip\r\n", true),
        ("203 Non-Authoritative Information", "", false),
        ("206 Partial Content", range.as_str(), false),
    ] {
        let models = Models::new()?;
        let packed = models.pack("m", INDEX)?;
        let mut body = zip_of(&models)?;
        if gzipped {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&body)?;
            body = encoder.finish()?;
        }
        let answer = response(status, headers, &body);
        let (result, _) = install(&models, &packed, move |_, _| answer.clone()).await?;
        assert_eq!(result?.md5, Some(packed.md5), "{status} {headers}");
    }
    Ok(())
}

/// The proxy comes from the environment, so it takes a process of its own to see it.
#[tokio::test]
async fn e3_a_dead_proxy_is_named() -> anyhow::Result<()> {
    let models = Models::new()?;
    let packed = models.pack("m", INDEX)?;
    let config = seed(
        "tcp://127.0.0.1:1",
        "http://models.example/m.zip?token=secret",
        &packed,
    )?;
    let proxy = format!("http://user:word@127.0.0.1:{}", free_port()?);
    let shown = proxy.replace("user:word@", "");
    let variables = [
        ("HTTP_PROXY", proxy.as_ref()),
        ("http_proxy", proxy.as_ref()),
    ];
    let worker =
        tests::running::Running::with_environment(&config, &models.installed(), &variables).await?;
    let refused = |status: &serde_json::Value| status["models"][0]["state"]["state"] == "refused";
    let status = worker.until(refused).await?;
    let text = status["models"][0]["state"]["message"].to_string();
    let expected = format!(
        "failed to download http://models.example/m.zip through the proxy {shown} (HTTP_PROXY"
    );
    assert!(text.contains(&expected), "{text}");
    assert!(!text.contains("secret") && !text.contains("word"), "{text}");
    worker.stop().await?;
    Ok(())
}

/// Makes an answer of a request's number and text.
type Answer = Box<dyn Fn(usize, &str) -> Vec<u8> + Send + Sync>;

#[tokio::test]
async fn whatever_a_server_answers_is_one_clear_error_without_secrets() -> anyhow::Result<()> {
    let models = Models::new()?;
    let packed = models.pack("m", INDEX)?;
    let other = std::fs::read(models.pack("other", "x = 1\n")?.path)?;
    let always = |bytes: Vec<u8>| -> Answer { Box::new(move |_, _| bytes.clone()) };
    let cases: Vec<(Answer, &str, &str, bool)> = vec![
        (
            always(response("404 Not Found", "", b"gone")),
            "DownloadFailed",
            "the server answered 404 Not Found; check modelAddress, and that the zip is uploaded there",
            true,
        ),
        (
            always(response("401 Unauthorized", "", b"")),
            "DownloadFailed",
            "401 Unauthorized; it asks for a user and password",
            true,
        ),
        (
            always(response("403 Forbidden", "", b"")),
            "DownloadFailed",
            "403 Forbidden; check that modelAddress may be read",
            true,
        ),
        (
            always(response("200 OK", "Content-Encoding: br\r\n", b"")),
            "DownloadFailed",
            "is sent with the Content-Encoding \"br\", which is not supported",
            true,
        ),
        (
            always(response("200 OK", "", b"<html>log in</html>")),
            "DownloadFailed",
            "is a page of HTML or XML, not a zip; check modelAddress",
            true,
        ),
        (
            always(response("200 OK", "", b"")),
            "DownloadFailed",
            "is empty, not a zip",
            true,
        ),
        (
            always(response(
                "200 OK",
                "Content-Length: 2000000\r\n",
                b"PK\x03\x04",
            )),
            "DownloadFailed",
            "has more than 1048576 bytes",
            false,
        ),
        (
            always(response(
                "200 OK",
                "",
                &[b"PK\x03\x04".as_slice(), &[0; 2_000_000]].concat(),
            )),
            "DownloadFailed",
            "has more than 1048576 bytes",
            false,
        ),
        (
            always(response("302 Found", "Location: /m.zip\r\n", b"")),
            "DownloadFailed",
            "too many redirects",
            true,
        ),
        (
            always(response("200 OK", "", &other)),
            "ChecksumMismatch",
            "correct modelMd5 or the file",
            true,
        ),
        (
            always(b"garbage\r\n\r\n".to_vec()),
            "DownloadFailed",
            "failed to download",
            true,
        ),
    ];
    for (answer, reason, part, transient) in cases {
        let (result, _) = install(&models, &packed, answer).await?;
        let Err(error) = result else {
            anyhow::bail!("{reason} was installed");
        };
        let text = error.to_string();
        assert_eq!(error.reason(), reason, "{text}");
        assert!(text.contains(part), "{text}");
        assert!(!text.contains("secret"), "{text}");
        assert_eq!(error.is_transient(), transient, "{text}");
        assert!(
            left_behind(&models)?.is_empty(),
            "{:?}",
            left_behind(&models)?
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_archive_that_is_none_is_refused_for_good() -> anyhow::Result<()> {
    let models = Models::new()?;
    let mut packed = models.pack("m", INDEX)?;
    std::fs::write(&packed.path, b"PK\x03\x04 and nothing else")?;
    packed.md5 = packages::digest(&packed.path)?.0;
    let store = Store::open(&models.installed())?;
    let func = func(&file_url(&packed.path)?, &packed)?;
    let error = store.install(&func, &options()).await.err();
    assert_eq!(
        error.as_ref().map(Error::reason),
        Some(Reason::ArchiveInvalid)
    );
    assert_eq!(error.map(|error| error.is_transient()), Some(false));
    assert!(left_behind(&models)?.is_empty());
    Ok(())
}

#[tokio::test]
async fn without_downloads_a_model_is_used_where_pyboot_had_it() -> anyhow::Result<()> {
    let models = Models::new()?;
    let packed = models.pack("m", INDEX)?;
    let mut func = func("http://127.0.0.1:1/m.zip", &packed)?;
    let store = Store::open(&models.installed())?;
    let offline = InstallOptions::default();
    let error = store.install(&func, &offline).await.err();
    let text = error.map(|error| error.to_string()).unwrap_or_default();
    assert!(
        text.contains("set DOWNLOAD_MODEL=true") && text.contains("installed/industry"),
        "{text}"
    );
    let placed = models.installed().join("industry");
    std::fs::create_dir(&placed)?;
    std::fs::write(placed.join("index.py"), INDEX)?;
    let installed = store.install(&func, &offline).await?;
    assert_eq!(
        (installed.origin, installed.sha256),
        (Origin::PrePlaced, None)
    );
    for name in ["../m", "..", ".", "/etc", "a/b", "industry/"] {
        name.clone_into(&mut func.name);
        let error = store.install(&func, &offline).await.err();
        assert_eq!(
            error.map(|error| error.reason()),
            Some(Reason::DownloadDisabled),
            "{name}"
        );
    }
    Ok(())
}

/// A crash leaves an unfinished folder, a folder without its manifest, or a broken manifest.
#[tokio::test]
async fn what_a_crash_left_is_never_used_and_made_again() -> anyhow::Result<()> {
    let models = Models::new()?;
    let packed = models.pack("m", INDEX)?;
    let address = file_url(&packed.path)?;
    let func = func(&address, &packed)?;
    let folder = models.installed().join(format!("sha256-{}", packed.sha256));
    let half = |state: &str| -> anyhow::Result<()> {
        let root: &Path = &folder;
        std::fs::create_dir_all(root.join("model"))?;
        match state {
            "no manifest" => std::fs::write(root.join("model/index.py"), "broken")?,
            "broken manifest" => std::fs::write(root.join("manifest.json"), "{\"md5\": ")?,
            "no model" => {
                let manifest = std::fs::read_to_string(models.path().join("kept"))?;
                std::fs::write(root.join("manifest.json"), manifest)?;
            }
            _ => std::fs::create_dir_all(models.installed().join(".incoming-x/model"))?,
        }
        Ok(())
    };
    let installed = Store::open(&models.installed())?
        .install(&func, &options())
        .await?;
    assert_eq!(installed.origin, Origin::File);
    std::fs::copy(folder.join("manifest.json"), models.path().join("kept"))?;
    for state in ["no manifest", "broken manifest", "no model", "unfinished"] {
        std::fs::remove_dir_all(&folder)?;
        half(state)?;
        let installed = Store::open(&models.installed())?
            .install(&func, &options())
            .await?;
        assert_eq!(installed.origin, Origin::File, "{state}");
        assert_eq!(
            std::fs::read_to_string(installed.directory.join("index.py"))?,
            INDEX
        );
    }
    Ok(())
}

#[tokio::test]
async fn two_installations_at_once_get_along() -> anyhow::Result<()> {
    let models = Models::new()?;
    let packed = models.pack("m", INDEX)?;
    let func = func(&file_url(&packed.path)?, &packed)?;
    let (one, other) = (
        Store::open(&models.installed())?,
        Store::open(&models.installed())?,
    );
    let settings = options();
    let (first, second) = tokio::join!(
        one.install(&func, &settings),
        other.install(&func, &settings)
    );
    assert_eq!(first?.directory, second?.directory);
    assert_eq!(left_behind(&models)?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn wheels_in_a_model_are_installed_once_and_without_network() -> anyhow::Result<()> {
    let models = Models::new()?;
    let folder = models.path().join("with-wheels");
    std::fs::create_dir_all(folder.join("wheels"))?;
    std::fs::write(
        folder.join("index.py"),
        "import gauge\ndef handler(event, context):\n    return gauge.VALUE\n",
    )?;
    gauge(&folder.join("wheels/gauge-1.0-py3-none-any.whl"))?;
    let packed = models.pack_folder(&folder)?;
    let func = func(&file_url(&packed.path)?, &packed)?;
    let store = Store::open(&models.installed())?;
    let mut settings = options();
    settings.python = hosts::python(None)?;
    let installed = store.install(&func, &settings).await?;
    let wheels = installed.wheels.clone();
    let module = wheels.as_ref().map(|wheels| wheels.join("gauge.py"));
    let made = std::fs::metadata(module.unwrap_or_default())?.created()?;
    let again = store.install(&func, &settings).await?;
    assert_eq!(again.wheels, wheels);
    let module = again
        .wheels
        .map(|wheels| wheels.join("gauge.py"))
        .unwrap_or_default();
    assert_eq!(std::fs::metadata(module)?.created()?, made);
    let mut pool = tests::pool::TestPool::with("", |options| {
        options.directory.clone_from(&installed.directory);
        options.wheels = wheels;
    })
    .await?;
    assert_eq!(pool.call("0").await?, "42");

    std::fs::write(
        folder.join("wheels/broken-1.0-py3-none-any.whl"),
        "no wheel",
    )?;
    let packed = models.pack_folder(&folder)?;
    let func = self::func(&file_url(&packed.path)?, &packed)?;
    let error = store.install(&func, &settings).await.err();
    let text = error.as_ref().map(ToString::to_string).unwrap_or_default();
    assert_eq!(
        error.map(|error| error.reason()),
        Some(Reason::WheelsFailed),
        "{text}"
    );
    assert!(text.contains("broken-1.0"), "{text}");
    Ok(())
}
