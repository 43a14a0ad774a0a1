//! The page of devices.

use crds::validated::Qos;
use serde_json::{Value, json};
use tests::running::Running;
use tests::site::{IN, MESSAGE, Site};

use crate::browser::Browser;
use crate::{open, open_with_token};

/// A model that raises over one value, with the event in the text.
pub(crate) const PICKY: &str = "def handler(event, context):\n    value = event['telemetry']['RC_cylinder1_1P_d_dispPeak']\n    \
                     if value == 13:\n        raise ValueError(f'not {event}')\n    return value\n";

/// The sample message of another device.
pub(crate) fn message_of(device: &str) -> String {
    let name = json!(device).to_string();
    MESSAGE.replace("\"设备2\"", &name)
}

/// A configuration whose first model takes all devices but 设备2, and tells them apart by their names.
pub(crate) fn any_device(config: &str) -> String {
    config
        .replacen(
            "attrExpression: == data_to_dict['deviceInfo']['deviceName']",
            "attrExpression: \"!= data_to_dict['deviceInfo']['deviceName']\"",
            1,
        )
        .replacen(
            "  modelAddress",
            "  deviceKey: data_to_dict['deviceInfo']['deviceName']\n  modelAddress",
            1,
        )
}

/// The texts of the cells of each row of a table, by the label of what it is in.
async fn rows(browser: &Browser, label: &str) -> anyhow::Result<Vec<Vec<String>>> {
    let script = "
        const rows = document.querySelectorAll(`[aria-label=\"${arguments[0]}\"] tbody tr`);
        return [...rows].map((row) => [...row.cells].map((cell) => cell.innerText));";
    Ok(serde_json::from_value(
        browser.run(script, json!([label])).await?,
    )?)
}

async fn publish(site: &mut Site, message: String) -> anyhow::Result<()> {
    site.device.send(IN, message, Qos::AtLeastOnce).await
}

#[tokio::test]
async fn devices_are_shown_with_what_they_did_and_no_payloads() -> anyhow::Result<()> {
    let mut site = Site::start(PICKY).await?;
    let browser = Browser::open(1400, "en-US").await?;
    browser.go(&crate::page(&site.worker)).await?;
    browser.sees(&["ready"]).await?;
    browser.click("nav a[href='#/devices']").await?;
    browser
        .sees(&["1 of 1 devices", "nothing yet", "None."])
        .await?;
    for value in [1, 2] {
        site.measure(value).await?;
        site.result().await?;
    }
    browser.sees(&["published"]).await?;
    let cells = rows(&browser, "Devices").await?.remove(0);
    assert_eq!(
        (&*cells[0], &*cells[3], &*cells[5]),
        ("设备2", "2", "0"),
        "{cells:?}"
    );
    site.measure(13).await?;
    browser.sees(&["failed", "exception: ValueError"]).await?;
    publish(&mut site, message_of("设备9")).await?;
    browser
        .sees(&[IN, "Log in with the token to see it"])
        .await?;
    publish(&mut site, "online".to_owned()).await?;
    browser.sees(&["the message is not JSON"]).await?;
    let text = browser.text().await?;
    assert!(!text.contains("online"), "{text}");
    assert!(
        !text.contains("设备9") && !text.contains("telemetry"),
        "{text}"
    );
    browser.fill("#search", "other").await?;
    browser.sees(&["0 of 1 devices"]).await?;
    assert_eq!(browser.complaints().await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_device_that_no_model_takes_is_named_and_explained_at_a_click() -> anyhow::Result<()> {
    let site = Site::start(PICKY).await?;
    let (mut site, browser) = open_with_token(site, "zh-CN").await?;
    browser.sees(&["就绪"]).await?;
    browser.click("nav a[href='#/devices']").await?;
    browser.sees(&["没有模型接收的消息"]).await?;
    for _ in 0..3 {
        publish(&mut site, message_of("设备9")).await?;
    }
    let said = "data_to_dict['deviceInfo']['deviceName'] = 设备9";
    browser.sees(&[said]).await?;
    assert_eq!(rows(&browser, "没有模型接收的消息").await?.len(), 1);
    browser.click("td a[href='#/why']").await?;
    browser.sees(&["得不到此消息", "设备2 不匹配"]).await?;
    site.measure(13).await?;
    browser.click("nav a[href='#/devices']").await?;
    browser
        .sees(&["ValueError: not {'deviceInfo'", "失败"])
        .await?;
    assert_eq!(browser.complaints().await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn of_many_devices_the_last_thousand_are_shown_and_found() -> anyhow::Result<()> {
    let mut site = Site::with(PICKY, |config| any_device(&config)).await?;
    let browser = Browser::open(1000, "en-US").await?;
    browser.go(&crate::page(&site.worker)).await?;
    browser.sees(&["ready"]).await?;
    browser.click("nav a[href='#/devices']").await?;
    browser.sees(&["0 of 0 devices"]).await?;
    for device in 0..1100 {
        let message = message_of(&format!("press-{device}"));
        site.device.push(IN, message, Qos::AtLeastOnce).await?;
    }
    publish(&mut site, message_of("press-1099")).await?;
    browser
        .sees(&["1,000 of 1,000 devices", "press-1099"])
        .await?;
    browser.click("main button").await?;
    tests::eventually(async || Ok((rows(&browser, "Devices").await?.len() == 1000).then_some(())))
        .await?;
    browser.fill("#search", "PRESS-1098").await?;
    browser.sees(&["1 of 1,000 devices"]).await?;
    browser.fill("#search", "press-7").await?;
    browser.sees(&["press-777"]).await?;
    assert!(!browser.text().await?.contains("press-1098"));
    let lost = browser.run(
        "return document.querySelectorAll('header .bad').length",
        json!([]),
    );
    assert_eq!(lost.await?, Value::from(0));
    Ok(())
}

#[tokio::test]
async fn a_lost_worker_keeps_its_devices_on_the_page_and_is_found_again() -> anyhow::Result<()> {
    let (mut site, browser) = open(1000, "en-US").await?;
    site.measure(1).await?;
    site.result().await?;
    browser.click("nav a[href='#/devices']").await?;
    browser.sees(&["published"]).await?;
    let address = site.worker.http();
    site.worker.kill().await?;
    browser.sees(&["worker lost since", "published"]).await?;
    site.worker = Running::at(address, &site.config, &site.models.installed()).await?;
    browser.sees(&["nothing yet"]).await?;
    site.worker.ready().await?;
    site.measure(2).await?;
    browser.sees(&["ready", "published"]).await?;
    Ok(())
}

/// Each page asks for its own data, and the worker is not taken for lost meanwhile.
#[tokio::test]
async fn one_stream_brings_what_each_page_needs() -> anyhow::Result<()> {
    let (site, browser) = open(1000, "en-US").await?;
    browser.sees(&["ready"]).await?;
    let script = "
        window.seen = [];
        new MutationObserver(() => seen.push(document.querySelector('header .pill').innerText))
            .observe(document.querySelector('header'), { subtree: true, childList: true, characterData: true });";
    browser.run(script, json!([])).await?;
    for _ in 0..20 {
        for page in ["devices", "overview"] {
            browser.click(&format!("nav a[href='#/{page}']")).await?;
        }
    }
    browser.click("nav a[href='#/devices']").await?;
    browser.sees(&["1 of 1 devices", "设备2"]).await?;
    browser.click("nav a[href='#/devices/test']").await?;
    browser.sees(&["三厂-pyboot测试设备2"]).await?;
    let seen = browser.run(
        "return seen.filter((text) => text.includes('lost'))",
        json!([]),
    );
    assert_eq!(seen.await?, json!([]));
    drop(site);
    Ok(())
}
