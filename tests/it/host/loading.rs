//! Models that can be imported, and models that cannot.

use std::time::Duration;

use crds::Reason;
use hosts::StartError;
use tests::pool::options;

async fn refusal(index: &str) -> anyhow::Result<StartError> {
    match super::start(index).await {
        Ok(_) => anyhow::bail!("it was taken"),
        Err(error) => Ok(error.downcast()?),
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_model_is_said_when_it_is_loaded() -> anyhow::Result<()> {
    for (index, expected) in [
        (
            "x = 1",
            "index.py defines no handler; add handler(event, context)",
        ),
        ("handler = 5", "handler is a int, not a function"),
        (
            "def handler(event): pass",
            "handler(event) does not take (event, context): too many positional arguments",
        ),
        (
            "def handler(event, context, more): pass",
            "does not take (event, context): missing a required argument: 'more'",
        ),
        (
            "import no_such_module",
            "ModuleNotFoundError: No module named 'no_such_module'",
        ),
        (
            "def handler(event, context)\n  pass",
            "SyntaxError: expected ':'",
        ),
        ("raise ValueError('at import')", "ValueError: at import"),
        ("import sys; sys.exit('enough')", "SystemExit: enough"),
    ] {
        let error = refusal(index).await?;
        assert_eq!(error.reason(), "ImportFailed");
        assert!(error.to_string().contains(expected), "{error}");
    }
    let error = refusal("raise ValueError('at import')").await?;
    assert!(
        error
            .traceback()
            .is_some_and(|text| text.contains("index.py\", line 1"))
    );
    Ok(())
}

#[tokio::test]
async fn a_host_that_ends_or_hangs_during_the_import_is_told() -> anyhow::Result<()> {
    let error = refusal("import os; os._exit(3)").await?;
    assert_eq!(error.reason(), "HostCrashed");
    assert!(error.to_string().contains("exit status: 3"), "{error}");
    let slow = "import time; time.sleep(3600)";
    let error = super::with(slow, |options| {
        options.start_timeout = Duration::from_millis(300);
    })
    .await
    .err();
    let reason = error.and_then(|error| Some(error.downcast_ref::<StartError>()?.reason()));
    assert_eq!(reason, Some(Reason::StartTimeout));
    Ok(())
}

#[tokio::test]
async fn a_folder_without_index_py_and_a_missing_interpreter_are_told() -> anyhow::Result<()> {
    let error = super::with("", |options| options.directory.push("nowhere"))
        .await
        .err();
    let error = error.map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("index.py is missing"), "{error}");
    let error = hosts::python(Some("no-such-python")).err();
    let error = error.map(|error| error.to_string()).unwrap_or_default();
    assert!(
        error.contains("no Python interpreter \"no-such-python\""),
        "{error}"
    );
    Ok(())
}

/// pyboot imported models as `pyboot.modules.gridsum.science.<modelName>.index`, and models import
/// their own modules so.
#[tokio::test]
async fn a_model_finds_its_own_files_and_modules_as_in_pyboot() -> anyhow::Result<()> {
    let index = "
import importlib, os
import helper
from pyboot.modules.gridsum.science.industry import helper as by_path
from pyboot.modules.gridsum.science.industry.sub.deep import VALUE
import index
def handler(event, context):
    here = os.path.dirname(__file__)
    with open(os.path.join(here, 'data.txt')) as file:
        data = file.read()
    same = importlib.import_module('pyboot.modules.gridsum.science.industry.index')
    return [helper.VALUE, by_path.VALUE, VALUE, data, same is index, index.handler is handler]
";
    let (settings, directory) = options(index)?;
    std::fs::write(settings.directory.join("helper.py"), "VALUE = 1")?;
    std::fs::create_dir(settings.directory.join("sub"))?;
    std::fs::write(settings.directory.join("sub/deep.py"), "VALUE = 2")?;
    std::fs::write(settings.directory.join("data.txt"), "data")?;
    let mut pool = super::with("", |other| other.directory.clone_from(&settings.directory)).await?;
    assert_eq!(pool.call("0").await?, "[1,1,2,\"data\",true,true]");
    drop(directory);
    Ok(())
}

#[tokio::test]
async fn a_model_s_name_may_be_any_text() -> anyhow::Result<()> {
    let index = "
import sys
def handler(event, context):
    return [context.model, __name__]
";
    for name in ["设备 2", "../up", "class", "a.b"] {
        let mut pool = super::with(index, |options| options.model = name.to_owned()).await?;
        assert_eq!(
            pool.call("0").await?,
            format!("[\"{name}\",\"pyboot.modules.gridsum.science.{name}.index\"]")
        );
    }
    Ok(())
}
