//! Views that are old: what is written is decided on what is there now, and nothing goes back and forth.

use operator::desired::names;
use serde_json::{Value, json};
use tests::control_plane::PodState;

use super::history::History;
use super::{DEPLOYMENTS, RUNTIMES, plant, ready, start};
use crate::operator::{Site, condition, runtime};

impl Site<'_> {
    /// What everything is at now.
    async fn version(&self) -> anyhow::Result<u64> {
        self.control_plane.revision().await
    }

    /// The UIDs of the Deployments' owners.
    async fn owners(&self) -> anyhow::Result<Vec<Value>> {
        let found = self.get(&["deployments"]).await?;
        let found = found["items"].as_array().into_iter().flatten();
        let owner = |one: &Value| one["metadata"]["ownerReferences"][0]["uid"].clone();
        Ok(found.map(owner).collect())
    }

    pub(super) fn history(
        &self,
        plural: &str,
        name: &str,
        part: impl Fn(&Value) -> Value + Send + Sync + 'static,
    ) -> anyhow::Result<History> {
        Ok(History::of(self.objects(plural)?, name, part))
    }
}

/// The configuration that a Deployment's pods are to have.
pub(super) fn configuration(deployment: &Value) -> Value {
    deployment["spec"]["template"]["metadata"]["annotations"]["edgemodel.io/config"].clone()
}

/// ST-01: the operator still sees the runtime of before, on its way out, when another has its name, and hears of nothing.
#[tokio::test]
async fn a_runtime_on_its_way_out_does_not_hide_its_successor() -> anyhow::Result<()> {
    let (site, plan) = start("st01").await?;
    let finalizers = async |names: Value| {
        let patch = json!({ "metadata": { "finalizers": names } }).to_string();
        let patch = ["patch", "emr", "plant", "--type=merge", "-p", &patch];
        site.kubectl(&patch).await
    };
    finalizers(json!(["example.com/theirs"])).await?;
    site.kubectl(&["delete", "emr", "plant", "--wait=false"])
        .await?;
    site.looked(&plan, 1).await?;
    let version = site.version().await?;
    let kinds = [RUNTIMES, DEPLOYMENTS, "services", "configmaps", "pods"];
    for kind in kinds {
        plan.freeze(kind, version);
    }
    finalizers(Value::Null).await?;
    site.kubectl(&["wait", "--for=delete", "emr/plant", "--timeout=60s"])
        .await?;
    site.put(&runtime("plant", &["beta"], &[])).await?;
    let found = site.until_runtime("plant", |found| ready(&found["status"]));
    let uid = found.await?["metadata"]["uid"].clone();
    for kind in kinds {
        plan.resume(kind);
    }
    site.looked(&plan, 1).await?;
    site.until("plant", ready).await?;
    assert_eq!(site.owners().await?, [uid]);
    Ok(())
}

/// ST-02: the operator still sees the children of the runtime of before when another has its name.
#[tokio::test]
async fn children_of_a_runtime_that_is_gone_hold_up_its_successor_no_longer_than_they_live()
-> anyhow::Result<()> {
    let (site, plan) = start("st02").await?;
    let version = site.version().await?;
    for resource in [DEPLOYMENTS, "services", "configmaps"] {
        plan.freeze(resource, version);
    }
    site.kubectl(&["delete", "emr", "plant"]).await?;
    site.put(&runtime("plant", &["beta"], &[])).await?;
    let found = site.until("plant", |status| {
        condition(status, "Ready")["status"] == "True"
    });
    let uid = found.await?["metadata"]["uid"].clone();
    for resource in [DEPLOYMENTS, "services", "configmaps"] {
        plan.resume(resource);
    }
    site.until("plant", ready).await?;
    assert_eq!(site.owners().await?, [uid]);
    Ok(())
}

/// ST-04: the view of runtime and Services stands at the old port.
#[tokio::test]
async fn a_port_that_was_changed_does_not_change_back() -> anyhow::Result<()> {
    let (site, plan) = start("st04").await?;
    let of = |port| runtime("plant", &["alpha"], &[("monitor", 8080, port)]);
    site.put(&of(31_201)).await?;
    site.until("plant", ready).await?;
    let service = names::service("plant", "monitor");
    let ports = site.history("services", &service, |service| {
        service["spec"]["ports"][0]["nodePort"].clone()
    })?;
    ports.until(1).await?;
    let version = site.version().await?;
    plan.freeze(RUNTIMES, version);
    plan.freeze("services", version);
    site.put(&of(31_202)).await?;
    site.until("plant", |status| status["exposedSummary"] == "31202")
        .await?;
    plan.resume(RUNTIMES);
    plan.resume("services");
    site.until("plant", ready).await?;
    assert_eq!(ports.values(), [31_201, 31_202]);
    Ok(())
}

/// ST-05: the view of the runtime stands at the old digest.
#[tokio::test]
async fn a_rollout_is_not_taken_back() -> anyhow::Result<()> {
    let (site, plan) = start("st05").await?;
    let deployment = names::deployment("plant", "alpha");
    let rolled = site.history("deployments", &deployment, configuration)?;
    rolled.until(1).await?;
    let version = site.version().await?;
    for resource in [RUNTIMES, DEPLOYMENTS, "configmaps"] {
        plan.freeze(resource, version);
    }
    site.put(&plant(9)).await?;
    site.until("plant", |status| {
        condition(status, "Ready")["status"] == "True"
    })
    .await?;
    for resource in [RUNTIMES, DEPLOYMENTS, "configmaps"] {
        plan.resume(resource);
    }
    site.until("plant", ready).await?;
    assert_eq!(rolled.values().len(), 2, "{:?}", rolled.values());
    Ok(())
}

/// ST-07: the view of the Deployments is that of before the change, when all served; and then that of before they
/// served.
#[tokio::test]
async fn what_served_before_a_change_is_not_taken_for_what_serves_now() -> anyhow::Result<()> {
    let (site, plan) = start("st07").await?;
    let said = site.history("edgemodelruntimes", "plant", |runtime| {
        let ready = condition(&runtime["status"], "Ready");
        json!([runtime["status"]["observedGeneration"], ready["status"]])
    })?;
    said.until(1).await?;
    plan.freeze(DEPLOYMENTS, site.version().await?);
    let alpha = [("edgemodel.io/model", "alpha")];
    site.kubelet.report(&alpha, PodState::Running);
    site.put(&plant(9)).await?;
    let rolling = |status: &Value| {
        status["models"][0]["reason"] == "RollingOut" && status["models"][1]["ready"] == true
    };
    site.until("plant", rolling).await?;
    // The view is still the old one when the operator has looked again.
    site.looked(&plan, 2).await?;
    site.until("plant", rolling).await?;

    plan.resume(DEPLOYMENTS);
    plan.freeze(DEPLOYMENTS, site.version().await?);
    site.kubelet.forget(&alpha);
    site.looked(&plan, 2).await?;
    plan.resume(DEPLOYMENTS);
    site.until("plant", ready).await?;
    let said = said.values();
    assert_eq!(said.last(), Some(&json!([2, "True"])), "{said:?}");
    let of_now = said.iter().filter(|value| value[0] == 2);
    let of_now: Vec<_> = of_now.map(|value| &value[1]).collect();
    assert_eq!(of_now, ["False", "True"], "{said:?}");
    Ok(())
}

/// ST-08: who does not have the port sees no Service of now.
#[tokio::test]
async fn whoever_lost_a_port_does_not_touch_the_winners_service() -> anyhow::Result<()> {
    let winner = Site::start("st08-winner").await?;
    winner
        .put(&runtime("one", &["alpha"], &[("monitor", 8080, 31_203)]))
        .await?;
    winner
        .until("one", |status| status["exposedSummary"] == "31203")
        .await?;
    let service = ["service", &names::service("one", "monitor")];
    let before = winner.get(&service).await?["metadata"].clone();
    let (loser, plan) = start("st08-loser").await?;
    plan.freeze("services", loser.version().await?);
    loser
        .put(&runtime("plant", &["alpha"], &[("monitor", 8080, 31_203)]))
        .await?;
    loser
        .until("plant", |status| {
            status["expose"][0]["reason"] == "PortTaken"
        })
        .await?;
    loser.looked(&plan, 2).await?;
    assert_eq!(winner.get(&service).await?["metadata"], before);
    winner.kubectl(&["delete", "emr", "one"]).await?;
    loser
        .until("plant", |status| status["exposedSummary"] == "31203")
        .await?;
    plan.resume("services");
    loser.until("plant", ready).await?;
    Ok(())
}

/// ST-09: the view of the Secret is the old one.
#[tokio::test]
async fn workers_do_not_go_back_to_the_secret_of_before() -> anyhow::Result<()> {
    let (site, plan) = start("st09").await?;
    let mut plant = runtime("plant", &["alpha"], &[]);
    plant["spec"]["mqtts"][0]["credentialsSecretRef"] = json!({ "name": "broker" });
    let secret = |password: &str| {
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "broker" },
            "stringData": { "username": "edge", "password": password },
        })
    };
    site.put(&secret("one")).await?;
    site.put(&plant).await?;
    site.until("plant", ready).await?;
    let deployment = names::deployment("plant", "alpha");
    let digests = site.history("deployments", &deployment, |deployment| {
        let template = &deployment["spec"]["template"]["metadata"];
        template["annotations"]["edgemodel.io/secrets"].clone()
    })?;
    digests.until(1).await?;
    plan.freeze("secrets", site.version().await?);
    site.put(&secret("two")).await?;
    digests.until(2).await?;
    site.looked(&plan, 2).await?;
    plan.resume("secrets");
    site.looked(&plan, 2).await?;
    assert_eq!(digests.values().len(), 2, "{:?}", digests.values());
    site.until("plant", ready).await?;
    Ok(())
}
