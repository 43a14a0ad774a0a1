//! What the model host does round each call, in a real interpreter: a message from JSON, a result to JSON, and
//! beside them what `json` takes. `make build` first, or set `EDGEMODEL_HOST_LIB`: `cargo bench -p worker --bench values`.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};

const MESSAGE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/fixtures/seed/sample-message.json"
);

/// The folder of the host's part in Python.
const SUPPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/host/python");

/// Does what it is told, as often as it is told, and says how many nanoseconds that took.
const SCRIPT: &str = "
import importlib.machinery, importlib.util, json, sys, time
name, path = '_edgemodel_host', sys.argv[1]
sys.path.insert(0, sys.argv[3])
spec = importlib.util.spec_from_file_location(name, path, loader=importlib.machinery.ExtensionFileLoader(name, path))
host = importlib.util.module_from_spec(spec)
spec.loader.exec_module(host)
message = open(sys.argv[2], 'rb').read()
event = host.decode(message)
work = {
    'decode': (host.decode, message), 'encode': (host.encode, event),
    'json.loads': (json.loads, message), 'json.dumps': (json.dumps, event),
}
for line in sys.stdin:
    what, times = line.split()
    function, argument = work[what]
    began = time.perf_counter_ns()
    for _ in range(int(times)):
        function(argument)
    print(time.perf_counter_ns() - began, flush=True)
";

struct Interpreter {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Interpreter {
    fn start(library: &Path) -> std::io::Result<Self> {
        let mut child = Command::new(std::env::var("EDGEMODEL_PYTHON").unwrap_or("python3".into()))
            .args(["-c", SCRIPT])
            .arg(library)
            .arg(MESSAGE)
            .arg(SUPPORT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (input, output) = pipes.ok_or(std::io::ErrorKind::BrokenPipe)?;
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    fn time(&mut self, what: &str, times: u64) -> std::io::Result<Duration> {
        writeln!(self.input, "{what} {times}")?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let nanos = line.trim().parse().map_err(std::io::Error::other)?;
        Ok(Duration::from_nanos(nanos))
    }
}

impl Drop for Interpreter {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn values(criterion: &mut Criterion) {
    let interpreter = hosts::library()
        .map_err(|error| error.to_string())
        .and_then(|library| Interpreter::start(&library).map_err(|error| error.to_string()));
    let interpreter = match interpreter {
        Ok(interpreter) => RefCell::new(interpreter),
        Err(error) => unreachable!("{error}"),
    };
    for what in ["decode", "json.loads", "encode", "json.dumps"] {
        criterion.bench_function(what, |bencher| {
            bencher.iter_custom(|times| {
                let time = interpreter.borrow_mut().time(what, times);
                time.unwrap_or_else(|error| unreachable!("the interpreter is gone: {error}"))
            });
        });
    }
}

criterion_group!(benches, values);
criterion_main!(benches);
