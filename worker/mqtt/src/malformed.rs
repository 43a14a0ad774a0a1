//! Bytes that no broker should send: the worker must end the connection, never itself.

use bytes::BytesMut;
use crds::validated::{MqttVersion, Qos};
use proptest::prelude::*;

use super::frame::{Front, front};
use super::options::tests::options;
use super::packet::{self, Writer};
use super::{Options, Publication};

/// Takes bytes as a connection does, until they end or are refused.
fn take(version: MqttVersion, bytes: &[u8]) {
    let mut buffer = BytesMut::from(bytes);
    while let Ok(Front::Packet(size)) = front(&buffer, 1 << 20) {
        let packet = buffer.split_to(size).freeze();
        if packet::read(version, packet).is_err() {
            return;
        }
    }
}

/// Well-formed packets of every kind that the codec writes, one after the other.
fn packets(version: MqttVersion) -> Vec<u8> {
    let mut buffer = BytesMut::new();
    let writer = Writer { version };
    let publication = Publication {
        topic: "a/b".into(),
        payload: "payload".into(),
        qos: Qos::AtLeastOnce,
        retain: true,
        hops: 0,
    };
    writer.publish(&publication, 7, false, &mut buffer);
    writer.puback(7, &mut buffer);
    writer.pubrec(8, &mut buffer);
    writer.pubrel(9, &mut buffer);
    writer.pubcomp(10, &mut buffer);
    writer.disconnect(&mut buffer);
    // CONNACK with properties in version 5, SUBACK, PINGRESP.
    buffer.extend_from_slice(match version {
        MqttVersion::V3_1_1 => &[0x20, 2, 1, 0, 0x90, 4, 0, 1, 1, 0x80, 0xD0, 0][..],
        MqttVersion::V5 => &[
            0x20, 11, 1, 0, 8, 0x21, 0, 20, 0x27, 0, 0, 0x10, 0, 0x90, 5, 0, 1, 0, 1, 0x80, 0xD0, 0,
        ],
    });
    buffer.to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn random_bytes_are_refused_or_taken(bytes: Vec<u8>, kind in 1_u8..16, flags in 0_u8..16) {
        for version in [MqttVersion::V3_1_1, MqttVersion::V5] {
            take(version, &bytes);
            // As one packet of each kind, with a length that is right.
            let body = &bytes[..bytes.len().min(127)];
            let mut packet = vec![(kind << 4) | flags, u8::try_from(body.len()).unwrap_or(0)];
            packet.extend_from_slice(body);
            take(version, &packet);
        }
    }

    #[test]
    fn changed_packets_are_refused_or_taken(changes: Vec<(prop::sample::Index, u8)>, cut: prop::sample::Index) {
        for version in [MqttVersion::V3_1_1, MqttVersion::V5] {
            let mut bytes = packets(version);
            for (index, byte) in &changes {
                let index = index.index(bytes.len());
                bytes[index] = *byte;
            }
            take(version, &bytes);
            take(version, &bytes[..cut.index(bytes.len())]);
        }
    }
}

/// The generator above is of use only while its packets are sound.
#[test]
fn the_unchanged_packets_are_taken() {
    for version in [MqttVersion::V3_1_1, MqttVersion::V5] {
        let mut buffer = BytesMut::from(&packets(version)[..]);
        while let Ok(Front::Packet(size)) = front(&buffer, 1 << 20) {
            let read = packet::read(version, buffer.split_to(size).freeze());
            assert!(read.is_ok(), "{version:?}: {read:?}");
        }
        assert!(buffer.is_empty());
    }
}

#[test]
fn sizes_of_publications_are_what_the_codec_writes() {
    for version in [MqttVersion::V3_1_1, MqttVersion::V5] {
        for (qos, hops) in [
            (Qos::AtMostOnce, 0),
            (Qos::AtLeastOnce, 0),
            (Qos::AtLeastOnce, 7),
            (Qos::AtMostOnce, 255),
        ] {
            for length in [0, 100, 120, 130, 16_380, 16_390] {
                let publication = Publication {
                    topic: "设备".into(),
                    payload: vec![0; length].into(),
                    qos,
                    retain: false,
                    hops,
                };
                let mut buffer = BytesMut::new();
                let writer = Writer { version };
                writer.publish(&publication, 1, false, &mut buffer);
                assert_eq!(buffer.len(), writer.publish_size(&publication));
            }
        }
    }
}

/// A password that is long must not break the first packet.
#[test]
fn long_credentials_are_written() {
    let mut options = Options {
        client_id: "c".repeat(1000),
        auth: Some(("u".repeat(1000), Some("p".repeat(10_000)))),
        ..options()
    };
    for version in [MqttVersion::V3_1_1, MqttVersion::V5] {
        options.version = version;
        let mut buffer = BytesMut::new();
        Writer { version }.connect(&options, &mut buffer);
        assert_eq!(front(&buffer, 1 << 20), Ok(Front::Packet(buffer.len())));
    }
}
