//! Processes that models start.

use std::process::{Command, Stdio};
use std::time::Duration;

use tests::eventually;
use tests::pool::TestPool;

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

/// Whether a process runs; one that has ended and is not waited for yet does not.
fn runs(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z ") && !stat.contains(") X "))
}

async fn all_end(processes: &[i32]) -> anyhow::Result<()> {
    eventually(async || Ok((!processes.iter().any(|pid| runs(*pid))).then_some(()))).await
}

/// A10: a child in a session of its own, a daemon, and a child; both without variables if they shall be bare.
const STARTER: &str = "
import os, subprocess, sys
def daemon(variables):
    read, write = os.pipe()
    if os.fork() == 0:
        os.setsid()
        pid = os.fork()
        if pid:
            os.write(write, str(pid).encode())
            os._exit(0)
        os.execvpe('sleep', ['sleep', '3600'], variables)
    os.wait()
    return int(os.read(read, 100))
def handler(event, context):
    if event == 'exit':
        os._exit(3)
    if event == 'hang':
        while True: pass
    return [
        os.getpid(),
        subprocess.Popen(['sleep', '3600'], start_new_session=True).pid,
        daemon({} if event == 'bare' else os.environ),
        subprocess.Popen(['sleep', '3600'], start_new_session=True, env={} if event == 'bare' else None).pid,
    ]
";

async fn started(pool: &mut TestPool, event: &str) -> anyhow::Result<Vec<i32>> {
    let processes: Vec<i32> = serde_json::from_str(&pool.call(event).await?)?;
    assert!(processes.iter().all(|pid| runs(*pid)), "{processes:?}");
    Ok(processes)
}

#[tokio::test]
async fn a10_what_a_host_started_ends_when_it_is_replaced_drained_or_dropped() -> anyhow::Result<()>
{
    let start = async || {
        super::with(STARTER, |options| {
            options.timeout = Duration::from_millis(500);
        })
        .await
    };
    let mut pool = start().await?;
    let crashed = started(&mut pool, "\"bare\"").await?;
    pool.call("\"exit\"").await?;
    all_end(&crashed).await?;
    let mut pool = start().await?;
    let late = started(&mut pool, "\"bare\"").await?;
    pool.call("\"hang\"").await?;
    all_end(&late).await?;
    let mut pool = start().await?;
    let drained = started(&mut pool, "\"bare\"").await?;
    pool.drain().await;
    all_end(&drained).await?;
    let mut pool = start().await?;
    let dropped = started(&mut pool, "\"bare\"").await?;
    drop(pool);
    all_end(&dropped).await
}

/// Each host has its own: another one's processes must not end.
#[tokio::test]
async fn a10_the_processes_of_another_host_go_on() -> anyhow::Result<()> {
    let mut one = super::start(STARTER).await?;
    let mut other = super::start(STARTER).await?;
    let (ended, kept) = (
        started(&mut one, "1").await?,
        started(&mut other, "1").await?,
    );
    drop(one);
    all_end(&ended).await?;
    assert!(kept.iter().all(|pid| runs(*pid)), "{kept:?}");
    Ok(())
}

/// A worker that is killed cannot end its hosts any more.
#[tokio::test]
async fn a_host_in_a_call_ends_when_its_worker_is_killed() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let pid_file = folder.path().join("pid");
    let model = folder.path().join("model");
    std::fs::create_dir_all(model.join("samples"))?;
    let index = format!(
        "import os\ndef handler(event, context):\n    with open({:?}, 'w') as file:\n        file.write(str(os.getpid()))\n    \
         while True:\n        pass\n",
        pid_file.display().to_string()
    );
    std::fs::write(model.join("index.py"), index)?;
    std::fs::write(
        model.join("samples/a.json"),
        "{\"event\": 1, \"result\": 1}",
    )?;
    let host = module_path!().split("::").nth(2).unwrap_or_default();
    let mut worker = Command::new(tests::edgemodel()?)
        .args(["test", "--host", host, "--timeout", "600"])
        .arg(&model)
        .stdout(Stdio::null())
        .spawn()?;
    let pid = eventually(async || Ok(std::fs::read_to_string(&pid_file)?.parse().ok())).await;
    worker.kill()?;
    worker.wait()?;
    all_end(&[pid?]).await
}
