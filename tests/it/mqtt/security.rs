//! Credentials, TLS and WebSockets.

use crds::runtime::Tls;
use crds::validated::{Qos, Transport};
use mqtt::{Error, Event, Options, tls};
use tests::certificates::Certificates;
use tests::client::{TestClient, options};
use tests::mosquitto::Mosquitto;
use tests::web_socket::WebSocketBridge;

use super::VERSIONS;

const SUBSCRIPTION: [(&str, Qos); 1] = [("t", Qos::AtLeastOnce)];

async fn round_trip(settings: Options) -> anyhow::Result<()> {
    let mut client = TestClient::connected(settings).await?;
    let payload = vec![b'x'; 300_000];
    let token = client.publish("t", payload.clone(), Qos::AtLeastOnce);
    let message = client.take().await?;
    assert_eq!(message.payload, payload);
    client.send("t", "again", Qos::AtLeastOnce).await?;
    assert!(token < 1);
    Ok(())
}

async fn failure(settings: Options) -> anyhow::Result<Error> {
    TestClient::new(settings)
        .until(|event| match event {
            Event::Disconnected { error, .. } => Some(error),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn user_and_password_are_sent_and_a_wrong_one_is_told() -> anyhow::Result<()> {
    let broker = Mosquitto::with_user("edge", "geheim").await?;
    for version in VERSIONS {
        let mut settings = options(broker.address(), "c", &SUBSCRIPTION);
        settings.version = version;
        settings.auth = Some(("edge".to_owned(), Some("geheim".to_owned())));
        round_trip(settings.clone()).await?;
        settings.auth = Some(("edge".to_owned(), Some("wrong".to_owned())));
        let error = failure(settings).await?;
        assert!(matches!(error, Error::ConnectionRefused { .. }), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn tls_trusts_its_own_authority_only() -> anyhow::Result<()> {
    let certificates = Certificates::make()?;
    let broker = Mosquitto::with(|_, port| {
        format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\ncertfile {}\nkeyfile {}\n",
            certificates.server_cert().display(),
            certificates.server_key().display(),
        )
    })
    .await?;
    let mut settings = options(broker.address(), "c", &SUBSCRIPTION);
    settings.broker.transport = Transport::Tls;
    let trust = |file: &std::path::Path| Tls {
        ca_file: Some(file.display().to_string()),
        ..Tls::default()
    };
    settings.tls = Some(tls(Some(&trust(certificates.authority())), "127.0.0.1")?);
    round_trip(settings.clone()).await?;
    let others = Certificates::make()?;
    settings.tls = Some(tls(Some(&trust(others.authority())), "127.0.0.1")?);
    let error = failure(settings.clone()).await?;
    assert!(error.to_string().contains("certificate"), "{error}");
    settings.tls = Some(tls(
        Some(&trust(certificates.authority())),
        "other.example",
    )?);
    let error = failure(settings).await?;
    assert!(error.to_string().contains("other.example"), "{error}");
    Ok(())
}

#[tokio::test]
async fn mutual_tls_shows_the_client_s_certificate() -> anyhow::Result<()> {
    let certificates = Certificates::make()?;
    let broker = Mosquitto::with(|_, port| {
        format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\ncertfile {}\nkeyfile {}\ncafile {}\n\
             require_certificate true\n",
            certificates.server_cert().display(),
            certificates.server_key().display(),
            certificates.authority().display(),
        )
    })
    .await?;
    let mut settings = options(broker.address(), "c", &SUBSCRIPTION);
    settings.broker.transport = Transport::Tls;
    let mut identity = Tls {
        ca_file: Some(certificates.authority().display().to_string()),
        ..Tls::default()
    };
    settings.tls = Some(tls(Some(&identity), "127.0.0.1")?);
    let error = failure(settings.clone()).await?;
    assert!(
        matches!(error, Error::Lost { .. } | Error::Unreachable { .. }),
        "{error}"
    );
    identity.cert_file = Some(certificates.client_cert().display().to_string());
    identity.key_file = Some(certificates.client_key().display().to_string());
    settings.tls = Some(tls(Some(&identity), "127.0.0.1")?);
    round_trip(settings).await
}

#[tokio::test]
async fn web_sockets_carry_packets_of_any_size() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    let bridge = WebSocketBridge::start(broker.address()).await?;
    let mut settings = options(bridge.address(), "c", &SUBSCRIPTION);
    settings.broker.transport = Transport::WebSocket;
    settings.broker.path = "/mqtt".to_owned();
    round_trip(settings).await?;

    let certificates = Certificates::make()?;
    let bridge = WebSocketBridge::start_tls(broker.address(), &certificates).await?;
    let mut settings = options(bridge.address(), "c", &SUBSCRIPTION);
    settings.broker.transport = Transport::WebSocketTls;
    settings.broker.path = "/mqtt".to_owned();
    let trust = Tls {
        ca_file: Some(certificates.authority().display().to_string()),
        ..Tls::default()
    };
    settings.tls = Some(tls(Some(&trust), "127.0.0.1")?);
    round_trip(settings).await
}

#[test]
fn what_is_wrong_with_a_certificate_names_the_file() {
    let missing = Tls {
        ca_file: Some("no/such.pem".to_owned()),
        ..Tls::default()
    };
    let error = tls(Some(&missing), "localhost").map(drop).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("caFile: failed to read \"no/such.pem\""),
        "{error}"
    );
}
