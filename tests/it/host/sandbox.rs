//! What honest models do works in the sandbox: for the attacks of others, see `worker/hostile.rs`.

use crds::validated::{SandboxMode, ValidatedSandbox};

/// What libraries do to files, processes and sockets.
const HONEST: &str = "
import ctypes.util, locale, multiprocessing, os, platform, pty, socket, sqlite3, ssl, subprocess, sys, tempfile, threading
def double(value):
    return value * 2
def handler(event, context):
    done = []
    with tempfile.NamedTemporaryFile() as file:
        file.write(b'x')
    done.append('temporary file')
    how = multiprocessing.get_context(event['how'])
    with how.Pool(2) as pool:
        assert pool.map(double, [1, 2]) == [2, 4]
    done.append('pool')
    lock, queue = how.Lock(), how.Queue()
    process = how.Process(target=queue.put, args=(1,))
    process.start()
    assert queue.get() == 1
    process.join()
    done.append('queue')
    value = multiprocessing.RawArray('i', 1000)
    value[0] = 1
    done.append('shared memory')
    connection = sqlite3.connect(os.path.join(event['folder'], 'plant.db'))
    with connection:
        connection.execute('CREATE TABLE IF NOT EXISTS readings (value)')
        connection.execute('INSERT INTO readings VALUES (1)')
    connection.close()
    done.append('sqlite')
    output = subprocess.check_output([sys.executable, '-c', 'import json; print(json.dumps(1))'])
    assert output.strip() == b'1'
    done.append('python')
    assert subprocess.call(['sh', '-c', 'ls /usr > /dev/null']) == 0
    done.append('shell')
    threads = [threading.Thread(target=double, args=(1,)) for _ in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    done.append('threads')
    with socket.create_connection(('localhost', event['port']), 10) as stream:
        assert stream.recv(2) == b'ok'
    done.append('connection')
    ssl.create_default_context()
    platform.platform(), os.cpu_count(), locale.setlocale(locale.LC_ALL, 'C'), ctypes.util.find_library('c')
    for fd in pty.openpty():
        os.close(fd)
    done.append('machine')
    with open(os.path.join(event['folder'], 'written'), 'w') as file:
        file.write('x')
    os.rename(os.path.join(event['folder'], 'written'), os.path.join(event['folder'], 'moved'))
    os.remove(os.path.join(event['folder'], 'moved'))
    done.append('files')
    return done
";

#[tokio::test]
async fn honest_models_do_not_notice_their_sandbox() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let server = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            use tokio::io::AsyncWriteExt as _;
            // The model reports what it missed.
            let _ = stream.write_all(b"ok").await;
        }
    });
    let mut pool = super::with(HONEST, |options| {
        options.timeout = std::time::Duration::from_mins(1);
        options.sandbox = ValidatedSandbox {
            write: vec![folder.path().display().to_string()],
            ..ValidatedSandbox::default()
        };
    })
    .await?;
    for how in ["fork", "spawn", "forkserver"] {
        let event = serde_json::json!({ "how": how, "folder": folder.path(), "port": port });
        assert_eq!(
            pool.call(&event.to_string()).await?,
            r#"["temporary file","pool","queue","shared memory","sqlite","python","shell","threads","connection","machine","files"]"#,
            "{how}"
        );
    }
    server.abort();
    Ok(())
}

/// What a model leaves in its folder for temporary files ends with its host.
#[tokio::test]
async fn temporary_files_end_with_their_host() -> anyhow::Result<()> {
    let model = "
import os, tempfile
def handler(event, context):
    file = tempfile.mkdtemp()
    assert file.startswith(os.environ['TMPDIR'] + '/')
    return os.environ['TMPDIR']
";
    let mut pool = super::start(model).await?;
    let folder: std::path::PathBuf = serde_json::from_str(&pool.call("0").await?)?;
    assert!(folder.is_dir());
    pool.drain().await;
    assert!(!folder.exists());
    Ok(())
}

#[tokio::test]
async fn a_sandbox_that_is_off_confines_nothing_and_says_so() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("secret");
    std::fs::write(&file, "open")?;
    let model = "
def handler(event, context):
    with open(event) as file:
        return file.read()
";
    let event = serde_json::json!(file).to_string();
    let mut pool = super::with(model, |options| options.sandbox = ValidatedSandbox::off()).await?;
    assert_eq!(pool.call(&event).await?, "\"open\"");
    let status = pool.monitor().hosts().remove(0).sandbox;
    assert_eq!(status.map(|status| status.mode), Some(SandboxMode::Off));
    let mut pool = super::start(model).await?;
    let status = pool.monitor().hosts().remove(0).sandbox;
    let missing = status.map(|status| status.missing).unwrap_or_default();
    if missing.contains(&hosts::Part::Files) {
        tests::untested("files, since the kernel lacks Landlock");
        return Ok(());
    }
    let refused = pool.call(&event).await?;
    assert!(
        refused.starts_with("exception: PermissionError: [Errno 13]"),
        "{refused}"
    );
    Ok(())
}
