//! Devices whose messages repeatedly crash hosts: quarantined for a while, so that the other devices are served.
//!
//! A message only claims to be from a device, so the topic counts too: what is published elsewhere under the device's name
//! doesn't count against it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use message::Job;

/// So many hosts lost over one device within [`WINDOW`] are too many.
const STRIKES: usize = 3;
const WINDOW: Duration = Duration::from_mins(1);

/// How long a device is quarantined before one of its messages is tried again; doubled each time that
/// crashes another host.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// Most topics and devices that are remembered: the publisher chooses topics.
const MOST: usize = 1000;

/// The topics and devices of one lane whose messages crashed hosts.
#[derive(Debug, Default)]
pub(crate) struct Quarantine {
    suspects: HashMap<Source, Suspect>,
}

/// Where a message came from: its topic, and the device that it matched.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Source {
    pub(crate) topic: Arc<str>,
    pub(crate) device: Arc<str>,
}

impl Source {
    pub(crate) fn of(job: &Job) -> Self {
        Self {
            topic: job.telemetry.topic.clone(),
            device: job.device.clone(),
        }
    }
}

#[derive(Debug, Default)]
struct Suspect {
    strikes: Vec<Instant>,
    /// When its quarantine ends, and how long that is.
    quarantined: Option<(Instant, Duration)>,
    /// One message was let through to see whether it is any better.
    probing: bool,
}

impl Quarantine {
    /// A message from there crashed a host; whether its messages are quarantined now.
    pub(crate) fn strike(&mut self, source: &Source, now: Instant) -> bool {
        if !self.suspects.contains_key(source) {
            self.make_room(now);
        }
        let suspect = self.suspects.entry(source.clone()).or_default();
        let pause = if let Some((_, pause)) = suspect.quarantined {
            Some((pause * 2).min(LONGEST_PAUSE))
        } else {
            suspect.strikes.push(now);
            let recent = |strike: &Instant| now.duration_since(*strike) <= WINDOW;
            suspect.strikes.retain(recent);
            (suspect.strikes.len() >= STRIKES).then_some(FIRST_PAUSE)
        };
        suspect.probing = false;
        suspect.quarantined = pause.map(|pause| (now + pause, pause));
        suspect.quarantined.is_some()
    }

    /// Whether a message from there may go to the model.
    pub(crate) fn admits(&mut self, job: &Job, now: Instant) -> bool {
        if self.suspects.is_empty() {
            return true;
        }
        let Some(suspect) = self.suspects.get_mut(&Source::of(job)) else {
            return true;
        };
        match suspect.quarantined {
            None => true,
            Some((until, _)) if now >= until && !suspect.probing => {
                suspect.probing = true;
                true
            }
            Some(_) => false,
        }
    }

    /// A message from there was processed, which ends its quarantine; whether there was one.
    pub(crate) fn passed(&mut self, job: &Job) -> bool {
        if self.suspects.is_empty() {
            return false;
        }
        let source = Source::of(job);
        let quarantined = |suspect: &Suspect| suspect.quarantined.is_some();
        if !self.suspects.get(&source).is_some_and(quarantined) {
            // Strikes count within their window, whatever happens in between.
            return false;
        }
        self.suspects.remove(&source);
        true
    }

    /// Forgets what does not count any more, and if that is not enough, who is tried again next.
    fn make_room(&mut self, now: Instant) {
        if self.suspects.len() < MOST {
            return;
        }
        self.suspects.retain(|_, suspect| {
            let recent = |strike: &Instant| now.duration_since(*strike) <= WINDOW;
            suspect.quarantined.is_some() || suspect.strikes.iter().any(recent)
        });
        while self.suspects.len() >= MOST {
            let due = |suspect: &Suspect| suspect.quarantined.map(|(until, _)| until);
            let next = self.suspects.iter().min_by_key(|(_, suspect)| due(suspect));
            let Some(source) = next.map(|(source, _)| source.clone()) else {
                return;
            };
            self.suspects.remove(&source);
        }
    }

    /// The devices with quarantined messages.
    pub(crate) fn devices(&self) -> Vec<Arc<str>> {
        let mut devices: Vec<_> = self
            .suspects
            .iter()
            .filter(|(_, suspect)| suspect.quarantined.is_some())
            .map(|(source, _)| source.device.clone())
            .collect();
        devices.sort();
        devices.dedup();
        devices
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use message::{Attributes, Delivery, Ledger, Settled, Telemetry};
    use prometheus::IntCounter;

    use super::*;

    fn job(topic: &str, device: &str) -> Job {
        let counter = || IntCounter::new("c", "c").unwrap();
        let ledger = Arc::new(Ledger::new(counter(), Settled::ALL.map(|_| counter())));
        Job {
            telemetry: Telemetry {
                topic: topic.into(),
                payload: bytes::Bytes::new(),
                rule: 0,
                received: Instant::now(),
                received_at: SystemTime::now(),
                attributes: Attributes::default(),
            },
            device: device.into(),
            attempts: 0,
            failures: 0,
            delivery: Delivery::open(&ledger, None),
        }
    }

    fn quarantined() -> (Quarantine, Job, Instant) {
        let (mut quarantine, job, now) = (Quarantine::default(), job("t", "d"), Instant::now());
        let source = Source::of(&job);
        assert!(!quarantine.strike(&source, now));
        assert!(!quarantine.strike(&source, now));
        assert!(quarantine.admits(&job, now));
        assert!(quarantine.strike(&source, now));
        (quarantine, job, now)
    }

    #[test]
    fn a_device_is_quarantined_after_three_strikes_within_a_minute() {
        let (mut quarantine, bad, now) = quarantined();
        assert!(!quarantine.admits(&bad, now));
        assert!(quarantine.admits(&job("t", "other"), now));
        assert_eq!(quarantine.devices(), [Arc::from("d")]);
    }

    /// Three crashing messages under another device's name kept that device away.
    #[test]
    fn row_15_who_claims_a_devices_name_on_another_topic_does_not_keep_it_away() {
        let (mut quarantine, _, now) = quarantined();
        let real = job("devices/d", "d");
        assert!(quarantine.admits(&real, now));
        assert!(!quarantine.passed(&real));
        assert_eq!(quarantine.devices().len(), 1);
    }

    #[test]
    fn row_15_c4_publishers_cannot_make_it_remember_without_end() {
        let (mut quarantine, bad, now) = quarantined();
        for topic in 0..3 * MOST {
            let source = Source::of(&job(&format!("t/{topic}"), "d"));
            quarantine.strike(&source, now);
        }
        assert_eq!(quarantine.suspects.len(), MOST);
        assert!(
            !quarantine.admits(&bad, now),
            "quarantined sources are forgotten last"
        );
        let source = Source::of(&job("later", "d"));
        quarantine.strike(&source, now + WINDOW * 2);
        assert_eq!(quarantine.suspects.len(), 2);
    }

    #[test]
    fn strikes_that_are_far_apart_do_not_count_together() {
        let (mut quarantine, source) = (Quarantine::default(), Source::of(&job("t", "d")));
        let start = Instant::now();
        for strike in 0..10 {
            assert!(!quarantine.strike(&source, start + strike * (WINDOW / 2 + FIRST_PAUSE)));
        }
    }

    #[test]
    fn one_message_is_tried_after_a_pause_that_doubles_each_time() {
        let (mut quarantine, bad, now) = quarantined();
        let mut time = now;
        for pause in [FIRST_PAUSE, FIRST_PAUSE * 2, FIRST_PAUSE * 4] {
            assert!(!quarantine.admits(&bad, time + pause.mul_f64(0.99)));
            time += pause;
            assert!(quarantine.admits(&bad, time));
            assert!(!quarantine.admits(&bad, time), "one at a time");
            assert!(quarantine.strike(&Source::of(&bad), time));
        }
    }

    #[test]
    fn a_device_is_free_again_when_a_message_passes() {
        let (mut quarantine, bad, now) = quarantined();
        assert!(quarantine.admits(&bad, now + FIRST_PAUSE));
        assert!(quarantine.passed(&bad));
        assert!(!quarantine.passed(&bad));
        assert!(quarantine.admits(&bad, now + FIRST_PAUSE));
        assert!(quarantine.devices().is_empty());
    }
}
