//! Times, to one percent, in memory that does not grow with their number.

use std::time::Duration;

use super::to_f64;

/// From one bucket to the next.
const STEP: f64 = 1.01;

/// How many times fell into each bucket; bucket `n` ends at `STEP` to the power of `n` microseconds.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    pub(super) fn add(&mut self, time: Duration) {
        let micros = (time.as_secs_f64() * 1e6).max(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to the logarithm of a century"
        )]
        let bucket = micros.log(STEP).ceil() as usize;
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.total += 1;
    }

    /// The time that a share of all do not exceed, in milliseconds.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        let wanted = to_f64(self.total) * share;
        let mut seen = 0;
        let bucket = self.counts.iter().position(|count| {
            seen += count;
            *count > 0 && to_f64(seen) >= wanted
        })?;
        Some(STEP.powf(to_f64(bucket as u64)) / 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_to_one_percent() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        for millis in 1..=1000 {
            histogram.add(Duration::from_millis(millis));
        }
        for (share, expected) in [(0.5, 500.0), (0.99, 990.0), (0.999, 999.0), (1.0, 1000.0)] {
            let found = histogram.quantile(share).unwrap();
            assert!(
                (expected..expected * 1.011).contains(&found),
                "{share}: {found}"
            );
        }
    }

    #[test]
    fn times_of_nothing_are_taken() {
        let mut histogram = Histogram::default();
        histogram.add(Duration::ZERO);
        assert_eq!(histogram.quantile(0.5), Some(0.001));
    }
}
