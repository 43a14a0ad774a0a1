//! The page that writes a configuration.

use serde_json::json;
use tests::site::SEED;

use crate::browser::Browser;
use crate::open;

/// Opens a file in the form, as a user who chooses it does.
async fn open_file(browser: &Browser, text: &str) -> anyhow::Result<()> {
    let script = "
        const files = new DataTransfer();
        files.items.add(new File([arguments[0]], 'config.yaml'));
        const place = document.getElementById('file');
        place.files = files.files;
        place.dispatchEvent(new Event('change'));";
    browser.run(script, json!([text])).await.map(drop)
}

/// The problems that stand beside a field.
async fn beside(browser: &Browser, path: &str) -> anyhow::Result<String> {
    let script = "
        const field = document.getElementById('field-' + arguments[0]);
        return field.closest('.field').querySelector('.fault')?.innerText ?? '';";
    let text = browser.run(script, json!([path])).await?;
    Ok(text.as_str().unwrap_or_default().to_owned())
}

async fn yaml(browser: &Browser) -> anyhow::Result<String> {
    let script = "return document.querySelector('pre[aria-label=YAML]')?.textContent ?? ''";
    let text = browser.run(script, json!([])).await?;
    Ok(text.as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn what_comes_out_of_the_form_means_what_went_in() -> anyhow::Result<()> {
    let (site, browser) = open(1400, "en-US").await?;
    browser.click("nav a[href='#/config']").await?;
    browser.sees(&["funcs", "modelAddress"]).await?;
    open_file(&browser, SEED).await?;
    browser.sees(&["valid, but models are refused: 1"]).await?;
    let text = tests::eventually(async || {
        Ok(Some(yaml(&browser).await?).filter(|text| text.contains("industry")))
    })
    .await?;
    let (before, after) = (crds::load(SEED, "seed")?, crds::load(&text, "form")?);
    assert_eq!(format!("{after:?}"), format!("{before:?}"));
    assert_eq!(browser.complaints().await?, [""; 0]);
    drop(site);
    Ok(())
}

#[tokio::test]
async fn problems_stand_beside_their_fields_and_go_when_they_are_corrected() -> anyhow::Result<()> {
    let (site, browser) = open(1400, "zh-CN").await?;
    browser.click("nav a[href='#/config']").await?;
    browser.sees(&["MQTT服务地址"]).await?;
    open_file(&browser, SEED).await?;
    browser.sees(&["有效，但有 1 个模型会被拒绝"]).await?;
    for (path, wrong, right) in [
        (
            "mqtts[0].broker",
            "htp://192.168.241.1",
            "tcp://192.168.241.1:1883",
        ),
        (
            "rules[0].sub.name",
            "nowhere",
            "mosquitto-20336454-5413-4e2f-b52e-b945291359c7",
        ),
        ("rules[0].sub.topic", "a/#/b", "a/#"),
        ("expose[0].outPort", "80", "38080"),
        ("expose[0].protocolPort", "ftp://:1", "http://:8080"),
        (
            "funcs[0].devices[0].deviceAttr[0].attrExpression",
            "= data_to_dict['x']",
            "== data_to_dict['x']",
        ),
        ("funcs[0].modelName", "", "industry"),
        ("mqtts[0].qos", "7", "1"),
    ] {
        let field = format!("[id='field-{path}']");
        browser.fill(&field, wrong).await?;
        let told = tests::eventually(async || {
            Ok(Some(beside(&browser, path).await?).filter(|text| !text.is_empty()))
        });
        told.await
            .map_err(|error| error.context(format!("{path}: {wrong}")))?;
        browser.fill(&field, right).await?;
        browser.sees(&["有效，但有 1 个模型会被拒绝"]).await?;
        assert_eq!(beside(&browser, path).await?, "", "{path}");
    }
    assert_eq!(browser.complaints().await?, [""; 0]);
    drop(site);
    Ok(())
}

#[tokio::test]
async fn a_configuration_can_be_written_from_nothing() -> anyhow::Result<()> {
    let (site, browser) = open(1000, "en-US").await?;
    browser.click("nav a[href='#/config']").await?;
    browser.sees(&["problems"]).await?;
    for (path, text) in [
        ("mqtts[0].name", "here"),
        ("mqtts[0].broker", "tcp://127.0.0.1:1883"),
        ("rules[0].sub.name", "here"),
        ("rules[0].sub.topic", "in"),
        ("rules[0].pub.name", "here"),
        ("rules[0].pub.topic", "out"),
        ("funcs[0].modelAddress", "file:///models/m.zip"),
        ("funcs[0].modelMd5", "pZ4DJ+YhYM9ppHD+VhLi+A=="),
        ("funcs[0].modelName", "m"),
        ("funcs[0].devices[0].deviceName", "press-7"),
    ] {
        browser.fill(&format!("[id='field-{path}']"), text).await?;
    }
    browser.sees(&["valid"]).await?;
    tests::eventually(async || Ok((!browser.text().await?.contains("problems")).then_some(())))
        .await?;
    let runtime = crds::load(&yaml(&browser).await?, "form")?;
    assert_eq!(runtime.funcs[0].devices[0].name, "press-7");
    open_file(&browser, "mqtts: [").await?;
    browser.sees(&["line 1"]).await?;
    drop(site);
    Ok(())
}
