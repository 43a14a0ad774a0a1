//! A small MQTT 3.1.1 broker for `edgemodel demo` on loopback: QoS 0 and 1, wildcards, and nothing that
//! outlives a connection. It knows no users, no TLS and no retained messages.

mod connection;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rumqttc::mqttbytes::v4::Publish;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::JoinSet;

/// Messages that a slow client may lag behind before it loses the oldest.
const BACKLOG: usize = 10_000;

/// The pause after the system refuses a connection, as when it has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A broker; ends with all its connections when it is dropped.
#[derive(Debug)]
pub struct Broker {
    address: SocketAddr,
    _task: JoinSet<()>,
}

impl Broker {
    /// Listens on `address`.
    ///
    /// # Errors
    /// The address is taken or not allowed.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let mut task = JoinSet::new();
        task.spawn(serve(listener));
        Ok(Self {
            address,
            _task: task,
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }
}

/// Every connection gets every message and picks those that its client subscribed to.
async fn serve(listener: TcpListener) {
    let messages = broadcast::Sender::<Publish>::new(BACKLOG);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let messages = messages.clone();
                    connections.spawn(async move {
                        if let Err(error) = connection::serve(stream, messages).await {
                            tracing::debug!(%error, %peer, "Connection to the demo's broker ended");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "The demo's broker is unable to accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use rumqttc::mqttbytes::v4::{Connect, Packet, Publish, Subscribe, SubscribeReasonCode};
    use rumqttc::mqttbytes::{Error, QoS};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    const LIMIT: usize = 1 << 20;

    struct Peer(TcpStream, BytesMut);

    impl Peer {
        async fn connect(broker: &Broker, id: &str) -> Self {
            let stream = TcpStream::connect(broker.addr()).await.unwrap();
            let mut peer = Self(stream, BytesMut::new());
            peer.send(Packet::Connect(Connect::new(id))).await;
            assert!(matches!(peer.receive().await, Packet::ConnAck(_)));
            peer
        }

        async fn send(&mut self, packet: Packet) {
            let mut output = BytesMut::new();
            packet.write(&mut output, LIMIT).unwrap();
            self.0.write_all(&output).await.unwrap();
        }

        async fn receive(&mut self) -> Packet {
            loop {
                match Packet::read(&mut self.1, LIMIT) {
                    Err(Error::InsufficientBytes(_)) => {}
                    packet => return packet.unwrap(),
                }
                assert_ne!(self.0.read_buf(&mut self.1).await.unwrap(), 0, "closed");
            }
        }

        async fn publish(&mut self, topic: &str, qos: QoS) {
            let mut message = Publish::new(topic, qos, topic);
            message.pkid = 7;
            self.send(Packet::Publish(message)).await;
        }
    }

    #[tokio::test]
    async fn messages_reach_the_filters_that_match_at_the_lower_qos() {
        let broker = Broker::start(([127, 0, 0, 1], 0).into()).await.unwrap();
        let mut reader = Peer::connect(&broker, "reader").await;
        let mut filters = Subscribe::new("a/+", QoS::ExactlyOnce);
        filters.add("$share/group/b/#".to_owned(), QoS::AtMostOnce);
        filters.pkid = 1;
        reader.send(Packet::Subscribe(filters)).await;
        let Packet::SubAck(granted) = reader.receive().await else {
            panic!("no SUBACK");
        };
        let success = |qos| SubscribeReasonCode::Success(qos);
        let expected = [success(QoS::AtLeastOnce), success(QoS::AtMostOnce)];
        assert_eq!(granted.return_codes, expected);

        let mut device = Peer::connect(&broker, "device").await;
        for topic in ["a/b/c", "a/b", "b", "b/c"] {
            device.publish(topic, QoS::AtLeastOnce).await;
            assert!(matches!(device.receive().await, Packet::PubAck(ack) if ack.pkid == 7));
        }
        device.publish("a/d", QoS::AtMostOnce).await;
        let mut received = Vec::new();
        for _ in 0..4 {
            let Packet::Publish(message) = reader.receive().await else {
                panic!("no PUBLISH");
            };
            received.push((message.topic, message.qos as u8));
        }
        let expected = [("a/b", 1), ("b", 0), ("b/c", 0), ("a/d", 0)];
        assert_eq!(
            received,
            expected.map(|(topic, qos)| (topic.to_owned(), qos))
        );
    }
}
