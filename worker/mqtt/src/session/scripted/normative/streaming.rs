//! What carries packets: TCP in all other tests, WebSocket here.

use std::cell::Cell;

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::written::SUBSCRIBE;
use super::*;

statements! {
    packets_are_in_binary_frames(V3): v3_mqtt_6_0_0_1;
    packets_are_in_binary_frames(V5): v5_mqtt_6_0_0_1;
    packets_may_be_cut_into_frames(V3): v3_mqtt_6_0_0_2;
    packets_may_be_cut_into_frames(V5): v5_mqtt_6_0_0_2;
    the_subprotocol_is_offered(V3): v3_mqtt_6_0_0_3;
    the_subprotocol_is_offered(V5): v5_mqtt_6_0_0_3;
    tcp_and_web_socket_carry_packets(V3): v3_mqtt_7_1_2_1;
    tcp_and_web_socket_carry_packets(V5): v5_mqtt_4_2_0_1;
}

const BINARY: u8 = 0x82;
const TEXT: u8 = 0x81;

/// The broker's side of a WebSocket.
struct Socket {
    stream: TcpStream,
    request: String,
}

impl Socket {
    async fn accept(broker: &Broker) -> Self {
        let (mut stream, _) = broker.listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        let request = String::from_utf8(request).unwrap();
        let mut socket = Self { stream, request };
        socket.answer().await;
        socket
    }

    async fn answer(&mut self) {
        let key = self.header("sec-websocket-key").to_owned();
        let accept = derive_accept_key(key.as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        self.stream.write_all(answer.as_bytes()).await.unwrap();
    }

    fn header(&self, name: &str) -> &str {
        let mut headers = self
            .request
            .lines()
            .filter_map(|line| line.split_once(": "));
        let header = headers.find(|(found, _)| found.eq_ignore_ascii_case(name));
        header.expect(name).1
    }

    /// The next frame of the session: its first byte and what it carries, which is short here.
    async fn frame(&mut self) -> (u8, Vec<u8>) {
        let first = self.stream.read_u8().await.unwrap();
        let length = self.stream.read_u8().await.unwrap();
        let mut mask = [0; 4];
        self.stream.read_exact(&mut mask).await.unwrap();
        let mut payload = vec![0; usize::from(length & 0x7F)];
        self.stream.read_exact(&mut payload).await.unwrap();
        for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= mask;
        }
        (first, payload)
    }

    async fn say(&mut self, first: u8, payload: &[u8]) {
        let length = u8::try_from(payload.len()).unwrap();
        self.stream.write_all(&[first, length]).await.unwrap();
        self.stream.write_all(payload).await.unwrap();
    }
}

/// What `broker` finds of a session over WebSocket, and whether it was connected.
async fn over_web_socket<T>(
    version: MqttVersion,
    broker: impl AsyncFnOnce(&mut Socket) -> T,
) -> (T, bool) {
    let connected = Cell::new(false);
    let own = |_: &mut Session, event: Event| {
        connected.set(connected.get() | matches!(event, Event::Connected { .. }));
    };
    let change = |options: &mut Options| options.broker.transport = Transport::WebSocket;
    let found = at_broker(version, change, own, async |from| {
        broker(&mut Socket::accept(&from).await).await
    })
    .await;
    (found, connected.get())
}

async fn packets_are_in_binary_frames(version: MqttVersion) {
    over_web_socket(version, async |socket| {
        let (first, connect) = socket.frame().await;
        assert_eq!((first, connect[0]), (BINARY, 0x10));
        socket.say(BINARY, welcome(version)).await;
        let (first, subscribe) = socket.frame().await;
        assert_eq!((first, subscribe[0] >> 4), (BINARY, SUBSCRIBE));
        socket.say(TEXT, &[0xD0, 0]).await;
        // Closed, whatever is said at the end.
        let mut rest = Vec::new();
        let _ = socket.stream.read_to_end(&mut rest).await;
    })
    .await;
}

/// The greeting is cut in two.
async fn packets_may_be_cut_into_frames(version: MqttVersion) {
    let ((), connected) = over_web_socket(version, async |socket| {
        socket.frame().await;
        let (one, other) = welcome(version).split_at(2);
        socket.say(BINARY, one).await;
        socket.say(BINARY, other).await;
        socket.frame().await;
    })
    .await;
    assert!(connected);
}

async fn the_subprotocol_is_offered(version: MqttVersion) {
    let (offered, _) = over_web_socket(version, async |socket| {
        socket.header("sec-websocket-protocol").to_owned()
    })
    .await;
    assert_eq!(offered, "mqtt");
}

async fn tcp_and_web_socket_carry_packets(version: MqttVersion) {
    let (packet, _) = over_web_socket(version, async |socket| socket.frame().await.1).await;
    assert_eq!(packet[0], 0x10);
    at_broker(
        version,
        |_| {},
        owner(Vec::new()),
        async |broker| {
            let (_peer, packet) = Peer::accept(&broker.listener).await;
            assert_eq!(packet[0], 0x10);
        },
    )
    .await;
}
