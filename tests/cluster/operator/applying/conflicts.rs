//! Two tools that give one field two values.

use tests::faults::Plan;

use super::{SAMPLE, chart, control_plane, site};

/// The sample on another broker.
fn broker(number: u8) -> String {
    let address = format!("tcp://192.168.241.{number}:1883");
    SAMPLE.replace("tcp://192.168.241.1:1883", &address)
}

/// Nobody's change is lost unnoticed, and the error says whose it is.
#[tokio::test]
async fn a_value_that_another_tool_has_set_is_a_conflict_until_it_is_forced() -> anyhow::Result<()>
{
    let control_plane = control_plane().await?;
    let site = site(&control_plane, &Plan::new()).await?;
    let server = ["apply", "--server-side", "-f", "-"];
    let field = ".spec.mqtts[name=\"mosquitto-20336454-5413-4e2f-b52e-b945291359c7\"].broker";

    // kubectl takes its own fields over when it changes its way, without --force-conflicts.
    site.apply(&broker(1)).await?;
    site.kubectl_with(&server, &broker(2)).await?;

    let folder = tempfile::tempdir()?;
    let chart = chart(folder.path(), &broker(3))?;
    let upgrade = [
        "upgrade",
        "--install",
        "plant",
        &chart,
        "-n",
        &site.namespace,
        "--take-ownership",
    ];
    let refused = control_plane.helm(&upgrade).await.unwrap_err().to_string();
    assert!(
        refused.contains(&format!("conflict with \"kubectl\": {field}")),
        "{refused}"
    );
    let forced = [&upgrade[..], &["--force-conflicts"]].concat();
    control_plane.helm(&forced).await?;

    let refused = site
        .kubectl_with(&server, &broker(4))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains(&format!("conflict with \"helm\": {field}")),
        "{refused}"
    );
    // Client-side apply knows of no managers. Whoever comes next is told of it.
    site.apply(&broker(5)).await?;
    let refused = control_plane.helm(&upgrade).await.unwrap_err().to_string();
    assert!(
        refused.contains("conflict with \"kubectl-client-side-apply\""),
        "{refused}"
    );
    Ok(())
}
