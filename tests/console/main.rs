//! The worker's console in a real Chromium, over a real worker.

mod axe;
mod browser;
mod config;
mod devices;
mod hostile;
mod messages;
mod pictures;

use anyhow::Context as _;
use rustix::process::Signal;
use serde_json::{Value, json};
use tests::running::Running;
use tests::site::{MESSAGE, Site, TOKEN};

use browser::Browser;

const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';

const ECHO: &str =
    "def handler(event, context):\n    return event['telemetry']['RC_cylinder1_1P_d_dispPeak']\n";

const OUTCOMES: usize = 7;

/// A site and a window that shows its console.
async fn open(width: u32, language: &str) -> anyhow::Result<(Site, Browser)> {
    let site = Site::start(ECHO).await?;
    let browser = Browser::open(width, language).await?;
    browser.go(&page(&site.worker)).await?;
    Ok((site, browser))
}

/// A site whose worker asks for a token, and a window that shows its console.
async fn open_with_token(site: Site, language: &str) -> anyhow::Result<(Site, Browser)> {
    let site = site.with_token().await?;
    let browser = Browser::open(1400, language).await?;
    browser.go(&page(&site.worker)).await?;
    log_in(&browser).await?;
    Ok((site, browser))
}

/// Gives the page the token that it asks for.
async fn log_in(browser: &Browser) -> anyhow::Result<()> {
    tests::eventually(async || Ok(browser.type_into("#token", TOKEN).await.ok())).await?;
    // The answer 401, which made the page ask.
    browser.complaints().await?;
    browser.click("button[type=submit]").await
}

fn page(worker: &Running) -> String {
    format!("http://{}/", worker.http())
}

/// What the ledger's table says of a model: what was received, and each outcome.
async fn ledger(browser: &Browser, model: &str) -> anyhow::Result<Vec<u64>> {
    let script = "
        const rows = [...document.querySelectorAll('table tbody tr')].map((row) => [...row.cells].map((cell) => cell.innerText));
        return rows.find((cells) => cells[0] === arguments[0]).slice(1).map((text) => Number(text.replace(/,/g, '')));";
    let cells = browser.run(script, json!([model])).await?;
    serde_json::from_value(cells).context("the table has other cells")
}

/// The pages as their links name them, and a text that each shows in English.
pub(crate) const PAGES: [(&str, &str); 6] = [
    ("overview", "What flows"),
    ("models", "SHA-256"),
    ("devices", "Messages that no model takes"),
    ("messages", "--http-token-file"),
    ("why", "Explain"),
    ("config", "modelAddress"),
];

#[tokio::test]
async fn the_overview_shows_what_flows_what_is_wrong_and_numbers_that_add_up() -> anyhow::Result<()>
{
    let (mut site, browser) = open(1400, "en-US").await?;
    browser
        .sees(&[
            "ready",
            "test does not serve: InvalidDigest",
            "What to do:",
            "edgemodel pack FOLDER",
        ])
        .await?;
    for value in 0..20 {
        site.measure(value).await?;
        site.result().await?;
    }
    tests::eventually(async || Ok((ledger(&browser, "industry").await?[1] == 20).then_some(())))
        .await?;
    let numbers = ledger(&browser, "industry").await?;
    assert_eq!(numbers.len(), 1 + OUTCOMES, "{numbers:?}");
    assert_eq!(numbers[0], numbers[1..].iter().sum::<u64>(), "{numbers:?}");
    assert_eq!(browser.complaints().await?, [""; 0]);
    site.worker.stop().await?;
    Ok(())
}

#[tokio::test]
async fn the_charts_have_points_after_some_seconds() -> anyhow::Result<()> {
    let (site, browser) = open(1400, "en-US").await?;
    browser
        .sees(&["Messages a second", "From receipt to outcome, ms"])
        .await?;
    let charts = browser
        .run(
            "return document.querySelectorAll('.uplot canvas').length",
            json!([]),
        )
        .await?;
    assert_eq!(charts, 4);
    assert_eq!(browser.complaints().await?, [""; 0]);
    drop(site);
    Ok(())
}

/// The page, a click on "Why not?", one into the text, one on the button.
#[tokio::test]
async fn why_a_device_does_not_match_takes_three_clicks() -> anyhow::Result<()> {
    let (site, browser) = open(1000, "en-US").await?;
    browser.sees(&["Why not?"]).await?;
    browser.click("nav a[href='#/why']").await?;
    let message = MESSAGE.replace("设备2", "<img src=x onerror=hacked=1>\u{202e}2");
    browser.click("#message").await?;
    browser.fill("#message", &message).await?;
    browser.click("button[type=submit]").await?;
    browser
        .sees(&[
            "does not get the message",
            "data_to_dict['deviceInfo']['deviceName']",
            "<img src=x onerror=hacked=1>",
        ])
        .await?;
    assert_eq!(
        browser
            .run("return window.hacked ?? null", json!([]))
            .await?,
        Value::Null
    );
    browser.type_into("#topic", "nowhere").await?;
    browser.click("button[type=submit]").await?;
    browser.sees(&["does not receive it"]).await?;
    browser.fill("#message", "{").await?;
    browser.click("button[type=submit]").await?;
    browser.sees(&["not JSON"]).await?;
    drop(site);
    Ok(())
}

#[tokio::test]
async fn it_speaks_chinese_to_those_who_do_and_english_on_request() -> anyhow::Result<()> {
    let (site, browser) = open(1400, "zh-CN").await?;
    browser
        .sees(&[
            "概览",
            "就绪",
            "test 未提供服务：InvalidDigest",
            "处理办法：",
            "接收数等于其他各列之和",
        ])
        .await?;
    let language = "return document.documentElement.lang";
    assert_eq!(browser.run(language, json!([])).await?, "zh-CN");
    browser
        .click("header select:last-of-type option[value=en]")
        .await?;
    browser.sees(&["Overview", "What is wrong"]).await?;
    assert_eq!(browser.run(language, json!([])).await?, "en");
    drop(site);
    Ok(())
}

#[tokio::test]
async fn nothing_is_off_the_screen_on_a_phone_or_a_wall() -> anyhow::Result<()> {
    for width in [390, 2560] {
        let (site, browser) = open(width, "en-US").await?;
        for (page, wanted) in PAGES {
            browser.click(&format!("nav a[href='#/{page}']")).await?;
            browser.sees(&[wanted]).await?;
            let script = "return [document.documentElement.scrollWidth, innerWidth]";
            let widths = browser.run(script, json!([])).await?;
            assert!(
                widths[0].as_u64() <= widths[1].as_u64(),
                "{page} at {width}: {widths}"
            );
            let script = "
                const right = (element) => element.getBoundingClientRect().right;
                const controls = [...document.querySelectorAll('main :is(input, select, button, textarea)')];
                const out = controls.filter((one) => right(one) > right(one.closest('fieldset, section')));
                return out.map((one) => one.outerHTML);";
            let out = browser.run(script, json!([])).await?;
            assert_eq!(out, json!([]), "{page} at {width}");
        }
        drop(site);
    }
    Ok(())
}

#[tokio::test]
async fn it_is_light_or_dark() -> anyhow::Result<()> {
    let (site, browser) = open(1000, "en-US").await?;
    browser.sees(&["What flows"]).await?;
    let mut colours = Vec::new();
    for theme in ["light", "dark"] {
        browser.click(&format!("option[value={theme}]")).await?;
        colours.push(
            browser
                .run(
                    "return getComputedStyle(document.body).backgroundColor",
                    json!([]),
                )
                .await?,
        );
    }
    assert_ne!(colours[0], colours[1]);
    browser.go(&page(&site.worker)).await?;
    browser.sees(&["What flows"]).await?;
    let colour = browser
        .run(
            "return getComputedStyle(document.body).backgroundColor",
            json!([]),
        )
        .await?;
    assert_eq!(colour, colours[1], "it is remembered");
    Ok(())
}

#[tokio::test]
async fn the_keyboard_is_enough() -> anyhow::Result<()> {
    let (site, browser) = open(1000, "en-US").await?;
    browser.sees(&["What flows"]).await?;
    let focus = "return document.activeElement.getAttribute('href')";
    browser.press(&[TAB]).await?;
    assert_eq!(browser.run(focus, json!([])).await?, "#/overview");
    browser.press(&[TAB, TAB, TAB, TAB, ENTER]).await?;
    browser
        .sees(&["A message, as the device publishes it"])
        .await?;
    drop(site);
    Ok(())
}

#[tokio::test]
async fn a_worker_that_is_lost_is_shown_as_lost_and_found_again() -> anyhow::Result<()> {
    let (mut site, browser) = open(1000, "en-US").await?;
    browser.sees(&["What flows"]).await?;
    let address = site.worker.http();
    site.worker.kill().await?;
    browser.sees(&["worker lost since", "What flows"]).await?;
    site.worker = Running::at(address, &site.config, &site.models.installed()).await?;
    tests::eventually(async || Ok((!browser.text().await?.contains("worker lost")).then_some(())))
        .await?;
    site.worker.signal(Signal::TERM)?;
    Ok(())
}

#[tokio::test]
async fn with_a_token_the_page_asks_for_it() -> anyhow::Result<()> {
    let site = Site::start(ECHO).await?.with_token().await?;
    let browser = Browser::open(1000, "en-US").await?;
    browser.go(&page(&site.worker)).await?;
    browser.sees(&["This worker asks for a token"]).await?;
    browser.type_into("#token", "wrong-wrong-wrong").await?;
    browser.click("button[type=submit]").await?;
    browser.sees(&["This worker asks for a token"]).await?;
    browser.fill("#token", "").await?;
    browser.type_into("#token", TOKEN).await?;
    browser.click("button[type=submit]").await?;
    browser.sees(&["What flows"]).await?;
    Ok(())
}
