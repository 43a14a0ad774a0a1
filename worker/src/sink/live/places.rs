//! The places of one port's readers. When all are taken, an address that has several gives one up for the next reader, so that
//! one client with many connections cannot lock out the others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// See the module's description.
#[derive(Debug)]
pub(in crate::sink) struct Places {
    most: usize,
    taken: Mutex<Vec<Taken>>,
}

#[derive(Debug)]
struct Taken {
    address: IpAddr,
    lost: Arc<Notify>,
}

/// A place, for as long as it is held.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    lost: Arc<Notify>,
}

impl Places {
    pub(in crate::sink) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            taken: Mutex::default(),
        })
    }

    /// A place for a reader at `address`, if there is one or one can be had.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.len() >= self.most {
            let addresses: Vec<_> = taken.iter().map(|one| one.address).collect();
            let loser = taken.remove(gives_up(&addresses)?);
            loser.lost.notify_one();
        }
        let lost = Arc::new(Notify::new());
        taken.push(Taken {
            address,
            lost: lost.clone(),
        });
        Some(Place {
            places: self.clone(),
            lost,
        })
    }
}

impl Place {
    /// Waits until the place is given to another. Cancel-safe.
    pub(super) async fn lost(&self) {
        self.lost.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let taken = self.places.taken.lock();
        let mut taken = taken.unwrap_or_else(PoisonError::into_inner);
        taken.retain(|one| !Arc::ptr_eq(&one.lost, &self.lost));
    }
}

/// Which of the readers, oldest first, gives up its place: the oldest of the address that has most, if that has several.
fn gives_up(addresses: &[IpAddr]) -> Option<usize> {
    let mut counts: HashMap<IpAddr, usize> = HashMap::new();
    for address in addresses {
        *counts.entry(*address).or_default() += 1;
    }
    let most = counts.values().copied().max().filter(|most| *most > 1)?;
    addresses.iter().position(|address| counts[address] == most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    #[test]
    fn row_8_the_oldest_reader_of_the_address_with_most_gives_up_its_place() {
        for (addresses, expected) in [
            (&[1, 2, 3][..], None),
            (&[1, 2, 2, 3], Some(1)),
            (&[1, 1, 2, 2, 2], Some(2)),
            (&[1, 1, 1], Some(0)),
            (&[], None),
        ] {
            let addresses: Vec<_> = addresses.iter().copied().map(address).collect();
            assert_eq!(gives_up(&addresses), expected, "{addresses:?}");
        }
    }

    #[tokio::test]
    async fn row_8_idle_readers_do_not_lock_out_others() {
        let places = Places::new(64);
        let idle: Vec<_> = (0..64).filter_map(|_| places.take(address(1))).collect();
        assert_eq!(idle.len(), 64);
        let _other = places.take(address(2)).unwrap();
        idle[0].lost().await;
        drop(idle);
        let left = places.taken.lock().unwrap().len();
        assert_eq!(left, 1);
    }
}
