//! ADR 7: packets wait for each other where the session cannot keep up with each, as network cards let interrupts wait.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// Reads after which it is decided whether packets wait for each other.
const READS: u32 = 32;

/// So many packets a read mean that they come faster than the session is woken for each. Fewer are a burst: a device's values, or what
/// a broker sends when it is woken.
const BACKLOG: u32 = 8;

/// So many packets within [`crate::Options::gather`] are a high rate.
const HIGH_RATE: u32 = 5;

/// So many are a rate at which a thread that is woken for each packet takes the processor from broker and model, even if it is in time
/// for each.
const FULL_RATE: u32 = 20;

/// A broker that leaves no more messages than these without an acknowledgement waits for us: its window is small, and what waits for a
/// timer costs throughput. Brokers' own defaults are 10 to 32.
const SMALL_WINDOW: usize = 64;

/// For so many times [`crate::Options::gather`] packets wait for each other before reading each at once is tried again.
const PERIOD: u32 = 64;

/// Whether packets wait for each other.
pub(super) struct Gathering {
    backlog: Backlog,
    /// Reading waits until this fires.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Gathering {
    pub(super) fn new(wait: Duration, now: Instant) -> Self {
        Self {
            backlog: Backlog::new(wait, now),
            timer: None,
        }
    }

    /// So many messages of either side wait for an acknowledgement.
    pub(super) fn outstanding(&mut self, messages: usize) {
        self.backlog.outstanding(messages);
    }

    /// A read took so many packets at `now`. If there was no room for more, the rest is read at once.
    pub(super) fn took(&mut self, packets: usize, full: bool, now: Instant) {
        let wait = self.backlog.wait;
        if self.backlog.gathers_after(packets, now) && !full {
            let timer = self
                .timer
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(wait)));
            timer.as_mut().reset(now + wait);
        } else {
            self.timer = None;
        }
    }

    /// Ready when it is time to read.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.timer {
            Some(timer) => timer.as_mut().poll(cx),
            None => Poll::Ready(()),
        }
    }
}

/// Decides from what reads find. A read that finds one packet was in time, and waiting would only delay it, up to [`FULL_RATE`].
/// Reads that find several are late already: the processor is the limit, and fewer reads leave more of it for the rest.
struct Backlog {
    wait: Duration,
    /// Of the reads that are counted.
    since: Instant,
    reads: u32,
    packets: u32,
    /// Until when packets wait for each other.
    until: Option<Instant>,
    /// Whether the next read finds what was left to wait before.
    stale: bool,
    /// Most messages that waited for an acknowledgement at once.
    most: usize,
}

impl Backlog {
    fn new(wait: Duration, now: Instant) -> Self {
        Self {
            wait,
            since: now,
            reads: 0,
            packets: 0,
            until: None,
            stale: false,
            most: 0,
        }
    }

    fn outstanding(&mut self, messages: usize) {
        self.most = self.most.max(messages);
    }

    /// Whether packets wait for each other, after a read that took so many at `now`.
    fn gathers_after(&mut self, packets: usize, now: Instant) -> bool {
        // At QoS 0 nothing is acknowledged, and no window holds the broker back.
        if self.wait.is_zero() || (1..=SMALL_WINDOW).contains(&self.most) {
            return false;
        }
        let packets = u32::try_from(packets).unwrap_or(u32::MAX);
        if let Some(until) = self.until {
            if now < until && packets >= HIGH_RATE {
                return true;
            }
            self.until = None;
            self.stale = true;
            self.begin(now);
            return false;
        }
        if self.stale {
            self.stale = false;
            self.begin(now);
            return false;
        }
        self.reads += 1;
        self.packets = self.packets.saturating_add(packets);
        if self.reads < READS {
            return false;
        }
        let at_least = |rate| self.wait * self.packets >= (now - self.since) * rate;
        let late = self.packets >= READS * BACKLOG;
        if at_least(FULL_RATE) || (late && at_least(HIGH_RATE)) {
            self.until = Some(now + self.wait * PERIOD);
        }
        self.begin(now);
        self.until.is_some()
    }

    fn begin(&mut self, now: Instant) {
        self.since = now;
        self.reads = 0;
        self.packets = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_millis(1);

    /// Whether packets wait for each other after reads that found `packets` each, one read in each `pause`.
    fn gathers(
        backlog: &mut Backlog,
        now: &mut Instant,
        reads: u32,
        packets: usize,
        pause: Duration,
    ) -> bool {
        let mut gathers = false;
        for _ in 0..reads {
            *now += pause;
            gathers = backlog.gathers_after(packets, *now);
        }
        gathers
    }

    #[test]
    fn packets_wait_for_each_other_where_reads_are_late() {
        let micros = Duration::from_micros;
        for (what, packets, pause, expected) in [
            ("one by one, at full speed", 1, micros(20), true),
            ("one by one, below it", 1, micros(60), false),
            ("ten a millisecond, each in time", 1, micros(100), false),
            ("many at each read", 8, micros(1000), true),
            ("a few at each read", 4, micros(400), false),
            ("bursts with pauses between them", 50, micros(50_000), false),
            ("parts of packets", 0, micros(10), false),
        ] {
            let mut now = Instant::now();
            let mut backlog = Backlog::new(WAIT, now);
            let found = gathers(&mut backlog, &mut now, READS, packets, pause);
            assert_eq!(found, expected, "{what}");
        }
        let mut now = Instant::now();
        let mut backlog = Backlog::new(Duration::ZERO, now);
        assert!(
            !gathers(&mut backlog, &mut now, READS, 100, micros(10)),
            "turned off"
        );
    }

    #[test]
    fn nothing_waits_for_a_timer_where_a_small_window_holds_the_broker_back() {
        for (most, expected) in [(0, true), (1, false), (10, false), (64, false), (65, true)] {
            let mut now = Instant::now();
            let mut backlog = Backlog::new(WAIT, now);
            backlog.outstanding(most);
            backlog.outstanding(1.min(most));
            let found = gathers(&mut backlog, &mut now, READS, 10, Duration::from_micros(50));
            assert_eq!(found, expected, "{most}");
        }
    }

    #[test]
    fn reading_at_once_is_tried_again_and_the_first_read_then_proves_nothing() {
        let (mut now, pause) = (Instant::now(), Duration::from_micros(50));
        let mut backlog = Backlog::new(WAIT, now);
        assert!(gathers(&mut backlog, &mut now, READS, 2, pause));
        assert!(gathers(&mut backlog, &mut now, PERIOD - 1, 20, WAIT));
        assert!(!gathers(&mut backlog, &mut now, 1, 20, WAIT), "tried again");
        // What had gathered before is no backlog.
        assert!(!gathers(&mut backlog, &mut now, 1, 1000, WAIT));
        assert!(!gathers(&mut backlog, &mut now, READS, 1, 2 * pause));
        assert!(gathers(&mut backlog, &mut now, READS, 2, pause));
    }

    #[tokio::test]
    async fn what_found_no_room_waits_for_no_timer() {
        let mut now = Instant::now();
        let mut gathering = Gathering::new(WAIT, now);
        let waits = |gathering: &mut Gathering| {
            let mut cx = Context::from_waker(std::task::Waker::noop());
            gathering.poll(&mut cx).is_pending()
        };
        for _ in 0..READS {
            now += Duration::from_micros(50);
            gathering.took(20, false, now);
        }
        assert!(waits(&mut gathering));
        gathering.took(200, true, now + WAIT);
        assert!(!waits(&mut gathering));
        gathering.took(20, false, now + WAIT);
        assert!(waits(&mut gathering), "the rest is read");
    }

    #[test]
    fn it_ends_when_the_rate_falls() {
        let mut now = Instant::now();
        let mut backlog = Backlog::new(WAIT, now);
        assert!(gathers(
            &mut backlog,
            &mut now,
            READS,
            3,
            Duration::from_micros(50)
        ));
        assert!(!gathers(&mut backlog, &mut now, 1, 4, WAIT));
    }
}
