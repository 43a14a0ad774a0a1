//! A device whose messages kill the model must not take the others with it.

use std::time::Duration;

use tests::pool::{TestPool, text};
use worker::message::{FailureReason, Outcome};

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
    let mut pool = TestPool::start(&model).await?;
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
    let mut number = 0;
    while pool.monitor().hosts()[0].quarantined == ["poison"] {
        pool.send("poison", number.to_string())?;
        pool.next().await?;
        number += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    pool.send("poison", "7")?;
    assert_eq!(text(pool.next().await?.1), "7");
    Ok(())
}
