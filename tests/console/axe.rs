//! axe-core, which finds what people with disabilities could not use, on each page, in light and dark.

use anyhow::Context as _;
use crds::validated::Qos;
use serde_json::json;
use tests::site::{IN, Site};

use crate::browser::Browser;
use crate::devices::{PICKY, message_of};
use crate::{ECHO, PAGES, log_in, open, open_with_token, page};

/// What it finds that is serious.
async fn serious(browser: &Browser) -> anyhow::Result<Vec<String>> {
    let axe = std::env::var_os("EDGEMODEL_AXE")
        .context("EDGEMODEL_AXE is missing: run `make test-console`")?;
    // Not a script of the page, whose policy would forbid it.
    browser
        .run(&std::fs::read_to_string(axe)?, json!([]))
        .await?;
    let script = "const done = arguments[arguments.length - 1]; axe.run().then((found) => done(found.violations))";
    let violations = browser.run_async(script).await?;
    let violations = violations.as_array().into_iter().flatten();
    let serious = violations.filter(|one| {
        let mut impacts = ["serious", "critical"].iter();
        impacts.any(|impact| one["impact"] == *impact)
    });
    Ok(serious
        .map(|one| format!("{}: {}", one["id"], one["nodes"]))
        .collect())
}

async fn check(browser: &Browser, pages: &[(&str, &str)]) -> anyhow::Result<()> {
    for theme in ["light", "dark"] {
        browser.sees(&["ready"]).await?;
        browser.click(&format!("option[value={theme}]")).await?;
        for (page, wanted) in pages {
            browser.click(&format!("nav a[href='#/{page}']")).await?;
            browser.sees(&[wanted]).await?;
            let found = serious(browser).await?;
            assert!(found.is_empty(), "{theme} {page}: {found:#?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn axe_finds_nothing_serious() -> anyhow::Result<()> {
    let (site, browser) = open(1400, "en-US").await?;
    check(&browser, &PAGES).await?;
    drop(site);
    Ok(())
}

#[tokio::test]
async fn axe_finds_nothing_serious_in_what_the_authenticated_see() -> anyhow::Result<()> {
    let site = Site::start(PICKY).await?;
    let (mut site, browser) = open_with_token(site, "en-US").await?;
    browser.sees(&["ready"]).await?;
    site.measure(4242).await?;
    site.measure(13).await?;
    let stranger = message_of("设备9");
    site.device.send(IN, stranger, Qos::AtLeastOnce).await?;
    let pages = [("messages", "line 4, in handler"), ("devices", "设备9")];
    check(&browser, &pages).await
}

#[tokio::test]
async fn axe_finds_nothing_serious_where_the_page_asks_for_a_token() -> anyhow::Result<()> {
    let site = Site::start(ECHO).await?.with_token().await?;
    let browser = Browser::open(390, "en-US").await?;
    browser.go(&page(&site.worker)).await?;
    browser.sees(&["This worker asks for a token"]).await?;
    let found = serious(&browser).await?;
    assert!(found.is_empty(), "{found:#?}");
    log_in(&browser).await
}
