//! Options of a session.

use std::sync::Arc;
use std::time::Duration;

use crds::validated::{BrokerUrl, MqttVersion, Qos};

/// Options of a session.
#[derive(Debug, Clone)]
pub struct Options {
    /// The broker's address.
    pub broker: BrokerUrl,
    /// Client id; stable, since it identifies the session at the broker.
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
    /// Largest packet in bytes to receive (announced to MQTT 5 brokers) or send.
    pub max_packet_size: u32,
    /// Topic filters to subscribe to after the first connect and after each that finds no session.
    pub subscriptions: Vec<(String, Qos)>,
    /// Whether no retained messages are wanted, which MQTT 5 can say.
    pub ignore_retained: bool,
    /// Most messages at QoS 1 and 2 that are published and not yet acknowledged.
    pub max_in_flight: u16,
    /// How long to wait after a takeover before reconnecting; longer each time.
    pub takeover_retry: Duration,
    /// How long packets are gathered before they are read at high rates, in whole milliseconds; zero reads each packet
    /// immediately. Waking up 1000 times a second instead of for each message halves the CPU time.
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
