//! Models that attack their worker: each attack fails in the model, and the model is served as any other.

use std::ffi::OsStr;

use crds::validated::HostChoice;
use serde_json::json;
use tests::site::Site;

/// Both hosts start their processes the same way, but each must be seen to.
const HOSTS: [HostChoice; 2] = [HostChoice::Native, HostChoice::Portable];

fn with_host(config: &str, host: HostChoice) -> String {
    let host = match host {
        HostChoice::Portable => "portable",
        _ => "native",
    };
    let name = "  modelName: industry\n";
    assert!(config.contains(name), "{config}");
    config.replacen(name, &format!("  host: {host}\n{name}"), 1)
}

/// What every attack needs: its outcome is the error's name, or what it got.
const ATTACKS: &str = "
import ctypes, errno, os, resource, signal
libc = ctypes.CDLL(None, use_errno=True)
worker = os.getppid()
def name(number):
    return errno.errorcode.get(number, str(number))
def attempt(what, *arguments):
    try:
        return what(*arguments)
    except OSError as error:
        return name(error.errno)
def call(function, *arguments):
    ctypes.set_errno(0)
    result = getattr(libc, function)(*arguments)
    return name(ctypes.get_errno()) if result == -1 else result
def first_bytes(path):
    with open(path, 'rb') as file:
        return repr(file.read(16))
";

/// Row 1 and 2 of what was done to the first release, and descriptors.
const SPY: &str = "
class Part(ctypes.Structure):
    _fields_ = [('base', ctypes.c_void_p), ('length', ctypes.c_size_t)]
def read_memory():
    buffer = ctypes.create_string_buffer(8)
    ours = Part(ctypes.addressof(buffer), 8)
    theirs = Part(0x10000, 8)
    return call('process_vm_readv', worker, ctypes.byref(ours), 1, ctypes.byref(theirs), 1, 0)
def write_file():
    path = os.path.join(os.environ['TMPDIR'], 'large')
    try:
        with open(path, 'wb') as file:
            file.truncate((4 << 30) + 1)
    finally:
        os.remove(path)
def inherited():
    files = []
    for fd in os.listdir('/proc/self/fd'):
        try:
            files.append(os.readlink('/proc/self/fd/' + fd))
        except OSError:
            pass  # the one that listed the others
    own = ('/dev/null', '/memfd:edgemodel-progress', 'pipe:', 'socket:', '/proc/')
    return [name for name in files if not name.startswith(own)]
def handler(event, context):
    with open('/proc/self/status') as status:
        status = dict(line.split(':\\t', 1) for line in status.read().splitlines())
    return {
        'environ': attempt(first_bytes, '/proc/%d/environ' % worker),
        'mem': attempt(first_bytes, '/proc/%d/mem' % worker),
        'maps': attempt(first_bytes, '/proc/%d/maps' % worker),
        'file': attempt(os.readlink, '/proc/%d/fd/9' % worker),
        'trace': call('ptrace', 16, worker, None, None),
        'read': read_memory(),
        'inherited': inherited(),
        'core': resource.getrlimit(resource.RLIMIT_CORE),
        'files': resource.getrlimit(resource.RLIMIT_NOFILE)[1] <= 4096,
        'large': attempt(write_file),
        'privileges': status['NoNewPrivs'].strip(),
        'variables': sorted(name for name in os.environ if name.startswith(('CANARY', 'PLANT', 'OMP_'))),
    }
";

/// A model could read all passwords of its worker, and write its memory.
#[tokio::test]
async fn rows_1_and_2_a_model_reads_neither_memory_nor_files_nor_variables_of_its_worker()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let variables: [(&str, &OsStr); 5] = [
        ("CANARY_PASSWORD", "canary".as_ref()),
        ("PLANT_LINE", "3".as_ref()),
        ("OMP_NUM_THREADS", "1".as_ref()),
        ("EDGEMODEL_PASS_ENV", "PLANT_*".as_ref()),
        ("TMPDIR", folder.path().as_os_str()),
    ];
    for host in HOSTS {
        let model = format!("{ATTACKS}{SPY}");
        let change = |config: String| with_host(&config, host);
        let mut site = Site::unprivileged(&model, change, &variables).await?;
        site.measure(86).await?;
        let expected = json!({
            "environ": "EACCES",
            "mem": "EACCES",
            "maps": "EACCES",
            "file": "EACCES",
            "trace": "EPERM",
            "read": "EPERM",
            "inherited": [],
            "core": [0, 0],
            "files": true,
            "large": "EFBIG",
            "privileges": "1",
            "variables": ["OMP_NUM_THREADS", "PLANT_LINE"],
        });
        assert_eq!(site.result().await?, expected, "{host:?}");
        site.worker.stop().await?;
    }
    Ok(())
}

/// Files, in a model's own words.
const BURGLAR: &str = "
def write(path):
    with open(path, 'w') as file:
        file.write('mine')
def handler(event, context):
    here = os.path.dirname(os.path.abspath(__file__))
    return {
        'secret': attempt(first_bytes, SECRET),
        'shadow': attempt(first_bytes, '/etc/shadow'),
        'environ': attempt(first_bytes, '/proc/%d/environ' % worker),
        'models': attempt(os.listdir, os.path.dirname(here)),
        'itself': attempt(write, os.path.join(here, 'index.py')),
        'beside': attempt(write, os.path.join(here, 'cache')),
        'system': attempt(write, '/usr/edgemodel-test'),
        'temporary': attempt(write, os.path.join(os.environ['TMPDIR'], 'x')),
        'added': attempt(write, os.path.join(ADDED, 'x')),
        'own': attempt(first_bytes, os.path.join(here, 'index.py')) != 'EACCES',
    }
";

/// A model could read all passwords, and rewrite another model's verified copy. Here the worker is root, as on many laptops
/// and in old images.
#[tokio::test]
async fn rows_1_and_3_a_model_reads_and_writes_its_own_files_alone() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (secret, added) = (folder.path().join("password"), folder.path().join("added"));
    std::fs::write(&secret, "canary")?;
    std::fs::create_dir(&added)?;
    for host in HOSTS {
        let places = format!("SECRET, ADDED = {secret:?}, {added:?}\n");
        let model = format!("{ATTACKS}{places}{BURGLAR}");
        let change = |config: String| {
            let sandbox = format!("sandbox: {{write: [{added:?}]}}\n");
            with_host(&config, host).replacen("  host:", &format!("  {sandbox}  host:"), 1)
        };
        let mut site = Site::with(&model, change).await?;
        let missing = missing(&site).await?;
        if missing.contains(&"files".to_owned()) {
            tests::untested("files, since the kernel lacks Landlock");
            return Ok(());
        }
        site.measure(86).await?;
        let expected = json!({
            "secret": "EACCES",
            "shadow": "EACCES",
            "environ": "EACCES",
            "models": "EACCES",
            "itself": "EACCES",
            "beside": "EACCES",
            "system": "EACCES",
            "temporary": null,
            "added": null,
            "own": true,
        });
        assert_eq!(site.result().await?, expected, "{host:?}");
        assert_eq!(std::fs::read_to_string(added.join("x"))?, "mine");
        site.worker.stop().await?;
    }
    Ok(())
}

async fn missing(site: &Site) -> anyhow::Result<Vec<String>> {
    let status = site.worker.status().await?;
    let missing = &status["models"][0]["hosts"][0]["sandbox"]["missing"];
    Ok(serde_json::from_value(missing.clone())?)
}

/// Signals, system calls and sockets.
const VANDAL: &str = "
import socket
def limits():
    # By number, since Python 3.6 asks in another way.
    return call('prlimit', worker, 7, None, ctypes.create_string_buffer(16))
def opened(*arguments):
    with socket.socket(*arguments):
        return 'opened'
def handler(event, context):
    return {
        'kill': attempt(os.kill, worker, signal.SIGKILL),
        'ask': attempt(os.kill, worker, signal.SIGTERM),
        'all': attempt(os.kill, -1, 0),
        'limits': limits(),
        'trace': call('ptrace', 16, worker, None, None),
        'unshare': call('unshare', 0x10000000),
        'mount': call('mount', b'none', b'/mnt', b'tmpfs', 0, None),
        'chroot': attempt(os.chroot, '/'),
        'io_uring': call('syscall', 425, 1, None),
        'fsopen': call('syscall', 430, b'tmpfs', 0),
        'x32': call('syscall', 0x40000027) if os.uname().machine == 'x86_64' else 'EPERM',
        'packet': attempt(opened, socket.AF_PACKET, socket.SOCK_RAW),
        'raw': attempt(opened, socket.AF_INET, socket.SOCK_RAW, 1),
        'internet': attempt(opened, socket.AF_INET, socket.SOCK_STREAM),
        'local': attempt(opened, socket.AF_UNIX, socket.SOCK_STREAM),
        'itself': attempt(os.kill, os.getpid(), 0),
    }
";

/// A model could end its worker, trace it, and use every part of the kernel.
#[tokio::test]
async fn rows_2_and_22_a_model_reaches_neither_its_worker_nor_the_machine() -> anyhow::Result<()> {
    for (host, network) in HOSTS.into_iter().zip(["all", "none"]) {
        let model = format!("{ATTACKS}{VANDAL}");
        let change = |config: String| {
            let sandbox = format!("sandbox: {{network: {network}}}\n");
            with_host(&config, host).replacen("  host:", &format!("  {sandbox}  host:"), 1)
        };
        let mut site = Site::with(&model, change).await?;
        if missing(&site).await?.contains(&"calls".to_owned()) {
            tests::untested("system calls, since the kernel lacks seccomp");
            return Ok(());
        }
        site.measure(86).await?;
        let mut expected = json!({
            "internet": if network == "all" { "opened" } else { "EPERM" },
            "local": "opened",
            "itself": null,
        });
        for attack in [
            "kill", "ask", "all", "limits", "trace", "unshare", "mount", "chroot", "io_uring",
            "fsopen", "x32", "packet", "raw",
        ] {
            expected[attack] = "EPERM".into();
        }
        assert_eq!(
            site.result().await?,
            expected,
            "{host:?}, network: {network}"
        );
        site.measure(87).await?;
        site.result().await?;
        site.worker.stop().await?;
    }
    Ok(())
}

/// The model's exception is the system's; the log says what else there is.
#[tokio::test]
async fn a_model_that_meets_its_limits_is_told_the_path_and_the_log_the_remedy()
-> anyhow::Result<()> {
    let model = "
import os
def handler(event, context):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'state'), 'w') as file:
        file.write('1')
";
    let dead = |config: String| config.replace("- pub:\n", "- pub:\n    deadLetterTopic: dead\n");
    let mut site = Site::with(model, dead).await?;
    if missing(&site).await?.contains(&"files".to_owned()) {
        tests::untested("files, since the kernel lacks Landlock");
        return Ok(());
    }
    for _ in 0..2 {
        site.measure(86).await?;
        let letter = site.result().await?;
        let message = letter["message"].as_str().unwrap_or_default();
        assert!(
            message.starts_with("PermissionError: [Errno 13] Permission denied: '/")
                && message.ends_with("/state'"),
            "{message}"
        );
    }
    let (_, log) = site.worker.stop().await?;
    let told: Vec<_> = log
        .iter()
        .filter(|line| line["message"] == "Model may have met the limits of its sandbox")
        .collect();
    assert_eq!(told.len(), 1, "{log:#?}");
    let remedy = told[0]["remedy"].as_str().unwrap_or_default();
    assert!(remedy.contains("funcs[].sandbox.read or write"), "{remedy}");
    Ok(())
}

/// A model's processes and memory had no limit but the pod's, which ends the worker too.
#[tokio::test]
async fn row_22_a_model_with_too_many_processes_or_too_much_memory_is_replaced()
-> anyhow::Result<()> {
    let model = "
import os, time
def handler(event, context):
    value = event['telemetry']['RC_cylinder1_1P_d_dispPeak']
    if value == 1:
        for _ in range(150):
            if os.fork() == 0:
                time.sleep(3600)
        time.sleep(3600)
    if value == 2:
        held = bytes(600 << 20)
        held = bytearray(held)
        time.sleep(3600)
    return value
";
    let limits = |config: String| {
        let name = "  modelName: industry\n";
        let sandbox = "  sandbox: {processes: 20, memory: 300Mi}\n  timeout: 60\n";
        let config = config.replacen(name, &format!("{sandbox}{name}"), 1);
        config.replace("- pub:\n", "- pub:\n    deadLetterTopic: dead\n")
    };
    let mut site = Site::with(model, limits).await?;
    for (value, limit) in [
        (1, "sandbox.processes: it had more than 20"),
        (2, "sandbox.memory: its processes held "),
    ] {
        site.measure(value).await?;
        let letter = site.result().await?;
        assert_eq!(letter["reason"], "crash");
        let message = letter["message"].as_str().unwrap_or_default();
        assert!(message.contains(limit), "{message}");
        // With the next loss, the device is quarantined.
        if value == 1 {
            site.measure(86).await?;
            assert_eq!(site.result().await?, 86);
        }
    }
    site.worker.stop().await?;
    Ok(())
}
