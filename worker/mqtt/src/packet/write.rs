//! Writes packets of both versions.

use bytes::BytesMut;
use crds::validated::{MqttVersion, Qos};
use rumqttc::mqttbytes::{self, v4};
use rumqttc::v5::mqttbytes::{self as mqttbytes5, v5};

use crate::{HOPS, Options, Publication};

/// Writes packets of one version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer {
    pub(crate) version: MqttVersion,
}

/// The sessions of MQTT 3.1.1 never expire; 5 has a number that means the same.
const NEVER_EXPIRES: u32 = u32::MAX;

impl Writer {
    /// Encodes a packet with `write`. The codec rejects no packet of a validated configuration; if it ever does,
    /// the packet is missing and the broker closes the connection.
    fn put<E: std::fmt::Display>(result: Result<usize, E>) {
        if let Err(error) = result {
            tracing::error!(%error, "Failed to encode a packet");
        }
    }

    pub(crate) fn connect(self, options: &Options, buffer: &mut BytesMut) {
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
                    // A password without a user name is for MQTT 5 (MQTT-3.1.2-22).
                    login: options
                        .auth
                        .as_ref()
                        .filter(|(user, _)| !user.is_empty())
                        .map(|(user, password)| {
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

    /// Retained messages come with a subscription that is new, not with each connection; with none if they are ignored.
    /// MQTT 3.1.1 cannot say so.
    pub(crate) fn subscribe(
        self,
        id: u16,
        filters: &[(String, Qos)],
        ignore_retained: bool,
        buffer: &mut BytesMut,
    ) {
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
                let retained = || {
                    if ignore_retained {
                        v5::RetainForwardRule::Never
                    } else {
                        v5::RetainForwardRule::OnNewSubscribe
                    }
                };
                let filters = filters.iter().map(|(path, qos)| v5::Filter {
                    retain_forward_rule: retained(),
                    ..v5::Filter::new(path.clone(), qos5(*qos))
                });
                let mut subscribe = v5::Subscribe::new_many(filters, None);
                subscribe.pkid = id;
                Self::put(subscribe.write(buffer));
            }
        }
    }

    /// Size of the packet of a subscription.
    pub(crate) fn subscribe_size(self, filters: &[(String, Qos)]) -> usize {
        let properties = usize::from(self.version == MqttVersion::V5);
        // Each filter has its length and its options.
        let filters = filters.iter().map(|(filter, _)| 3 + filter.len());
        let rest = 2 + properties + filters.sum::<usize>();
        1 + length_bytes(rest) + rest
    }

    pub(crate) fn unsubscribe(self, id: u16, filters: Vec<String>, buffer: &mut BytesMut) {
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
    pub(crate) fn publish_size(self, publication: &Publication) -> usize {
        let id = if publication.qos == Qos::AtMostOnce {
            0
        } else {
            2
        };
        let properties = match self.version {
            MqttVersion::V3_1_1 => 0,
            MqttVersion::V5 if publication.hops == 0 => 1,
            // The lengths of all properties, the kind of this one, and the lengths of its two texts.
            MqttVersion::V5 => 6 + HOPS.len() + publication.hops.to_string().len(),
        };
        let rest = 2 + publication.topic.len() + id + properties + publication.payload.len();
        1 + length_bytes(rest) + rest
    }

    pub(crate) fn publish(
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
                    properties: (publication.hops > 0).then(|| v5::PublishProperties {
                        user_properties: vec![(HOPS.to_owned(), publication.hops.to_string())],
                        ..v5::PublishProperties::default()
                    }),
                }
                .write(buffer),
            ),
        }
    }

    pub(crate) fn puback(self, id: u16, buffer: &mut BytesMut) {
        match self.version {
            MqttVersion::V3_1_1 => Self::put(v4::PubAck::new(id).write(buffer)),
            MqttVersion::V5 => Self::put(v5::PubAck::new(id, None).write(buffer)),
        }
    }

    pub(crate) fn pubrec(self, id: u16, buffer: &mut BytesMut) {
        match self.version {
            MqttVersion::V3_1_1 => Self::put(v4::PubRec::new(id).write(buffer)),
            MqttVersion::V5 => Self::put(v5::PubRec::new(id, None).write(buffer)),
        }
    }

    pub(crate) fn pubrel(self, id: u16, buffer: &mut BytesMut) {
        match self.version {
            MqttVersion::V3_1_1 => Self::put(v4::PubRel::new(id).write(buffer)),
            MqttVersion::V5 => Self::put(v5::PubRel::new(id, None).write(buffer)),
        }
    }

    pub(crate) fn pubcomp(self, id: u16, buffer: &mut BytesMut) {
        match self.version {
            MqttVersion::V3_1_1 => Self::put(v4::PubComp::new(id).write(buffer)),
            MqttVersion::V5 => Self::put(v5::PubComp::new(id, None).write(buffer)),
        }
    }

    pub(crate) fn ping(self, buffer: &mut BytesMut) {
        match self.version {
            MqttVersion::V3_1_1 => Self::put(v4::PingReq.write(buffer)),
            MqttVersion::V5 => Self::put(v5::PingReq::write(buffer)),
        }
    }

    pub(crate) fn disconnect(self, buffer: &mut BytesMut) {
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
