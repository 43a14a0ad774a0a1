//! One client's connection to the demo's broker.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use crds::topic::reaches;
use rumqttc::mqttbytes::v4::{
    ConnAck, Connect, ConnectReturnCode, Packet, PubAck, Publish, SubAck, Subscribe,
    SubscribeReasonCode, UnsubAck,
};
use rumqttc::mqttbytes::{Error, QoS};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// Larger packets end a connection.
const MAX_PACKET: usize = 64 << 20;

/// Messages that a client has and has not acknowledged.
const IN_FLIGHT: usize = 100;

/// How long a client may take to send CONNECT.
const GREETING: Duration = Duration::from_secs(10);

struct Connection {
    messages: broadcast::Sender<Publish>,
    subscriptions: Vec<(String, QoS)>,
    output: BytesMut,
    unacknowledged: usize,
    last_id: u16,
}

/// Serves a client until it or the connection ends.
pub(super) async fn serve(
    mut stream: TcpStream,
    messages: broadcast::Sender<Publish>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = BytesMut::new();
    let greeting = tokio::time::timeout(GREETING, greeting(&mut stream, &mut input));
    let connect = greeting.await.map_err(|_| io::ErrorKind::TimedOut)??;
    let mut connection = Connection {
        messages,
        subscriptions: Vec::new(),
        output: BytesMut::new(),
        unacknowledged: 0,
        last_id: 0,
    };
    let accepted = ConnAck::new(ConnectReturnCode::Success, false);
    connection.write(&Packet::ConnAck(accepted))?;
    connection.run(&mut stream, &mut input, &connect).await
}

async fn greeting(stream: &mut TcpStream, input: &mut BytesMut) -> io::Result<Connect> {
    loop {
        match read(input)? {
            Some(Packet::Connect(connect)) => return Ok(connect),
            Some(_) => return Err(io::Error::other("the first packet isn't CONNECT")),
            None => {}
        }
        if stream.read_buf(input).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// The next packet, if all of it has arrived.
fn read(input: &mut BytesMut) -> io::Result<Option<Packet>> {
    match Packet::read(input, MAX_PACKET) {
        Ok(packet) => Ok(Some(packet)),
        Err(Error::InsufficientBytes(_)) => Ok(None),
        Err(error) => Err(io::Error::other(error)),
    }
}

impl Connection {
    async fn run(
        &mut self,
        stream: &mut TcpStream,
        input: &mut BytesMut,
        connect: &Connect,
    ) -> io::Result<()> {
        let patience = match connect.keep_alive {
            0 => Duration::from_hours(24),
            seconds => Duration::from_millis(u64::from(seconds) * 1500),
        };
        let mut incoming = self.messages.subscribe();
        loop {
            while let Some(packet) = read(input)? {
                if let Packet::Disconnect = packet {
                    return Ok(());
                }
                self.take(packet)?;
            }
            stream.write_all_buf(&mut self.output).await?;
            tokio::select! {
                read = stream.read_buf(input) => if read? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                },
                message = incoming.recv(), if self.unacknowledged < IN_FLIGHT => match message {
                    Ok(message) => self.deliver(message)?,
                    Err(RecvError::Lagged(count)) => {
                        tracing::warn!(count, "The demo's broker dropped messages of a slow client");
                    }
                    Err(RecvError::Closed) => return Ok(()),
                },
                () = tokio::time::sleep(patience) => return Err(io::ErrorKind::TimedOut.into()),
            }
        }
    }

    fn take(&mut self, packet: Packet) -> io::Result<()> {
        match packet {
            Packet::Publish(message) => self.publish(message),
            Packet::PubAck(_) => {
                self.unacknowledged = self.unacknowledged.saturating_sub(1);
                Ok(())
            }
            Packet::Subscribe(subscribe) => self.subscribe(subscribe),
            Packet::Unsubscribe(unsubscribe) => {
                self.subscriptions
                    .retain(|(known, _)| !unsubscribe.topics.contains(known));
                self.write(&Packet::UnsubAck(UnsubAck::new(unsubscribe.pkid)))
            }
            Packet::PingReq => self.write(&Packet::PingResp),
            _ => Err(io::Error::other("a packet that this broker doesn't take")),
        }
    }

    fn publish(&mut self, message: Publish) -> io::Result<()> {
        let (qos, id) = (message.qos, message.pkid);
        match qos {
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce => self.write(&Packet::PubAck(PubAck::new(id)))?,
            QoS::ExactlyOnce => return Err(io::Error::other("a message with QoS 2")),
        }
        // Fails when no connection is left to take it.
        let _ = self.messages.send(message);
        Ok(())
    }

    fn subscribe(&mut self, subscribe: Subscribe) -> io::Result<()> {
        let mut codes = Vec::new();
        for filter in subscribe.filters {
            let granted = least(filter.qos, QoS::AtLeastOnce);
            codes.push(SubscribeReasonCode::Success(granted));
            self.subscriptions
                .retain(|(known, _)| *known != filter.path);
            self.subscriptions.push((filter.path, granted));
        }
        self.write(&Packet::SubAck(SubAck::new(subscribe.pkid, codes)))
    }

    /// Writes a message that the client subscribed to.
    fn deliver(&mut self, mut message: Publish) -> io::Result<()> {
        let subscriptions = self.subscriptions.iter();
        let reached = subscriptions.filter(|(filter, _)| reaches(&message.topic, filter));
        let Some(granted) = reached.map(|(_, qos)| *qos).max_by_key(|qos| *qos as u8) else {
            return Ok(());
        };
        message.qos = least(message.qos, granted);
        message.retain = false;
        message.dup = false;
        if message.qos != QoS::AtMostOnce {
            // Ids are reused after 65,535 messages, when few are unacknowledged.
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            message.pkid = self.last_id;
            self.unacknowledged += 1;
        }
        self.write(&Packet::Publish(message))
    }

    fn write(&mut self, packet: &Packet) -> io::Result<()> {
        packet
            .write(&mut self.output, MAX_PACKET)
            .map(drop)
            .map_err(io::Error::other)
    }
}

fn least(one: QoS, other: QoS) -> QoS {
    if (one as u8) < (other as u8) {
        one
    } else {
        other
    }
}
