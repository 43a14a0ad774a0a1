//! The demo's devices: publish telemetry to each rule's subscription, as gateways at the edge do.

use std::time::Duration;

use crds::ValidatedRuntime;
use tokio::time::MissedTickBehavior;

use crate::mqtt::{Client, Event, Publication};
use crate::simulate::{Generator, topic_for};

/// Of ten messages, this share comes from devices that no model is for.
const UNMATCHED_SHARE: f64 = 0.3;

/// Publishes a message every `interval`, for ever.
pub async fn publish<C: Client>(
    mut client: C,
    runtime: &ValidatedRuntime,
    interval: Duration,
    sent: impl Fn(&str, &[u8]),
) {
    let mut generator = Generator::new(runtime, 1, UNMATCHED_SHARE);
    let topics: Vec<_> = runtime
        .rules
        .iter()
        .filter_map(|rule| topic_for(&rule.sub_topic).map(|topic| (topic, rule.sub_mqtt)))
        .collect();
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut token = 0;
    loop {
        tokio::select! {
            () = client.drive() => while let Some(event) = client.next_event() {
                if let Event::Disconnected { error, .. } = event {
                    tracing::warn!(%error, "Devices disconnected");
                }
            },
            _ = ticks.tick() => for (topic, mqtt) in &topics {
                if client.publish_capacity() == 0 {
                    break;
                }
                let (device, payload) = generator.message();
                sent(&device, &payload);
                let publication = Publication {
                    topic: topic.as_str().into(),
                    payload: payload.into(),
                    qos: runtime.mqtts[*mqtt].qos,
                    retain: false,
                };
                client.publish(publication, token);
                token += 1;
            },
        }
    }
}
