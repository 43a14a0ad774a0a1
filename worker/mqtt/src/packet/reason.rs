//! Reason codes of both versions: their names, and what a broker means by them when it ends a connection.

use crds::validated::MqttVersion;

/// Over what a broker ends a connection of MQTT 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Another client took the session over.
    TakenOver,
    /// A publication of ours.
    Publication,
    /// A subscription of ours.
    Subscription,
    /// Something that we sent; the code does not say what.
    Unclear,
    /// Nothing that we sent.
    Broker,
}

/// The code with which a broker refuses or ends something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) u8);

impl Code {
    pub(crate) const PACKET_TOO_LARGE: Self = Self(0x95);
    pub(crate) const RETAIN_NOT_SUPPORTED: Self = Self(0x9A);
    pub(crate) const QOS_NOT_SUPPORTED: Self = Self(0x9B);

    /// Codes from 0x80 on are refusals.
    pub(super) fn is_refusal(self) -> bool {
        self.0 >= 0x80
    }

    /// Another packet id would do.
    pub(super) fn is_id_in_use(self) -> bool {
        self.0 == 0x91
    }

    /// Over what a broker ends a connection with this code.
    pub(crate) fn fault(self) -> Fault {
        match self.0 {
            0x8E => Fault::TakenOver,
            0x90 | 0x95 | 0x97 | 0x99 | 0x9A | 0x9B => Fault::Publication,
            0x8F | 0x9E | 0xA1 | 0xA2 => Fault::Subscription,
            0x80..=0x83 | 0x87 | 0x93 | 0x94 | 0x96 => Fault::Unclear,
            _ => Fault::Broker,
        }
    }

    fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x00 => "normal disconnection",
            0x80 => "unspecified error",
            0x81 => "malformed packet",
            0x82 => "protocol error",
            0x83 => "implementation specific error",
            0x84 => "unsupported protocol version",
            0x85 => "client identifier not valid",
            0x86 => "bad user name or password",
            0x87 => "not authorized",
            0x88 => "server unavailable",
            0x89 => "server busy",
            0x8A => "banned",
            0x8B => "server shutting down",
            0x8C => "bad authentication method",
            0x8D => "keep alive timeout",
            0x8E => "session taken over",
            0x8F => "topic filter invalid",
            0x90 => "topic name invalid",
            0x91 => "packet identifier in use",
            0x92 => "packet identifier not found",
            0x93 => "receive maximum exceeded",
            0x94 => "topic alias invalid",
            0x95 => "packet too large",
            0x96 => "message rate too high",
            0x97 => "quota exceeded",
            0x98 => "administrative action",
            0x99 => "payload format invalid",
            0x9A => "retain not supported",
            0x9B => "QoS not supported",
            0x9C => "use another server",
            0x9D => "server moved",
            0x9E => "shared subscriptions not supported",
            0x9F => "connection rate exceeded",
            0xA0 => "maximum connect time",
            0xA1 => "subscription identifiers not supported",
            0xA2 => "wildcard subscriptions not supported",
            _ => return None,
        })
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "reason code 0x{:02X}", self.0),
        }
    }
}

/// Why a broker refused a connection.
pub(super) fn connection_refused(version: MqttVersion, code: u8) -> String {
    let name = match (version, code) {
        (MqttVersion::V5, code) => return Code(code).to_string(),
        (MqttVersion::V3_1_1, 1) => "unacceptable protocol version",
        (MqttVersion::V3_1_1, 2) => "client identifier rejected",
        (MqttVersion::V3_1_1, 3) => "server unavailable",
        (MqttVersion::V3_1_1, 4) => "bad user name or password",
        (MqttVersion::V3_1_1, 5) => "not authorized",
        (MqttVersion::V3_1_1, code) => return format!("return code 0x{code:02X}"),
    };
    name.to_owned()
}
