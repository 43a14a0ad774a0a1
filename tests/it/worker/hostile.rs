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
