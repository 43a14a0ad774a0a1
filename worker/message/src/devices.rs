//! The devices that a model has seen, the most recent ones, however many names publishers give.
//!
//! A message costs its device two counters and a look into a map that its [`Observer`] owns: no lock, and no memory. Only a
//! device that was not seen lately, or that was forgotten, takes the lock that all observers of the model share. Measured: less than
//! 0.1 µs a message, and 0.3 µs where 10,000 devices take turns, so that each message is of a forgotten one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::tally::DeviceTally;

/// Devices of a model that are shown.
pub const SHOWN: usize = 1000;

/// Devices that are kept before all but [`SHOWN`] are forgotten: forgetting one at a time would search all for each message,
/// once a publisher has more devices than are shown.
const KEPT: usize = 2 * SHOWN;

/// Between two marks: rates are of the last one or two of these.
const MARK: Duration = Duration::from_secs(30);

/// The least time that a rate is of, so that the first message of a device isn't a thousand a second.
const LEAST: f64 = 10.0;

/// Those of one model.
#[derive(Debug)]
pub struct Devices {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    kept: HashMap<Arc<str>, Arc<DeviceTally>>,
    /// Whether any was forgotten.
    forgot: bool,
    /// The last two marks, the older one first.
    marks: [(Instant, u64); 2],
}

/// What is kept.
#[derive(Debug)]
pub struct Seen {
    /// The devices, the one seen last first, with their messages a second.
    pub devices: Vec<(Arc<DeviceTally>, f64)>,
    /// Whether these are all that were ever seen.
    pub complete: bool,
}

impl Default for Devices {
    fn default() -> Self {
        let start = (Instant::now(), milliseconds(SystemTime::now()));
        Self {
            inner: Mutex::new(Inner {
                kept: HashMap::new(),
                forgot: false,
                marks: [start, start],
            }),
        }
    }
}

impl Devices {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it holds the lock.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tally(&self, device: &Arc<str>, now: u64) -> Arc<DeviceTally> {
        let mut inner = self.lock();
        if let Some(tally) = inner.kept.get(device) {
            return tally.clone();
        }
        if inner.kept.len() >= KEPT {
            inner.forget();
        }
        let tally = Arc::new(DeviceTally::new(device.clone(), now));
        inner.kept.insert(device.clone(), tally.clone());
        tally
    }

    /// Begins another period for rates when the last one is over; to be called from time to time.
    pub fn mark(&self, now: Instant, at: SystemTime) {
        let mut inner = self.lock();
        let [_, newer] = inner.marks;
        if now.saturating_duration_since(newer.0) < MARK {
            return;
        }
        for tally in inner.kept.values() {
            tally.mark();
        }
        inner.marks = [newer, (now, milliseconds(at))];
    }

    /// At most [`SHOWN`] devices.
    pub fn seen(&self, now: Instant, at: SystemTime) -> Seen {
        let inner = self.lock();
        let mut devices: Vec<_> = inner.kept.values().cloned().collect();
        let (marked, mark) = inner.marks[0];
        let complete = !inner.forgot && devices.len() <= SHOWN;
        drop(inner);
        devices.sort_by_cached_key(|tally| (u64::MAX - tally.last_seen(), tally.name().clone()));
        devices.truncate(SHOWN);
        let since_mark = now.saturating_duration_since(marked).as_secs_f64();
        let at = milliseconds(at);
        let rate = |tally: &DeviceTally| {
            let seconds = if tally.first_seen() > mark {
                Duration::from_millis(at.saturating_sub(tally.first_seen())).as_secs_f64()
            } else {
                since_mark
            };
            #[expect(clippy::cast_precision_loss, reason = "counts of a minute")]
            let count = tally.since_mark() as f64;
            count / seconds.max(LEAST)
        };
        let rated = devices.into_iter().map(|tally| {
            let rate = rate(&tally);
            (tally, rate)
        });
        Seen {
            devices: rated.collect(),
            complete,
        }
    }
}

impl Inner {
    /// Forgets those that were seen longest ago.
    fn forget(&mut self) {
        let mut seen: Vec<_> = self.kept.values().map(|tally| tally.last_seen()).collect();
        let (_, oldest, _) = seen.select_nth_unstable_by(SHOWN - 1, |a, b| b.cmp(a));
        let oldest = *oldest;
        // Of those that were seen in the same millisecond, as many as there is room for.
        let mut room = SHOWN - seen.iter().filter(|time| **time > oldest).count();
        self.kept.retain(|_, tally| {
            let time = tally.last_seen();
            let stays = time > oldest || (time == oldest && room > 0);
            if time == oldest && stays {
                room -= 1;
            }
            if !stays {
                tally.forget();
            }
            stays
        });
        self.forgot = true;
    }
}

/// Sees the devices of one intake.
#[derive(Debug)]
pub struct Observer {
    devices: Arc<Devices>,
    /// Keyed by the names that publishers choose, so hashed with a key that they don't know.
    known: HashMap<Arc<str>, Arc<DeviceTally>>,
}

impl Observer {
    /// Counts for `devices`.
    pub fn new(devices: Arc<Devices>) -> Self {
        Self {
            devices,
            known: HashMap::new(),
        }
    }

    /// Counts a message of a device that came at this time.
    pub fn see(&mut self, device: &Arc<str>, at: SystemTime) -> Arc<DeviceTally> {
        let now = milliseconds(at);
        if let Some(tally) = self.known.get(device)
            && !tally.is_forgotten()
        {
            tally.see(now);
            return tally.clone();
        }
        let tally = self.devices.tally(device, now);
        tally.see(now);
        if self.known.len() >= KEPT {
            self.known.retain(|_, tally| !tally.is_forgotten());
        }
        self.known.insert(device.clone(), tally.clone());
        tally
    }
}

/// Milliseconds since 1970; a clock before that shows no more than a wrong time.
pub fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Settled;

    fn at(milliseconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(milliseconds)
    }

    fn names(seen: &Seen) -> Vec<&str> {
        let devices = seen.devices.iter();
        devices.map(|(tally, _)| &**tally.name()).collect()
    }

    #[test]
    fn the_device_that_was_seen_last_is_first() {
        let devices = Arc::new(Devices::default());
        let mut rules = [(); 2].map(|()| Observer::new(devices.clone()));
        for (rule, device, time) in [(0, "a", 1), (1, "b", 2), (1, "a", 3), (0, "c", 3)] {
            rules[rule].see(&device.into(), at(time));
        }
        let seen = devices.seen(Instant::now(), at(4));
        assert_eq!(names(&seen), ["a", "c", "b"]);
        assert_eq!(seen.devices[0].0.received(), 2, "by both rules");
        assert!(seen.complete);
    }

    #[test]
    fn however_many_names_come_the_last_thousand_are_kept() {
        let devices = Arc::new(Devices::default());
        let mut observer = Observer::new(devices.clone());
        let real: Arc<str> = "press".into();
        let first = observer.see(&real, at(0));
        for device in 0..10_000 {
            observer.see(&format!("hostile-{device}").into(), at(device + 1));
        }
        assert!(devices.lock().kept.len() <= KEPT && observer.known.len() <= KEPT);
        let seen = devices.seen(Instant::now(), at(20_000));
        assert_eq!(seen.devices.len(), SHOWN);
        assert_eq!(names(&seen)[0], "hostile-9999");
        assert!(!names(&seen).contains(&"press") && !seen.complete);
        // What was still open when it was forgotten counts for nobody.
        first.settle(Settled::Published);
        observer.see(&real, at(30_000));
        let seen = devices.seen(Instant::now(), at(30_000));
        let (tally, _) = &seen.devices[0];
        assert_eq!((&**tally.name(), tally.received()), ("press", 1));
        assert_eq!(tally.settled(Settled::Published), 0);
    }

    #[test]
    fn devices_of_the_same_millisecond_do_not_stay_all() {
        let devices = Arc::new(Devices::default());
        let mut observer = Observer::new(devices.clone());
        for device in 0..=KEPT {
            observer.see(&device.to_string().into(), at(7));
        }
        assert_eq!(devices.lock().kept.len(), SHOWN + 1);
    }

    #[test]
    fn a_rate_is_of_the_last_minute() {
        let devices = Arc::new(Devices::default());
        let mut observer = Observer::new(devices.clone());
        let (start, begun) = (Instant::now(), SystemTime::now());
        let rate = |seconds| {
            let passed = Duration::from_secs(seconds);
            devices.seen(start + passed, begun + passed).devices[0].1
        };
        let mut see = |count, seconds| {
            for _ in 0..count {
                observer.see(&"a".into(), begun + Duration::from_secs(seconds));
            }
        };
        see(20, 1);
        assert!(
            (rate(1) - 2.0).abs() < 0.01,
            "{}: of ten seconds at least",
            rate(1)
        );
        for step in 1..=3 {
            let passed = MARK * step;
            devices.mark(start + passed, begun + passed);
            devices.mark(start + passed, begun + passed);
        }
        // The older mark is at 60 seconds.
        assert!(rate(90).abs() < f64::EPSILON, "{}", rate(90));
        see(30, 95);
        assert!((rate(100) - 0.75).abs() < 0.01, "{}", rate(100));
    }
}
