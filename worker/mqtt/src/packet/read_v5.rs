//! Packets of MQTT 5 that a broker sends.

use bytes::BytesMut;
use crds::validated::Qos;
use rumqttc::v5::mqttbytes::{self, v5};

use super::refusal::refusal;
use super::{Inbound, Limits, Malformed, Publish, unexpected, words};

const NOT_SUPPORTED: &str = "the broker does not support MQTT 5; set `version: '3.1.1'`";

/// Reads the packet that is whole at the front of `buffer`.
pub(super) fn read(buffer: &mut BytesMut) -> Result<Inbound, Malformed> {
    use v5::Packet;
    if let [0xE0, 1, reason] = buffer[..] {
        // The codec wants the length of the properties, which may be left out.
        *buffer = BytesMut::from(&[0xE0, 2, reason, 0][..]);
    }
    if let [0x20, 2, ..] = buffer[..] {
        // As in MQTT 3.1.1; that of MQTT 5 is longer.
        return Ok(Inbound::ConnAck {
            session_present: false,
            refused: Some(NOT_SUPPORTED.to_owned()),
            limits: Limits::default(),
        });
    }
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
                    exactly_once: None,
                },
            }
        }
        Packet::Publish(publish) => Inbound::Publish(Publish {
            topic: publish.topic,
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
