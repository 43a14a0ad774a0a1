//! The pictures of the docs.

use std::path::Path;

use crds::validated::Qos;
use tests::site::{IN, Site};

use crate::browser::Browser;
use crate::devices::{PICKY, message_of};
use crate::{open_with_token, page};

/// What is taken: the file's name, language, width, appearance, page, and what the page shows then.
const PICTURES: [(&str, &str, u32, &str, &str, &str); 10] = [
    ("overview", "en-US", 1200, "light", "overview", "495"),
    ("overview.zh", "zh-CN", 1200, "light", "overview", "495"),
    ("phone", "en-US", 390, "light", "overview", "495"),
    ("devices", "en-US", 1200, "light", "devices", "设备9"),
    ("devices.zh", "zh-CN", 1200, "light", "devices", "设备9"),
    ("devices.phone", "zh-CN", 390, "dark", "devices", "设备9"),
    ("messages", "en-US", 1200, "dark", "messages", "Traceback"),
    ("config", "en-US", 1200, "light", "config", "modelAddress"),
    (
        "config.phone",
        "zh-CN",
        390,
        "dark",
        "config",
        "modelAddress",
    ),
    (
        "messages.phone",
        "zh-CN",
        390,
        "light",
        "messages",
        "Traceback",
    ),
];

/// `EDGEMODEL_PICTURES=docs/console cargo test --test console -- pictures` writes them.
#[tokio::test]
async fn pictures() -> anyhow::Result<()> {
    let Some(folder) = std::env::var_os("EDGEMODEL_PICTURES") else {
        return Ok(());
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(folder);
    std::fs::create_dir_all(&folder)?;
    let site = Site::start(PICKY).await?;
    let (mut site, browser) = open_with_token(site, "en-US").await?;
    for value in 0..500 {
        site.measure(value % 100).await?;
        if value % 100 != 13 {
            site.result().await?;
        }
    }
    site.device
        .send(IN, message_of("设备9"), Qos::AtLeastOnce)
        .await?;
    drop(browser);
    for picture in PICTURES {
        take(&site, picture, &folder).await?;
    }
    Ok(())
}

async fn take(
    site: &Site,
    picture: (&str, &str, u32, &str, &str, &str),
    folder: &Path,
) -> anyhow::Result<()> {
    let (name, language, width, appearance, shown, wanted) = picture;
    let browser = Browser::open(width, language).await?;
    browser.go(&page(&site.worker)).await?;
    crate::log_in(&browser).await?;
    browser
        .click(&format!("option[value={appearance}]"))
        .await?;
    browser.click(&format!("nav a[href='#/{shown}']")).await?;
    browser.sees(&[wanted]).await?;
    let file = folder.join(format!("{name}.png"));
    std::fs::write(file, browser.picture().await?)?;
    Ok(())
}
