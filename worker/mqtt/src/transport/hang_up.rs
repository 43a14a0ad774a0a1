//! Whether the peer has closed a connection, though what it sent before has not been read.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// A stream that can tell that its peer has closed it.
pub(crate) trait HangUp {
    /// Whether the peer has closed it.
    fn hung_up(&self) -> bool;
}

impl HangUp for TcpStream {
    fn hung_up(&self) -> bool {
        let mut stream = [PollFd::new(self, PollFlags::RDHUP)];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // If the system cannot say, reading will.
        poll(&mut stream, Some(&now)).is_ok_and(|found| found > 0)
    }
}

impl<S: HangUp> HangUp for TlsStream<S> {
    fn hung_up(&self) -> bool {
        self.get_ref().0.hung_up()
    }
}

#[cfg(test)]
impl HangUp for tokio::io::DuplexStream {
    fn hung_up(&self) -> bool {
        false
    }
}
