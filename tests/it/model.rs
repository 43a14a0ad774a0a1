//! Models from their address to a verified folder, against servers that misbehave.

mod credentials;
mod download;
mod s3;

use std::path::Path;

use crds::Reason;
use crds::validated::ValidatedFunc;
use packages::{Error, InstallOptions, Installed, Origin, Packed, Store};
use tests::scripted_server::{ScriptedServer, response};
use tests::site::{Models, SEED, file_url};
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
async fn a_file_that_is_not_a_zip_is_refused_for_good() -> anyhow::Result<()> {
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
async fn what_a_crash_left_is_never_used_and_is_replaced() -> anyhow::Result<()> {
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
