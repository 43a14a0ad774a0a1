//! Texts that devices, models and messages choose: they change nothing but their own cell.

use anyhow::Context as _;
use crds::validated::Qos;
use serde_json::{Value, json};
use tests::site::{IN, Site};

use crate::browser::Browser;
use crate::devices::{any_device, message_of};
use crate::open_with_token;

/// Raises over each message, with the device's name and a text of 10,000 characters.
const HOSTILE: &str = "def handler(event, context):\n    name = event['deviceInfo']['deviceName']\n    \
                       raise ValueError(name + 'x' * 10000 + name)\n";

/// What each hostile text is made of.
const KINDS: [&str; 20] = [
    "<img src=x onerror=hacked=1>",
    "<script>hacked=1</script>",
    "</td></tr></table></section><h1>title</h1>",
    "\"><svg onload=hacked=1>",
    "<style>*{display:none}</style>",
    "<a href=javascript:hacked=1>press</a>",
    "&lt;b&gt;&#x202e;&nbsp;",
    "${hacked=1}{{hacked=1}}`hacked=1`",
    "\u{202e}esrever",
    "\u{2067}\u{202e}\u{2069}\u{2069}\u{2069}",
    "\u{200f}\u{61c}עברית العربية",
    "\u{2028}\u{2029}\u{85}\u{b}",
    "line\nline\r\n\ttab",
    "\u{0}\u{1b}[2J\u{7}",
    "a\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}\u{30a}\u{30b}\u{30c}\u{30d}\u{30e}\u{30f}",
    "👩‍👩‍👧‍👦🏳️‍🌈\u{200d}\u{feff}\u{200b}",
    "__proto__",
    "{name}{count}{time}",
    "'; DROP TABLE devices; --",
    "../../../%2e%2e/%00?#",
];

/// A hundred of them, all different: as they are, twice, around an ordinary name, and as long as names may be.
fn texts() -> Vec<String> {
    let variants = KINDS.iter().flat_map(|kind| {
        let most = 250 / kind.len();
        [
            (*kind).to_owned(),
            format!("{kind}{kind}"),
            format!("press {kind} 7"),
            format!("{kind} 备"),
            kind.repeat(most),
        ]
    });
    variants.collect()
}

/// What must be as it was, whatever texts say: elements that nobody adds, and the frame of the page.
const FRAME: &str = "
    const count = (selector) => document.querySelectorAll(selector).length;
    const box = (selector) => {
        const { x, y, width, height } = document.querySelector(selector).getBoundingClientRect();
        return [x, y, width, height].map(Math.round);
    };
    return {
        elements: ['img', 'script', 'style', 'svg', 'iframe', 'h1', 'link', 'nav'].map(count),
        hacked: window.hacked ?? null,
        header: box('header'), nav: box('nav'),
        polluted: ({}).polluted ?? null,
        wide: document.documentElement.scrollWidth > innerWidth,
        title: document.title,
    };";

async fn frame(browser: &Browser) -> anyhow::Result<Value> {
    browser.run(FRAME, json!([])).await
}

/// Rows of the table of devices: the texts of their cells, and whether a text is drawn outside its cell.
const ROWS: &str = "
    const rows = [...document.querySelectorAll('[aria-label=\"Devices\"] tbody tr')];
    const inside = (cell) => {
        const outer = cell.getBoundingClientRect();
        return [...cell.querySelectorAll('*')].every((element) => {
            const inner = element.getBoundingClientRect();
            return inner.left >= outer.left - 1 && inner.right <= outer.right + 1 && inner.top >= outer.top - 1 &&
                inner.bottom <= outer.bottom + 1;
        });
    };
    return rows.map((row) => ({
        name: row.cells[0].textContent,
        others: [...row.cells].slice(2, 6).map((cell) => cell.innerText),
        error: row.cells[6].textContent,
        inside: [...row.cells].every(inside),
        height: row.getBoundingClientRect().height,
        left: row.cells[1].getBoundingClientRect().left,
    }));";

async fn publish(site: &mut Site, texts: &[String]) -> anyhow::Result<()> {
    let mut last = None;
    for text in texts {
        let token = site.device.push(IN, message_of(text), Qos::AtLeastOnce);
        last = Some(token.await?);
    }
    site.device.done(last.context("there are texts")?).await
}

#[tokio::test]
async fn a_hundred_hostile_names_change_nothing_but_their_own_cell() -> anyhow::Result<()> {
    let texts = texts();
    assert_eq!(texts.len(), 100);
    let (mut site, browser) = open_with_token(
        Site::with(HOSTILE, |config| any_device(&config)).await?,
        "en-US",
    )
    .await?;
    browser.sees(&["What flows"]).await?;
    browser.click("nav a[href='#/devices']").await?;
    browser.sees(&["0 of 0 devices"]).await?;
    let before = frame(&browser).await?;
    publish(&mut site, &texts).await?;
    browser.sees(&["100 of 100 devices"]).await?;
    let rows = tests::eventually(async || {
        let rows = browser.run(ROWS, json!([])).await?;
        let rows = rows.as_array().cloned().unwrap_or_default();
        let done = rows.iter().all(|row| row["others"][2] == "failed");
        Ok((done && rows.len() == 100).then_some(rows))
    })
    .await?;
    assert_eq!(frame(&browser).await?, before);
    let mut names: Vec<_> = rows.iter().map(|row| row["name"].clone()).collect();
    for text in &texts {
        // A cell holds 200 UTF-16 units.
        let units: Vec<u16> = text.encode_utf16().collect();
        let shown = if units.len() > 200 {
            String::from_utf16_lossy(&units[..200]) + "…"
        } else {
            text.clone()
        };
        let found = names.iter().position(|name| *name == shown);
        names.remove(found.with_context(|| format!("{text:?} is not in {names:?}"))?);
    }
    for row in &rows {
        assert_eq!(row["others"][1], "1", "{row}");
        assert_eq!(row["others"][3], "1", "{row}");
        assert_eq!(row["inside"], true, "{row}");
        assert_eq!(row["left"], rows[0]["left"], "{row}");
        assert!(row["height"].as_f64() < Some(400.0), "{row}");
        let error = row["error"].as_str().unwrap_or_default();
        assert!(error.starts_with("exception: ValueError: "), "{row}");
        assert!(error.chars().count() < 250, "{row}");
    }
    assert_eq!(browser.complaints().await?, [""; 0]);
    Ok(())
}

/// Last errors, messages and tracebacks, in a window as narrow as a phone's, and a link that someone wrote.
#[tokio::test]
async fn hostile_errors_and_messages_change_nothing_either() -> anyhow::Result<()> {
    let site = Site::with(HOSTILE, |config| any_device(&config)).await?;
    let (mut site, browser) = open_with_token(site, "zh-CN").await?;
    browser.resize(390).await?;
    browser.sees(&["数据流"]).await?;
    for (page, wanted) in [
        ("messages", "抽样"),
        ("models", "SHA-256"),
        ("overview", "数据流"),
    ] {
        browser.click(&format!("nav a[href='#/{page}']")).await?;
        browser.sees(&[wanted]).await?;
        let before = frame(&browser).await?;
        for texts in texts().chunks(10) {
            publish(&mut site, texts).await?;
        }
        if page != "overview" {
            browser.sees(&["ValueError: "]).await?;
        }
        assert_eq!(frame(&browser).await?, before, "{page}");
    }
    for address in ["%", "%E0%A4%A", "<img src=x onerror=hacked=1>", "__proto__"] {
        for page in ["models", "devices", "messages"] {
            let url = format!("{}#/{page}/{address}", crate::page(&site.worker));
            browser.go(&url).await?;
            browser.sees(&["就绪", "概览"]).await?;
        }
    }
    let script = "
        const done = arguments[arguments.length - 1];
        import('./console/language.js').then(({ t }) => done(t('gets', { device: '\\u202e{device}'.repeat(100) })));";
    let sentence = browser.run_async(script).await?;
    let sentence = sentence.as_str().unwrap_or_default();
    assert!(
        sentence.starts_with("得到此消息，设备为 \u{fffd}{device}\u{fffd}"),
        "{sentence}"
    );
    assert!(
        sentence.chars().count() < 250 && !sentence.contains('\u{202e}'),
        "{sentence}"
    );
    let hacked = browser
        .run("return window.hacked ?? null", json!([]))
        .await?;
    assert_eq!(hacked, Value::Null);
    assert_eq!(browser.complaints().await?, [""; 0]);
    Ok(())
}
