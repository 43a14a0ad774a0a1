//! A worker that takes the place of another as Kubernetes has it: the new one must be found ready before the old one is
//! told to go.

use std::time::Duration;

use tests::client::closed_for_silence;

use super::plant::Plant;

/// Whether a session waits because another client has its id.
fn stays_away(session: &serde_json::Value) -> bool {
    let error = session["error"].as_str().unwrap_or_default();
    error.contains("another client uses the client id")
}

/// In MQTT 3.1.1 a broker does not say that another client took the session. An old worker that took it back at once
/// would leave the new one never ready for as long as the kubelet takes to look, and no update would ever end.
#[tokio::test]
async fn a_new_worker_stays_ready_until_the_old_one_is_told_to_go() -> anyhow::Result<()> {
    for version in ["3.1.1", "5"] {
        let mut plant = Plant::start(version).await?;
        let old = plant.one().await?;
        // A connection that lasted less is of a worker that has just begun; this takes longer, by the broker's clock.
        closed_for_silence(plant.broker.address(), "silent", 1).await?;
        let load = plant.load();
        let new = plant.one().await?;
        old.until(|status| {
            let sessions = status["models"][0]["sessions"].as_array();
            sessions.is_some_and(|all| all.iter().all(stays_away))
        })
        .await?;
        new.ready().await?;
        // A kubelet looks every 5 s.
        for _ in 0..60 {
            let (code, text) = new.get("/readyz").await?;
            assert_eq!(code, 200, "{version}: {text} {:#}", new.status().await?);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let (status, log) = old.stop().await?;
        assert!(status.success(), "{log:#?}");
        let count = load.end().await?;
        plant.results(count).await?;
        new.stop().await?;
    }
    Ok(())
}
