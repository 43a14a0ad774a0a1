//! Interpreters of all kinds: which host they get, and what is said of those that get none.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crds::validated::HostChoice;
use hosts::{HostKind, Program};
use tests::pool::TestPool;
use tests::python::{interpreters, is_plain_cpython, scientific, virtual_environment};

/// What tells the standard library's parser to take only Python 3.6.
const SYNTAX: &str = "
import ast, sys
for path in sys.argv[1:]:
    with open(path, encoding='utf-8') as file:
        ast.parse(file.read(), path, feature_version=(3, 6))
";

fn files_of_the_host() -> anyhow::Result<Vec<PathBuf>> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../worker/host/python")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "py") {
                files.push(path);
            }
        }
    }
    Ok(files)
}

fn version(python: &Path) -> anyhow::Result<(u8, u8)> {
    let script = "import sys; print(*sys.version_info[:2])";
    let output = Command::new(python).args(["-I", "-c", script]).output()?;
    let text = String::from_utf8(output.stdout)?;
    let (major, minor) = text.trim().split_once(' ').unwrap_or_default();
    Ok((major.parse()?, minor.parse()?))
}

/// A1: pyboot's images had 3.6 and 3.7, and pickles of that time load nowhere else.
#[tokio::test]
async fn a1_every_python_from_3_6_on_serves() -> anyhow::Result<()> {
    let model = "
import sys
def handler(event, context):
    return ['%d.%d' % sys.version_info[:2], sys.executable, event, context.topic, context.device]
";
    let found = interpreters();
    assert!(found.len() > 1, "{found:?}");
    for python in found {
        let name = python.display().to_string();
        let version = version(&python)?;
        let expected = if is_plain_cpython(&python)? && version >= (3, 10) {
            HostKind::Native
        } else {
            HostKind::Portable
        };
        for choice in [HostChoice::Auto, HostChoice::Portable] {
            let mut pool = TestPool::with(model, |options| {
                options.python.clone_from(&python);
                options.host = choice;
            })
            .await?;
            let result = pool.call("{\"设备\": 1.5}").await?;
            let (major, minor) = version;
            assert_eq!(
                result,
                format!("[\"{major}.{minor}\",\"{name}\",{{\"设备\":1.5}},\"in/设备\",\"d\"]")
            );
            let host = pool.monitor().hosts().remove(0);
            let expected = if choice == HostChoice::Portable {
                HostKind::Portable
            } else {
                expected
            };
            assert_eq!(host.host, Some(expected), "{name}");
            let metrics = pool.metrics.render();
            let info = format!("edgemodel_host_info{{host=\"{}\"", expected.as_str());
            assert!(metrics.contains(&info), "{metrics}");
        }
    }
    Ok(())
}

/// Also where none of them is installed.
#[test]
fn the_portable_host_has_the_syntax_of_3_6_and_compiles_everywhere() -> anyhow::Result<()> {
    let files = files_of_the_host()?;
    assert!(files.len() > 5, "{files:?}");
    let strict = Command::new("python3")
        .args(["-I", "-c", SYNTAX])
        .args(&files)
        .output()?;
    assert!(strict.status.success(), "{strict:?}");
    for python in interpreters() {
        let compile = "import sys\nfor path in sys.argv[1:]:\n    compile(open(path, 'rb').read(), path, 'exec')";
        let compiled = Command::new(&python)
            .args(["-I", "-W", "error", "-c", compile])
            .args(&files)
            .output()?;
        assert!(
            compiled.status.success(),
            "{}: {compiled:?}",
            python.display()
        );
    }
    Ok(())
}

/// Each is refused with what it is and with what to do.
#[tokio::test]
async fn what_is_no_interpreter_for_models_is_refused_with_what_it_is() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let script = |name: &str, text: &str, mode| {
        let path = folder.path().join(name);
        std::fs::write(&path, text)?;
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode))?;
        anyhow::Ok(path)
    };
    // Another machine's: the header of a program for a processor that doesn't exist.
    let mut foreign = std::fs::read("/bin/true")?;
    foreign[18] ^= 0xF3;
    foreign[19] = 0x7F;
    std::fs::write(folder.path().join("foreign"), foreign)?;
    std::fs::set_permissions(
        folder.path().join("foreign"),
        PermissionsExt::from_mode(0o755),
    )?;
    let old = "#!/bin/sh\necho '{\"version\":[2,7,18],\"text\":\"2.7.18 (default)\",\"machine\":\"x86_64\",\"bits\":64}'\n";
    // Python with only what is built into it, as far as what it is asked can tell.
    let minimal = "#!/bin/sh\nfor last; do case $last in *def\\ libc*) probe=$last ;; esac; done\n\
                   exec python3 -I -S -c \"import struct, sys; sys.path.clear(); exec(sys.argv.pop(1))\" \"$probe\"\n";
    for (path, expected) in [
        (
            script("minimal", minimal, 0o755)?,
            "its standard library lacks json; install the whole of it (with Debian's packages python3, not python3-minimal)",
        ),
        (
            script("python2.7", old, 0o755)?,
            "it is Python 2.7.18 (default), for x86_64, 64 bits",
        ),
        (
            script("plain", "#!/bin/sh\necho 'no idea'\n", 0o644)?,
            "it is not executable for this user",
        ),
        (
            script("other", "#!/bin/sh\necho 'no idea' >&2\nexit 3\n", 0o755)?,
            "(exit status: 3); it prints \"no idea\"",
        ),
        (
            script("lost", "#!/no/such/shell\n", 0o755)?,
            "the program that it starts with",
        ),
        (
            script("endless", "#!/bin/sh\nexec yes\n", 0o755)?,
            "it does not answer as Python does",
        ),
        (
            folder.path().join("foreign"),
            "it is not a program for this machine",
        ),
        (folder.path().to_owned(), "it is not executable"),
    ] {
        for choice in [HostChoice::Auto, HostChoice::Portable] {
            let python = hosts::python(path.to_str())?;
            let error = Program::choose(&python, choice).await.err();
            let Some(error) = error else {
                anyhow::bail!("{} is taken", path.display());
            };
            assert_eq!(error.reason(), crds::Reason::PythonUnsupported, "{error}");
            let text = error.to_string();
            assert!(text.starts_with(&path.display().to_string()), "{text}");
            assert!(text.contains(expected), "{text}");
            assert!(text.contains("name Python 3.6 or later"), "{text}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_native_host_is_refused_where_it_does_not_load() -> anyhow::Result<()> {
    for python in interpreters() {
        let version = version(&python)?;
        let choice = Program::choose(&python, HostChoice::Native).await;
        if version >= (3, 10) && is_plain_cpython(&python)? {
            assert_eq!(choice?.kind(), HostKind::Native);
            continue;
        }
        let error = choice
            .err()
            .map(|error| (error.reason(), error.to_string()));
        let (reason, text) = error.unwrap_or((crds::Reason::Ready, String::new()));
        assert_eq!(reason, crds::Reason::PythonUnsupported);
        assert!(
            text.contains("does not load the native host: it is "),
            "{text}"
        );
        assert!(text.contains("remove `host: native`"), "{text}");
    }
    Ok(())
}

/// Scripts of pyenv and conda take longer to find Python than Python takes to start.
#[tokio::test]
async fn a_script_is_run_once_and_its_interpreter_started_as_it_would() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (script, count) = (folder.path().join("python3"), folder.path().join("count"));
    let real = Program::choose(&hosts::python(None)?, HostChoice::Auto).await?;
    let text = format!(
        "#!/bin/sh\necho run >>{}\nunset HOME\nexport ADDED='a b'\nexec {} -X utf8=1 \"$@\"\n",
        count.display(),
        real.executable().display()
    );
    std::fs::write(&script, text)?;
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755))?;
    let model = "
import os, sys
def handler(event, context):
    return [os.environ['ADDED'], 'HOME' in os.environ, sys.flags.utf8_mode, sys.executable]
";
    for _ in 0..3 {
        let mut pool = TestPool::with(model, |options| options.python.clone_from(&script)).await?;
        let expected = format!("[\"a b\",false,1,\"{}\"]", real.executable().display());
        assert_eq!(pool.call("0").await?, expected);
    }
    assert_eq!(std::fs::read_to_string(&count)?, "run\n");
    Ok(())
}

#[tokio::test]
async fn a_model_runs_in_its_virtual_environment() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    virtual_environment(folder.path())?;
    let python = folder.path().join("bin/python");
    let model = "
import sys
def handler(event, context):
    return sys.prefix
";
    for host in [HostChoice::Native, HostChoice::Portable] {
        let mut pool = TestPool::with(model, |options| {
            options.python.clone_from(&python);
            options.host = host;
        })
        .await?;
        let prefix = folder.path().canonicalize()?;
        assert_eq!(
            pool.call("0").await?,
            format!("{:?}", prefix.display().to_string())
        );
    }
    Ok(())
}

/// The second kind of model that pyboot was shown with.
#[tokio::test]
async fn a_pickled_estimator_of_scikit_learn_predicts() -> anyhow::Result<()> {
    let python = scientific()?;
    let model = "
import os, pickle
with open(os.path.join(os.path.dirname(__file__), 'model.pickle'), 'rb') as file:
    model = pickle.load(file)
def handler(event, context):
    return {'prediction': model.predict([[event['x']]])[0]}
";
    let (settings, directory) = tests::pool::options(model)?;
    let train = "
import pickle, sys
from sklearn.linear_model import LinearRegression
with open(sys.argv[1], 'wb') as file:
    pickle.dump(LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0]), file)
";
    let trained = Command::new(&python)
        .args(["-c", train])
        .arg(settings.directory.join("model.pickle"))
        .status()?;
    assert!(trained.success());
    for host in [HostChoice::Native, HostChoice::Portable] {
        let mut pool = TestPool::with("", |options| {
            options.directory.clone_from(&settings.directory);
            options.python.clone_from(&python);
            options.host = host;
        })
        .await?;
        let result: serde_json::Value = serde_json::from_str(&pool.call("{\"x\": 2}").await?)?;
        let prediction = result["prediction"].as_f64().unwrap_or_default();
        assert!((prediction - 5.0).abs() < 1e-9, "{result}");
    }
    drop(directory);
    Ok(())
}
