//! An installation among what else the cluster has, or lacks.

use serde_json::json;
use tests::eventually;

use super::super::RELEASE;
use super::{CHART, Life};

/// What the cluster cannot do is said, and nothing is left of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_that_the_cluster_lacks_is_named() -> anyhow::Result<()> {
    let life = Life::start().await?;
    let values = json!({ "monitoring": { "serviceMonitor": { "enabled": true } } });
    let install = ["install", RELEASE, CHART, "--create-namespace"];
    let answer = life.helm(&install, &values).await;
    let said = answer
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    for words in ["ServiceMonitor", "monitoring.coreos.com/v1"] {
        assert!(said.contains(words), "{said:?}");
    }
    life.helm(&install, &json!({})).await?;
    Ok(())
}

/// Those who may write Deployments of a namespace may write runtimes there, and those who may look, look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubernetes_own_roles_extend_to_runtimes() -> anyhow::Result<()> {
    let life = Life::start().await?;
    life.helm(
        &["install", RELEASE, CHART, "--create-namespace"],
        &json!({}),
    )
    .await?;
    for (role, verb, allowed) in [
        ("view", "list", true),
        ("view", "create", false),
        ("edit", "create", true),
        ("admin", "delete", true),
    ] {
        let name = format!("{role}-{verb}");
        let to = [
            "create",
            "rolebinding",
            &name,
            &format!("--clusterrole={role}"),
            &format!("--user={name}"),
        ];
        life.control_plane
            .kubectl(&[&to[..], &["-n", &life.namespace]].concat())
            .await?;
        let user = format!("--as={name}");
        let ask = [
            "auth",
            "can-i",
            verb,
            "edgemodelruntimes.edgemodel.io",
            "-n",
            &life.namespace,
            &user,
        ];
        if allowed {
            eventually(async || life.control_plane.kubectl(&ask).await.map(Some)).await?;
        } else {
            assert!(
                life.control_plane.kubectl(&ask).await.is_err(),
                "{role} may {verb}"
            );
        }
    }
    Ok(())
}
