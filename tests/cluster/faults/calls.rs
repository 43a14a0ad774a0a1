//! Faults of all calls or of those of a kind, F10 and F17, and what is recorded of them.

use std::time::Duration;

use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use tests::faults::{Answer, Plan, Verb};

use super::{Maps, apply};

#[tokio::test]
async fn a_verb_on_a_resource_is_forbidden_until_it_is_not() -> anyhow::Result<()> {
    let plan = Plan::new();
    let maps = Maps::through(&plan).await?;
    plan.refuse(Verb::Patch, "configmaps", Answer::FORBIDDEN);
    let parameters = PatchParams::apply("tests");
    let patch = Patch::Apply(apply("forbidden"));
    let applied = maps.faulty.patch("forbidden", &parameters, &patch).await;
    let Err(kube::Error::Api(status)) = applied else {
        panic!("{applied:?}");
    };
    assert!(
        status.is_forbidden() && status.message.contains("cannot patch"),
        "{status:?}"
    );
    maps.faulty.list(&ListParams::default()).await?;
    plan.accept(Verb::Patch, "configmaps");
    maps.faulty.patch("forbidden", &parameters, &patch).await?;
    Ok(())
}

#[tokio::test]
async fn calls_are_recorded_as_roles_have_to_allow_them() -> anyhow::Result<()> {
    let plan = Plan::new();
    let maps = Maps::through(&plan).await?;
    let parameters = PatchParams::apply("tests");
    let patch = Patch::Apply(apply("applied"));
    maps.faulty.patch("applied", &parameters, &patch).await?;
    maps.faulty
        .delete("applied", &DeleteParams::default())
        .await?;
    let deployments: Api<k8s_openapi::api::apps::v1::Deployment> =
        Api::namespaced(maps.faulty_client.clone(), &maps.namespace);
    assert!(deployments.get_scale("none").await.is_err());
    // Neither events nor leases count as writes.
    let leases: Api<k8s_openapi::api::coordination::v1::Lease> =
        Api::namespaced(maps.faulty_client.clone(), &maps.namespace);
    let lease = serde_json::from_value(serde_json::json!({"metadata": {"name": "lease"}}))?;
    leases.create(&PostParams::default(), &lease).await?;

    let writes: Vec<_> = plan.writes().iter().map(ToString::to_string).collect();
    let namespace = &maps.namespace;
    let expected = [
        format!("apply configmaps {namespace}/applied 201"),
        format!("delete configmaps {namespace}/applied 200"),
    ];
    assert_eq!(writes, expected);
    let accesses = plan.accesses();
    let accesses: Vec<_> = accesses
        .iter()
        .map(|access| {
            let resource = [access.resource.as_str(), access.subresource.as_str()];
            format!("{} {}", access.verb.as_str(), resource.join("/"))
        })
        .collect();
    let expected = [
        "get deployments.apps/scale",
        "create configmaps/",
        "create leases.coordination.k8s.io/",
        "patch configmaps/",
        "delete configmaps/",
    ];
    assert_eq!(accesses, expected);
    Ok(())
}

#[tokio::test]
async fn a_delayed_call_is_slower_than_any_number_of_others() -> anyhow::Result<()> {
    let plan = Plan::new();
    let maps = Maps::through(&plan).await?;
    plan.delay(Duration::from_hours(1));
    let others = async {
        for number in 0..20 {
            maps.make(&format!("other-{number}")).await?;
        }
        anyhow::Ok(())
    };
    let all = ListParams::default();
    tokio::select! {
        answer = maps.faulty.list(&all) => panic!("{answer:?}"),
        others = others => others,
    }
}
