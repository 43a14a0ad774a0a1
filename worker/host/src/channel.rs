//! The connection to the worker: file descriptor 0, a Unix socket.

use std::io::{self, IoSliceMut, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use pyo3::Python;
use rustix::buffer::spare_capacity;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};

/// What a read asks of the system at once: the most that a worker has in flight.
const READ: usize = 128 << 10;

/// The worker's end is at the other side.
#[derive(Debug)]
pub(crate) struct Channel {
    stream: UnixStream,
}

impl Channel {
    /// Takes file descriptor 0, puts `/dev/null` there, and receives the file of the progress page,
    /// which the worker sends first.
    pub(crate) fn open() -> io::Result<(Self, OwnedFd)> {
        let stream = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
        let null = rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        rustix::stdio::dup2_stdin(null)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        rustix::net::recvmsg(
            &stream,
            &mut [IoSliceMut::new(&mut byte)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        )?;
        let page = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut files) => files.next(),
            _ => None,
        });
        let page = page.ok_or_else(|| io::Error::other("the worker sent no page"))?;
        Ok((
            Self {
                stream: stream.into(),
            },
            page,
        ))
    }

    /// Waits for bytes, detached from the interpreter; 0 when the worker is gone.
    pub(crate) fn read(&mut self, py: Python<'_>, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let stream = &mut self.stream;
        py.detach(|| {
            buffer.reserve(READ);
            loop {
                match rustix::io::read(&*stream, spare_capacity(buffer)) {
                    Err(Errno::INTR) => {}
                    read => return Ok(read?),
                }
            }
        })
    }

    /// Writes everything, detached from the interpreter.
    pub(crate) fn write(&mut self, py: Python<'_>, buffer: &mut Vec<u8>) -> io::Result<()> {
        let stream = &mut self.stream;
        py.detach(|| stream.write_all(buffer))?;
        buffer.clear();
        Ok(())
    }
}
