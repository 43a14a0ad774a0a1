//! A device whose messages kill the model must not take the others with it.

use message::{FailureReason, Outcome};
use tests::eventually;
use tests::pool::text;

const MODEL: &str = "
import os
def handler(event, context):
    if context.device == 'poison' and not os.path.exists(CURE):
        os._exit(1)
    return event
";

#[tokio::test]
async fn a_poisonous_device_is_kept_away_until_it_is_cured() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let cure = folder.path().join("cure");
    let model = MODEL.replace("CURE", &format!("{:?}", cure.display().to_string()));
    let mut pool = super::start(&model).await?;
    for number in 0..500 {
        pool.send("good", number.to_string())?;
        pool.send("poison", number.to_string())?;
    }
    let (mut good, mut reasons) = (0, Vec::new());
    for _ in 0..1000 {
        match pool.next().await? {
            (device, Outcome::Failed(failure)) if device == "poison" => {
                reasons.push(failure.reason);
            }
            (device, outcome) => {
                assert_eq!(device, "good");
                assert_eq!(text(outcome), good.to_string());
                good += 1;
            }
        }
    }
    assert_eq!(good, 500);
    let quarantined = |reason: &&FailureReason| **reason == FailureReason::Quarantined;
    let diverted = reasons.iter().filter(quarantined).count();
    assert!(diverted > 450, "{diverted}");
    let host = pool.monitor().hosts().remove(0);
    assert_eq!(host.quarantined, ["poison"]);
    assert!(host.restarts <= 5, "{}", host.restarts);

    std::fs::write(&cure, "")?;
    eventually(async || {
        pool.call_from("poison", "0").await?;
        let free = pool.monitor().hosts()[0].quarantined.is_empty();
        Ok(free.then_some(()))
    })
    .await?;
    pool.send("poison", "7")?;
    assert_eq!(text(pool.next().await?.1), "7");
    Ok(())
}

/// Messages that are all diverted must not count as a batch that the host has: nothing would ever end it,
/// and the lane would wait forever.
#[tokio::test]
async fn diverted_messages_do_not_hold_up_the_lane() -> anyhow::Result<()> {
    let model = "
import os, time
def handler(event, context):
    if context.device == 'poison':
        os._exit(1)
    while event is not None and not os.path.exists(event):
        time.sleep(0.01)
    return 'done'
";
    let mut pool = super::start(model).await?;
    for _ in 0..2 {
        pool.call_from("poison", "null").await?;
    }
    let folder = tempfile::tempdir()?;
    let gate = folder.path().join("gate");
    pool.send("good", format!("{:?}", gate.display().to_string()))?;
    // One by one, while the host is busy with the good one.
    for _ in 0..5 {
        let failure = pool.call_from("poison", "null").await?;
        assert!(failure.starts_with("quarantined: "), "{failure}");
    }
    std::fs::write(&gate, "")?;
    for _ in 0..10 {
        assert_eq!(pool.call_from("good", "null").await?, "\"done\"");
    }
    Ok(())
}
