//! Which lane a device's messages take.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, LazyLock};

use message::{Job, Queue};

use crate::backlog::Backlog;

/// What waits for a model's lanes.
#[derive(Debug, Clone)]
pub struct Lanes {
    pub(crate) backlogs: Arc<[Arc<Backlog>]>,
    /// Which lane a device goes by.
    devices: Arc<HashMap<String, usize>>,
}

impl Lanes {
    /// Deals `devices` to the lanes in turns.
    pub fn new(backlogs: Vec<Arc<Backlog>>, devices: &[String]) -> Self {
        let count = backlogs.len();
        let turns = devices.iter().enumerate();
        Self {
            backlogs: backlogs.into(),
            devices: Arc::new(
                turns
                    .map(|(index, device)| (device.clone(), index % count))
                    .collect(),
            ),
        }
    }

    /// The queue of a rule's messages of a device: always the same lane for a device. The devices of the configuration are dealt in turns, those
    /// that messages name (`deviceKey`) by their names.
    pub fn queue(&self, rule: usize, device: &str) -> &Arc<Queue<Job>> {
        self.backlog(device).of(rule)
    }

    fn backlog(&self, device: &str) -> &Arc<Backlog> {
        if let [only] = &*self.backlogs {
            return only;
        }
        let known = self.devices.get(device).copied();
        let index = known.unwrap_or_else(|| spread(device, self.backlogs.len()));
        &self.backlogs[index]
    }
}

/// A number below `count` that is always the same for a name, in this process: which names come is up to guests, who must
/// not be able to choose names that all have the same number.
fn spread(name: &str, count: usize) -> usize {
    static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    let hash = KEYS.hash_one(name);
    // Below `count`, which is a `usize`.
    usize::try_from(hash % count as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backlog() -> Arc<Backlog> {
        Arc::new(Backlog::new(vec![Arc::new(Queue::new(1, 1))]))
    }

    #[test]
    fn devices_are_dealt_to_lanes_in_turns_and_keep_theirs() {
        let devices = ["a", "b", "c", "d"].map(str::to_owned);
        let queues: Vec<_> = (0..3).map(|_| backlog()).collect();
        let lanes = Lanes::new(queues.clone(), &devices);
        for (device, lane) in [("a", 0), ("b", 1), ("c", 2), ("d", 0)] {
            assert!(
                Arc::ptr_eq(lanes.backlog(device), &queues[lane]),
                "{device}"
            );
        }
        let only = Lanes::new(queues[..1].to_vec(), &devices);
        assert!(Arc::ptr_eq(only.queue(0, "d"), queues[0].of(0)));
    }

    /// One entry of the configuration may stand for a thousand devices (`deviceKey`).
    #[test]
    fn c4_devices_that_messages_name_are_spread_and_keep_their_lane() {
        let queues: Vec<_> = (0..4).map(|_| backlog()).collect();
        let lanes = Lanes::new(queues.clone(), &["any".to_owned()]);
        let mut counts = [0; 4];
        for device in 0..1000 {
            let device = format!("press-{device}");
            let lane = lanes.backlog(&device);
            assert!(Arc::ptr_eq(lane, lanes.backlog(&device)));
            let index = queues.iter().position(|queue| Arc::ptr_eq(queue, lane));
            counts[index.unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| *count > 150), "{counts:?}");
    }
}
