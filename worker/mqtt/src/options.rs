//! What a session needs to know.

use std::sync::Arc;
use std::time::Duration;

use crds::validated::{BrokerUrl, MqttVersion, Qos};

/// Everything a session needs to know.
#[derive(Debug, Clone)]
pub struct Options {
    /// The broker's address.
    pub broker: BrokerUrl,
    /// Client id; stable, since the broker keeps the session under it.
    pub client_id: String,
    /// Protocol version.
    pub version: MqttVersion,
    /// `false` keeps the session across connections.
    pub clean_start: bool,
    /// Keep-alive.
    pub keep_alive: Duration,
    /// User name and password.
    pub auth: Option<(String, Option<String>)>,
    /// TLS configuration for the schemes that need one, and the name to expect in the certificate.
    pub tls: Option<(Arc<rustls::ClientConfig>, String)>,
    /// Largest packet in bytes that is taken (announced to MQTT 5 brokers) or sent.
    pub max_packet_size: u32,
    /// Topic filters to subscribe to after each connect that finds no session, and after the first.
    pub subscriptions: Vec<(String, Qos)>,
    /// Whether no retained messages are wanted, which MQTT 5 can say.
    pub ignore_retained: bool,
    /// Most messages at QoS 1 and 2 that are published and not yet acknowledged.
    pub max_in_flight: u16,
    /// How long to wait after another client took the session over, before it is taken back; longer each time.
    pub takeover_retry: Duration,
    /// At a high rate, how long packets may wait for each other before they are read: a worker that is
    /// woken a thousand times a second instead of for each message needs half the processor time.
    /// Zero reads every packet at once. Counted in whole milliseconds.
    pub gather: Duration,
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crds::validated::Transport;

    /// Options of a session that no test needs otherwise.
    pub(crate) fn options() -> Options {
        Options {
            broker: BrokerUrl {
                transport: Transport::Tcp,
                host: "h".to_owned(),
                port: 1,
                path: String::new(),
            },
            client_id: "c".to_owned(),
            version: MqttVersion::V5,
            clean_start: false,
            keep_alive: Duration::from_mins(1),
            auth: None,
            tls: None,
            max_packet_size: 1 << 20,
            subscriptions: Vec::new(),
            ignore_retained: false,
            max_in_flight: 1,
            takeover_retry: Duration::from_mins(1),
            gather: Duration::ZERO,
        }
    }
}
