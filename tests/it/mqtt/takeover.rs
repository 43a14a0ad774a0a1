//! Two clients with one id: exactly one of them gets to use it.

use std::time::Duration;

use crds::validated::{MqttVersion, Qos};
use mqtt::{Error, Event, Options};
use tests::client::{TestClient, closed_for_silence, options};
use tests::mosquitto::Mosquitto;

use super::VERSIONS;

fn settings(broker: &Mosquitto, client_id: &str, version: MqttVersion) -> Options {
    let mut settings = options(broker.address(), client_id, &[("t", Qos::AtLeastOnce)]);
    settings.takeover_retry = Duration::from_mins(1);
    settings.version = version;
    settings
}

/// Whether a session notices that it has to stay away, and for how long.
fn stays_away(event: &Event) -> Option<Duration> {
    match event {
        Event::Disconnected {
            error: Error::TakenOver { .. },
            retry_in,
        } => Some(*retry_in),
        _ => None,
    }
}

/// Two workers under one client id would otherwise throw each other out forever.
#[tokio::test]
async fn a_session_that_is_taken_over_stays_away() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    for version in VERSIONS {
        let mut first = TestClient::connected(settings(&broker, "same", version)).await?;
        let mut second = TestClient::new(settings(&broker, "same", version));
        // Both are driven; one of them notices soon that it has to stay away, and from then on the
        // other is left alone.
        let retry_in = tokio::select! {
            retry = first.until(|event| stays_away(&event)) => retry?,
            retry = second.until(|event| stays_away(&event)) => retry?,
        };
        assert!(retry_in >= Duration::from_secs(40), "{retry_in:?}");
    }
    Ok(())
}

/// In a rolling update the old worker has served for long, and the new one must get the session: Kubernetes
/// waits for it before it ends the old one.
#[tokio::test]
async fn of_two_sessions_the_one_that_has_just_begun_gets_the_id() -> anyhow::Result<()> {
    let broker = Mosquitto::start().await?;
    for version in VERSIONS {
        let id = |number: usize| format!("{version:?}-{number}");
        let olds =
            (0..5).map(|number| TestClient::connected(settings(&broker, &id(number), version)));
        let olds = futures_util::future::try_join_all(olds).await?;
        // Longer than a connection that was taken over at once, by the broker's clock.
        closed_for_silence(broker.address(), "silent", 1).await?;
        for (number, mut old) in olds.into_iter().enumerate() {
            let mut new = TestClient::new(settings(&broker, &id(number), version));
            tokio::select! {
                away = old.until(|event| stays_away(&event)) => away?,
                away = new.until(|event| stays_away(&event)) => {
                    anyhow::bail!("{version:?}: the new one stays away for {:?}", away?)
                }
            };
            let mut publisher = TestClient::connected(options(broker.address(), "p", &[])).await?;
            publisher.send("t", id(number), Qos::AtLeastOnce).await?;
            // Others' messages may come first.
            while new.take().await?.payload != id(number) {}
        }
    }
    Ok(())
}
