//! The normative statements of MQTT 3.1.1 and 5 that concern a client. Each has a test with its number in the name:
//! `v3_mqtt_3_1_0_1` is [MQTT-3.1.0-1] of 3.1.1, `v5_mqtt_3_1_0_1` that of 5. `statements.txt` lists all of them.

/// Makes a test for each statement that a check is about, and the list of the tests.
macro_rules! statements {
    ($($check:ident($version:ident): $($name:ident)*;)*) => {
        pub(super) const NAMES: &[&str] = &[$($(stringify!($name),)*)*];
        $($(
            #[tokio::test]
            async fn $name() {
                $check($version).await;
            }
        )*)*
    };
}

mod connecting;
mod conversation;
mod deviating;
mod ending;
mod limits;
mod list;
mod receiving;
mod resuming;
mod sending;
mod streaming;
mod subscribing;
mod written;

use super::subscribing::{suback, welcome};
use super::*;
use crate::Publication;
use crds::validated::Qos;
use written::Written;

const V3: MqttVersion = MqttVersion::V3_1_1;
const V5: MqttVersion = MqttVersion::V5;

/// The broker of one test.
struct Broker {
    listener: TcpListener,
    version: MqttVersion,
}

impl Broker {
    /// Takes the next connection, and answers its CONNECT.
    async fn greets(&self, session_present: bool) -> Peer {
        let mut answer = welcome(self.version).to_vec();
        answer[2] = u8::from(session_present);
        Peer::greet(&self.listener, &answer).await
    }

    /// The same, and answers its SUBSCRIBE.
    async fn serves(&self, session_present: bool) -> Peer {
        let mut peer = self.greets(session_present).await;
        self.grants(&mut peer).await;
        peer
    }

    async fn grants(&self, peer: &mut Peer) {
        let subscribe = peer.packet().await.unwrap();
        assert_eq!(subscribe[0], 0x82);
        peer.say(&suback(self.version, &subscribe, 2)).await;
    }
}

impl Peer {
    /// What the session writes until it closes the connection.
    async fn rest(&mut self) -> Vec<BytesMut> {
        let mut packets = Vec::new();
        while let Some(packet) = self.packet().await {
            packets.push(packet);
        }
        packets
    }

    /// What the session writes until it has nothing more to say to what it was sent.
    async fn answers(&mut self) -> Vec<BytesMut> {
        let mut packets = Vec::new();
        // It answers PUBREL of nothing at once: the first may overtake what its owner has to acknowledge, and the owner has
        // done that when the second comes.
        for id in [98, 99] {
            self.say(&[0x62, 2, 0, id]).await;
            loop {
                let packet = self.packet().await.expect("the connection stands");
                if packet[..] == [0x70, 2, 0, id] {
                    break;
                }
                packets.push(packet);
            }
        }
        packets
    }

    /// The next packet as it is written.
    async fn next(&mut self, version: MqttVersion) -> Written {
        Written::of(version, &self.packet().await.unwrap())
    }
}

/// PUBLISH of `x` with these flags. Topics have at most a few bytes.
fn message(version: MqttVersion, flags: u8, topic: &[u8], id: u8) -> Vec<u8> {
    let mut body = vec![0, u8::try_from(topic.len()).unwrap()];
    body.extend_from_slice(topic);
    if flags & 6 != 0 {
        body.extend_from_slice(&[0, id]);
    }
    if version == V5 {
        body.push(0);
    }
    body.push(b'x');
    let mut packet = vec![0x30 | flags, u8::try_from(body.len()).unwrap()];
    packet.extend_from_slice(&body);
    packet
}

/// Flags of a message.
const AT_LEAST_ONCE: u8 = 2;
const EXACTLY_ONCE: u8 = 4;
const DUPLICATE: u8 = 8;

fn publication(qos: Qos, payload: &'static str) -> Publication {
    Publication {
        topic: "t".into(),
        payload: payload.into(),
        qos,
        retain: false,
        hops: 0,
    }
}

/// An owner that publishes when it is first subscribed, and acknowledges each message.
fn owner(mut publications: Vec<Publication>) -> impl FnMut(&mut Session, Event) {
    move |session, event| match event {
        Event::Subscribed => {
            for (publication, token) in publications.drain(..).zip(0..) {
                session.publish(publication, token);
            }
        }
        Event::Message(message) => {
            if let Some(tag) = message.tag {
                session.ack(tag);
            }
        }
        _ => {}
    }
}

/// What `broker` finds of a session of `version` with this owner. It subscribes to `a` and has ten publications in flight
/// at most, unless `change` says otherwise.
async fn at_broker<T>(
    version: MqttVersion,
    change: impl FnOnce(&mut Options),
    mut owner: impl FnMut(&mut Session, Event),
    broker: impl AsyncFnOnce(Broker) -> T,
) -> T {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut options = options(listener.local_addr().unwrap(), version);
    options.max_in_flight = 10;
    options.subscriptions = vec![("a".to_owned(), Qos::ExactlyOnce)];
    change(&mut options);
    let mut session = Session::new(options);
    let client = async {
        loop {
            session.drive().await;
            while let Some(event) = session.next_event() {
                owner(&mut session, event);
            }
        }
    };
    against(broker(Broker { listener, version }), client).await
}
