//! One series of every family: what the reference page is made of.

use prometheus::core::{MetricVec, MetricVecBuilder};

use super::Metrics;

impl Metrics {
    /// The exposition of a worker in which everything has happened once, in the format of `/metrics`.
    pub fn example() -> String {
        let metrics = Self::new();
        // Destructured without `..`, so that a new family does not compile until it is here too.
        let Self {
            registry: _,
            received,
            messages,
            in_flight,
            failures,
            dropped,
            queue_depth,
            queue_capacity,
            stages,
            hosts,
            connected,
            reconnects,
            publish_timeouts,
            oversized,
            discarded,
            match_misses,
            model_info,
            model_refused,
            stream: _,
            event_stream: _,
            undecodable,
        } = &metrics;
        touch(received, 1);
        touch(messages, 2);
        touch(in_flight, 1);
        touch(failures, 2);
        touch(dropped, 2);
        touch(queue_depth, 2);
        touch(queue_capacity, 2);
        touch(stages, 2);
        hosts.example();
        touch(connected, 3);
        touch(reconnects, 3);
        touch(publish_timeouts, 1);
        touch(oversized, 1);
        touch(discarded, 2);
        touch(undecodable, 1);
        touch(match_misses, 2);
        touch(model_info, 3);
        touch(model_refused, 2);
        metrics.render()
    }
}

/// Makes a series with so many labels.
fn touch<B: MetricVecBuilder>(family: &MetricVec<B>, labels: usize) {
    let _ = family.with_label_values(&["x"; 3][..labels]);
}
