//! The packets of both protocol versions as one set, read and written with rumqttc's codec.
//!
//! The only file that names the codec. It keeps no state.

use bytes::{Bytes, BytesMut};
use crds::validated::{MqttVersion, Qos};
use rumqttc::mqttbytes::{self, v4};
use rumqttc::v5::mqttbytes::{self as mqttbytes5, v5};

use super::refusal::refusal;
use super::{Options, Publication};

/// A packet from the broker.
#[derive(Debug)]
pub(super) enum Inbound {
    ConnAck {
        session_present: bool,
        refused: Option<String>,
        limits: Limits,
    },
    Publish(Publish),
    /// A publication at QoS 1 is done; at QoS 2 refused.
    PubAck {
        id: u16,
        refused: Option<String>,
    },
    PubRec {
        id: u16,
        refused: Option<String>,
    },
    PubRel {
        id: u16,
    },
    PubComp {
        id: u16,
    },
    /// A reason for each filter that was refused, in the order of the subscription.
    SubAck {
        id: u16,
        refused: Vec<Option<String>>,
    },
    /// The subscriptions are gone, or never were; whatever the broker thinks of it.
    UnsubAck {
        id: u16,
    },
    PingResp,
    Disconnect {
        reason: String,
        taken_over: bool,
    },
}

/// What the broker asks of a client, by MQTT 5.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Limits {
    pub(super) receive_maximum: Option<u16>,
    pub(super) max_packet_size: Option<u32>,
    pub(super) keep_alive: Option<u16>,
    pub(super) qos: Option<Qos>,
}

/// A message from the broker.
#[derive(Debug)]
pub(super) struct Publish {
    pub(super) topic: Bytes,
    pub(super) payload: Bytes,
    pub(super) qos: Qos,
    pub(super) id: u16,
    pub(super) duplicate: bool,
    pub(super) retained: bool,
}

/// The broker's bytes are no packet of this version.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Malformed(String);

/// Reads the packet that is whole at the front of `buffer`.
pub(super) fn read(version: MqttVersion, buffer: &mut BytesMut) -> Result<Inbound, Malformed> {
    match version {
        MqttVersion::V3_1_1 => read_v4(buffer),
        MqttVersion::V5 => read_v5(buffer),
    }
}

fn read_v4(buffer: &mut BytesMut) -> Result<Inbound, Malformed> {
    use v4::Packet;
    let packet = Packet::read(buffer, usize::MAX).map_err(|error| Malformed(error.to_string()))?;
    Ok(match packet {
        Packet::ConnAck(ack) => Inbound::ConnAck {
            session_present: ack.session_present,
            refused: (ack.code != v4::ConnectReturnCode::Success).then(|| words(&ack.code)),
            limits: Limits::default(),
        },
        Packet::Publish(publish) => Inbound::Publish(Publish {
            topic: publish.topic.into(),
            payload: publish.payload,
            qos: match publish.qos {
                mqttbytes::QoS::AtMostOnce => Qos::AtMostOnce,
                mqttbytes::QoS::AtLeastOnce => Qos::AtLeastOnce,
                mqttbytes::QoS::ExactlyOnce => Qos::ExactlyOnce,
            },
            id: publish.pkid,
            duplicate: publish.dup,
            retained: publish.retain,
        }),
        Packet::PubAck(ack) => Inbound::PubAck {
            id: ack.pkid,
            refused: None,
        },
        Packet::PubRec(ack) => Inbound::PubRec {
            id: ack.pkid,
            refused: None,
        },
        Packet::PubRel(ack) => Inbound::PubRel { id: ack.pkid },
        Packet::PubComp(ack) => Inbound::PubComp { id: ack.pkid },
        Packet::SubAck(ack) => Inbound::SubAck {
            id: ack.pkid,
            refused: ack
                .return_codes
                .iter()
                .map(|code| match code {
                    v4::SubscribeReasonCode::Success(_) => None,
                    v4::SubscribeReasonCode::Failure => Some("failure".to_owned()),
                })
                .collect(),
        },
        Packet::UnsubAck(ack) => Inbound::UnsubAck { id: ack.pkid },
        Packet::PingResp => Inbound::PingResp,
        other => return Err(unexpected(&other)),
    })
}

fn read_v5(buffer: &mut BytesMut) -> Result<Inbound, Malformed> {
    use v5::Packet;
    if buffer[..] == [0xE0, 0] {
        // The short form of a normal disconnection, which the codec does not know.
        return Ok(Inbound::Disconnect {
            reason: "normal disconnection".to_owned(),
            taken_over: false,
        });
    }
    if let Some(refusal) = refusal(buffer) {
        let (id, refused) = (refusal.id, Some(refusal.reason));
        return Ok(if refusal.at_qos_2 {
            Inbound::PubRec { id, refused }
        } else {
            Inbound::PubAck { id, refused }
        });
    }
    let packet = Packet::read(buffer, None).map_err(|error| Malformed(error.to_string()))?;
    Ok(match packet {
        Packet::ConnAck(ack) => {
            let properties = ack.properties.as_ref();
            Inbound::ConnAck {
                session_present: ack.session_present,
                refused: (ack.code != v5::ConnectReturnCode::Success).then(|| words(&ack.code)),
                limits: Limits {
                    receive_maximum: properties.and_then(|properties| properties.receive_max),
                    max_packet_size: properties.and_then(|properties| properties.max_packet_size),
                    keep_alive: properties.and_then(|properties| properties.server_keep_alive),
                    qos: match properties.and_then(|properties| properties.max_qos) {
                        Some(0) => Some(Qos::AtMostOnce),
                        Some(1) => Some(Qos::AtLeastOnce),
                        _ => None,
                    },
                },
            }
        }
        Packet::Publish(publish) => Inbound::Publish(Publish {
            topic: publish.topic,
            payload: publish.payload,
            qos: match publish.qos {
                mqttbytes5::QoS::AtMostOnce => Qos::AtMostOnce,
                mqttbytes5::QoS::AtLeastOnce => Qos::AtLeastOnce,
                mqttbytes5::QoS::ExactlyOnce => Qos::ExactlyOnce,
            },
            id: publish.pkid,
            duplicate: publish.dup,
            retained: publish.retain,
        }),
        Packet::PubAck(ack) => Inbound::PubAck {
            id: ack.pkid,
            refused: None,
        },
        Packet::PubRec(ack) => Inbound::PubRec {
            id: ack.pkid,
            refused: None,
        },
        Packet::PubRel(ack) => Inbound::PubRel { id: ack.pkid },
        Packet::PubComp(ack) => Inbound::PubComp { id: ack.pkid },
        Packet::SubAck(ack) => Inbound::SubAck {
            id: ack.pkid,
            refused: ack
                .return_codes
                .iter()
                .map(|code| match code {
                    v5::SubscribeReasonCode::Success(_) => None,
                    code => Some(words(code)),
                })
                .collect(),
        },
        Packet::UnsubAck(ack) => Inbound::UnsubAck { id: ack.pkid },
        Packet::PingResp(_) => Inbound::PingResp,
        Packet::Disconnect(disconnect) => Inbound::Disconnect {
            reason: words(&disconnect.reason_code),
            taken_over: disconnect.reason_code == v5::DisconnectReasonCode::SessionTakenOver,
        },
        other => return Err(unexpected(&other)),
    })
}

fn unexpected(packet: &impl std::fmt::Debug) -> Malformed {
    let name: String = format!("{packet:?}")
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    Malformed(format!("a broker does not send {name}"))
}

/// `BadUserNamePassword` as `bad user name password`.
fn words(code: &impl std::fmt::Debug) -> String {
    let mut words = String::new();
    for c in format!("{code:?}").chars() {
        if c.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}

/// Writes packets of one version.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writer {
    pub(super) version: MqttVersion,
}

/// The sessions of MQTT 3.1.1 never expire; 5 has a number that means the same.
const NEVER_EXPIRES: u32 = u32::MAX;

impl Writer {
    /// A packet goes through `write`. The codec refuses none that a validated configuration leads to;
    /// should it ever, the packet is missing, and the broker notices.
    fn put<E: std::fmt::Display>(result: Result<usize, E>) {
        if let Err(error) = result {
            tracing::error!(%error, "Packet not written");
        }
    }

    pub(super) fn connect(self, options: &Options, buffer: &mut BytesMut) {
        let keep_alive = u16::try_from(options.keep_alive.as_secs()).unwrap_or(u16::MAX);
        let client_id = options.client_id.clone();
        match self.version {
            MqttVersion::V3_1_1 => Self::put(
                v4::Connect {
                    protocol: mqttbytes::Protocol::V4,
                    keep_alive,
                    client_id,
                    clean_session: options.clean_start,
                    last_will: None,
                    login: options.auth.as_ref().map(|(user, password)| {
                        v4::Login::new(user, password.clone().unwrap_or_default())
                    }),
                }
                .write(buffer),
            ),
            MqttVersion::V5 => {
                let mut properties = v5::ConnectProperties::new();
                properties.max_packet_size = Some(options.max_packet_size);
                properties.session_expiry_interval =
                    (!options.clean_start).then_some(NEVER_EXPIRES);
                let connect = v5::Connect {
                    keep_alive,
                    client_id,
                    clean_start: options.clean_start,
                    properties: Some(properties),
                };
                let login = options.auth.as_ref().map(|(user, password)| {
                    v5::Login::new(user, password.clone().unwrap_or_default())
                });
                Self::put(connect.write(&None, &login, buffer));
            }
        }
    }

    pub(super) fn subscribe(self, id: u16, filters: &[(String, Qos)], buffer: &mut BytesMut) {
        match self.version {
            MqttVersion::V3_1_1 => {
                let filters = filters
                    .iter()
                    .map(|(path, qos)| v4::SubscribeFilter::new(path.clone(), qos4(*qos)));
                let mut subscribe = v4::Subscribe::new_many(filters);
                subscribe.pkid = id;
                Self::put(subscribe.write(buffer));
            }
            MqttVersion::V5 => {
                let filters = filters
                    .iter()
                    .map(|(path, qos)| v5::Filter::new(path.clone(), qos5(*qos)));
                let mut subscribe = v5::Subscribe::new_many(filters, None);
                subscribe.pkid = id;
                Self::put(subscribe.write(buffer));
            }
        }
    }

    pub(super) fn unsubscribe(self, id: u16, filters: Vec<String>, buffer: &mut BytesMut) {
        match self.version {
            MqttVersion::V3_1_1 => Self::put(
                v4::Unsubscribe {
                    pkid: id,
                    topics: filters,
                }
                .write(buffer),
            ),
            MqttVersion::V5 => Self::put(
                v5::Unsubscribe {
                    pkid: id,
                    filters,
                    properties: None,
                }
                .write(buffer),
            ),
        }
    }

    /// Size of the packet of a publication.
    pub(super) fn publish_size(self, publication: &Publication) -> usize {
        let id = if publication.qos == Qos::AtMostOnce {
            0
        } else {
            2
        };
        let properties = usize::from(self.version == MqttVersion::V5);
        let rest = 2 + publication.topic.len() + id + properties + publication.payload.len();
        1 + length_bytes(rest) + rest
    }

    pub(super) fn publish(
        self,
        publication: &Publication,
        id: u16,
        duplicate: bool,
        buffer: &mut BytesMut,
    ) {
        let topic = publication.topic.to_string();
        let payload = publication.payload.clone();
        match self.version {
            MqttVersion::V3_1_1 => Self::put(
                v4::Publish {
                    dup: duplicate,
                    qos: qos4(publication.qos),
                    retain: publication.retain,
                    topic,
                    pkid: id,
                    payload,
                }
                .write(buffer),
            ),
            MqttVersion::V5 => Self::put(
                v5::Publish {
                    dup: duplicate,
                    qos: qos5(publication.qos),
                    retain: publication.retain,
                    topic: topic.into(),
                    pkid: id,
                    payload,
                    properties: None,
                }
                .write(buffer),
            ),
        }
    }

    pub(super) fn puback(self, id: u16, buffer: &mut BytesMut) {
        match self.version {
            MqttVersion::V3_1_1 => Self::put(v4::PubAck::new(id).write(buffer)),
            MqttVersion::V5 => Self::put(v5::PubAck::new(id, None).write(buffer)),
        }
    }

    pub(super) fn pubrec(self, id: u16, buffer: &mut BytesMut) {
        match self.version {
            MqttVersion::V3_1_1 => Self::put(v4::PubRec::new(id).write(buffer)),
            MqttVersion::V5 => Self::put(v5::PubRec::new(id, None).write(buffer)),
        }
    }

    pub(super) fn pubrel(self, id: u16, buffer: &mut BytesMut) {
        match self.version {
            MqttVersion::V3_1_1 => Self::put(v4::PubRel::new(id).write(buffer)),
            MqttVersion::V5 => Self::put(v5::PubRel::new(id, None).write(buffer)),
        }
    }

    pub(super) fn pubcomp(self, id: u16, buffer: &mut BytesMut) {
        match self.version {
            MqttVersion::V3_1_1 => Self::put(v4::PubComp::new(id).write(buffer)),
            MqttVersion::V5 => Self::put(v5::PubComp::new(id, None).write(buffer)),
        }
    }

    pub(super) fn ping(self, buffer: &mut BytesMut) {
        match self.version {
            MqttVersion::V3_1_1 => Self::put(v4::PingReq.write(buffer)),
            MqttVersion::V5 => Self::put(v5::PingReq::write(buffer)),
        }
    }

    pub(super) fn disconnect(self, buffer: &mut BytesMut) {
        match self.version {
            MqttVersion::V3_1_1 => Self::put(v4::Disconnect.write(buffer)),
            MqttVersion::V5 => Self::put(
                v5::Disconnect::new(v5::DisconnectReasonCode::NormalDisconnection).write(buffer),
            ),
        }
    }
}

/// Bytes that a packet's remaining length takes (MQTT 3.1.1, section 2.2.3).
fn length_bytes(length: usize) -> usize {
    match length {
        0..=127 => 1,
        128..=16_383 => 2,
        16_384..=2_097_151 => 3,
        _ => 4,
    }
}

fn qos4(qos: Qos) -> mqttbytes::QoS {
    match qos {
        Qos::AtMostOnce => mqttbytes::QoS::AtMostOnce,
        Qos::AtLeastOnce => mqttbytes::QoS::AtLeastOnce,
        Qos::ExactlyOnce => mqttbytes::QoS::ExactlyOnce,
    }
}

fn qos5(qos: Qos) -> mqttbytes5::QoS {
    match qos {
        Qos::AtMostOnce => mqttbytes5::QoS::AtMostOnce,
        Qos::AtLeastOnce => mqttbytes5::QoS::AtLeastOnce,
        Qos::ExactlyOnce => mqttbytes5::QoS::ExactlyOnce,
    }
}
