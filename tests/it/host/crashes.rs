//! Models that hang, crash, fork, print and leak: each a message's outcome, never the worker's end.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crds::validated::ValidatedSandbox;
use rustix::process::{Pid, test_kill_process};
use tests::eventually;
use tests::pool::{TestPool, text};

/// A model that does to itself what the message says.
const DANGEROUS: &str = "
import ctypes, multiprocessing, os, signal, sys, threading, time
def child(queue):
    queue.put(os.getpid())
def handler(event, context):
    what = event['what']
    if what == 'hang':
        time.sleep(3600)
    if what == 'busy':
        while True:
            pass
    if what == 'hold':
        ctypes.PyDLL(None).sleep(3600)
    if what == 'exit':
        os._exit(7)
    if what == 'abort':
        os.abort()
    if what == 'segfault':
        ctypes.string_at(0)
    if what == 'kill':
        os.kill(os.getpid(), signal.SIGKILL)
    if what == 'once' and not os.path.exists(event['file']):
        open(event['file'], 'w').close()
        os._exit(1)
    if what == 'fork':
        if os.fork() == 0:
            return 'from the child'
        os.wait()
    if what == 'process':
        queue = multiprocessing.get_context('fork').Queue()
        process = multiprocessing.get_context('fork').Process(target=child, args=(queue,))
        process.start()
        assert queue.get() != os.getpid()
        process.join()
    if what == 'thread':
        threads = [threading.Thread(target=sum, args=(range(1000),)) for _ in range(10)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
    if what == 'print':
        for number in range(100):
            print('x' * 100_000)
        sys.stderr.write('\\xff' * 1_000_000)
    if what == 'close':
        for fd in range(3, 100):
            try: os.close(fd)
            except OSError: pass
    return what
";

async fn dangerous() -> anyhow::Result<TestPool> {
    super::with(DANGEROUS, |options| {
        options.timeout = Duration::from_millis(300);
        let temporary = std::env::temp_dir().display().to_string();
        options.sandbox.write = vec![temporary];
    })
    .await
}

fn message(what: &str) -> String {
    format!("{{\"what\": \"{what}\"}}")
}

#[tokio::test]
async fn a_call_that_takes_too_long_fails_after_one_retry_and_the_next_is_served()
-> anyhow::Result<()> {
    let mut pool = dangerous().await?;
    for what in ["hang", "busy", "hold"] {
        // Each has its own device, or the device would soon be quarantined.
        let failure = pool.call_from(what, &message(what)).await?;
        assert_eq!(
            failure, "timeout: the call took longer than 300ms, 2 times",
            "{what}"
        );
        assert_eq!(pool.call(&message("fine")).await?, "\"fine\"");
    }
    assert_eq!(pool.monitor().hosts()[0].restarts, 6);
    Ok(())
}

#[tokio::test]
async fn a_host_that_dies_is_replaced_and_the_message_fails_after_one_retry() -> anyhow::Result<()>
{
    let mut pool = dangerous().await?;
    for (what, status) in [
        ("exit", "exit status: 7"),
        ("abort", "signal: 6 (SIGABRT)"),
        ("segfault", "signal: 11 (SIGSEGV)"),
        ("kill", "signal: 9 (SIGKILL)"),
    ] {
        // Each has its own device, or the device would soon be quarantined.
        let failure = pool.call_from(what, &message(what)).await?;
        assert!(failure.starts_with("crash: "), "{failure}");
        assert!(failure.contains(status), "{failure}");
        assert_eq!(pool.call(&message("fine")).await?, "\"fine\"");
    }
    let metrics = pool.metrics.render();
    let restarts = "edgemodel_host_restarts_total{model=\"industry\",reason=\"crash\"} 8";
    assert!(metrics.contains(restarts), "{metrics}");
    Ok(())
}

#[tokio::test]
async fn a_message_that_kills_its_host_once_is_served_by_the_next() -> anyhow::Result<()> {
    let mut pool = dangerous().await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("seen");
    let once = format!(
        "{{\"what\": \"once\", \"file\": {:?}}}",
        file.display().to_string()
    );
    assert_eq!(pool.call(&once).await?, "\"once\"");
    assert_eq!(pool.monitor().hosts()[0].restarts, 1);
    Ok(())
}

/// A batch goes to the host at once; only the message that it dies over may suffer.
#[tokio::test]
async fn messages_round_a_deadly_one_keep_their_order_and_come_once() -> anyhow::Result<()> {
    let mut pool = dangerous().await?;
    for number in 0..200 {
        let what = if number == 100 {
            "exit".to_owned()
        } else {
            number.to_string()
        };
        pool.send("d", message(&what))?;
    }
    let mut results = Vec::new();
    for _ in 0..200 {
        results.push(text(pool.next().await?.1));
    }
    let fine: Vec<_> = results
        .iter()
        .filter(|text| text.starts_with('"'))
        .cloned()
        .collect();
    let expected: Vec<_> = (0..200)
        .filter(|number| *number != 100)
        .map(|number| format!("\"{number}\""))
        .collect();
    assert_eq!(fine, expected);
    Ok(())
}

#[tokio::test]
async fn forks_processes_threads_prints_and_closed_files_hurt_nobody() -> anyhow::Result<()> {
    let mut pool = super::start(DANGEROUS).await?;
    for what in ["fork", "process", "thread", "print", "fork", "fine"] {
        assert_eq!(pool.call(&message(what)).await?, format!("\"{what}\""));
    }
    assert_eq!(pool.monitor().hosts()[0].restarts, 0);
    let metrics = pool.metrics.render();
    let suppressed = metrics
        .lines()
        .find(|line| line.contains("model_output_lines_total") && line.contains("logged"));
    assert!(suppressed.is_some(), "{metrics}");
    let failure = pool.call(&message("close")).await?;
    assert!(failure.starts_with("crash: "), "{failure}");
    assert_eq!(pool.call(&message("fine")).await?, "\"fine\"");
    Ok(())
}

#[tokio::test]
async fn two_hosts_keep_the_order_of_each_device() -> anyhow::Result<()> {
    let model = "
import os, time
def handler(event, context):
    time.sleep(0.0005)
    return [context.device, event, os.getpid()]
";
    let mut pool = super::with(model, |options| {
        options.hosts = 2;
        options.devices = (0..5).map(|device| format!("device {device}")).collect();
    })
    .await?;
    for number in 0..200 {
        for device in 0..5 {
            pool.send(&format!("device {device}"), number.to_string())?;
        }
    }
    let mut last = HashMap::new();
    let mut processes = HashSet::new();
    for _ in 0..1000 {
        let result: (String, i64, u32) = serde_json::from_str(&text(pool.next().await?.1))?;
        let previous = last.insert(result.0.clone(), result.1).unwrap_or(-1);
        assert_eq!(result.1, previous + 1, "{}", result.0);
        processes.insert(result.2);
    }
    assert_eq!(processes.len(), 2);
    Ok(())
}

#[tokio::test]
async fn nothing_is_left_of_a_pool_that_is_dropped_or_drained() -> anyhow::Result<()> {
    let model = "
import os, subprocess
helper = subprocess.Popen(['sleep', '3600'])
def handler(event, context):
    return [os.getpid(), helper.pid]
";
    for drain in [false, true] {
        let mut pool = super::start(model).await?;
        let processes: Vec<i32> = serde_json::from_str(&pool.call("0").await?)?;
        if drain {
            pool.drain().await;
        } else {
            drop(pool);
        }
        for process in processes {
            let pid = Pid::from_raw(process);
            eventually(async || Ok(pid.is_none_or(is_gone).then_some(()))).await?;
        }
    }
    Ok(())
}

/// Whether a process has ended; one that nobody has waited for yet counts.
fn is_gone(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    test_kill_process(pid).is_err() || stat.is_ok_and(|stat| stat.contains(") Z "))
}

#[tokio::test]
async fn a_host_gets_no_secrets_and_no_files_of_the_worker() -> anyhow::Result<()> {
    let model = "
import os
def handler(event, context):
    files = sorted(os.readlink(f'/proc/self/fd/{fd}') for fd in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{fd}'))
    sockets = [name for name in files if name.startswith('socket')]
    return [len(sockets), [name for name in os.environ if name.startswith('EDGEMODEL')]]
";
    let _listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let mut pool = super::start(model).await?;
    assert_eq!(pool.call("0").await?, "[1,[]]");
    Ok(())
}

/// Says in its progress page that it does nothing, and then never comes back.
const DENIES: &str = "
import time
def handler(event, context):
    with open('/proc/self/maps') as maps:
        page = next(line for line in maps if 'edgemodel-progress' in line)
    if event == 'hang':
        with open('/proc/self/mem', 'r+b', buffering=0) as memory:
            memory.seek(int(page.split('-')[0], 16))
            memory.write(bytes(40))
        time.sleep(3600)
    return event
";

#[tokio::test]
async fn row_10_a_forged_progress_page_does_not_switch_the_timeout_off() -> anyhow::Result<()> {
    let mut pool = super::with(DENIES, |options| {
        options.timeout = Duration::from_millis(300);
        // In a sandbox, it would need native code for it.
        options.sandbox = ValidatedSandbox::off();
    })
    .await?;
    let failure = pool.call("\"hang\"").await?;
    assert_eq!(failure, "timeout: the call took longer than 300ms, 2 times");
    assert_eq!(pool.call("7").await?, "7");
    Ok(())
}

#[tokio::test]
async fn row_19_a_huge_result_fails_alone_with_its_size() -> anyhow::Result<()> {
    let mut pool = super::start("def handler(event, context): return b'x' * event\n").await?;
    let failure = pool.call("270000000").await?;
    let expected = "unserializable: the result has 270000021 bytes, and at most 33554432 are taken";
    assert_eq!(failure, expected);
    assert_eq!(pool.call("3").await?, "xxx");
    Ok(())
}
