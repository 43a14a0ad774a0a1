//! What became of numbered messages.

use std::collections::BTreeMap;

/// The numbers that came, for each device in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    devices: BTreeMap<String, Arrivals>,
}

#[derive(Debug, Default)]
struct Arrivals {
    /// How often each number came.
    times: BTreeMap<u64, u64>,
    /// The numbers that first came after a greater one.
    late: Vec<u64>,
}

/// What is wrong with what came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) lost: u64,
    /// Copies beyond the first.
    pub(crate) repeated: u64,
    /// Messages that first came after a later one of their device.
    pub(crate) disordered: u64,
}

impl Tally {
    pub(crate) fn take(&mut self, device: &str, number: u64) {
        let arrivals = self.devices.entry(device.to_owned()).or_default();
        let newest = arrivals.times.last_key_value().map(|(newest, _)| *newest);
        let times = arrivals.times.entry(number).or_default();
        *times += 1;
        if *times == 1 && newest > Some(number) {
            arrivals.late.push(number);
        }
    }

    pub(crate) fn has(&self, device: &str, number: u64) -> bool {
        let arrivals = self.devices.get(device);
        arrivals.is_some_and(|arrivals| arrivals.times.contains_key(&number))
    }

    /// How many different messages came of those with numbers below `end`.
    pub(crate) fn came(&self, end: u64) -> u64 {
        let of_device = |arrivals: &Arrivals| arrivals.times.range(..end).count() as u64;
        self.devices.values().map(of_device).sum()
    }

    /// What is wrong, where each of `devices` sent the numbers below `end`.
    pub(crate) fn counts(&self, devices: u64, end: u64) -> Counts {
        let all = self.devices.values();
        let copies = all.clone().flat_map(|arrivals| arrivals.times.range(..end));
        let late = all.flat_map(|arrivals| &arrivals.late);
        Counts {
            lost: devices * end - self.came(end),
            repeated: copies.map(|(_, times)| times - 1).sum(),
            disordered: late.filter(|number| **number < end).count() as u64,
        }
    }
}

#[test]
fn what_is_lost_repeated_and_out_of_order_is_counted() {
    /// What came of device `a` and of device `b`, which sent 0, 1 and 2 each, and what is wrong with it.
    type Case = (&'static [u64], &'static [u64], [u64; 3]);
    let table: [Case; 6] = [
        (&[0, 1, 2], &[0, 1, 2], [0, 0, 0]),
        (&[0, 2], &[0, 1, 2], [1, 0, 0]),
        (&[], &[], [6, 0, 0]),
        (&[0, 1, 0, 1, 2], &[0, 1, 2, 2, 2], [0, 4, 0]),
        (&[1, 0, 2], &[2, 1, 0], [0, 0, 3]),
        // What comes after the numbered ones marks the end.
        (&[0, 3, 3, 1], &[0, 1, 2, 3], [1, 0, 1]),
    ];
    for (a, b, [lost, repeated, disordered]) in table {
        let mut tally = Tally::default();
        for (device, numbers) in [("a", a), ("b", b)] {
            for number in numbers {
                tally.take(device, *number);
            }
        }
        let expected = Counts {
            lost,
            repeated,
            disordered,
        };
        assert_eq!(tally.counts(2, 3), expected, "{a:?} {b:?}");
    }
}
