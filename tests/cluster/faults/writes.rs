//! Faults of writes: F1 to F5, F17, and what is recorded.

use std::time::Duration;

use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use tests::faults::{Answer, Plan, Verb, WriteFault};

use super::{Maps, apply, map};

/// The second of two creations crashes; gives whether it arrived.
async fn crash(fault: WriteFault) -> anyhow::Result<bool> {
    let plan = Plan::new().at_write(2, fault);
    let maps = Maps::through(&plan).await?;
    let faulty = maps.faulty.clone();
    let operator = tokio::spawn(async move {
        let parameters = PostParams::default();
        faulty.create(&parameters, &map("first")).await?;
        faulty.create(&parameters, &map("second")).await
    });
    plan.crashed().await;
    // A process that is gone reads nothing either, however often the others do.
    let reads = async {
        for _ in 0..20 {
            maps.real.get("first").await?;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        answer = maps.faulty.get("first") => panic!("{answer:?}"),
        read = reads => read?,
    }
    assert!(!operator.is_finished());
    operator.abort();
    assert_eq!(plan.writes().len(), 2);
    Ok(maps.real.get_opt("second").await?.is_some())
}

#[tokio::test]
async fn a_crash_before_a_write_leaves_it_undone() -> anyhow::Result<()> {
    assert!(!crash(WriteFault::CrashBefore).await?);
    Ok(())
}

#[tokio::test]
async fn a_crash_after_a_write_leaves_it_done() -> anyhow::Result<()> {
    assert!(crash(WriteFault::CrashAfter).await?);
    Ok(())
}

#[tokio::test]
async fn a_lost_reply_is_an_io_error_of_a_write_that_is_done() -> anyhow::Result<()> {
    let plan = Plan::new().at_write(1, WriteFault::LostReply);
    let maps = Maps::through(&plan).await?;
    let created = maps
        .faulty
        .create(&PostParams::default(), &map("lost"))
        .await;
    let error = created.unwrap_err();
    assert!(matches!(error, kube::Error::Service(_)), "{error:?}");
    maps.real.get("lost").await?;
    let writes = plan.writes();
    assert_eq!(writes[0].answered, Some(201));
    let expected = format!("create configmaps {}/lost 201 (LostReply)", maps.namespace);
    assert_eq!(writes[0].to_string(), expected);
    Ok(())
}

#[tokio::test]
async fn conflicts_are_worded_as_the_server_words_them() -> anyhow::Result<()> {
    let conflict = WriteFault::Answer(Answer::CONFLICT);
    let plan = Plan::new().at_write(1, conflict).at_write(2, conflict);
    let maps = Maps::through(&plan).await?;
    let faulty = &maps.faulty;
    let created = faulty.create(&PostParams::default(), &map("one")).await;
    // Both of them really happen now, for comparison.
    let one = maps.make("one").await?;
    let really = maps.real.create(&PostParams::default(), &map("one")).await;
    assert_eq!(
        created.unwrap_err().to_string(),
        really.unwrap_err().to_string()
    );

    let mut newer = one.clone();
    newer.data = Some([("a".to_owned(), "b".to_owned())].into());
    maps.real
        .replace("one", &PostParams::default(), &newer)
        .await?;
    let replaced = faulty.replace("one", &PostParams::default(), &newer).await;
    let really = maps.real.replace("one", &PostParams::default(), &one).await;
    assert_eq!(
        replaced.unwrap_err().to_string(),
        really.unwrap_err().to_string()
    );
    Ok(())
}

/// kube's own client tries again when a server is overloaded or away, and each try is a write.
#[tokio::test]
async fn answers_of_a_server_in_trouble_are_seen_as_such() -> anyhow::Result<()> {
    let answers = [
        Answer::INTERNAL_ERROR,
        Answer::UNAVAILABLE,
        Answer::TIMEOUT,
        Answer::TOO_MANY_REQUESTS,
        Answer::TOO_MANY_REQUESTS.retry_after(1),
    ];
    for answer in answers {
        let plan = Plan::new().at_write(1, WriteFault::Answer(answer));
        let maps = Maps::through(&plan).await?;
        let parameters = PostParams::default();
        let created = maps.faulty.create(&parameters, &map("tried")).await;
        let statuses: Vec<_> = plan.writes().iter().map(|write| write.answered).collect();
        if answer == Answer::INTERNAL_ERROR {
            let Err(kube::Error::Api(status)) = created else {
                panic!("{created:?}");
            };
            assert_eq!(
                (status.code, status.reason.as_str()),
                (500, "InternalError")
            );
            assert_eq!(statuses, [None]);
            assert!(maps.real.get_opt("tried").await?.is_none());
        } else {
            created?;
            assert_eq!(statuses, [None, Some(201)]);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_timeout_may_be_answered_though_the_write_is_done() -> anyhow::Result<()> {
    let fault = WriteFault::AnswerThoughDone(Answer::TIMEOUT);
    let plan = Plan::new().at_write(1, fault);
    let maps = Maps::through(&plan).await?;
    // kube tries again, and finds that it is there.
    let created = maps
        .faulty
        .create(&PostParams::default(), &map("done"))
        .await;
    let Err(kube::Error::Api(status)) = created else {
        panic!("{created:?}");
    };
    assert!(status.is_already_exists(), "{status:?}");
    maps.real.get("done").await?;
    Ok(())
}

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
