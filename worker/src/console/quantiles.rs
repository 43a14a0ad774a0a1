//! Quantiles of what a histogram counted between two moments.

use prometheus::Histogram;
use prometheus::core::Metric as _;

/// The counts of a histogram at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Counts {
    /// Upper bound in seconds and observations up to it, ascending.
    buckets: Vec<(f64, u64)>,
    all: u64,
}

impl Counts {
    pub(super) fn of(histogram: &Histogram) -> Self {
        let metric = histogram.metric();
        let histogram = metric.get_histogram();
        let buckets = histogram.get_bucket().iter();
        Self {
            buckets: buckets
                .map(|bucket| (bucket.upper_bound(), bucket.cumulative_count()))
                .collect(),
            all: histogram.get_sample_count(),
        }
    }

    /// What `share` of the observations since `before` stays under, in milliseconds; `None` if there were none. Within a
    /// bucket, observations count as spread evenly; above the last, as its bound.
    pub(super) fn quantile(&self, before: &Self, share: f64) -> Option<f64> {
        let all = self.all.saturating_sub(before.all);
        if all == 0 {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of ten seconds")]
        let wanted = all as f64 * share;
        let (mut below, mut lower) = (0.0, 0.0);
        for (index, (bound, count)) in self.buckets.iter().enumerate() {
            let earlier = before.buckets.get(index).map_or(0, |(_, count)| *count);
            #[expect(clippy::cast_precision_loss, reason = "counts of ten seconds")]
            let count = count.saturating_sub(earlier) as f64;
            if count >= wanted {
                let part = (wanted - below) / (count - below).max(f64::MIN_POSITIVE);
                return Some((lower + (bound - lower) * part) * 1e3);
            }
            (below, lower) = (count, *bound);
        }
        Some(lower * 1e3)
    }
}

#[cfg(test)]
mod tests {
    use prometheus::HistogramOpts;

    use super::*;

    #[test]
    fn quantiles_are_of_what_came_between() {
        let options = HistogramOpts::new("h", "h").buckets(vec![0.01, 0.02, 0.04]);
        let histogram = Histogram::with_opts(options).unwrap();
        let start = Counts::of(&histogram);
        assert_eq!(start.quantile(&start, 0.5), None);
        histogram.observe(0.039);
        let before = Counts::of(&histogram);
        for _ in 0..10 {
            histogram.observe(0.015);
        }
        let after = Counts::of(&histogram);
        let between = |share| after.quantile(&before, share).unwrap();
        assert!((between(0.5) - 15.0).abs() < 1e-9, "{}", between(0.5));
        assert!((between(1.0) - 20.0).abs() < 1e-9);
        histogram.observe(3.0);
        let last = Counts::of(&histogram).quantile(&after, 0.99).unwrap();
        assert!((last - 40.0).abs() < 1e-9, "above the last bound: {last}");
    }
}
