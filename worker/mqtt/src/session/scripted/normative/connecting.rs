//! CONNECT, and the keep-alive that it says.

use super::written::{CONNECT, Fields, PINGREQ};
use super::*;

statements! {
    the_protocol_is_named(V5): v5_mqtt_3_1_2_1;
    there_is_no_will(V3): v3_mqtt_3_1_2_11 v3_mqtt_3_1_2_13 v3_mqtt_3_1_2_15;
    there_is_no_will(V5): v5_mqtt_3_1_2_11 v5_mqtt_3_1_2_13;
    credentials_are_there_if_their_flags_are(V3):
        v3_mqtt_3_1_2_18 v3_mqtt_3_1_2_19 v3_mqtt_3_1_2_20 v3_mqtt_3_1_2_21;
    credentials_are_there_if_their_flags_are(V5):
        v5_mqtt_3_1_2_16 v5_mqtt_3_1_2_17 v5_mqtt_3_1_2_18 v5_mqtt_3_1_2_19;
    no_password_is_sent_without_a_user(V3): v3_mqtt_3_1_2_22;
    fields_are_in_their_order(V3): v3_mqtt_3_1_3_1 v3_mqtt_3_1_3_3;
    fields_are_in_their_order(V5): v5_mqtt_3_1_3_1 v5_mqtt_3_1_3_3;
    fields_are_utf_8(V3): v3_mqtt_3_1_3_4 v3_mqtt_3_1_3_11;
    fields_are_utf_8(V5): v5_mqtt_3_1_3_4 v5_mqtt_3_1_3_12;
    each_connection_has_the_same_client_identifier(V3): v3_mqtt_3_1_3_2;
    each_connection_has_the_same_client_identifier(V5): v5_mqtt_3_1_3_2;
    a_silent_connection_is_pinged(V3): v3_mqtt_3_1_2_23;
    a_silent_connection_is_pinged(V5): v5_mqtt_3_1_2_20;
    the_keep_alive_of_the_broker_counts(V5): v5_mqtt_3_1_2_21 v5_mqtt_3_2_2_21;
    no_topic_aliases_are_offered(V5): v5_mqtt_3_3_2_10;
}

/// A CONNECT, taken apart.
struct Connect {
    protocol: String,
    level: u8,
    flags: u8,
    properties: Fields,
    /// Client identifier and credentials.
    fields: Vec<String>,
}

const USER: u8 = 0x80;
const PASSWORD: u8 = 0x40;
/// Flag, QoS and retain flag of the will.
const WILL: u8 = 0x3C;

impl Connect {
    fn of(packet: &[u8]) -> Self {
        let mut rest = Fields::new(packet);
        assert_eq!(rest.byte(), CONNECT << 4);
        rest.length();
        let (protocol, level, flags) = (rest.text(), rest.byte(), rest.byte());
        rest.two_bytes();
        let version = if level == 5 { V5 } else { V3 };
        let properties = rest.properties(version);
        let mut fields = Vec::new();
        while !rest.is_empty() {
            fields.push(rest.text());
        }
        Self {
            protocol,
            level,
            flags,
            properties,
            fields,
        }
    }
}

async fn connect(version: MqttVersion, change: impl FnOnce(&mut Options)) -> Connect {
    at_broker(version, change, owner(Vec::new()), async |broker| {
        let (_peer, packet) = Peer::accept(&broker.listener).await;
        Connect::of(&packet)
    })
    .await
}

/// CONNECT with these credentials.
async fn with(version: MqttVersion, user: &str, password: Option<&str>) -> Connect {
    let auth = Some((user.to_owned(), password.map(str::to_owned)));
    connect(version, |options| options.auth = auth).await
}

async fn the_protocol_is_named(version: MqttVersion) {
    let found = connect(version, |_| {}).await;
    assert_eq!((found.protocol.as_str(), found.level), ("MQTT", 5));
}

async fn there_is_no_will(version: MqttVersion) {
    let found = connect(version, |_| {}).await;
    assert_eq!(found.flags & WILL, 0);
    assert_eq!(found.fields, ["c"]);
}

async fn credentials_are_there_if_their_flags_are(version: MqttVersion) {
    let found = connect(version, |_| {}).await;
    assert_eq!(found.flags & (USER | PASSWORD), 0);
    assert_eq!(found.fields, ["c"]);
    let found = with(version, "user", None).await;
    assert_eq!(found.flags & (USER | PASSWORD), USER);
    assert_eq!(found.fields, ["c", "user"]);
    let found = with(version, "user", Some("password")).await;
    assert_eq!(found.flags & (USER | PASSWORD), USER | PASSWORD);
    assert_eq!(found.fields, ["c", "user", "password"]);
}

/// As where the file of the user name is empty.
async fn no_password_is_sent_without_a_user(version: MqttVersion) {
    let found = with(version, "", Some("password")).await;
    assert_eq!(found.flags & (USER | PASSWORD), 0);
    assert_eq!(found.fields, ["c"]);
}

async fn fields_are_in_their_order(version: MqttVersion) {
    let found = with(version, "user", Some("password")).await;
    assert_eq!(found.fields, ["c", "user", "password"]);
}

async fn fields_are_utf_8(version: MqttVersion) {
    let change = |options: &mut Options| {
        options.client_id = "gerät".to_owned();
        options.auth = Some(("设备".to_owned(), None));
    };
    let found = connect(version, change).await;
    assert_eq!(found.fields, ["gerät", "设备"]);
}

async fn each_connection_has_the_same_client_identifier(version: MqttVersion) {
    let change = |options: &mut Options| options.subscriptions.clear();
    at_broker(version, change, owner(Vec::new()), async |broker| {
        for _ in 0..3 {
            let (mut peer, packet) = Peer::accept(&broker.listener).await;
            assert_eq!(Connect::of(&packet).fields, ["c"]);
            peer.say(welcome(version)).await;
        }
    })
    .await;
}

/// The first packet of a session that was not spoken to since its CONNECT.
async fn first_packet(
    version: MqttVersion,
    keep_alive: Duration,
    greeting: &'static [u8],
) -> BytesMut {
    let change = |options: &mut Options| {
        options.keep_alive = keep_alive;
        options.subscriptions.clear();
    };
    at_broker(version, change, owner(Vec::new()), async |broker| {
        let mut peer = Peer::greet(&broker.listener, greeting).await;
        peer.packet().await.unwrap()
    })
    .await
}

async fn a_silent_connection_is_pinged(version: MqttVersion) {
    let found = first_packet(version, Duration::from_secs(1), welcome(version)).await;
    assert_eq!(found[..], [PINGREQ << 4, 0]);
}

async fn the_keep_alive_of_the_broker_counts(version: MqttVersion) {
    let greeting = &[0x20, 6, 0, 0, 3, 0x13, 0, 1];
    let found = first_packet(version, Duration::from_mins(1), greeting).await;
    assert_eq!(found[..], [PINGREQ << 4, 0]);
}

/// Only the session's expiry and the largest packet are said.
async fn no_topic_aliases_are_offered(version: MqttVersion) {
    let mut properties = connect(version, |_| {}).await.properties;
    let mut found = Vec::new();
    while !properties.is_empty() {
        found.push(properties.byte());
        properties.take(4);
    }
    found.sort_unstable();
    assert_eq!(found, [0x11, 0x27]);
}
