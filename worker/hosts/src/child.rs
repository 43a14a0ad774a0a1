//! One host process: its socket, its progress page and its end.

use std::collections::BTreeSet;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use crds::validated::SandboxMode;
use frame::{Decoder, ExtraWriter, MAX_REPLY};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use tokio::io::AsyncWrite as _;
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio_util::io::poll_read_buf;

use crate::family::{self, Family};
use crate::metrics::Metrics;
use crate::options::Options;
use crate::output::log_lines;
use crate::program::Program;
use crate::progress::{ProgressPage, Running};
use crate::sandbox::Sandbox;
use crate::sandbox::status::SandboxStatus;
use crate::start_error::StartError;
use crate::usage::guard;

/// What a read asks of the system at once.
const READ: usize = 128 << 10;

/// How long a host may take to end when its connection is closed.
const END_TIMEOUT: Duration = Duration::from_secs(2);

/// A host process. Dropped, it is killed with everything that it started.
#[derive(Debug)]
pub(crate) struct HostProcess {
    program: Program,
    family: Family,
    /// Whether everything that it started was killed.
    ended: bool,
    child: Child,
    pid: u32,
    stream: UnixStream,
    page: Arc<ProgressPage>,
    /// Bytes to be written.
    pub(crate) output: Vec<u8>,
    /// Reused for the further fields of calls.
    pub(crate) extra: ExtraWriter,
    written: usize,
    pub(crate) decoder: Decoder,
    /// Log what it prints, and watch what it uses.
    _logs: JoinSet<()>,
    /// Why it was ended, if it used too much.
    over: Arc<OnceLock<String>>,
    /// Its folder for temporary files is removed after its processes have ended.
    sandbox: Sandbox,
}

impl HostProcess {
    /// Starts the interpreter; nothing is imported yet.
    ///
    /// # Errors
    /// The system starts no process.
    pub(crate) fn spawn(
        program: Program,
        options: &Options,
        metrics: &Metrics,
    ) -> Result<Self, StartError> {
        let python = program.executable().to_owned();
        let mut command = program.command();
        let sandbox = Sandbox::prepare(&mut command, &program, options, metrics)?;
        Self::try_spawn(program, command, sandbox, options, metrics)
            .map_err(|error| StartError::Spawn { python, error })
    }

    fn try_spawn(
        program: Program,
        mut command: Command,
        sandbox: Sandbox,
        options: &Options,
        metrics: &Metrics,
    ) -> io::Result<Self> {
        let (ours, theirs) = StdUnixStream::pair()?;
        let page = Arc::new(ProgressPage::new()?);
        send_file(&ours, page.file())?;
        ours.set_nonblocking(true)?;
        let stream = UnixStream::from_std(ours)?;
        let family = Family::new();
        before_exec(&mut command, family.before_exec());
        command
            .env(family::VARIABLE, family.mark())
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // What a model prints should be read when it is printed.
            .env("PYTHONUNBUFFERED", "1")
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let pid = child.id().ok_or(io::ErrorKind::NotFound)?;
        let mut logs = JoinSet::new();
        if let Some(stdout) = child.stdout.take() {
            logs.spawn(log_lines(
                stdout,
                options.model.clone(),
                "stdout",
                metrics.clone(),
            ));
        }
        if let Some(stderr) = child.stderr.take() {
            logs.spawn(log_lines(
                stderr,
                options.model.clone(),
                "stderr",
                metrics.clone(),
            ));
        }
        let over = Arc::new(OnceLock::new());
        if options.sandbox.mode == SandboxMode::Enforce {
            logs.spawn(guard(pid, options.sandbox.clone(), over.clone()));
        }
        Ok(Self {
            over,
            program,
            child,
            family,
            ended: false,
            pid,
            stream,
            page,
            output: Vec::new(),
            extra: ExtraWriter::default(),
            written: 0,
            decoder: Decoder::with_limit(MAX_REPLY),
            _logs: logs,
            sandbox,
        })
    }

    /// What it runs in.
    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// What it may do.
    pub(crate) fn sandbox(&self) -> &SandboxStatus {
        self.sandbox.status()
    }

    /// Why it was ended, if it used too much.
    pub(crate) fn over(&self) -> Option<String> {
        self.over.get().cloned()
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// The call that runs now, or ran when it died.
    pub(crate) fn running(&self) -> Option<Running> {
        self.page.running()
    }

    /// What it tells of itself at any time.
    pub(crate) fn page(&self) -> &Arc<ProgressPage> {
        &self.page
    }

    /// Writes what is there to write, and waits until something was read.
    ///
    /// # Errors
    /// The host is gone.
    pub(crate) async fn exchange(&mut self) -> io::Result<()> {
        std::future::poll_fn(|cx| self.poll_exchange(cx)).await
    }

    fn poll_exchange(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.output.len() {
            let rest = &self.output[self.written..];
            match Pin::new(&mut self.stream).poll_write(cx, rest) {
                Poll::Ready(Ok(count)) => self.written += count,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => break,
            }
        }
        if self.written == self.output.len() {
            self.output.clear();
            self.written = 0;
        }
        let buffer = self.decoder.buffer();
        buffer.reserve(READ);
        poll_read_buf(Pin::new(&mut self.stream), cx, buffer).map(|read| match read {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            other => other.map(drop),
        })
    }

    /// Kills it with everything that it started, and waits for it.
    pub(crate) async fn kill(mut self) -> io::Result<ExitStatus> {
        self.end_family(BTreeSet::new());
        self.child.wait().await
    }

    /// Closes the connection, at which it ends, and waits for it. A model's threads may hold it up;
    /// then it is killed. What it started ends with it.
    pub(crate) async fn end(mut self) -> io::Result<ExitStatus> {
        let family = self.family.members(self.pid);
        rustix::net::shutdown(&self.stream, rustix::net::Shutdown::Write)?;
        match tokio::time::timeout(END_TIMEOUT, self.child.wait()).await {
            Ok(status) => {
                self.end_family(family);
                status
            }
            Err(_) => self.kill().await,
        }
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn died(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    fn end_family(&mut self, known: BTreeSet<(i32, u64)>) {
        if !std::mem::replace(&mut self.ended, true) {
            self.family.end(self.pid, known);
        }
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        self.end_family(BTreeSet::new());
    }
}

/// Does what marks a process as one of a host's.
#[expect(
    unsafe_code,
    reason = "only the process itself can do this, before it runs the interpreter"
)]
fn before_exec(command: &mut Command, mark: impl Fn() + Send + Sync + 'static) {
    // SAFETY: Between fork and exec there is one system call, without locks or memory of this process.
    unsafe {
        command.pre_exec(move || {
            mark();
            Ok(())
        });
    }
}

/// Sends a file over a socket, with the byte that it needs to travel with.
fn send_file(stream: &StdUnixStream, file: &OwnedFd) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let files = [file.as_fd()];
    control.push(SendAncillaryMessage::ScmRights(&files));
    rustix::net::sendmsg(
        stream,
        &[IoSlice::new(&[0])],
        &mut control,
        SendFlags::empty(),
    )?;
    Ok(())
}
