//! One library for every CPython.

use tests::pool::{TestPool, interpreters};
use tests::python::{scientific, virtual_environment};

#[tokio::test]
async fn every_cpython_of_this_machine_loads_the_same_library() -> anyhow::Result<()> {
    let model = "
import sys
def handler(event, context):
    return ['%d.%d' % sys.version_info[:2], sys.executable, event]
";
    let found = interpreters();
    assert!(!found.is_empty(), "there is no python3 from 3.10 on");
    for python in found {
        let mut pool = TestPool::with(model, |options| options.python.clone_from(&python)).await?;
        let result = pool.call("{\"设备\": 1.5}").await?;
        let name = python.display().to_string();
        let version = name.rsplit_once("python").unwrap_or_default().1;
        assert_eq!(
            result,
            format!("[\"{version}\",\"{name}\",{{\"设备\":1.5}}]")
        );
    }
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
    let mut pool = TestPool::with(model, |options| options.python.clone_from(&python)).await?;
    let prefix = folder.path().canonicalize()?;
    assert_eq!(
        pool.call("0").await?,
        format!("{:?}", prefix.display().to_string())
    );
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
    let trained = std::process::Command::new(&python)
        .args(["-c", train])
        .arg(settings.directory.join("model.pickle"))
        .status()?;
    assert!(trained.success());
    let mut pool = TestPool::with("", |options| {
        options.directory.clone_from(&settings.directory);
        options.python = python;
    })
    .await?;
    let result: serde_json::Value = serde_json::from_str(&pool.call("{\"x\": 2}").await?)?;
    let prediction = result["prediction"].as_f64().unwrap_or_default();
    assert!((prediction - 5.0).abs() < 1e-9, "{result}");
    drop(directory);
    Ok(())
}
