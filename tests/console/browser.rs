//! A real Chromium, told what to do by WebDriver.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tests::eventually;
use tests::mosquitto::free_port;
use tokio::process::{Child, Command};

/// Longest time for one command: Chromium starts in seconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// A window of a browser; closed when it is dropped.
#[derive(Debug)]
pub(crate) struct Browser {
    /// Killed when it is dropped, after the window is closed.
    _driver: Child,
    port: u16,
    client: reqwest::Client,
    session: String,
    /// Chromium itself, which its driver starts.
    chromium: Option<Pid>,
}

impl Browser {
    /// Opens a window of this width in pixels, for a user of this language.
    pub(crate) async fn open(width: u32, language: &str) -> anyhow::Result<Self> {
        let port = free_port()?;
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("chromedriver is missing: run `make test-console`")?;
        let up = async || Ok(TcpStream::connect(("127.0.0.1", port)).ok().map(drop));
        eventually(up).await?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .timeout(PATIENCE)
            .build()?;
        let mut browser = Self {
            _driver: driver,
            port,
            client,
            session: format!("http://127.0.0.1:{port}/session"),
            chromium: None,
        };
        let arguments = [
            "--headless=new".to_owned(),
            // Chromium's sandbox does not work for root.
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-gpu".to_owned(),
            "--hide-scrollbars".to_owned(),
            format!("--window-size={width},1000"),
            format!("--lang={language}"),
            format!("--accept-lang={language}"),
        ];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "args": arguments },
        } } });
        let made = browser.command(Method::POST, "", wanted).await?;
        let id = made["sessionId"].as_str().context("no session")?.to_owned();
        browser.session = format!("{}/{id}", browser.session);
        let process = made["capabilities"]["goog:processID"].as_i64();
        let process = i32::try_from(process.context("no process id")?)?;
        browser.chromium = Pid::from_raw(process);
        browser.resize(width).await?;
        Ok(browser)
    }

    /// Makes the window so many pixels wide.
    pub(crate) async fn resize(&self, width: u32) -> anyhow::Result<()> {
        let size = json!({ "width": width, "height": 1000 });
        let done = self.command(Method::POST, "/window/rect", size).await;
        done.map(drop)
    }

    async fn command(&self, method: Method, path: &str, body: Value) -> anyhow::Result<Value> {
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.session));
        if method == Method::POST {
            request = request.body(body.to_string());
        }
        let answer = request.send().await?.bytes().await?;
        let mut answer: Value = serde_json::from_slice(&answer)?;
        let value = answer["value"].take();
        anyhow::ensure!(value.get("error").is_none(), "{path}: {value:#}");
        Ok(value)
    }

    /// Goes to an address.
    pub(crate) async fn go(&self, url: &str) -> anyhow::Result<()> {
        let done = self
            .command(Method::POST, "/url", json!({ "url": url }))
            .await;
        done.map(drop)
    }

    /// What a script gives.
    pub(crate) async fn run(&self, script: &str, arguments: Value) -> anyhow::Result<Value> {
        let body = json!({ "script": script, "args": arguments });
        self.command(Method::POST, "/execute/sync", body).await
    }

    /// What a script gives that calls its last argument with it.
    pub(crate) async fn run_async(&self, script: &str) -> anyhow::Result<Value> {
        let body = json!({ "script": script, "args": [] });
        self.command(Method::POST, "/execute/async", body).await
    }

    /// The text that a user sees in the page.
    pub(crate) async fn text(&self) -> anyhow::Result<String> {
        let text = self
            .run("return document.body.innerText", json!([]))
            .await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until a user sees each of these texts.
    pub(crate) async fn sees(&self, wanted: &[&str]) -> anyhow::Result<String> {
        let seen = eventually(async || {
            let text = self.text().await?;
            Ok(wanted.iter().all(|one| text.contains(one)).then_some(text))
        });
        match seen.await {
            Ok(text) => Ok(text),
            Err(error) => anyhow::bail!("{error}: {wanted:?} is not in\n{}", self.text().await?),
        }
    }

    async fn element(&self, selector: &str) -> anyhow::Result<String> {
        let body = json!({ "using": "css selector", "value": selector });
        let found = self.command(Method::POST, "/element", body).await?;
        let id = found
            .as_object()
            .and_then(|found| found.values().next()?.as_str());
        Ok(id.context("no element")?.to_owned())
    }

    /// Clicks on what a CSS selector finds.
    pub(crate) async fn click(&self, selector: &str) -> anyhow::Result<()> {
        let path = format!("/element/{}/click", self.element(selector).await?);
        self.command(Method::POST, &path, json!({})).await.map(drop)
    }

    /// Types into what a CSS selector finds.
    pub(crate) async fn type_into(&self, selector: &str, text: &str) -> anyhow::Result<()> {
        let path = format!("/element/{}/value", self.element(selector).await?);
        let body = json!({ "text": text });
        self.command(Method::POST, &path, body).await.map(drop)
    }

    /// Puts a text into what a CSS selector finds, in place of what is there, as a paste does.
    pub(crate) async fn fill(&self, selector: &str, text: &str) -> anyhow::Result<()> {
        let script = "
            const place = document.querySelector(arguments[0]);
            place.value = arguments[1];
            place.dispatchEvent(new Event('input'));";
        self.run(script, json!([selector, text])).await.map(drop)
    }

    /// Presses keys, wherever the focus is.
    pub(crate) async fn press(&self, keys: &[char]) -> anyhow::Result<()> {
        let actions: Vec<_> = keys
            .iter()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key })))
            .collect();
        let body = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] });
        self.command(Method::POST, "/actions", body).await.map(drop)
    }

    /// Errors and warnings in the browser's console since it was asked last.
    pub(crate) async fn complaints(&self) -> anyhow::Result<Vec<String>> {
        let log = self
            .command(Method::POST, "/se/log", json!({ "type": "browser" }))
            .await?;
        let entries = log.as_array().into_iter().flatten();
        Ok(entries.map(|entry| entry["message"].to_string()).collect())
    }

    /// A picture of the window, as a PNG.
    pub(crate) async fn picture(&self) -> anyhow::Result<Vec<u8>> {
        use base64::Engine as _;
        let picture = self
            .command(Method::GET, "/screenshot", Value::Null)
            .await?;
        let picture = picture.as_str().context("no picture")?;
        Ok(base64::engine::general_purpose::STANDARD.decode(picture)?)
    }
}

impl Drop for Browser {
    /// Chromium outlives a driver that is killed, so the driver is asked to end it.
    fn drop(&mut self) {
        let Some((_, path)) = self.session.split_once(&format!(":{}", self.port)) else {
            return;
        };
        let ended = TcpStream::connect(("127.0.0.1", self.port)).and_then(|mut driver| {
            driver.set_read_timeout(Some(PATIENCE))?;
            write!(
                driver,
                "DELETE {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
            )?;
            // The answer comes when the window is closed; the connection stays open.
            driver.read(&mut [0; 1024])
        });
        // There is nobody to tell in a test that is over.
        let _ = ended;
        // Its process ends a while after its window, and now and then not at all.
        let killed = self
            .chromium
            .map(|process| kill_process(process, Signal::KILL));
        let _ = killed;
    }
}
