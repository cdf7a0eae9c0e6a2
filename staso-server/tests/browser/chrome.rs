use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use fantoccini::{
    Client, ClientBuilder, Locator,
    elements::Element,
    error::CmdError,
    wd::{Capabilities, WebDriverCompatibleCommand},
};
use serde_json::{Value, json};

use crate::support::skip::{program, skip};

/// A page must come to the expected state within this, else the test fails. Not a thing that is measured.
const WATCHDOG: Duration = Duration::from_secs(20);

/// A window of Debian's Chromium, driven through ChromeDriver.
pub(crate) struct Browser {
    client: Client,
    base_url: String,
    driver: Child,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Opens a window, or says on standard error why the test is skipped: there is no Chromium. Where
    /// `STASO_TEST_NO_SKIP` is set, that fails the test.
    pub(crate) async fn open(base_url: &str) -> Option<Self> {
        let (Some(chromium), Some(chromedriver)) = (program("chromium"), program("chromedriver")) else {
            skip("chromium and chromedriver are not installed");
            return None;
        };
        let (driver, port) = start(&chromedriver);
        let profile = tempfile::tempdir().expect("a folder for the profile");
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities(&chromium, profile.path()))
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("chromedriver opens a session");
        let browser =
            Self { client, base_url: base_url.trim_end_matches('/').to_owned(), driver, _profile: profile };
        browser.resize(1280, 900).await;
        Some(browser)
    }

    /// Goes to a page of the dashboard.
    pub(crate) async fn goto(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.base_url)).await.expect("the page loads");
    }

    /// The element, as soon as there is one.
    pub(crate) async fn find(&self, css: &str) -> Element {
        let found = self.client.wait().at_most(WATCHDOG).for_element(Locator::Css(css)).await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("no `{css}` in {}: {error}", self.url().await),
        }
    }

    /// How many elements match now.
    pub(crate) async fn count(&self, css: &str) -> usize {
        self.client.find_all(Locator::Css(css)).await.expect("a selector").len()
    }

    /// Waits until the script gives true.
    pub(crate) async fn until(&self, what: &str, script: &str) {
        let deadline = tokio::time::Instant::now() + WATCHDOG;
        while self.evaluate(script).await != json!(true) {
            assert!(
                tokio::time::Instant::now() < deadline,
                "{what}: not within {WATCHDOG:?} in {}",
                self.url().await
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the page shows the text.
    pub(crate) async fn until_text(&self, text: &str) {
        let script = format!("return document.body.innerText.includes({})", json!(text));
        self.until(&format!("the text {text:?}"), &script).await;
    }

    /// The value of a script's `return`.
    pub(crate) async fn evaluate(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.expect("the script runs")
    }

    /// Where the window is.
    pub(crate) async fn url(&self) -> String {
        self.client.current_url().await.map_or_else(|error| error.to_string(), |url| url.to_string())
    }

    /// Presses a key on the page.
    pub(crate) async fn press(&self, key: &str) {
        let body = self.client.find(Locator::Css("body")).await.expect("a body");
        body.send_keys(key).await.expect("the key is pressed");
    }

    /// Presses Enter in whatever has the focus.
    pub(crate) async fn press_enter(&self) {
        let focused = self.client.active_element().await.expect("something has the focus");
        focused.send_keys("\u{E007}").await.expect("the key is pressed");
    }

    /// Shows pages as a window or telephone of this width does.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        let parameters =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.devtools("Emulation.setDeviceMetricsOverride", parameters).await;
    }

    /// Shows pages as where the system is dark or light.
    pub(crate) async fn prefer(&self, scheme: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", features).await;
    }

    /// Keeps a picture of what is visible in `target/screenshots/`.
    pub(crate) async fn screenshot(&self, name: &str) {
        let picture = self.client.screenshot().await.expect("a picture");
        let folder = env::var_os("STASO_SCREENSHOTS")
            .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("../screenshots"), PathBuf::from);
        fs::create_dir_all(&folder).expect("a folder for pictures");
        fs::write(folder.join(format!("{name}.png")), picture).expect("the picture is written");
    }

    /// Fails if the page logged an error, as it does for what its content security policy refuses; then
    /// closes the window.
    pub(crate) async fn close(mut self) {
        let log = self.command("se/log", json!({"type": "browser"})).await;
        let severe: Vec<&Value> =
            log.as_array().into_iter().flatten().filter(|entry| entry["level"] == "SEVERE").collect();
        self.client.clone().close().await.expect("the session closes");
        self.stop();
        assert!(severe.is_empty(), "errors in the console: {severe:#?}");
    }

    async fn devtools(&self, command: &str, parameters: Value) {
        self.command("goog/cdp/execute", json!({"cmd": command, "params": parameters})).await;
    }

    async fn command(&self, endpoint: &'static str, body: Value) -> Value {
        let result: Result<Value, CmdError> = self.client.issue_cmd(Extension { endpoint, body }).await;
        result.unwrap_or_else(|error| panic!("{endpoint}: {error}"))
    }

    fn stop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A command of ChromeDriver's beyond the standard.
#[derive(Debug)]
struct Extension {
    endpoint: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.endpoint))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}

fn capabilities(chromium: &Path, profile: &Path) -> Capabilities {
    let arguments = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
    ];
    let mut arguments: Vec<String> = arguments.map(str::to_owned).into();
    arguments.push(format!("--user-data-dir={}", profile.display()));
    let options = json!({"binary": chromium, "args": arguments});
    [("goog:chromeOptions".to_owned(), options), ("goog:loggingPrefs".to_owned(), json!({"browser": "ALL"}))]
        .into_iter()
        .collect()
}

/// ChromeDriver on a port of its own choice, which it prints.
fn start(chromedriver: &Path) -> (Child, u16) {
    let mut child = Command::new(chromedriver)
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver starts");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let port = lines
        .map_while(Result::ok)
        .find_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok())
        .expect("chromedriver says its port");
    (child, port)
}
