//! How many connections a port may have, and which of them makes room for the next.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::AbortHandle;

/// Most connections of one port.
const MOST: u64 = 128;

/// A port always has so many, however few file descriptors there are.
const LEAST: u64 = 8;

/// Most connections of each of `ports`: those of all ports together take at most half of the process's file `descriptors`. The
/// rest is for brokers, model hosts and files, so that a lost host can be replaced whatever clients do.
pub(crate) fn places(descriptors: Option<u64>, ports: usize) -> usize {
    let ports = (ports as u64).max(1);
    let each = descriptors.map_or(MOST, |descriptors| descriptors / 2 / ports);
    usize::try_from(each.clamp(LEAST, MOST)).unwrap_or(usize::MAX)
}

/// Whether a connection is served something now.
#[derive(Debug, Clone, Default)]
pub(super) struct Busy(Arc<AtomicBool>);

impl Busy {
    pub(super) fn set(&self, busy: bool) {
        self.0.store(busy, Ordering::Relaxed);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The connections of one port, oldest first.
#[derive(Debug)]
pub(super) struct Connections {
    places: usize,
    open: VecDeque<(AbortHandle, Busy)>,
}

impl Connections {
    pub(super) fn new(places: usize) -> Self {
        Self {
            places,
            open: VecDeque::new(),
        }
    }

    /// Whether there is a place for one more; closes the oldest that is not served anything if need be.
    pub(super) fn make_room(&mut self) -> bool {
        if self.open.len() < self.places {
            return true;
        }
        self.open.retain(|(task, _)| !task.is_finished());
        if self.open.len() < self.places {
            return true;
        }
        let waiting = self.open.iter().position(|(_, busy)| !busy.get());
        let closed = waiting.and_then(|index| self.open.remove(index));
        if let Some((task, _)) = &closed {
            task.abort();
        }
        closed.is_some()
    }

    pub(super) fn add(&mut self, task: AbortHandle, busy: Busy) {
        self.open.push_back((task, busy));
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;

    use super::*;

    #[test]
    fn row_7_clients_get_at_most_half_of_the_file_descriptors() {
        for (descriptors, ports, expected) in [
            (Some(1024), 1, 128),
            (Some(1024), 8, 64),
            (Some(256), 2, 64),
            (Some(64), 10, 8),
            (Some(u64::MAX), 3, 128),
            (None, 3, 128),
            (Some(1024), 0, 128),
        ] {
            assert_eq!(
                places(descriptors, ports),
                expected,
                "{descriptors:?} {ports}"
            );
        }
    }

    #[tokio::test]
    async fn row_7_the_oldest_connection_without_a_request_makes_room() {
        let mut tasks = JoinSet::new();
        let mut connections = Connections::new(3);
        let busy = [true, false, false].map(|busy| {
            let state = Busy::default();
            state.set(busy);
            assert!(connections.make_room());
            let task = tasks.spawn(std::future::pending::<()>());
            connections.add(task.clone(), state.clone());
            (task, state)
        });
        assert!(connections.make_room());
        assert!(tasks.join_next().await.is_some_and(|ended| ended.is_err()));
        let finished = busy.each_ref().map(|(task, _)| task.is_finished());
        assert_eq!(finished, [false, true, false]);
        // One has a place again, and then all are served something.
        let task = tasks.spawn(std::future::pending());
        connections.add(task, busy[0].1.clone());
        busy[2].1.set(true);
        assert!(!connections.make_room());
        busy[2].0.abort();
        assert!(tasks.join_next().await.is_some_and(|ended| ended.is_err()));
        assert!(connections.make_room(), "one has left by itself");
    }
}
