//! `kubectl wait`.

use std::path::Path;

use tests::faults::Plan;

use super::{NAME, SAMPLE, chart, control_plane, nothing_is_left, site};

/// The digest of the sample that no zip can have, and one that it may have been meant to be.
const DIGESTS: [&str; 2] = ["pZ4DJ+YhYM9ppHD+VhLi+A=1", "pZ4DJ+YhYM9ppHD+VhLi+Q=="];

/// What a script waits for.
#[tokio::test]
async fn kubectl_waits_until_a_runtime_is_ready_and_after_a_change_until_it_is_again()
-> anyhow::Result<()> {
    let control_plane = control_plane().await?;
    let site = site(&control_plane, &Plan::new()).await?;
    let folder = tempfile::tempdir()?;
    let valid = SAMPLE.replace(DIGESTS[0], DIGESTS[1]);
    let chart = chart(folder.path(), &valid)?;
    let namespace = site.namespace.as_str();
    let upgrade = ["upgrade", "--install", "plant", &chart, "-n", namespace];
    control_plane.helm(&upgrade).await?;
    let wait = [
        "wait",
        "--for=condition=Ready",
        "emr/edgemodel",
        "--timeout=60s",
    ];
    let answer = site.kubectl(&wait).await?;
    assert_eq!(
        answer,
        "edgemodelruntime.edgemodel.io/edgemodel condition met\n"
    );
    let status = site.get(&["emr", NAME]).await?;
    assert_eq!(status["status"]["modelsSummary"], "2/2");

    // The condition of before is not taken for that of now.
    let changed = valid.replace("tcp://192.168.241.1:1883", "tcp://192.168.241.2:1883");
    std::fs::write(Path::new(&chart).join("templates/edgemodel.yaml"), changed)?;
    control_plane.helm(&upgrade).await?;
    site.kubectl(&wait).await?;
    let runtime = site.get(&["emr", NAME]).await?;
    assert_eq!(runtime["metadata"]["generation"], 2);
    assert_eq!(runtime["status"]["observedGeneration"], 2);
    let configuration = site
        .get(&["cm", "-l", "edgemodel.io/model=industry"])
        .await?;
    let text = configuration["items"][0]["data"]["config.yaml"].as_str();
    assert!(
        text.is_some_and(|text| text.contains("192.168.241.2")),
        "{configuration:#}"
    );

    control_plane
        .helm(&["uninstall", "plant", "-n", namespace])
        .await?;
    nothing_is_left(&site).await
}
