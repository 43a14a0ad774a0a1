//! Faults of single writes: F1 to F5.

use kube::api::PostParams;
use tests::faults::{Answer, Plan, WriteFault};

use super::{Maps, map};

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
