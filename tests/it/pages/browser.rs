//! A browser that a test drives, and what it must not say or do meanwhile.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use campuscafe_tests::{Cafe, Process, eventually, on_path, root, signal, skipped};
use reqwest::Url;
use serde_json::{Value, json};
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, LoggingPrefsLogLevel};
use tokio::process::Command;

/// A browser that starts on a busy machine takes its time.
const LIMIT: Duration = Duration::from_mins(2);

static PROFILES: AtomicU32 = AtomicU32::new(0);

/// What reaches out or needs more than a test machine has.
const FLAGS: [&str; 13] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-proxy-server",
    // What is to be pressed must not move meanwhile.
    "--force-prefers-reduced-motion",
    "--window-size=1280,1000",
];

/// A browser with a profile of its own, and the driver that listens for it.
pub(super) struct Browser {
    page: WebDriver,
    profile: PathBuf,
    /// What the console may say.
    expected: Mutex<Vec<&'static str>>,
    _driver: Process,
}

impl Browser {
    /// The browser of this machine, if it has one.
    pub(super) async fn open(to_show: &str, language: &str) -> Option<Self> {
        let chromium = on_path(&["chromium", "chromium-browser", "google-chrome"]);
        let (Some(chromium), Some(driver)) = (chromium, on_path(&["chromedriver"])) else {
            skipped(&format!("no Chromium with a chromedriver to show that {to_show}"));
            return None;
        };
        let mut driver = Command::new(driver);
        driver.arg("--port=0");
        let mut driver = Process::of(driver);
        let port = |line: &str| {
            let port = line.split_once("started successfully on port ")?.1.trim_end_matches('.');
            port.parse::<u16>().ok()
        };
        let port = driver.said("its port", port).await;

        let mut wanted = ChromeCapabilities::new();
        wanted.set_binary(chromium.to_str().expect("a path in UTF-8")).unwrap();
        for flag in FLAGS {
            wanted.add_arg(flag).unwrap();
        }
        let number = PROFILES.fetch_add(1, Ordering::Relaxed);
        let profile = format!("campuscafe-pages-{}-{number}", std::process::id());
        let profile = std::env::temp_dir().join(profile);
        wanted.add_arg(&format!("--user-data-dir={}", profile.display())).unwrap();
        wanted.add_arg(&format!("--accept-lang={language}")).unwrap();
        wanted.set_logging_prefs("browser", LoggingPrefsLogLevel::All).unwrap();
        wanted.set_logging_prefs("performance", LoggingPrefsLogLevel::All).unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let page = WebDriver::builder(url, wanted).request_timeout(LIMIT).await;
        Some(Self {
            page: page.expect("the browser starts"),
            profile,
            expected: Mutex::default(),
            _driver: driver,
        })
    }

    /// Lets the console say lines with these words.
    pub(super) fn expect(&self, words: &'static str) {
        self.expected.lock().unwrap().push(words);
    }

    /// Fails if a page said something on the console that is not expected, or asked another
    /// host for something. Ends the browser.
    pub(super) async fn close(self) {
        let console = self.page.browser_log().await.unwrap();
        let expected = self.expected.lock().unwrap().clone();
        let told: Vec<_> = console
            .iter()
            .filter(|entry| !expected.iter().any(|words| entry.message.contains(words)))
            .collect();
        assert!(told.is_empty(), "on the console: {told:#?}");
        let log = self.page.get_log("performance").await.unwrap();
        let asked: Vec<_> = log.iter().filter_map(|entry| requested(&entry.message)).collect();
        assert!(!asked.is_empty(), "the log tells what is asked for");
        let abroad =
            |url: &&Url| url.scheme().starts_with("http") && url.host_str() != Some("127.0.0.1");
        let abroad: Vec<_> = asked.iter().filter(abroad).map(Url::as_str).collect();
        assert!(abroad.is_empty(), "asked of others: {abroad:?}");
        self.page.clone().quit().await.unwrap();
    }

    pub(super) async fn go(&self, url: &str) {
        self.page.goto(url).await.unwrap();
    }

    pub(super) async fn reload(&self) {
        self.page.refresh().await.unwrap();
    }

    /// The path of the page.
    pub(super) async fn path(&self) -> String {
        self.page.current_url().await.unwrap().path().to_owned()
    }

    /// What a script returns.
    pub(super) async fn script(&self, script: &str) -> Value {
        let returned = self.page.execute(script, Vec::new()).await;
        returned.unwrap_or_else(|error| panic!("{error} in {script}")).json().clone()
    }

    /// What a script gives to its last argument, a function.
    pub(super) async fn script_async(&self, script: &str) -> Value {
        let returned = self.page.execute_async(script, Vec::new()).await;
        returned.unwrap_or_else(|error| panic!("{error}")).json().clone()
    }

    /// The first element that a selector finds.
    pub(super) async fn the(&self, selector: &str) -> WebElement {
        let found = self.page.find(By::Css(selector)).await;
        let Ok(found) = found else { panic!("no {selector} in\n{}", self.text("body").await) };
        found
    }

    pub(super) async fn has(&self, selector: &str) -> bool {
        !self.page.find_all(By::Css(selector)).await.unwrap().is_empty()
    }

    /// The visible text of an element.
    pub(super) async fn text(&self, selector: &str) -> String {
        let script = format!("return document.querySelector({selector:?})?.innerText ?? ''");
        self.script(&script).await.as_str().expect("text").to_owned()
    }

    pub(super) async fn click(&self, selector: &str) {
        let clicked = self.the(selector).await.click().await;
        clicked.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Moves the pointer onto an element.
    pub(super) async fn hover(&self, selector: &str) {
        let element = self.the(selector).await;
        element.scroll_into_view().await.unwrap();
        self.page.action_chain().move_to_element_center(&element).perform().await.unwrap();
    }

    pub(super) async fn write(&self, selector: &str, text: &str) {
        let field = self.the(selector).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Waits until the page has something by itself: the script loads nothing anew.
    pub(super) async fn shows(&self, selector: &str) {
        eventually(&format!("{selector} on the page"), || async {
            self.has(selector).await.then_some(())
        })
        .await;
    }

    /// Presses a key where the focus is.
    pub(super) async fn press(&self, keys: impl Into<TypingData>) {
        self.page.action_chain().send_keys(keys).perform().await.unwrap();
    }

    /// Another window, in front.
    pub(super) async fn window(&self) -> WindowHandle {
        let window = self.page.new_window().await.unwrap();
        self.look_at(&window).await;
        window
    }

    /// The window in front.
    pub(super) async fn this_window(&self) -> WindowHandle {
        self.page.window().await.unwrap()
    }

    pub(super) async fn look_at(&self, window: &WindowHandle) {
        self.page.switch_to_window(window.clone()).await.unwrap();
    }

    /// Asks the browser itself for something, over its own protocol.
    pub(super) async fn set(&self, method: &str, parameters: Value) -> Value {
        self.page.cdp().send_raw(method, parameters).await.unwrap()
    }

    /// Pretends to be a screen of this size.
    pub(super) async fn size(&self, width: u64, height: u64) {
        let size = json!(
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.set("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Moves the pointer over an element.
    pub(super) async fn point(&self, selector: &str) {
        let element = self.the(selector).await;
        element.scroll_into_view().await.unwrap();
        self.page.action_chain().move_to_element_center(&element).perform().await.unwrap();
    }

    /// Leaves a picture of the whole page under `target/screenshots/`.
    pub(super) async fn photograph(&self, name: &str, width: u64) {
        let height = self.script("return document.documentElement.scrollHeight").await;
        self.size(width, height.as_u64().expect("pixels")).await;
        let folder = root().join("target/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        self.page.screenshot(&folder.join(format!("{name}.png"))).await.unwrap();
        self.set("Emulation.clearDeviceMetricsOverride", json!({})).await;
    }
}

impl Drop for Browser {
    /// Ends the browser of a test that failed, whatever it does: the driver may wait for it.
    fn drop(&mut self) {
        let is_open = self.page.clone().leak().is_ok();
        let id = self.page.capabilities().get("goog:processID");
        if let Some(id) = id.filter(|_| is_open) {
            signal(&id.to_string(), "KILL");
        }
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// The address of a request, if an entry of the log tells of one.
fn requested(entry: &str) -> Option<Url> {
    let entry: Value = serde_json::from_str(entry).ok()?;
    let message = entry.get("message")?;
    if message["method"] != "Network.requestWillBeSent" {
        return None;
    }
    message["params"]["request"]["url"].as_str()?.parse().ok()
}

/// Runs a test in a browser beside a café; at its end every page was quiet.
pub(super) async fn in_browser(to_show: &str, test: impl AsyncFnOnce(&Browser, &Cafe)) {
    let Some(browser) = Browser::open(to_show, "en").await else { return };
    // Enough for every order of a test.
    let cafe = Cafe::open_with(&[("INVENTORY_STOCK", "cake=1000")]).await;
    test(&browser, &cafe).await;
    browser.close().await;
}
