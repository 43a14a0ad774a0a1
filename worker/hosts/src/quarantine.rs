//! Devices whose messages cost hosts again and again: kept away from the model for a while, so that the
//! other devices keep theirs.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// So many hosts lost over one device within [`WINDOW`] are too many.
const STRIKES: usize = 3;
const WINDOW: Duration = Duration::from_mins(1);

/// How long a device is kept away before one of its messages is tried again; doubled each time that
/// costs another host.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// Suspects of one lane: messages may name as many devices as they like (`deviceKey`).
const MOST: usize = 1000;

/// The devices of one lane that have cost hosts.
#[derive(Debug, Default)]
pub(crate) struct Quarantine {
    devices: HashMap<Arc<str>, Suspect>,
}

#[derive(Debug, Default)]
struct Suspect {
    strikes: Vec<Instant>,
    /// Kept away until then, by a pause of this length.
    kept_away: Option<(Instant, Duration)>,
    /// One message was let through to see whether it is any better.
    probing: bool,
}

impl Quarantine {
    /// A message of the device cost a host; whether the device is kept away now.
    pub(crate) fn strike(&mut self, device: &Arc<str>, now: Instant) -> bool {
        if self.devices.len() >= MOST && !self.devices.contains_key(device) {
            self.forget(now);
        }
        let suspect = self.devices.entry(device.clone()).or_default();
        let pause = if let Some((_, pause)) = suspect.kept_away {
            Some((pause * 2).min(LONGEST_PAUSE))
        } else {
            suspect.strikes.push(now);
            let recent = |strike: &Instant| now.duration_since(*strike) <= WINDOW;
            suspect.strikes.retain(recent);
            (suspect.strikes.len() >= STRIKES).then_some(FIRST_PAUSE)
        };
        suspect.probing = false;
        suspect.kept_away = pause.map(|pause| (now + pause, pause));
        suspect.kept_away.is_some()
    }

    /// Makes room: suspects whose strikes count no more go, else the one that is to be tried again first.
    fn forget(&mut self, now: Instant) {
        self.devices.retain(|_, suspect| {
            let recent = |strike: &Instant| now.duration_since(*strike) <= WINDOW;
            suspect.kept_away.is_some() || suspect.strikes.iter().any(recent)
        });
        if self.devices.len() >= MOST {
            let until = |suspect: &Suspect| suspect.kept_away.map(|(until, _)| until);
            let first = self
                .devices
                .iter()
                .min_by_key(|(_, suspect)| until(suspect));
            if let Some(device) = first.map(|(device, _)| device.clone()) {
                self.devices.remove(&device);
            }
        }
    }

    /// Whether a message of the device may go to the model.
    pub(crate) fn admits(&mut self, device: &str, now: Instant) -> bool {
        if self.devices.is_empty() {
            return true;
        }
        let Some(suspect) = self.devices.get_mut(device) else {
            return true;
        };
        match suspect.kept_away {
            None => true,
            Some((until, _)) if now >= until && !suspect.probing => {
                suspect.probing = true;
                true
            }
            Some(_) => false,
        }
    }

    /// A message of the device was processed, so the device is as good as any; whether it was kept away.
    pub(crate) fn passed(&mut self, device: &str) -> bool {
        if self.devices.is_empty() {
            return false;
        }
        let kept_away = |suspect: &Suspect| suspect.kept_away.is_some();
        if !self.devices.get(device).is_some_and(kept_away) {
            // Strikes count within their window, whatever happens in between.
            return false;
        }
        self.devices.remove(device);
        true
    }

    /// The devices that are kept away.
    pub(crate) fn devices(&self) -> Vec<Arc<str>> {
        let mut devices: Vec<_> = self
            .devices
            .iter()
            .filter(|(_, suspect)| suspect.kept_away.is_some())
            .map(|(device, _)| device.clone())
            .collect();
        devices.sort();
        devices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept_away() -> (Quarantine, Arc<str>, Instant) {
        let (mut quarantine, device, now) = (Quarantine::default(), Arc::from("d"), Instant::now());
        assert!(!quarantine.strike(&device, now));
        assert!(!quarantine.strike(&device, now));
        assert!(quarantine.admits("d", now));
        assert!(quarantine.strike(&device, now));
        (quarantine, device, now)
    }

    #[test]
    fn a_device_is_kept_away_after_three_strikes_within_a_minute() {
        let (mut quarantine, device, now) = kept_away();
        assert!(!quarantine.admits("d", now));
        assert!(quarantine.admits("other", now));
        assert_eq!(quarantine.devices(), [device]);
    }

    #[test]
    fn c4_devices_that_messages_name_cannot_fill_the_memory() {
        let (mut quarantine, device, now) = kept_away();
        for other in 0..10 * MOST {
            quarantine.strike(&other.to_string().into(), now);
        }
        assert_eq!(quarantine.devices.len(), MOST);
        assert_eq!(
            quarantine.devices(),
            [device],
            "it is not forgotten for others"
        );
        quarantine.strike(&"late".into(), now + 2 * WINDOW);
        assert_eq!(quarantine.devices.len(), 2);
    }

    #[test]
    fn strikes_that_are_far_apart_do_not_count_together() {
        let (mut quarantine, device) = (Quarantine::default(), Arc::from("d"));
        let start = Instant::now();
        for strike in 0..10 {
            assert!(!quarantine.strike(&device, start + strike * (WINDOW / 2 + FIRST_PAUSE)));
        }
    }

    #[test]
    fn one_message_is_tried_after_a_pause_that_doubles_each_time() {
        let (mut quarantine, device, now) = kept_away();
        let mut time = now;
        for pause in [FIRST_PAUSE, FIRST_PAUSE * 2, FIRST_PAUSE * 4] {
            assert!(!quarantine.admits("d", time + pause.mul_f64(0.99)));
            time += pause;
            assert!(quarantine.admits("d", time));
            assert!(!quarantine.admits("d", time), "one at a time");
            assert!(quarantine.strike(&device, time));
        }
    }

    #[test]
    fn a_device_is_free_again_when_a_message_passes() {
        let (mut quarantine, _, now) = kept_away();
        assert!(quarantine.admits("d", now + FIRST_PAUSE));
        assert!(quarantine.passed("d"));
        assert!(!quarantine.passed("d"));
        assert!(quarantine.admits("d", now + FIRST_PAUSE));
        assert!(quarantine.devices().is_empty());
    }
}
