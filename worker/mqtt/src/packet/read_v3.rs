//! Packets of MQTT 3.1.1 that a broker sends.

use bytes::BytesMut;
use crds::validated::Qos;
use rumqttc::mqttbytes::{self, v4};

use super::{Inbound, Limits, Malformed, Publish, unexpected, words};
use crate::v3::EXACTLY_ONCE_WINDOW;

/// Reads the packet that is whole at the front of `buffer`.
pub(super) fn read(buffer: &mut BytesMut) -> Result<Inbound, Malformed> {
    use v4::Packet;
    let packet = Packet::read(buffer, usize::MAX).map_err(|error| Malformed(error.to_string()))?;
    Ok(match packet {
        Packet::ConnAck(ack) => Inbound::ConnAck {
            session_present: ack.session_present,
            refused: (ack.code != v4::ConnectReturnCode::Success).then(|| words(&ack.code)),
            limits: Limits {
                exactly_once: Some(EXACTLY_ONCE_WINDOW),
                ..Limits::default()
            },
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
        Packet::Disconnect => Inbound::Close,
        other => return Err(unexpected(&other)),
    })
}
