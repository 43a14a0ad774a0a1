//! What any MQTT session must do, against a real mosquitto: the suite that a library has to pass to
//! stand behind `mqtt`.

mod delivery;
mod failures;
mod limits;
mod security;
mod subscriptions;
mod takeover;

use crds::validated::{MqttVersion, Qos};

/// Both versions.
const VERSIONS: [MqttVersion; 2] = [MqttVersion::V3_1_1, MqttVersion::V5];

/// All qualities of service.
const QOS: [Qos; 3] = [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce];
