//! One client's connection to the demo's broker.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::time::Duration;

use bytes::BytesMut;
use rumqttc::mqttbytes::v4::{
    ConnAck, Connect, ConnectReturnCode, Packet, PubAck, PubComp, PubRec, PubRel, Publish, SubAck,
    SubscribeReasonCode, UnsubAck,
};
use rumqttc::mqttbytes::{Error, QoS};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::hub::{Claim, Hub, Next};

/// Larger packets end a connection.
const MAX_PACKET: usize = 64 << 20;

/// Messages that a client has and has not acknowledged.
const IN_FLIGHT: usize = 100;

/// How long a client may take to say who it is.
const GREETING: Duration = Duration::from_secs(10);

struct Connection<'a> {
    hub: &'a Hub,
    claim: Claim,
    output: BytesMut,
    /// Sent and not acknowledged, by packet id; in order, since ids count up.
    open: BTreeMap<u64, (u16, Publish)>,
    sent: u64,
    /// Received at QoS 2 and not released.
    received: HashSet<u16>,
}

/// Serves a client until it or the connection ends.
pub(super) async fn serve(mut stream: TcpStream, hub: &Hub) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = BytesMut::new();
    let greeting = tokio::time::timeout(GREETING, greeting(&mut stream, &mut input));
    let connect = greeting.await.map_err(|_| io::ErrorKind::TimedOut)??;
    let claim = hub.claim(&connect.client_id, connect.clean_session);
    let mut connection = Connection {
        hub,
        output: BytesMut::new(),
        open: BTreeMap::new(),
        sent: 0,
        received: HashSet::new(),
        claim,
    };
    let present = connection.claim.session_present;
    let answer = ConnAck::new(ConnectReturnCode::Success, present);
    connection.write(&Packet::ConnAck(answer))?;
    let result = connection.run(&mut stream, &mut input, &connect).await;
    let open = connection.open.into_values().map(|(_, message)| message);
    hub.release(&connection.claim, connect.clean_session, open.collect());
    result
}

async fn greeting(stream: &mut TcpStream, input: &mut BytesMut) -> io::Result<Connect> {
    loop {
        match Packet::read(input, MAX_PACKET) {
            Ok(Packet::Connect(connect)) => return Ok(connect),
            Ok(_) => return Err(io::Error::other("the first packet is no CONNECT")),
            Err(Error::InsufficientBytes(_)) => {}
            Err(error) => return Err(io::Error::other(error)),
        }
        if stream.read_buf(input).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

impl Connection<'_> {
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
        loop {
            loop {
                match Packet::read(input, MAX_PACKET) {
                    Ok(Packet::Disconnect) => return Ok(()),
                    Ok(packet) => self.take(packet)?,
                    Err(Error::InsufficientBytes(_)) => break,
                    Err(error) => return Err(io::Error::other(error)),
                }
            }
            if !self.fill()? {
                return Err(io::Error::other("another client took the session over"));
            }
            stream.write_all_buf(&mut self.output).await?;
            let wake = self.claim.wake.clone();
            tokio::select! {
                read = stream.read_buf(input) => if read? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                },
                () = wake.notified() => {}
                () = tokio::time::sleep(patience) => return Err(io::ErrorKind::TimedOut.into()),
            }
        }
    }

    /// Writes what waits for the client; `false` when its session is another's.
    fn fill(&mut self) -> io::Result<bool> {
        while self.open.len() < IN_FLIGHT {
            match self.hub.next(&self.claim) {
                Next::TakenOver => return Ok(false),
                Next::Nothing => break,
                Next::Message(mut message) => {
                    if message.qos != QoS::AtMostOnce {
                        self.sent += 1;
                        // Ids come again after 65,535 messages, of which few are open.
                        message.pkid = u16::try_from(self.sent % 65_535).unwrap_or(0) + 1;
                        self.open.insert(self.sent, (message.pkid, message.clone()));
                    }
                    self.write(&Packet::Publish(message))?;
                }
            }
        }
        Ok(true)
    }

    fn take(&mut self, packet: Packet) -> io::Result<()> {
        match packet {
            Packet::Publish(message) => self.publish(message),
            Packet::PubRel(release) => {
                self.received.remove(&release.pkid);
                self.write(&Packet::PubComp(PubComp::new(release.pkid)))
            }
            Packet::PubAck(PubAck { pkid }) | Packet::PubComp(PubComp { pkid }) => {
                self.open.retain(|_, (open, _)| *open != pkid);
                Ok(())
            }
            Packet::PubRec(received) => self.write(&Packet::PubRel(PubRel::new(received.pkid))),
            Packet::Subscribe(subscribe) => {
                let granted = |qos| SubscribeReasonCode::Success(qos);
                let codes = subscribe.filters.iter().map(|filter| granted(filter.qos));
                let answer = SubAck::new(subscribe.pkid, codes.collect());
                self.write(&Packet::SubAck(answer))?;
                for filter in subscribe.filters {
                    self.hub.subscribe(&self.claim, &filter.path, filter.qos);
                }
                Ok(())
            }
            Packet::Unsubscribe(unsubscribe) => {
                for filter in &unsubscribe.topics {
                    self.hub.unsubscribe(&self.claim, filter);
                }
                self.write(&Packet::UnsubAck(UnsubAck::new(unsubscribe.pkid)))
            }
            Packet::PingReq => self.write(&Packet::PingResp),
            _ => Err(io::Error::other("a client does not send this packet")),
        }
    }

    fn publish(&mut self, message: Publish) -> io::Result<()> {
        let (qos, id) = (message.qos, message.pkid);
        if qos != QoS::ExactlyOnce || self.received.insert(id) {
            self.hub.publish(message);
        }
        match qos {
            QoS::AtMostOnce => Ok(()),
            QoS::AtLeastOnce => self.write(&Packet::PubAck(PubAck::new(id))),
            QoS::ExactlyOnce => self.write(&Packet::PubRec(PubRec::new(id))),
        }
    }

    fn write(&mut self, packet: &Packet) -> io::Result<()> {
        packet
            .write(&mut self.output, MAX_PACKET)
            .map(drop)
            .map_err(io::Error::other)
    }
}
