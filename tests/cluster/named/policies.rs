//! What a cluster's rules refuse, told in the cluster's words and not as a right that the operator lacks.

use anyhow::Context as _;

use super::{ready, start};
use crate::operator::{condition, runtime};

/// EN-04: a quota on ports of the nodes refuses the Service.
#[tokio::test]
async fn a_quota_on_ports_is_told_of_the_port_and_the_models_serve() -> anyhow::Result<()> {
    let (site, plan) = start("en04").await?;
    let quota = ["create", "quota", "ports", "--hard=services.nodeports=0"];
    site.kubectl(&quota).await?;
    // It holds as soon as the controller has counted.
    let counted = "--for=jsonpath={.status.hard}";
    site.kubectl(&["wait", counted, "quota/ports", "--timeout=60s"])
        .await?;
    site.put(&runtime(
        "plant",
        &["alpha", "beta"],
        &[("monitor", 8080, 31_211)],
    ))
    .await?;
    let found = site
        .until("plant", |status| {
            status["expose"][0]["reason"] == "Refused"
                && condition(status, "ModelsReady")["status"] == "True"
        })
        .await;
    let found = found.with_context(|| format!("{:#?}", plan.writes()))?;
    let port = &found["status"]["expose"][0];
    let message = port["message"].as_str().unwrap_or_default();
    assert!(message.contains("exceeded quota: ports"), "{port}");
    assert_eq!(condition(&found["status"], "Stalled")["reason"], "Refused");
    site.kubectl(&["delete", "quota", "ports"]).await?;
    site.until("plant", ready).await?;
    Ok(())
}

/// EN-05: Pod Security does not let a worker have a port of its node.
#[tokio::test]
async fn a_port_of_the_node_where_pod_security_forbids_it_is_told_in_its_words()
-> anyhow::Result<()> {
    let (site, _plan) = start("en05").await?;
    let label = "pod-security.kubernetes.io/enforce=restricted";
    site.control_plane
        .kubectl(&["label", "namespace", &site.namespace, label])
        .await?;
    let mut plant = runtime("plant", &["alpha", "beta"], &[("monitor", 8080, 31_212)]);
    plant["spec"]["exposeMode"] = "HostPort".into();
    site.put(&plant).await?;
    let found = site
        .until("plant", |status| {
            status["models"][0]["reason"] == "FailedCreate" && status["models"][1]["ready"] == true
        })
        .await?;
    let model = &found["status"]["models"][0];
    let message = model["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("violates PodSecurity") && message.contains("hostPort"),
        "{model}"
    );
    let told = condition(&found["status"], "Ready")["message"].to_string();
    assert!(told.contains("violates PodSecurity"), "{told}");
    plant["spec"]["exposeMode"] = "NodePort".into();
    site.put(&plant).await?;
    site.until("plant", ready).await?;
    Ok(())
}
