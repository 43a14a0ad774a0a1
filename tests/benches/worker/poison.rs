//! One device of a hundred whose messages end the model's process: what the others keep.

use tests::mosquitto::Mosquitto;

use crate::contender::Contender;
use crate::load;

const DEVICES: usize = 100;

/// Rounds with and without the device are so long.
const MESSAGES: u64 = 200_000;

/// Messages a second with the device, as a share of those without it. What the device sends comes back
/// as dead letters.
pub(crate) async fn measure(messages: u64) -> anyhow::Result<f64> {
    let messages = MESSAGES.min(4 * messages);
    let healthy = rate("", messages).await?;
    let device = load::device(0);
    let poison = format!(
        "
    if event['deviceInfo']['deviceName'] == '{device}':
        os._exit(1)"
    );
    Ok(rate(&poison, messages).await? / healthy)
}

async fn rate(poison: &str, messages: u64) -> anyhow::Result<f64> {
    let model = format!(
        "
import os
def handler(event, context):{poison}
    return {{'n': event['telemetry']['ts']}}
"
    );
    let broker = Mosquitto::start().await?;
    let contender = Contender::worker(&broker, DEVICES, &model, serde_json::json!({})).await?;
    let rate = load::through(&broker, 1, DEVICES, messages).await?.rate;
    contender.stop().await?;
    Ok(rate)
}
