//! The page of messages.

use serde_json::json;
use tests::site::Site;

use crate::browser::Browser;
use crate::devices::PICKY;
use crate::{open, open_with_token};

async fn open_messages(language: &str) -> anyhow::Result<(Site, Browser)> {
    let letters =
        |config: String| config.replace("- pub:\n", "- pub:\n    deadLetterTopic: dead\n");
    let site = Site::with(PICKY, letters).await?;
    let (site, browser) = open_with_token(site, language).await?;
    browser.sees(&["industry"]).await?;
    browser.click("nav a[href='#/messages']").await?;
    Ok((site, browser))
}

#[tokio::test]
async fn messages_are_shown_beside_their_results_and_exceptions() -> anyhow::Result<()> {
    let (mut site, browser) = open_messages("en-US").await?;
    browser.sees(&["No such message yet."]).await?;
    site.measure(4242).await?;
    site.result().await?;
    browser
        .sees(&["RC_cylinder1_1P_d_dispPeak", "设备2"])
        .await?;
    let parts =
        "return [...document.querySelectorAll('article pre')].map((part) => part.innerText)";
    let parts: Vec<String> = serde_json::from_value(browser.run(parts, json!([])).await?)?;
    assert_eq!(parts.len(), 2, "{parts:?}");
    assert_eq!(parts[0], tests::site::message(4242));
    assert_eq!(parts[1], "4242");
    site.measure(13).await?;
    browser
        .sees(&[
            "dead letter",
            "exception: ValueError: not {'deviceInfo'",
            "line 4, in handler",
        ])
        .await?;
    browser.click("#kind option[value=results]").await?;
    tests::eventually(async || {
        Ok((!browser.text().await?.contains("line 4, in handler")).then_some(()))
    })
    .await?;
    browser.click("#kind option[value=letters]").await?;
    browser.sees(&["line 4, in handler"]).await?;
    browser.fill("#search", "4242").await?;
    browser.sees(&["No such message yet."]).await?;
    assert_eq!(browser.complaints().await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_message_that_is_held_stays_and_becomes_a_golden_sample() -> anyhow::Result<()> {
    let (mut site, browser) = open_messages("zh-CN").await?;
    site.measure(4242).await?;
    browser.sees(&["有结果", "保存为黄金样本"]).await?;
    browser.click(".tools button").await?;
    browser.sees(&["继续"]).await?;
    site.measure(13).await?;
    let articles = "return document.querySelectorAll('article').length";
    assert_eq!(browser.run(articles, json!([])).await?, 1);
    let sample = "return decodeURIComponent(document.querySelector('a[download]').href.split(',').slice(1).join(','))";
    let sample = browser.run(sample, json!([])).await?;
    let sample: serde_json::Value = serde_json::from_str(sample.as_str().unwrap_or_default())?;
    let event: serde_json::Value = serde_json::from_str(&tests::site::message(4242))?;
    assert_eq!(sample, json!({ "event": event, "result": 4242 }));
    browser.click(".tools button").await?;
    browser.sees(&["死信", "调用栈"]).await?;
    assert_eq!(browser.complaints().await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn without_a_token_no_message_is_shown_or_sent() -> anyhow::Result<()> {
    let (mut site, browser) = open(1000, "en-US").await?;
    site.measure(4242).await?;
    site.result().await?;
    browser.click("nav a[href='#/messages']").await?;
    browser.sees(&["--http-token-file"]).await?;
    let script = "
        const done = arguments[arguments.length - 1];
        fetch('console/state?messages=industry').then(async (response) => {
            const reader = response.body.getReader();
            const { value } = await reader.read();
            reader.cancel();
            done(new TextDecoder().decode(value));
        });";
    let state = browser.run_async(script).await?;
    let state = state.as_str().unwrap_or_default();
    assert!(state.contains("\"name\":\"industry\""), "{state}");
    assert!(!state.contains("RC_cylinder1_1P_d_dispPeak"), "{state}");
    Ok(())
}
