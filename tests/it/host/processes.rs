//! Processes that models start.

use std::time::Duration;

/// A model that has a function of its own index.py, and one of its helper, run in other processes.
const MODEL: &str = "
import concurrent.futures, multiprocessing
import helper
def double(value):
    return value * 2
def handler(event, context):
    how = multiprocessing.get_context(event)
    with how.Pool(2) as pool:
        pooled = pool.map(double, [1, 2, 3])
        helped = pool.map(helper.triple, [1, 2, 3])
    queue = how.SimpleQueue()
    process = how.Process(target=helper.put, args=(queue, 1))
    process.start()
    assert queue.get() == 1
    process.join()
    return [pooled, helped, process.exitcode]
";

/// A5: the function's module imports in the child.
#[tokio::test]
async fn a5_functions_of_the_model_run_in_its_processes_by_every_start_method() -> anyhow::Result<()>
{
    let (settings, directory) = tests::pool::options(MODEL)?;
    let helper = "
def triple(value):
    return value * 3
def put(queue, value):
    queue.put(value)
";
    std::fs::write(settings.directory.join("helper.py"), helper)?;
    for name in ["industry", "设备 2", "a.b", "../up"] {
        let mut pool = super::with("", |other| {
            other.directory.clone_from(&settings.directory);
            other.timeout = Duration::from_mins(1);
            other.model = name.to_owned();
        })
        .await?;
        for how in ["fork", "spawn", "forkserver"] {
            let result = pool.call(&format!("\"{how}\"")).await?;
            assert_eq!(result, "[[2,4,6],[3,6,9],0]", "{name}: {how}");
        }
    }
    drop(directory);
    Ok(())
}

/// A5: the same by an executor, which hands over the context as well.
#[tokio::test]
async fn a5_an_executor_takes_the_event_and_the_context() -> anyhow::Result<()> {
    let model = "
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
def work(event, context):
    return [event, context.topic, context.device, context.model, context.received_at, repr(context)]
executor = None
def handler(event, context):
    if event == 'spawn':
        # The argument for the start method came with 3.7.
        multiprocessing.set_start_method(event, force=True)
    with ProcessPoolExecutor(1) as executor:
        return executor.submit(work, event, context).result()
";
    let mut pool = super::with(model, |options| options.timeout = Duration::from_mins(1)).await?;
    for how in ["fork", "spawn"] {
        assert_eq!(
            pool.call(&format!("\"{how}\"")).await?,
            format!(
                "[\"{how}\",\"in/设备\",\"d\",\"industry\",\"1970-01-01T00:00:01.500000+00:00\",\
                 \"Context(topic=in/设备, device=d, model=industry)\"]"
            )
        );
    }
    Ok(())
}

/// A5: joblib's default backend, which scikit-learn uses for `n_jobs`.
#[tokio::test]
async fn a5_joblib_runs_a_function_of_the_model() -> anyhow::Result<()> {
    let python = tests::python::scientific()?;
    let model = "
from joblib import Parallel, delayed
def double(value):
    return value * 2
def handler(event, context):
    return Parallel(n_jobs=2)(delayed(double)(value) for value in event)
";
    let mut pool = super::with(model, |options| {
        options.python = python;
        options.timeout = Duration::from_mins(1);
    })
    .await?;
    assert_eq!(pool.call("[1, 2, 3]").await?, "[2,4,6]");
    Ok(())
}
