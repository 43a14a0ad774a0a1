//! A clock that wakes to the microsecond: tokio's wakes to the millisecond, which would count as the
//! worker's time.

use std::io::ErrorKind;
use std::time::Instant;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::net::unix::pipe::Receiver;

pub(crate) struct Alarm {
    /// A timer is read as a pipe is.
    timer: Receiver,
}

impl Alarm {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        Ok(Self {
            timer: Receiver::from_owned_fd_unchecked(timer)?,
        })
    }

    /// Returns at `due`, or at once if that has been.
    pub(crate) async fn at(&self, due: Instant) -> anyhow::Result<()> {
        let ahead = due.saturating_duration_since(Instant::now());
        if ahead.is_zero() {
            return Ok(());
        }
        let zero = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let once = Itimerspec {
            it_interval: zero,
            it_value: Timespec {
                tv_sec: ahead.as_secs().try_into()?,
                tv_nsec: ahead.subsec_nanos().into(),
            },
        };
        // Setting it takes back what it has rung before.
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        let mut rung = [0; 8];
        loop {
            self.timer.readable().await?;
            match self.timer.try_read(&mut rung) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return Ok(read.map(drop)?),
            }
        }
    }
}
