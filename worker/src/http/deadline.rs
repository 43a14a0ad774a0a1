//! A connection whose other side must take what is written to it.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

/// Longest time that a client may take nothing of what is written to it.
const WRITE_TIME: Duration = Duration::from_secs(30);

/// Fails when nothing could be written for [`WRITE_TIME`] although there was something to write.
#[derive(Debug)]
pub(crate) struct Deadline<S> {
    stream: S,
    time: Duration,
    /// Runs while a write waits.
    waits: Option<Pin<Box<Sleep>>>,
}

impl Deadline<TcpStream> {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self::with_time(stream, WRITE_TIME)
    }
}

impl<S> Deadline<S> {
    fn with_time(stream: S, time: Duration) -> Self {
        Self {
            stream,
            time,
            waits: None,
        }
    }

    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waits = None;
            return written;
        }
        let time = self.time;
        let waits = self
            .waits
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
        waits
            .as_mut()
            .poll(cx)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Deadline<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Deadline<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn row_8_a_reader_that_does_not_read_is_given_up() {
        let (stream, _theirs) = tokio::io::duplex(64);
        let mut ours = Deadline::with_time(stream, Duration::from_millis(10));
        let error = ours.write_all(&[0; 100]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_slow_reader_keeps_its_connection_as_long_as_it_reads() {
        let (stream, mut theirs) = tokio::io::duplex(64);
        let mut ours = Deadline::with_time(stream, WRITE_TIME);
        assert!(ours.write_all(&[0; 100]).now_or_never().is_none());
        assert!(ours.waits.is_some());
        theirs.read_exact(&mut [0; 10]).await.unwrap();
        assert!(ours.write(&[0; 100]).now_or_never().is_some());
        assert!(ours.waits.is_none(), "the time begins again");
    }
}
